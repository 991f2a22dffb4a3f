/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Ends a round: puts the replies of all shards together in the client's order.
 *
 * Rules
 *   1. Each shard's replies stand in its work in the order of its calls, which is the slots' order:
 *      they are taken one after another.
 *   2. Where a reply is missing because the replies before it were large, composing stops, and goes
 *      on there when the shard has run the rest.
 *   3. Where one is missing for lack of memory, the connection ends with an error.
 *
 * Partners: round.c makes the slots; work.c has the replies.
 */

#include "command.h"
#include "figures.h"
#include "number.h"
#include "reply.h"
#include "session.h"

#define LOST "ERR shard %u failed while it had this command, which may or may not have been done"

struct composition {
    struct kv_session *session;
};

static bool is_lost(const struct composition *c, uint32_t shard)
{
    return c->session->lost >> shard & 1;
}

static struct kv_slice next_replies(struct composition *c, uint32_t shard, uint32_t count)
{
    return kv_work_take_replies(c->session->works[shard], count);
}

static void reply_lost(struct composition *c, uint32_t shard, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        kv_reply_error(&c->session->output, LOST, shard);
}

static void add_one(struct composition *c, const struct kv_slot *slot)
{
    if (is_lost(c, slot->shard))
        reply_lost(c, slot->shard, slot->count);
    else
        kv_buffer_add_slice(&c->session->output, next_replies(c, slot->shard, slot->count));
}

/* ---- many replies as one ---- */

struct merged {
    int64_t sum;            /* SUM: of the numbers; ARRAYS, SCAN: of the lengths; RANDOM: of keys */
    uint64_t chance;        /* RANDOM */
    struct kv_buffer body;  /* ARRAYS, SCAN: the elements */
    uint64_t cursor;        /* SCAN: of the last shard taken */
    bool enough;            /* SCAN: no further one is */
    struct kv_figures figures;
    struct kv_slice first;
    struct kv_slice error;
};

/* The number in a reply's first line, and what stands behind that line. */
static int64_t take_number(struct kv_slice *reply)
{
    const char *end = memchr(reply->data, '\r', reply->size);
    int64_t number = 0;

    if (end == NULL)
        return 0;
    kv_number_parse(reply->data + 1, (size_t)(end - reply->data) - 1, &number);
    reply->size -= (size_t)(end + 2 - reply->data);
    reply->data = end + 2;
    return number;
}

/* Takes a shard's keys, unless the client is to come again for them: a shard that is not through,
 * or the keys so far, end the reply. */
static void merge_scan(struct merged *merged, const struct kv_slot *slot, uint32_t shard,
                       uint32_t shards, struct kv_slice reply)
{
    struct kv_slice text;

    if (merged->enough)
        return;
    take_number(&reply);
    text.size = (size_t)take_number(&reply);
    text.data = reply.data;
    kv_number_parse_cursor(text.data, text.size, &merged->cursor);
    reply.data += text.size + 2;
    reply.size -= text.size + 2;
    merged->sum += take_number(&reply);
    kv_buffer_add_slice(&merged->body, reply);
    merged->enough = merged->sum >= slot->count ||
                     (merged->cursor != 0 && merged->cursor % shards == shard);
}

/* A shard with keys takes the place of those before it with the chance that it has among them. */
static void merge_random(struct merged *merged, struct kv_slice reply)
{
    uint64_t keys;

    reply = kv_raw_of(reply);
    if (reply.size < sizeof keys)
        return;
    memcpy(&keys, reply.data, sizeof keys);
    merged->sum += (int64_t)keys;
    merged->chance = merged->chance * UINT64_C(6364136223846793005) + 1442695040888963407;
    if (merged->first.size > 0 &&
        (keys == 0 || (merged->chance >> 33) % (uint64_t)merged->sum >= keys))
        return;
    merged->first = (struct kv_slice){ reply.data + sizeof keys, reply.size - sizeof keys };
}

static void merge(struct merged *merged, enum kv_merge how, struct kv_slice reply)
{
    struct kv_figures figures;

    if (reply.size > 0 && reply.data[0] == '-') {
        merged->error = reply;
        return;
    }
    switch (how) {
    case KV_MERGE_SUM:
        merged->sum += take_number(&reply);
        break;
    case KV_MERGE_FIRST:
        merged->first = reply;
        break;
    case KV_MERGE_ARRAYS:
        merged->sum += take_number(&reply);
        kv_buffer_add_slice(&merged->body, reply);
        break;
    case KV_MERGE_INFO:
        reply = kv_raw_of(reply);
        if (reply.size != sizeof figures)
            break;
        memcpy(&figures, reply.data, sizeof figures);
        kv_figures_add(&merged->figures, &figures);
        break;
    case KV_MERGE_RANDOM:
        merge_random(merged, reply);
        break;
    case KV_MERGE_SCAN:
    case KV_MERGE_STEP:
        break;
    }
}

static void add_merged(struct composition *c, const struct kv_slot *slot,
                       const struct merged *merged)
{
    struct kv_buffer *out = &c->session->output;

    if (merged->error.size > 0) {
        kv_buffer_add_slice(out, merged->error);
        return;
    }
    switch ((enum kv_merge)slot->merge) {
    case KV_MERGE_SUM:
        kv_reply_number(out, merged->sum);
        break;
    case KV_MERGE_FIRST:
    case KV_MERGE_RANDOM:
        kv_buffer_add_slice(out, merged->first);
        break;
    case KV_MERGE_SCAN:
        KV_REPLY(out, "*2\r\n");
        kv_reply_bulk_number(out, (int64_t)merged->cursor);
        __attribute__((fallthrough));
    case KV_MERGE_ARRAYS:
        kv_reply_array(out, (size_t)merged->sum);
        kv_buffer_add(out, merged->body.data, merged->body.size);
        out->failed |= merged->body.failed;
        break;
    case KV_MERGE_STEP:
        kv_steps_end(c->session);
        break;
    case KV_MERGE_INFO:
        kv_info_write(c->session, &merged->figures, slot->count, out);
        break;
    }
}

static void add_many(struct composition *c, const struct kv_slot *slot)
{
    uint32_t shards = c->session->settings->shards;
    struct merged merged = { .chance = c->session->chance };
    uint32_t lost = KV_SHARDS_MAX;

    for (uint64_t left = slot->mask; left != 0; left &= left - 1) {
        uint32_t shard = (uint32_t)__builtin_ctzll(left);

        struct kv_slice reply;

        if (is_lost(c, shard)) {
            lost = shard;
            continue;
        }
        reply = next_replies(c, shard, 1);
        if (slot->merge == KV_MERGE_SCAN && reply.size > 0 && reply.data[0] == '*')
            merge_scan(&merged, slot, shard, shards, reply);
        else if (slot->merge == KV_MERGE_STEP && reply.size > 0 && reply.data[0] != '-')
            kv_steps_take(c->session, shard, reply);
        else
            merge(&merged, (enum kv_merge)slot->merge, reply);
    }
    c->session->chance = merged.chance;
    if (slot->merge == KV_MERGE_STEP && (lost < KV_SHARDS_MAX || merged.error.size > 0))
        kv_steps_stop(c->session);
    if (lost < KV_SHARDS_MAX)
        reply_lost(c, lost, 1);
    else
        add_merged(c, slot, &merged);
    kv_buffer_release(&merged.body);
}

/* ---- the round ---- */

static void add_slot(struct composition *c, const struct kv_slot *slot)
{
    struct kv_session *session = c->session;
    size_t before = session->output.size;

    switch ((enum kv_slot_kind)slot->kind) {
    case KV_SLOT_HERE:
        kv_buffer_add(&session->output, session->local.data + session->local_done, slot->count);
        session->local_done += slot->count;
        break;
    case KV_SLOT_ONE:
        add_one(c, slot);
        break;
    case KV_SLOT_MANY:
        add_many(c, slot);
        break;
    }
    if (slot->mute)
        session->output.size = before;
}

/* The shards whose next reply the slot needs and does not have. */
static uint64_t lacking(const struct composition *c, const struct kv_slot *slot)
{
    uint64_t mask = slot->kind == KV_SLOT_ONE ? UINT64_C(1) << slot->shard : slot->mask;
    uint64_t without = 0;

    if (slot->kind == KV_SLOT_HERE)
        return 0;
    for (uint64_t left = mask & ~c->session->lost; left != 0; left &= left - 1) {
        uint32_t shard = (uint32_t)__builtin_ctzll(left);

        if (kv_work_replies(c->session->works[shard]) == 0)
            without |= UINT64_C(1) << shard;
    }
    return without;
}

/* The part of a run of replies that is there goes out; the rest stays in the slot. */
static bool split_run(struct composition *c, struct kv_slot *slot)
{
    struct kv_slot part = *slot;
    uint32_t there;

    if (slot->kind != KV_SLOT_ONE || is_lost(c, slot->shard))
        return false;
    there = kv_work_replies(c->session->works[slot->shard]);
    if (there >= slot->count)
        return false;
    part.count = there;
    slot->count -= there;
    add_slot(c, &part);
    return true;
}

static bool any_is_cut(const struct kv_session *session, uint64_t mask)
{
    for (; mask != 0; mask &= mask - 1)
        if (session->works[__builtin_ctzll(mask)]->cut)
            return true;
    return false;
}

/* Puts replies out until one is missing. */
static void compose_slots(struct composition *c)
{
    struct kv_session *session = c->session;

    while (session->slots_done < session->slots.size) {
        struct kv_slot *slot = (void *)(session->slots.data + session->slots_done);

        session->again = lacking(c, slot);
        if (any_is_cut(session, session->again)) {
            session->again = 0;
            kv_session_give_up(session, "OOM out of memory");
            return;
        }
        if (session->again != 0)
            return;
        if (split_run(c, slot))
            continue;
        add_slot(c, slot);
        session->slots_done += sizeof *slot;
    }
}

void kv_round_compose(struct kv_session *session)
{
    struct composition c = { .session = session };

    compose_slots(&c);
    if (session->output.failed) {
        session->again = 0;
        kv_buffer_release(&session->output);
        kv_session_give_up(session, "OOM out of memory");
    }
}
