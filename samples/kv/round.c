/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Takes one parsed command into the round: finds it, checks it, and puts it where it belongs.
 *
 * Why. A command on many keys becomes one call per shard with that shard's keys, in their order;
 * only MGET becomes one call per key, since its replies are wanted in the client's order and not
 * the shards'.
 *
 * Rules
 *   1. Each command adds slots whose replies, put together, are its one reply.
 *   2. Running out of memory leaves a buffer marked failed; the session then drops the round.
 *
 * Partners: session.c parses and ends the round; compose.c reads the slots.
 */

#include <stdio.h>

#include "command.h"
#include "figures.h"
#include "number.h"
#include "reply.h"
#include "session.h"

#define FEW           16u    /* arguments that need no allocation */
#define ROUND_SCRATCH 1024u  /* bytes kept from one command to the next */

/* A command as it lies in the input. */
struct found {
    const struct kv_command *command;
    const char *data;
    const struct kv_arg *args;
    uint32_t count;
};

static struct kv_slice slice_of(const struct found *found, uint32_t i)
{
    return (struct kv_slice){ found->data + found->args[i].at, found->args[i].size };
}

static uint64_t hash_of(const struct kv_session *session, const struct found *found, uint32_t i)
{
    struct kv_slice key = slice_of(found, i);

    return kv_hash(&session->settings->hash_key, key.data, key.size);
}

/* ---- slots ---- */

static struct kv_slot *last_slot(struct kv_session *session)
{
    struct kv_buffer *slots = &session->slots;

    if (slots->size == 0)
        return NULL;
    return (void *)(slots->data + slots->size - sizeof(struct kv_slot));
}

/* Adds a slot, or makes the last one longer. */
static void add_run(struct kv_session *session, enum kv_slot_kind kind, uint32_t shard,
                    uint32_t count)
{
    struct kv_slot *last = last_slot(session);
    struct kv_slot slot = {
        .kind = (uint8_t)kind, .shard = (uint8_t)shard, .mute = session->mute, .count = count,
    };

    if (last != NULL && last->kind == kind && last->shard == shard && last->mute == slot.mute &&
        last->count < UINT32_MAX / 2 && count < UINT32_MAX / 2)
        last->count += count;
    else
        kv_buffer_add(&session->slots, &slot, sizeof slot);
}

/* ---- calls ---- */

static bool add_call(struct kv_session *session, uint32_t shard, const struct kv_request *request)
{
    struct kv_work *work = session->works[shard];

    if (work == NULL)
        work = session->works[shard] = kv_work_new(shard);
    if (work == NULL || !kv_work_add(work, request)) {
        session->slots.failed = true;
        return false;
    }
    session->filled |= UINT64_C(1) << shard;
    session->calls++;
    return true;
}

static void add_to_one(struct kv_session *session, const struct found *found, uint32_t shard,
                       uint64_t hash)
{
    struct kv_request request = {
        .command = kv_command_place(found->command), .database = session->database,
        .count = found->count - 1, .hash = hash, .data = found->data, .args = found->args + 1,
    };

    if (add_call(session, shard, &request))
        add_run(session, KV_SLOT_ONE, shard, 1);
}

static void add_by_key(struct kv_session *session, const struct found *found)
{
    uint64_t hash = hash_of(session, found, (uint32_t)found->command->first_key);

    add_to_one(session, found, kv_hash_shard(hash, session->settings->shards), hash);
}

static void add_each_key(struct kv_session *session, const struct found *found)
{
    size_t before = session->local.size;

    kv_reply_array(&session->local, found->count - 1);
    add_run(session, KV_SLOT_HERE, 0, (uint32_t)(session->local.size - before));
    for (uint32_t i = 1; i < found->count; i++) {
        uint64_t hash = hash_of(session, found, i);
        uint32_t shard = kv_hash_shard(hash, session->settings->shards);
        struct kv_request request = {
            .command = kv_command_get(), .database = session->database, .count = 1, .hash = hash,
            .data = found->data, .args = &found->args[i],
        };

        if (!add_call(session, shard, &request))
            return;
        add_run(session, KV_SLOT_ONE, shard, 1);
    }
}

static void add_many(struct kv_session *session, const struct kv_command *command, uint64_t mask)
{
    struct kv_slot slot = {
        .kind = KV_SLOT_MANY, .merge = command->merge, .mute = session->mute, .mask = mask,
    };

    kv_buffer_add(&session->slots, &slot, sizeof slot);
}

/* One shard's share of a command on many keys, gathered behind the hashes in the scratch. */
static bool add_share(struct kv_session *session, const struct found *found, uint32_t shard,
                      const uint64_t *hashes)
{
    uint32_t step = (uint32_t)found->command->step;
    uint32_t keys = (found->count - 1) / step;
    struct kv_arg *args = (void *)(session->scratch.data + keys * sizeof *hashes);
    struct kv_request request = {
        .command = kv_command_place(found->command), .database = session->database,
        .data = found->data, .args = args,
    };

    for (uint32_t i = 0; i < keys; i++) {
        if (kv_hash_shard(hashes[i], session->settings->shards) != shard)
            continue;
        if (request.count == 0)
            request.hash = hashes[i];
        for (uint32_t j = 0; j < step; j++)
            args[request.count++] = found->args[1 + i * step + j];
    }
    return add_call(session, shard, &request);
}

static void add_by_keys(struct kv_session *session, const struct found *found)
{
    uint32_t step = (uint32_t)found->command->step;
    uint32_t keys = (found->count - 1) / step;
    uint64_t *hashes;
    uint64_t mask = 0;

    if (keys == 1) {
        add_by_key(session, found);
        return;
    }
    kv_buffer_clear(&session->scratch, ROUND_SCRATCH);
    hashes = (void *)kv_buffer_room(
        &session->scratch, keys * (sizeof *hashes + step * sizeof(struct kv_arg)));
    if (hashes == NULL)
        return;
    for (uint32_t i = 0; i < keys; i++) {
        hashes[i] = hash_of(session, found, 1 + i * step);
        mask |= UINT64_C(1) << kv_hash_shard(hashes[i], session->settings->shards);
    }
    for (uint64_t left = mask; left != 0; left &= left - 1)
        if (!add_share(session, found, (uint32_t)__builtin_ctzll(left), hashes))
            return;
    add_many(session, found->command, mask);
}

/* Whether one shard has all keys of the command. */
static bool is_in_one_shard(struct kv_session *session, const struct found *found,
                            uint32_t *ret_shard)
{
    const struct kv_command *command = found->command;
    uint32_t last = command->last_key < 0 ? found->count - 1 : (uint32_t)command->last_key;
    uint32_t step = (uint32_t)command->step;
    uint32_t shards = session->settings->shards;
    uint32_t shard = kv_hash_shard(hash_of(session, found, 1), shards);

    for (uint32_t i = 1 + step; i <= last; i += step)
        if (kv_hash_shard(hash_of(session, found, i), shards) != shard)
            return false;
    *ret_shard = shard;
    return true;
}

static void add_local(struct kv_session *session, size_t before);

static void add_steps(struct kv_session *session, const struct found *found)
{
    size_t before = session->local.size;
    struct kv_request request = {
        .count = found->count, .data = found->data, .args = found->args,
    };
    uint32_t shard;

    if (found->command->run != NULL && is_in_one_shard(session, found, &shard))
        add_to_one(session, found, shard, hash_of(session, found, 1));
    else
        kv_steps_begin(session, found->command, &request);
    add_local(session, before);
}

static void add_everywhere(struct kv_session *session, const struct found *found)
{
    uint32_t shards = session->settings->shards;
    struct kv_request request = {
        .command = kv_command_place(found->command), .database = session->database,
        .count = found->count - 1, .data = found->data, .args = found->args + 1,
    };

    for (uint32_t shard = 0; shard < shards; shard++)
        if (!add_call(session, shard, &request))
            return;
    add_many(session, found->command, UINT64_MAX >> (64 - shards));
}

/* ---- without a shard ---- */

/* Counts what was written to `local` since it was `before` long as a reply. */
static void add_local(struct kv_session *session, size_t before)
{
    if (session->local.size > before)
        add_run(session, KV_SLOT_HERE, 0, (uint32_t)(session->local.size - before));
}

static void run_here(struct kv_session *session, const struct found *found)
{
    size_t before = session->local.size;
    struct kv_slice few[FEW];
    struct kv_slice *args = few;

    if (found->count > FEW) {
        kv_buffer_clear(&session->scratch, ROUND_SCRATCH);
        args = (void *)kv_buffer_room(&session->scratch, found->count * sizeof *args);
        if (args == NULL)
            return;
    }
    for (uint32_t i = 0; i < found->count; i++)
        args[i] = slice_of(found, i);
    found->command->here(session, args, found->count);
    add_local(session, before);
}

static void add(struct kv_session *session, const struct found *found);

/* Some subcommands are for the shards. */
static void run_here_or_there(struct kv_session *session, const struct found *found)
{
    struct found other = *found;

    run_here(session, found);
    other.command = session->instead;
    session->instead = NULL;
    if (other.command != NULL)
        add(session, &other);
}

static int cut(size_t size, size_t limit)
{
    return (int)(size < limit ? size : limit);
}

/* As redis says it: the name, and the beginning of what follows. */
static void reply_unknown(struct kv_session *session, const struct found *found)
{
    struct kv_slice name = slice_of(found, 0);
    char shown[256] = "";
    size_t size = 0;

    for (uint32_t i = 1; i < found->count && size < 128; i++) {
        struct kv_slice arg = slice_of(found, i);
        int wanted = cut(arg.size, 128 - size);

        size += (size_t)snprintf(shown + size, sizeof shown - size, "'%.*s' ", wanted, arg.data);
    }
    kv_reply_error(&session->local, "ERR unknown command '%.*s', with args beginning with: %s",
                   cut(name.size, 128), name.data, shown);
}

/* How many keys a SCAN wants; one that makes no sense is the shard's to refuse. */
static uint32_t scan_count(const struct found *found)
{
    int64_t count = 10;

    for (uint32_t i = 2; i + 1 < found->count; i += 2) {
        struct kv_slice value = slice_of(found, i + 1);

        if (kv_slice_is_word(slice_of(found, i), "count"))
            kv_number_parse(value.data, value.size, &count);
    }
    return count > 0 && count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* The cursor says in which shard to go on; those behind it are asked, too, for a client with few
 * keys shall not have to come once for each shard. A wrong cursor is answered here. */
static void add_by_cursor(struct kv_session *session, const struct found *found)
{
    struct kv_slice text = slice_of(found, 1);
    size_t before = session->local.size;
    uint32_t shards = session->settings->shards;
    struct kv_request request = {
        .command = kv_command_place(found->command), .database = session->database,
        .count = found->count - 1, .data = found->data, .args = found->args + 1,
    };
    uint64_t cursor;

    if (!kv_number_parse_cursor(text.data, text.size, &cursor)) {
        KV_REPLY(&session->local, "-ERR invalid cursor\r\n");
        add_local(session, before);
        return;
    }
    for (uint32_t shard = (uint32_t)(cursor % shards); shard < shards; shard++) {
        request.hash = shard == cursor % shards ? cursor : shard;
        if (!add_call(session, shard, &request))
            return;
    }
    add_many(session, found->command,
             (UINT64_MAX >> (64 - shards)) & (UINT64_MAX << cursor % shards));
    if (!session->slots.failed)
        last_slot(session)->count = scan_count(found);
}

/* INFO's first argument says which sections; they are kept in the slot. */
static void add_info(struct kv_session *session, const struct found *found)
{
    uint32_t sections = 0;

    for (uint32_t i = 1; i < found->count; i++)
        sections |= kv_info_section(slice_of(found, i));
    if (found->count == 1)
        sections = KV_INFO_ALL;
    add_everywhere(session, found);
    if (!session->slots.failed)
        last_slot(session)->count = sections;
}

/* ---- the command ---- */

static bool is_well_formed(struct kv_session *session, const struct found *found)
{
    const struct kv_command *command = found->command;
    size_t before = session->local.size;

    if (command == NULL)
        reply_unknown(session, found);
    else if (!kv_command_accepts(command, found->count) ||
             (command->step == 2 && found->count % 2 == 0))
        kv_reply_arity_error(&session->local, command->name);
    add_local(session, before);
    return session->local.size == before;
}

static void add(struct kv_session *session, const struct found *found)
{
    switch ((enum kv_route)found->command->route) {
    case KV_ROUTE_HERE:
        run_here_or_there(session, found);
        break;
    case KV_ROUTE_KEY:
        add_by_key(session, found);
        break;
    case KV_ROUTE_EACH_KEY:
        add_each_key(session, found);
        break;
    case KV_ROUTE_KEYS:
        add_by_keys(session, found);
        break;
    case KV_ROUTE_STEPS:
        add_steps(session, found);
        break;
    case KV_ROUTE_EVERYWHERE:
        if (found->command->merge == KV_MERGE_INFO)
            add_info(session, found);
        else
            add_everywhere(session, found);
        break;
    case KV_ROUTE_CURSOR:
        add_by_cursor(session, found);
        break;
    }
}

void kv_round_add(struct kv_session *session)
{
    struct found found = {
        .data = session->input.data, .args = session->resp.args, .count = session->resp.count,
    };

    found.command = kv_command_find(slice_of(&found, 0));
    if (is_well_formed(session, &found)) {
        session->command = found.command;
        add(session, &found);
    }
    session->mute = session->silent || session->skip;
    session->skip = false;
}

/* ---- for steps.c ---- */

void kv_round_call(struct kv_session *session, uint32_t shard, const struct kv_request *request)
{
    add_call(session, shard, request);
}

void kv_round_step(struct kv_session *session, uint64_t mask)
{
    struct kv_slot slot = {
        .kind = KV_SLOT_MANY, .merge = KV_MERGE_STEP, .mute = session->mute, .mask = mask,
    };

    kv_buffer_add(&session->slots, &slot, sizeof slot);
}

void kv_round_by_keys(struct kv_session *session, const struct kv_request *request)
{
    struct found found = {
        .command = kv_command_at(request->command), .data = request->data, .args = request->args,
        .count = request->count,
    };

    add_by_keys(session, &found);
}
