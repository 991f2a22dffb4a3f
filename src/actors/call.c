/* SPDX-License-Identifier: BSD-2-Clause */

/* See call.h for the state machine and its rules. */

#include "actors/call.h"

#include <errno.h>
#include <string.h>

#include "actors/answer.h"
#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/timed.h"
#include "actors/turn.h"
#include "base/memory.h"

struct tri_call {
    uint64_t token;
    tr_ref who;
    void *context;
    const tr_ask_policy *policy;
    struct tri_message *copy; /* of the request, where there may be another attempt */
    tr_time deadline;
    tr_time next; /* when to look at it: the attempt's end, or the backoff's */
    uint32_t attempt;
    bool backing_off;
};

_Static_assert(sizeof(struct tri_call) <= 128, "a block of its class");
#define CALL_CLASS TRI_POOL_128

/* The deadlines of asks are taken from the coarse clock, which may be this much behind. */
#define BEHIND TR_MS(1)

/* Backoff where the policy says none: gRPC's retry policy starts at tens of milliseconds. */
#define BACKOFF_DEFAULT     TR_MS(50)
#define BACKOFF_MAX_DEFAULT TR_SEC(5)
#define ATTEMPTS_MAX        100u

static tr_time add(tr_time time, tr_time delay)
{
    return delay > TR_FOREVER - time ? TR_FOREVER : time + delay;
}

static tr_time earlier(tr_time a, tr_time b)
{
    return a < b ? a : b;
}

/* ---- the timer ------------------------------------------------------------------------------ */

int tri_calls_look_at(tr_self *self, tr_time when)
{
    struct tri_more *more = self->actor->more;

    if (TRI_LIKELY(when >= more->earliest_call))
        return 0;
    if (more->calls_due == NULL) {
        more->calls_due = tri_timed_new(self, TRI_TIMED_CALLS, &tr_failed_info);
        if (more->calls_due == NULL)
            return -ENOMEM;
    }
    more->earliest_call = when;
    tri_timed_arm_by(self, more->calls_due, when);
    return 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

static int check_policy(const tr_ask_policy *policy, const tr_message_info *info)
{
    if (policy == NULL || policy->timeout <= 0 || policy->attempt_timeout < 0)
        return -EINVAL;
    if (policy->attempts > ATTEMPTS_MAX || policy->backoff < 0 || policy->backoff_max < 0)
        return -EINVAL;
    if (policy->jitter != TR_FULL_JITTER && policy->jitter != TR_NO_JITTER)
        return -EINVAL;
    if (policy->attempts > 1 && (!info->idempotent || info->drop != NULL))
        return -EINVAL;
    return 0;
}

static struct tri_message *make_request(tr_self *self, const tr_message_info *info,
                                        const void *value, int *ret_error)
{
    struct tri_message *message = tri_message_make(self->thread, info, info->size, true, ret_error);

    if (message == NULL)
        return NULL;
    tri_payload_copy(tri_message_payload(message), value, info->size);
    message->flags |= TRI_MESSAGE_ASK;
    tri_message_sign(message, tri_self_ref(self));
    tri_message_envelope(message)->asker = tri_self_ref(self).bits;
    return message;
}

static struct tri_message *copy_of(tr_self *self, const struct tri_message *request)
{
    size_t size = tri_message_envelope(request)->size;
    struct tri_message *copy = tri_message_new(self->thread, size, true);

    if (copy == NULL)
        return NULL;
    copy->tag = request->tag;
    copy->flags = request->flags;
    copy->sender = request->sender;
    copy->stamp = request->stamp;
    *tri_message_envelope(copy) = *tri_message_envelope(request);
    memcpy(tri_message_payload(copy), tri_message_payload(request), size);
    return copy;
}

/* Sends a request that is the asker's own; one that cannot be delivered comes back as a failure. */
static void send_request(tr_self *self, const struct tri_call *call, struct tri_message *request)
{
    struct tri_envelope *envelope = tri_message_envelope(request);
    int error;

    envelope->token = call->token;
    envelope->deadline = call->deadline;
    envelope->attempt = (uint16_t)call->attempt;
    error = tri_deliver_message(self->system, self, call->who, request);
    if (TRI_UNLIKELY(error < 0))
        tri_refuse_message(self->system, self, call->who, request, error);
    else
        tri_worker_sent(self->worker);
}

static tr_time attempt_ends(const struct tri_call *call, tr_time now)
{
    tr_time limit = call->policy->attempt_timeout;

    return limit == 0 ? call->deadline : earlier(call->deadline, add(now, limit));
}

static void free_call(tr_self *self, struct tri_call *call)
{
    if (call->copy != NULL)
        tri_message_free(call->copy);
    tri_pool_put(self->thread, CALL_CLASS, call);
}

/* A record with its token and timer. Errors: -ENOMEM, -ENOBUFS. */
static int open_call(tr_self *self, tr_ref to, const tr_ask_policy *policy,
                     struct tri_call **ret_call)
{
    struct tri_more *more = tri_more_of(self->actor);
    struct tri_call *call = more != NULL ? tri_pool_get(self->thread, CALL_CLASS) : NULL;
    tr_time now = tri_worker_now(self->worker) + BEHIND;
    int error;

    if (call == NULL)
        return -ENOMEM;
    *call = (struct tri_call){ .who = to, .policy = policy, .attempt = 1 };
    call->deadline = add(now, policy->timeout);
    call->next = attempt_ends(call, now);
    error = tri_token_open(&more->tokens, self->actor->incarnation, TRI_TOKEN_CALL, call,
                           &call->token);
    if (error == 0) {
        error = tri_calls_look_at(self, call->next);
        if (error < 0)
            tri_token_close(&more->tokens, call->token);
    }
    if (error < 0)
        tri_pool_put(self->thread, CALL_CLASS, call);
    else
        *ret_call = call;
    return error;
}

static int ask(tr_self *self, tr_ref to, const tr_ask_policy *policy, const tr_message_info *info,
               const void *value, struct tri_call **ret_call)
{
    int error;
    struct tri_message *request = make_request(self, info, value, &error), *copy = NULL;

    if (request == NULL)
        return error;
    if (policy->attempts > 1 && (copy = copy_of(self, request)) == NULL)
        error = -ENOMEM;
    else
        error = open_call(self, to, policy, ret_call);
    if (error < 0) {
        tri_message_free(request);
        if (copy != NULL)
            tri_message_free(copy);
        return error;
    }
    (*ret_call)->copy = copy;
    send_request(self, *ret_call, request);
    return 0;
}

__attribute__((flatten)) tr_call tr_ask_context(tr_self *self, tr_ref to,
                                                const tr_ask_policy *policy,
                                                const tr_message_info *info, const void *value,
                                                void *context)
{
    int error = tri_self_check(self);
    struct tri_call *call = NULL;
    tr_call token;

    if (error == 0)
        error = info == NULL || value == NULL ? -EINVAL : check_policy(policy, info);
    if (error == 0)
        error = ask(self, to, policy, info, value, &call);
    if (error < 0) {
        token.bits = (uint64_t)-error;
        return token;
    }
    call->context = context;
    token.bits = call->token;
    return token;
}

tr_call tr_ask_raw(tr_self *self, tr_ref to, const tr_ask_policy *policy,
                   const tr_message_info *info, const void *value)
{
    return tr_ask_context(self, to, policy, info, value, NULL);
}

static struct tri_call *find(const tr_self *self, uint64_t token)
{
    const struct tri_actor *actor = self->actor;

    return actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation, TRI_TOKEN_CALL, token);
}

int tr_call_cancel(tr_self *self, tr_call token)
{
    int error = tri_self_check(self);
    struct tri_call *call = error == 0 ? find(self, token.bits) : NULL;

    if (error < 0)
        return error;
    if (call == NULL)
        return -ENOENT;
    tri_token_close(&self->actor->more->tokens, call->token);
    free_call(self, call);
    return 0;
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static bool has_outcome_in_hand(const tr_self *self)
{
    return tri_self_check(self) == 0 && self->msg != NULL && !(self->fate & TRI_FATE_HANDED_OVER)
           && self->msg->flags & TRI_MESSAGE_ANSWER;
}

tr_call tr_call_answered(const tr_self *self)
{
    tr_call call = { has_outcome_in_hand(self) ? self->answered : 0 };

    return call;
}

void *tr_context(const tr_self *self)
{
    return has_outcome_in_hand(self) ? self->context : NULL;
}

/* Closes the ask: its outcome is about to be told. */
static void conclude(tr_self *self, struct tri_call *call)
{
    self->answered = call->token;
    self->context = call->context;
    tri_token_close(&self->actor->more->tokens, call->token);
    free_call(self, call);
}

/* The wait before the next attempt: doubling, cut, and by default a random part of that. */
static tr_time backoff_of(tr_self *self, const struct tri_call *call)
{
    const tr_ask_policy *policy = call->policy;
    tr_time most = policy->backoff_max != 0 ? policy->backoff_max : BACKOFF_MAX_DEFAULT;
    tr_time wait = policy->backoff != 0 ? policy->backoff : BACKOFF_DEFAULT;

    for (uint32_t i = 1; i < call->attempt && wait < most; i++)
        wait *= 2;
    wait = earlier(wait, most);
    if (policy->jitter == TR_NO_JITTER)
        return wait;
    return (tr_time)(tri_random_next(&self->random) % ((uint64_t)wait + 1));
}

/* WAITING → BACKOFF, if there may be another attempt. */
static bool backs_off(tr_self *self, struct tri_call *call, tr_time now)
{
    tr_time next;

    if (call->copy == NULL || call->attempt >= call->policy->attempts)
        return false;
    next = add(now, backoff_of(self, call));
    if (next >= call->deadline)
        return false;
    call->backing_off = true;
    call->next = next;
    return true;
}

/* BACKOFF → WAITING. Without memory for the attempt it counts as one that was lost. */
static void try_again(tr_self *self, struct tri_call *call, tr_time now)
{
    struct tri_message *request = copy_of(self, call->copy);

    tri_cover(TRI_COVERED_ASK_ATTEMPT);
    call->backing_off = false;
    call->attempt++;
    call->next = attempt_ends(call, now);
    if (request != NULL)
        send_request(self, call, request);
}

/* Failures that another attempt may cure: nothing was answered. */
static bool may_pass(int error)
{
    return error == -ENOBUFS || error == -ECONNRESET || error == -ETIMEDOUT;
}

bool tri_call_arrived(tr_self *self, const struct tri_envelope *envelope)
{
    struct tri_call *call = find(self, envelope->token);
    const struct tr_failed *failed = self->payload;

    if (call == NULL) {
        tri_cover(TRI_COVERED_ASK_LATE);
        tri_self_count(self, TRI_COUNT_LATE_REPLIES);
        return false;
    }
    if (TRI_UNLIKELY(self->msg->tag == TR_TAG_tr_failed) && may_pass(failed->error)
        && !call->backing_off && backs_off(self, call, tri_worker_now(self->worker))) {
        (void)tri_calls_look_at(self, call->next); /* its timer is there: cannot fail */
        return false;
    }
    if (self->msg->tag == TR_TAG_tr_failed)
        tri_cover(TRI_COVERED_ASK_FAILED);
    conclude(self, call);
    return true;
}

/* The deadline has passed, or the last attempt has failed. */
static enum tri_next time_out(tr_self *self, struct tri_call *call)
{
    struct tr_failed failed = { .call = { call->token }, .who = call->who, .error = -ETIMEDOUT };

    tri_cover(TRI_COVERED_ASK_TIMED_OUT);
    conclude(self, call);
    self->fate = TRI_FATE_KEPT;
    return tri_turn_tell(self, &tr_failed_info, &failed);
}

/* What is due of one ask. */
static enum tri_next look(tr_self *self, struct tri_call *call, tr_time now)
{
    if (now < call->next)
        return TRI_NEXT_GO_ON;
    if (call->backing_off && now < call->deadline) {
        try_again(self, call, now);
        return TRI_NEXT_GO_ON;
    }
    if (!call->backing_off && backs_off(self, call, now))
        return TRI_NEXT_GO_ON;
    return time_out(self, call);
}

/* When the next ask or hold has to be looked at. */
static tr_time find_earliest(const struct tri_more *more)
{
    tr_time earliest = TR_FOREVER;
    const struct tri_call *call;
    const struct tri_message *hold;
    uint32_t cursor = 0;

    while ((call = tri_token_each(&more->tokens, TRI_TOKEN_CALL, &cursor)) != NULL)
        earliest = earlier(earliest, call->next);
    cursor = 0;
    while ((hold = tri_token_each(&more->tokens, TRI_TOKEN_HOLD, &cursor)) != NULL)
        earliest = earlier(earliest, tri_message_envelope(hold)->deadline);
    return earliest;
}

void tri_calls_due(tr_self *self)
{
    struct tri_actor *actor = self->actor;
    struct tri_more *more = actor->more;
    struct tri_message *own = self->msg, *hold;
    tr_time now = tri_worker_now(self->worker);
    uint32_t incarnation = actor->incarnation, cursor = 0;
    struct tri_call *call;

    own->flags |= TRI_MESSAGE_ANSWER; /* what is told is the outcome of an ask */
    while ((hold = tri_token_each(&more->tokens, TRI_TOKEN_HOLD, &cursor)) != NULL)
        (void)tri_hold_look(self, hold, now);
    cursor = 0;
    while ((call = tri_token_each(&more->tokens, TRI_TOKEN_CALL, &cursor)) != NULL) {
        self->msg = own;
        if (look(self, call, now) == TRI_NEXT_ENDED)
            return;
        if (actor->special & TRI_HELD_RESTART || actor->incarnation != incarnation)
            return; /* a handler crashed, and all of this has been released */
    }
    self->msg = own;
    self->fate = TRI_FATE_KEPT;
    more->earliest_call = TR_FOREVER;
    (void)tri_calls_look_at(self, find_earliest(more));
}

void tri_calls_release(tr_self *self)
{
    struct tri_more *more = self->actor->more;
    struct tri_call *call;
    uint32_t cursor = 0;

    while ((call = tri_token_each(&more->tokens, TRI_TOKEN_CALL, &cursor)) != NULL) {
        tri_token_close(&more->tokens, call->token);
        free_call(self, call);
    }
    more->earliest_call = TR_FOREVER;
}
