/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A client's connection: reads, makes rounds of work for the shards, writes the replies.
 *
 *     ┌─────────┐ data   ┌──────────┐ works out  ┌─────────┐ all back
 *     │ READING │ ─────► │ (parses) │ ─────────► │ WAITING │ ─────────┐
 *     └─────────┘        └──────────┘            └─────────┘          │
 *          ▲                   ▲ │ replies                            ▼
 *          │    all parsed     │ └──────────────────────────────► (writes)
 *          └───────────────────┴──── all is with the kernel ─────────┘ │ some is queued
 *                              ▲                                       ▼
 *                              │            written               ┌──────────┐
 *                              └───────────────────────────────── │ DRAINING │
 *                                                                 └──────────┘
 *
 * Rules
 *   1. It reads only in READING: a client that does not take its replies is not read from, and has
 *      at most one round's replies in memory. After KV_SLOW without being able to get rid of
 *      them it is closed.
 *   2. A shard that fails with a work in hand answers for it (tr_failed): the client gets errors
 *      for those commands and goes on.
 *
 * Partners: session.c knows the protocol; door.c spawns; shard.c answers.
 */

#include <errno.h>

#include "service.h"
#include "session.h"

#define KV_SLOW TR_SEC(120)

/* A shard that replays a large log is waited for. */
static const tr_ask_policy run_policy = { .timeout = TR_SEC(60) };

struct kv_connection {
    struct kv_service *service;
    uint64_t id;
    struct kv_session session;
    tr_io io;
    tr_timer slow;
    bool waiting;
    bool draining;
};

static int go_on(tr_self *self, struct kv_connection *me);

static void release(void *session)
{
    kv_session_release(session);
}

TR_START(kv_connection, self, me)
{
    kv_session_start(&me->session, &me->service->settings, me->id);
    return tr_defer(self, release, &me->session);
}

TR_ON(kv_connection, tr_given, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    me->io = msg->io;
    return err < 0 ? TR_STOP : tr_read(self, me->io, 1);
}

/* ---- writing ---- */

/* 1: all is with the kernel; 0: some is queued; negative: the client has gone. */
static int write_replies(tr_self *self, struct kv_connection *me)
{
    struct kv_buffer *output = &me->session.output;
    int queued;

    if (output->size == 0)
        return 1;
    queued = tr_write(self, me->io, output->data, output->size);
    if (queued < 0)
        return queued;
    kv_buffer_clear(output, 16 * 1024);
    if (queued == 0)
        return 1;
    me->draining = true;
    me->slow = tr_after(self, KV_SLOW, kv_slow, 0);
    return 0;
}

TR_ON(kv_connection, tr_written, self, me, msg)
{
    me->draining = false;
    tr_cancel(self, me->slow);
    if (msg->error < 0)
        return TR_STOP;
    return go_on(self, me);
}

TR_ON(kv_connection, kv_slow, self, me, msg)
{
    return me->draining ? TR_STOP : TR_OK;
}

/* ---- rounds ---- */

/* Whether the round that is over wants more than its replies. */
static bool has_requests(const struct kv_connection *me)
{
    return me->session.crash != KV_NO_CRASH || me->session.shutdown || me->session.closing ||
           !kv_session_is_idle(&me->session);
}

/* What the last round asked of the service itself. */
static void serve_requests(tr_self *self, struct kv_connection *me)
{
    uint32_t shard = me->session.crash;

    me->session.crash = KV_NO_CRASH;
    for (uint32_t i = 0; shard == KV_CRASH_ALL && i < me->service->settings.shards; i++)
        tr_send(self, me->service->shards[i], kv_crash, 0);
    if (shard < KV_SHARDS_MAX)
        tr_send(self, me->service->shards[shard], kv_crash, 0);
    if (me->session.shutdown)
        tr_self_shutdown(self);
}

static void send_work(tr_self *self, struct kv_connection *me, uint32_t shard)
{
    struct kv_work *work = kv_session_take(&me->session, shard);
    tr_call call = tr_ask_with(self, me->service->shards[shard], &run_policy,
                               (void *)(uintptr_t)shard, kv_run, .work = work);

    if (tr_call_error(call) == 0)
        return;
    kv_work_free(work);
    if (kv_session_lost(&me->session, shard))
        me->waiting = false;
}

static void send_works(tr_self *self, struct kv_connection *me, uint64_t mask)
{
    me->waiting = true;
    for (; mask != 0; mask &= mask - 1)
        send_work(self, me, (uint32_t)__builtin_ctzll(mask));
}

/* From the end of a round, or new data, to the next thing to wait for. */
static int go_on(tr_self *self, struct kv_connection *me)
{
    for (;;) {
        int written;
        uint64_t mask;

        if (kv_session_is_idle(&me->session))
            serve_requests(self, me);
        written = write_replies(self, me);
        if (written < 0 || (me->session.closing && kv_session_is_idle(&me->session)))
            return TR_STOP;
        if (written == 0)
            return TR_OK;
        mask = kv_session_parse(&me->session);
        if (mask != 0)
            send_works(self, me, mask);
        if (me->waiting)
            return TR_OK;
        if (mask == 0 && me->session.output.size == 0 && !has_requests(me))
            return tr_read(self, me->io, 1);
    }
}

TR_ON(kv_connection, tr_data, self, me, msg)
{
    if (!kv_session_feed(&me->session, msg->bytes->data, msg->bytes->size))
        return TR_STOP;
    return go_on(self, me);
}

TR_ON(kv_connection, tr_eof, self, me, msg)
{
    return TR_STOP;
}

static int round_is_over(tr_self *self, struct kv_connection *me)
{
    me->waiting = false;
    return go_on(self, me);
}

TR_ON(kv_connection, kv_ran, self, me, msg)
{
    struct kv_ran *mine = (struct kv_ran *)(uintptr_t)msg;
    struct kv_work *work = mine->work;

    mine->work = NULL;
    return kv_session_answered(&me->session, work) ? round_is_over(self, me) : TR_OK;
}

TR_ON(kv_connection, tr_failed, self, me, msg)
{
    uint32_t shard = (uint32_t)(uintptr_t)tr_context(self);

    return kv_session_lost(&me->session, shard) ? round_is_over(self, me) : TR_OK;
}

const tr_actor_type kv_connection_actor = {
    TR_STATE(kv_connection), .start = TR_STARTS(kv_connection),
    .on = TR_TABLE(TR_HANDLES(kv_connection, tr_given), TR_HANDLES(kv_connection, tr_data),
                   TR_HANDLES(kv_connection, kv_ran), TR_HANDLES(kv_connection, tr_written),
                   TR_HANDLES(kv_connection, tr_failed), TR_HANDLES(kv_connection, tr_eof),
                   TR_HANDLES(kv_connection, kv_slow)),
};

tr_ref kv_connection_spawn(tr_self *self, struct kv_service *service, uint64_t id)
{
    return tr_spawn(self, kv_connection, .service = service, .id = id);
}
