/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Who is connected, and the roll calls: what CLIENT LIST and KILL want of everybody.
 *
 * Why. A connection's state is its own, so a list of clients is made by asking each of them, at the
 * same time; whoever ends meanwhile is not on it. One killed ends itself, after it has answered.
 *
 *     ┌─────────┐ kv_roll_call: asks all that are meant   ┌─────────┐ the last one has answered,
 *     │ nothing │ ──────────────────────────────────────► │ CALLING │ ended, or not in time
 *     └─────────┘ ◄────────────────────────────────────── └─────────┘
 *                    kv_roll_called: lines, or how many
 *
 * Rules
 *   1. `members` is sorted by id. The door counts up, but connections begin on any worker: one
 *      may enter a little before another with a smaller id. A member enters before it reads.
 *   2. A roll is in the list until it is answered; then nobody who was asked is still to answer.
 *
 * Partners: connection.c enters, answers kv_who, and asks for rolls; client.h says what they mean.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "service.h"

/* A connection never has a longer turn than a round. */
static const tr_ask_policy who_policy = { .timeout = TR_SEC(5) };

struct kv_member {
    uint64_t id;
    tr_ref ref;
};

struct kv_roll {
    struct kv_roll *next;
    tr_caller caller;
    uint32_t asked;
    uint32_t answered;     /* or not to be expected any more */
    uint64_t killed;
    tr_bytes *lines[];     /* in the order of asking; NULL: of one who did not match, or has gone */
};

struct kv_registry {
    struct kv_buffer members;
    struct kv_roll *rolls;
};

static struct kv_member *members_of(const struct kv_registry *registry)
{
    return (void *)registry->members.data;
}

static size_t count_of(const struct kv_registry *registry)
{
    return registry->members.size / sizeof(struct kv_member);
}

/* ---- rolls ---- */

static void free_roll(struct kv_roll *roll)
{
    for (uint32_t i = 0; i < roll->asked; i++)
        tr_bytes_drop(roll->lines[i]);
    kv_free(roll);
}

static void unlink_roll(struct kv_registry *registry, const struct kv_roll *roll)
{
    struct kv_roll **at = &registry->rolls;

    while (*at != roll)
        at = &(*at)->next;
    *at = roll->next;
}

static tr_bytes *joined(const struct kv_roll *roll)
{
    size_t size = 0;
    tr_bytes *all;

    for (uint32_t i = 0; i < roll->asked; i++)
        size += roll->lines[i] == NULL ? 0 : roll->lines[i]->size;
    all = tr_bytes_new(size);
    if (all == NULL)
        return NULL;
    size = 0;
    for (uint32_t i = 0; i < roll->asked; i++) {
        const tr_bytes *line = roll->lines[i];

        if (line == NULL)
            continue;
        memcpy(all->data + size, line->data, line->size);
        size += line->size;
    }
    return all;
}

static void finish_roll(tr_self *self, struct kv_registry *registry, struct kv_roll *roll)
{
    tr_bytes *lines;

    if (roll->answered < roll->asked)
        return;
    unlink_roll(registry, roll);
    lines = joined(roll);
    if (lines == NULL ||
        tr_answer(self, roll->caller, kv_roll_called, .lines = lines, .killed = roll->killed) < 0) {
        tr_bytes_drop(lines);
        tr_answer_refuse(self, roll->caller, -ENOMEM);
    }
    free_roll(roll);
}

static void ask_member(tr_self *self, struct kv_roll *roll, tr_ref ref,
                       const struct kv_filter *filter)
{
    uint32_t place = roll->asked++;
    tr_call call = tr_ask_with(self, ref, &who_policy, roll, kv_who, .filter = *filter,
                               .place = place);

    if (tr_call_error(call) < 0)
        roll->answered++;
}

static int compare_member(const void *id, const void *member)
{
    uint64_t wanted = *(const uint64_t *)id, there = ((const struct kv_member *)member)->id;

    return wanted < there ? -1 : wanted > there;
}

static struct kv_member *find_member(const struct kv_registry *registry, uint64_t id)
{
    if (count_of(registry) == 0)
        return NULL;
    return bsearch(&id, members_of(registry), count_of(registry), sizeof(struct kv_member),
                   compare_member);
}

/* Asks those with the ids, or everybody; the roll has places for all of them. */
static void ask_members(tr_self *self, const struct kv_registry *registry, struct kv_roll *roll,
                        const struct kv_roll_call *call)
{
    size_t count = call->ids == NULL ? count_of(registry) : call->ids->size / sizeof(uint64_t);

    for (size_t i = 0; i < count; i++) {
        const struct kv_member *member = &members_of(registry)[i];
        uint64_t id;

        if (call->ids != NULL) {
            memcpy(&id, call->ids->data + i * sizeof id, sizeof id);
            member = find_member(registry, id);
        }
        if (member != NULL)
            ask_member(self, roll, member->ref, &call->filter);
    }
}

TR_ON(kv_registry, kv_roll_call, self, me, msg)
{
    size_t places = msg->ids == NULL ? count_of(me) : msg->ids->size / sizeof(uint64_t);
    struct kv_roll *roll = kv_alloc_zeroed(sizeof *roll + places * sizeof *roll->lines);
    int err = roll == NULL ? -ENOMEM : tr_call_hold(self, &roll->caller);

    if (err < 0) {
        kv_free(roll);
        return tr_refuse(self, err);
    }
    roll->next = me->rolls;
    me->rolls = roll;
    ask_members(self, me, roll, msg);
    finish_roll(self, me, roll);
    return TR_OK;
}

TR_ON(kv_registry, kv_me, self, me, msg)
{
    struct kv_roll *roll = tr_context(self);

    roll->answered++;
    roll->killed += msg->matches;
    if (msg->line != NULL)
        roll->lines[msg->place] = tr_bytes_share(msg->line);
    finish_roll(self, me, roll);
    return TR_OK;
}

TR_ON(kv_registry, tr_failed, self, me, msg)
{
    struct kv_roll *roll = tr_context(self);

    roll->answered++;
    finish_roll(self, me, roll);
    return TR_OK;
}

/* ---- members ---- */

static void release(void *registry)
{
    struct kv_registry *me = registry;

    kv_buffer_release(&me->members);
    while (me->rolls != NULL) {
        struct kv_roll *next = me->rolls->next;

        free_roll(me->rolls);
        me->rolls = next;
    }
}

TR_START(kv_registry, self, me)
{
    *me = (struct kv_registry){ 0 };
    return tr_defer(self, release, me);
}

/* Behind all with smaller ids: nearly always at the end. */
static void insert_member(struct kv_registry *registry, struct kv_member member)
{
    size_t at = count_of(registry);
    struct kv_member *members;

    kv_buffer_add(&registry->members, &member, sizeof member);
    if (registry->members.failed) {
        registry->members.failed = false;
        return;
    }
    members = members_of(registry);
    for (; at > 0 && members[at - 1].id > member.id; at--)
        members[at] = members[at - 1];
    members[at] = member;
}

/* Without memory a client is served, and not listed. */
TR_ON(kv_registry, kv_enter, self, me, msg)
{
    if (tr_monitor(self, msg->who, NULL) == 0)
        insert_member(me, (struct kv_member){ .id = msg->id, .ref = msg->who });
    return TR_OK;
}

/* By the ref alone: a client's end is rarer than its commands by far, and this is 10 us in ten
 * thousand clients. */
TR_ON(kv_registry, tr_down, self, me, msg)
{
    struct kv_member *members = members_of(me);
    size_t count = count_of(me);
    size_t i = 0;

    while (i < count && !tr_ref_equal(members[i].ref, msg->who))
        i++;
    if (i == count)
        return TR_OK;
    memmove(&members[i], &members[i + 1], (count - i - 1) * sizeof *members);
    me->members.size -= sizeof *members;
    return TR_OK;
}

const tr_actor_type kv_registry_actor = {
    TR_STATE(kv_registry), .start = TR_STARTS(kv_registry), .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(kv_registry, kv_enter), TR_HANDLES(kv_registry, tr_down),
                   TR_HANDLES(kv_registry, kv_roll_call), TR_HANDLES(kv_registry, kv_me),
                   TR_HANDLES(kv_registry, tr_failed)),
};

uint64_t kv_clients_count(const struct kv_settings *settings)
{
    tr_stats stats = { 0 };

    if (settings->system != NULL)
        tr_type_stats(settings->system, &kv_connection_actor, &stats);
    return stats.alive;
}

/* ---- messages ---- */

void kv_roll_call_drop(void *msg)
{
    tr_bytes_drop(((struct kv_roll_call *)msg)->ids);
}

void kv_roll_called_drop(void *msg)
{
    tr_bytes_drop(((struct kv_roll_called *)msg)->lines);
}

void kv_me_drop(void *msg)
{
    tr_bytes_drop(((struct kv_me *)msg)->line);
}
