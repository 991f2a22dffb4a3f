/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_PUPPET_H
#define TROUPE_TESTS_SUPPORT_PUPPET_H

/*
 * A puppet: an actor whose deeds stand in the test. puppet_do runs a function inside it and waits
 * for what it returns; whatever else comes to it is written down, to be waited for.
 *
 *     static int sends_nothing(tr_self *self, void *arg) { return tr_send(self, …); }
 *     cr_assert_eq(puppet_do(sys, ref, sends_nothing, NULL), -EINVAL);
 *     WAIT_FOR(diary_count(DIARY_DOWN) == 1);
 */

#include <errno.h>
#include <stdint.h>

#include <troupe/troupe.h>

#include "base/ck.h"
#include "support/test.h"
#include "support/waiting.h"

struct puppet_act {
    int (*act)(tr_self *self, void *arg);
    void *arg;
};
struct puppet_done {
    int result;
};
struct puppet_note {
    uint64_t value;
};
struct puppet_then { /* what the handler that reads it returns */
    int result;
};

#define PUPPET_MESSAGES(M)                                                                         \
    M(puppet_act) M(puppet_done) M(puppet_note, TR_IDEMPOTENT) M(puppet_then)
TR_PROTOCOL(puppet, 900, PUPPET_MESSAGES);

enum diary_kind {
    DIARY_NOTE = 1,
    DIARY_DONE,
    DIARY_DOWN,
    DIARY_EXITED,
    DIARY_ENDED,
    DIARY_FAILED,
    DIARY_IDLE,
    DIARY_DEAD_LETTER,
    DIARY_START,
    DIARY_STOP,
};

struct diary_entry {
    enum diary_kind kind;
    int code;
    uint64_t value;
    tr_ref who;
};

#define DIARY_LENGTH 4096u
static struct diary_entry diary[DIARY_LENGTH];
static uint32_t diary_length;
static uint32_t diary_lock;

TR_UNUSED static void diary_write(enum diary_kind kind, int code, uint64_t value, tr_ref who)
{
    while (tri_exchange_acq_rel_32(&diary_lock, 1) != 0)
        tri_cpu_relax();
    uint32_t length = tri_load_relaxed_32(&diary_length);
    if (length < DIARY_LENGTH)
        diary[length] = (struct diary_entry){ kind, code, value, who };
    tri_store_release_32(&diary_length, length + 1);
    tri_store_release_32(&diary_lock, 0);
}

TR_UNUSED static uint32_t diary_count(enum diary_kind kind)
{
    uint32_t length = tri_load_acquire_32(&diary_length), count = 0;

    for (uint32_t i = 0; i < length && i < DIARY_LENGTH; i++)
        count += diary[i].kind == kind;
    return count;
}

/* The nth entry of a kind, from 0; it has been waited for. */
TR_UNUSED static const struct diary_entry *diary_find(enum diary_kind kind, uint32_t nth)
{
    uint32_t length = tri_load_acquire_32(&diary_length);

    for (uint32_t i = 0; i < length && i < DIARY_LENGTH; i++)
        if (diary[i].kind == kind && nth-- == 0)
            return &diary[i];
    return NULL;
}

struct puppet {
    int notes;
};

TR_ON(puppet, puppet_act, self, me, msg)
{
    int result = msg->act(self, msg->arg);

    /* Whoever only sends it does not wait for the answer. */
    (void)tr_reply(self, puppet_done, .result = result);
    return TR_OK;
}

TR_ON(puppet, puppet_then, self, me, msg)
{
    return msg->result;
}

TR_ON(puppet, puppet_note, self, me, msg)
{
    me->notes++;
    diary_write(DIARY_NOTE, me->notes, msg->value, tr_me(self));
    return TR_OK;
}

TR_ON(puppet, puppet_done, self, me, msg)
{
    diary_write(DIARY_DONE, msg->result, (uint64_t)(uintptr_t)tr_context(self), tr_me(self));
    return TR_OK;
}

TR_ON(puppet, tr_down, self, me, msg)
{
    diary_write(DIARY_DOWN, (int)msg->reason.kind, msg->monitor.bits, msg->who);
    return TR_OK;
}

TR_ON(puppet, tr_exited, self, me, msg)
{
    diary_write(DIARY_EXITED, (int)msg->reason.kind, (uint64_t)(int64_t)msg->reason.code, msg->who);
    return TR_OK;
}

TR_ON(puppet, tr_ended, self, me, msg)
{
    diary_write(DIARY_ENDED, (int)msg->times, msg->finally, msg->who);
    return TR_OK;
}

TR_ON(puppet, tr_failed, self, me, msg)
{
    diary_write(DIARY_FAILED, msg->error, (uint64_t)(uintptr_t)tr_context(self), msg->who);
    return TR_OK;
}

TR_ON(puppet, tr_idle, self, me, msg)
{
    diary_write(DIARY_IDLE, 0, (uint64_t)msg->duration, tr_me(self));
    return TR_OK;
}

TR_ON(puppet, tr_dead_letter, self, me, msg)
{
    diary_write(DIARY_DEAD_LETTER, (int)msg->why, msg->tag, msg->to);
    return TR_OK;
}

TR_END(puppet, self, me, reason)
{
    diary_write(DIARY_STOP, (int)reason->kind, (uint64_t)(int64_t)reason->code, tr_me(self));
}

static const tr_actor_type puppet_actor = {
    TR_STATE(puppet),
    .on = TR_TABLE(TR_HANDLES(puppet, puppet_act), TR_HANDLES(puppet, puppet_then),
                   TR_HANDLES(puppet, puppet_note), TR_HANDLES(puppet, puppet_done),
                   TR_HANDLES(puppet, tr_down), TR_HANDLES(puppet, tr_exited),
                   TR_HANDLES(puppet, tr_ended), TR_HANDLES(puppet, tr_failed),
                   TR_HANDLES(puppet, tr_idle), TR_HANDLES(puppet, tr_dead_letter)),
    .stop = TR_ENDS(puppet),
};

static const tr_ask_policy puppet_patience = { .timeout = TR_SEC(20) };

/* Runs `act` inside the actor and returns its result, or the error of the ask. */
TR_UNUSED static int puppet_do(tr_system *sys, tr_ref actor, int (*act)(tr_self *, void *),
                               void *arg)
{
    struct puppet_act request = { act, arg };
    struct puppet_done done;
    int error = tr_ask_wait(sys, actor, &puppet_patience, puppet_act, &request, puppet_done, &done);

    return error < 0 ? error : done.result;
}

TR_UNUSED static tr_system *puppet_system(uint32_t workers)
{
    tr_system *sys = tr_system_start(&(tr_config){ .workers = workers });

    cr_assert_not_null(sys);
    return sys;
}

static inline void puppet_check_stats(tr_system *sys)
{
    tr_stats stats;

    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.attempted, stats.accepted + stats.rejected);
    cr_assert_eq(stats.accepted, stats.handled + stats.crashed + stats.dead_letters + stats.dropped
                                     + stats.expired + stats.queued);
}

#endif
