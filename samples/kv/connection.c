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
 * A wish (CLIENT LIST, KILL) is waited for as works are, once the replies before it are on their
 * way.
 *
 * Rules
 *   1. It reads only in READING: a client that does not take its replies is not read from, and has
 *      at most one round's replies in memory. After KV_SLOW without being able to get rid of
 *      them it is closed.
 *   2. A shard that fails with a work in hand answers for it (tr_failed): the client gets errors
 *      for those commands and goes on.
 *   3. One that is killed answers so first; the one that asked for it gets its reply, too.
 *
 * Partners: session.c knows the protocol; door.c spawns; shard.c and clients.c answer.
 */

#include <errno.h>

#include "service.h"
#include "session.h"

#define KV_SLOW TR_SEC(120)

/* A shard that replays a large log is waited for. */
static const tr_ask_policy run_policy = { .timeout = TR_SEC(60) };
static const tr_ask_policy roll_policy = { .timeout = TR_SEC(10) };

/* The context of an ask that no shard has. */
#define ROLL ((void *)UINTPTR_MAX)

struct kv_connection {
    struct kv_service *service;
    uint64_t id;
    struct kv_session session;
    tr_io io;
    tr_timer slow;
    tr_time since;      /* it is connected, */
    tr_time active;     /* and was last heard of */
    bool waiting;
    bool draining;
    bool killed;        /* by itself: it closes behind the reply */
};

static int go_on(tr_self *self, struct kv_connection *me);

static void release(void *session)
{
    kv_session_release(session);
}

TR_START(kv_connection, self, me)
{
    int err;

    kv_session_start(&me->session, &me->service->settings, me->id);
    me->since = me->active = tr_now(self);
    err = tr_send(self, me->service->clients, kv_enter, .id = me->id, .who = tr_me(self));
    if (err < 0)
        kv_session_give_up(&me->session, "ERR no room for another client");
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

/* ---- all clients ---- */

static void find_facts(tr_self *self, const struct kv_connection *me,
                       struct kv_client_facts *ret_facts)
{
    tr_time now = tr_now(self);
    tr_address peer = { .port = 0 }, local = { .port = 0 };

    /* It may have been closed by the other side: then these stay empty. */
    tr_peer_address(self, me->io, &peer);
    tr_local_address(self, me->io, &local);
    kv_address_write(ret_facts->peer, &peer);
    kv_address_write(ret_facts->local, &local);
    ret_facts->age = (uint64_t)((now - me->since) / TR_SEC(1));
    ret_facts->idle = (uint64_t)((now - me->active) / TR_SEC(1));
}

static tr_bytes *line_of(const struct kv_connection *me, const struct kv_client_facts *facts)
{
    struct kv_buffer line = { 0 };
    tr_bytes *bytes = NULL;

    kv_client_describe(&me->session, facts, &line);
    if (!line.failed)
        bytes = kv_bytes_of(line.data, line.size);
    kv_buffer_release(&line);
    return bytes;
}

TR_ON(kv_connection, kv_who, self, me, msg)
{
    struct kv_client_facts facts;
    bool is_asker = msg->filter.asker == me->id;
    struct kv_me reply = { .place = msg->place };
    int err;

    find_facts(self, me, &facts);
    reply.matches = kv_client_matches(&me->session, &facts, &msg->filter);
    if (reply.matches && !msg->filter.kill)
        reply.line = line_of(me, &facts);
    err = tr_reply_copy(self, kv_me, &reply);
    if (err < 0)
        tr_bytes_drop(reply.line);
    if (!reply.matches || !msg->filter.kill)
        return TR_OK;
    me->killed = is_asker;
    return is_asker ? TR_OK : TR_STOP;
}

static void describe_self(tr_self *self, struct kv_connection *me)
{
    struct kv_client_facts facts;
    struct kv_buffer line = { 0 };

    find_facts(self, me, &facts);
    kv_client_describe(&me->session, &facts, &line);
    kv_client_reply(&me->session, (struct kv_slice){ line.data, line.size }, 0);
    me->session.output.failed |= line.failed;
    kv_buffer_release(&line);
}

static void begin_roll(tr_self *self, struct kv_connection *me)
{
    struct kv_wish *wish = &me->session.wish;
    struct kv_roll_call roll = { .filter = wish->filter };
    int err = 0;

    if (wish->by_id) {
        roll.ids = kv_bytes_of(wish->ids.data, wish->ids.size);
        err = roll.ids == NULL ? -ENOMEM : 0;
    }
    if (err == 0)
        err = tr_call_error(tr_ask_context(self, me->service->clients, &roll_policy,
                                           &kv_roll_call_info, &roll, ROLL));
    if (err < 0) {
        tr_bytes_drop(roll.ids);
        kv_client_reply_failed(&me->session, err);
    }
    me->waiting = err == 0;
}

static void serve_wish(tr_self *self, struct kv_connection *me)
{
    if (me->session.wish.kind == KV_WISH_INFO)
        describe_self(self, me);
    else if (me->session.wish.kind != KV_WISH_NONE && !me->waiting)
        begin_roll(self, me);
}

static int wish_is_served(tr_self *self, struct kv_connection *me)
{
    me->waiting = false;
    me->session.closing |= me->killed;
    return me->draining ? TR_OK : go_on(self, me);
}

TR_ON(kv_connection, kv_roll_called, self, me, msg)
{
    struct kv_slice lines = { (const char *)msg->lines->data, msg->lines->size };

    kv_client_reply(&me->session, lines, msg->killed);
    return wish_is_served(self, me);
}

/* ---- rounds ---- */

/* Whether the round that is over wants more than its replies. */
static bool has_requests(const struct kv_connection *me)
{
    return me->session.crash != KV_NO_CRASH || me->session.shutdown || me->session.closing ||
           me->session.wish.kind != KV_WISH_NONE || !kv_session_is_idle(&me->session);
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
    serve_wish(self, me);
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
        if (written == 0 || me->waiting)
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
    me->active = tr_now(self);
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

    if (tr_context(self) == ROLL) {
        kv_client_reply_failed(&me->session, msg->error);
        return wish_is_served(self, me);
    }
    return kv_session_lost(&me->session, shard) ? round_is_over(self, me) : TR_OK;
}

const tr_actor_type kv_connection_actor = {
    TR_STATE(kv_connection), .start = TR_STARTS(kv_connection),
    .on = TR_TABLE(TR_HANDLES(kv_connection, tr_given), TR_HANDLES(kv_connection, tr_data),
                   TR_HANDLES(kv_connection, kv_ran), TR_HANDLES(kv_connection, tr_written),
                   TR_HANDLES(kv_connection, tr_failed), TR_HANDLES(kv_connection, tr_eof),
                   TR_HANDLES(kv_connection, kv_slow), TR_HANDLES(kv_connection, kv_who),
                   TR_HANDLES(kv_connection, kv_roll_called)),
};

tr_ref kv_connection_spawn(tr_self *self, struct kv_service *service, uint64_t id)
{
    return tr_spawn(self, kv_connection, .service = service, .id = id);
}
