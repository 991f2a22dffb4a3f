/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Asks from outside that wait for the answer.
 *
 * Why. An answer goes to an actor. So the thread makes one, which asks as any actor would and
 * leaves what came of it in a record: there is no second way to ask.
 *
 * Rule: the record that the two share is held by both; who lets go last frees it.
 */

#include <troupe/ask.h>

#include <errno.h>
#include <string.h>

#include "actors/deliver.h"
#include "actors/notice.h"
#include "actors/spawn.h"
#include "base/clock.h"
#include "base/memory.h"
#include "sched/park.h"

struct asking {
    uint32_t held;
    int result;
    tr_ref to;
    tr_ask_policy policy;
    const tr_message_info *request;
    const tr_message_info *reply;
    struct tri_park park;
    unsigned char *answer; /* behind the request's payload */
    alignas(max_align_t) unsigned char payload[];
};

struct asker {
    struct asking *asking;
};

/* What the actor is given: it owns the actor's share of the record until the actor does. */
struct asker_begin {
    struct asking *asking;
};

static void let_go(struct asking *asking)
{
    /* release, acquire: who frees has seen what the other one did last. */
    if (tri_fetch_sub_acq_rel_32(&asking->held, 1) == 1)
        tri_free(asking);
}

static void release_asking(void *arg)
{
    struct asking *asking = arg;

    (void)tri_park_give(&asking->park);
    let_go(asking);
}

static void drop_begin(void *msg)
{
    release_asking(((struct asker_begin *)msg)->asking);
}

enum { TR_TAG_asker_begin = TRI_TAG_ASKER_BEGIN };

static tr_message_state asker_begin_state;
static const tr_message_info asker_begin_info = {
    .name = "asker_begin", .tag = TR_TAG_asker_begin, .size = sizeof(struct asker_begin),
    .align = alignof(struct asker_begin), .drop = drop_begin, .state = &asker_begin_state,
};

TR_ON(asker, asker_begin, self, me, msg)
{
    struct asking *asking = msg->asking;
    tr_call call;
    int error;

    self->msg->flags &= (uint8_t)~TRI_MESSAGE_OWNS; /* the deferred call owns it now */
    me->asking = asking;
    asking->result = -ENOMEM; /* what the thread is told if this cannot be deferred */
    error = tr_defer(self, release_asking, asking);
    if (error < 0)
        return TR_STOP;
    asking->result = -ESRCH; /* where the actor ends before it has an outcome */
    call = tr_ask_raw(self, asking->to, &asking->policy, asking->request, asking->payload);
    if (tr_call_error(call) < 0) {
        asking->result = tr_call_error(call);
        return TR_STOP;
    }
    return TR_OK;
}

TR_ON(asker, tr_failed, self, me, msg)
{
    me->asking->result = msg->error;
    return TR_STOP;
}

TR_OTHERWISE(asker, self, me, msg)
{
    struct asking *asking = me->asking;

    if (tr_call_answered(self).bits == 0)
        return TR_UNHANDLED;
    if (msg->info->tag != asking->reply->tag) {
        asking->result = -EPROTO;
        return TR_STOP;
    }
    memcpy(asking->answer, msg->payload, asking->reply->size);
    self->msg->flags &= (uint8_t)~TRI_MESSAGE_OWNS; /* what it owns goes with the copy */
    asking->result = 0;
    return TR_STOP;
}

static const tr_actor_type asker_actor = {
    TR_STATE(asker),
    .on = TR_TABLE(TR_HANDLES(asker, asker_begin), TR_HANDLES(asker, tr_failed)),
    .otherwise = TR_ANYTHING_ELSE(asker),
};

static struct asking *make_asking(const tr_message_info *info, const void *value,
                                  const tr_message_info *reply)
{
    size_t answer_at = tri_align_up(info->size, alignof(max_align_t));
    struct asking *asking = tri_alloc_aligned(TRI_CACHE_LINE,
                                              sizeof *asking + answer_at + reply->size);

    if (asking == NULL)
        return NULL;
    memset(asking, 0, sizeof *asking);
    memcpy(asking->payload, value, info->size);
    asking->held = 2;
    asking->result = -ESRCH; /* where the actor ends before its first message */
    asking->request = info;
    asking->reply = reply;
    asking->answer = asking->payload + answer_at;
    return asking;
}

/* Makes the actor and gives it its share. On failure the caller has both. */
static int begin(tr_system *sys, struct asking *asking)
{
    struct tri_spawning spawning = { .type = &asker_actor, .flags = TRI_ACTOR_INTERNAL };
    struct asker_begin value = { asking };
    tr_ref asker;
    int error;
    struct tri_message *message = tri_message_make(tri_thread_self(), &asker_begin_info,
                                                   sizeof value, false, &error);

    if (message == NULL)
        return error;
    memcpy(tri_message_payload(message), &value, sizeof value);
    asker = tri_spawn(sys, NULL, &spawning);
    error = tr_ref_error(asker);
    if (error == 0)
        error = tri_deliver_message(sys, NULL, asker, message);
    if (error < 0)
        tri_message_free(message);
    return error;
}

/* The caller is inside, and leaves before it sleeps: a stop need not wait for it. */
static int ask_and_wait(tr_system *sys, struct asking *asking, void *ret)
{
    tr_time now = tri_clock_now(), timeout = asking->policy.timeout;
    int error = begin(sys, asking);

    tri_system_leave(sys);
    if (error < 0) {
        let_go(asking);
        return error;
    }
    if (!tri_park_sleep(&asking->park, timeout > TR_FOREVER - now ? TR_FOREVER : now + timeout))
        return -ETIMEDOUT;
    if (asking->result == 0)
        memcpy(ret, asking->answer, asking->reply->size);
    return asking->result;
}

int tr_system_ask_wait(tr_system *sys, tr_ref to, const tr_ask_policy *policy,
                       const tr_message_info *info, const void *value,
                       const tr_message_info *reply, void *ret)
{
    struct asking *asking;
    int error;

    if (policy == NULL || policy->timeout <= 0 || info == NULL || value == NULL || reply == NULL
        || ret == NULL)
        return -EINVAL;
    if (tri_worker_current() != NULL)
        return -EDEADLK;
    error = tri_system_enter(sys);
    if (error < 0)
        return error;
    asking = make_asking(info, value, reply);
    if (asking == NULL) {
        tri_system_leave(sys);
        return -ENOMEM;
    }
    asking->to = to;
    asking->policy = *policy;
    error = ask_and_wait(sys, asking, ret);
    let_go(asking);
    return error;
}
