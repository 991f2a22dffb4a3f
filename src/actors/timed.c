/* SPDX-License-Identifier: BSD-2-Clause */

/* See timed.h for the state machine and its rules. */

#include "actors/timed.h"

#include <troupe/timer.h>

#include <errno.h>
#include <string.h>

#include "actors/call.h"
#include "actors/deliver.h"
#include "actors/own.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/memory.h"

struct tri_timed {
    struct tri_timer timer; /* the scheduler's while ARMED */

    /* set once */
    tr_system *system;
    tr_ref owner;
    uint64_t token;
    enum tri_timed_kind kind;
    tr_time period; /* 0: one-shot */

    /* the actor's; while QUEUED the message's */
    struct tri_message *message; /* NULL: QUEUED, or freed with the lane */
    tr_time deadline;
    bool armed; /* ARMED or QUEUED */
};

static struct tri_timed *timed_of(const struct tri_envelope *envelope)
{
    return (struct tri_timed *)(uintptr_t)envelope->key;
}

/* ARMED → QUEUED */
void tri_timed_due(void *context, struct tri_worker *worker, struct tri_timer *timer)
{
    struct tri_timed *timed = TRI_CONTAINER_OF(timer, struct tri_timed, timer);
    struct tri_message *message = timed->message;
    tr_system *sys = context;

    (void)worker;
    timed->message = NULL;
    if (tri_deliver_message(sys, NULL, timed->owner, message) < 0) {
        /* Its actor has ended, and left the record to its message. */
        tri_message_drop(message);
        tri_free(timed);
    }
}

void tri_timed_arm_by(tr_self *self, struct tri_timed *timed, tr_time deadline)
{
    if (timed->armed) {
        if (timed->deadline <= deadline
            || !tri_timer_cancel(self->system->sched, &timed->timer))
            return; /* early enough, or QUEUED */
        timed->armed = false;
    }
    tri_timed_arm(self, timed, deadline);
}

void tri_timed_arm(tr_self *self, struct tri_timed *timed, tr_time deadline)
{
    tri_assert(!timed->armed && timed->message != NULL);
    timed->armed = true;
    timed->deadline = deadline;
    tri_timer_start(self->system->sched, self->worker, &timed->timer, deadline);
}

/* Frees a record that no message owns. */
static void free_timed(struct tri_timed *timed)
{
    if (timed->message != NULL)
        tri_message_drop(timed->message);
    tri_free(timed);
}

/* ARMED → freed; QUEUED: left to its message. The token has been closed. */
static void end_timed(tr_self *self, struct tri_timed *timed)
{
    if (!timed->armed || tri_timer_cancel(self->system->sched, &timed->timer))
        free_timed(timed);
}

/* ---- arriving ------------------------------------------------------------------------------- */

/* tr_idle_after: nothing came for so long? Else the timer goes on. */
static bool has_idled(tr_self *self, struct tri_timed *timed)
{
    struct tri_more *more = self->actor->more;
    tr_time until = more->last_message + more->idle_after;

    timed->message = self->msg;
    tri_lane_detach(&self->actor->lane, self->msg);
    self->fate |= TRI_FATE_KEPT;
    if (more->idle_after == 0)
        return false;
    if (tri_worker_now(self->worker) < until) {
        tri_timed_arm(self, timed, until);
        return false;
    }
    more->idled = true;
    ((struct tr_idle *)tri_message_payload(self->msg))->duration = more->idle_after;
    return true;
}

/* How many ticks of a periodic timer have gone by unseen; moves its deadline to the present one. */
static uint64_t skip_missed(const tr_self *self, struct tri_timed *timed)
{
    tr_time late = tri_worker_now(self->worker) - timed->deadline;
    uint64_t missed = late > 0 ? (uint64_t)(late / timed->period) : 0;

    timed->deadline += (tr_time)missed * timed->period;
    return missed;
}

static bool user_timer_arrived(tr_self *self, struct tri_timed *timed)
{
    if (timed->period == 0) {
        tri_token_close(&self->actor->more->tokens, timed->token);
        tri_free(timed);
        return true;
    }
    timed->message = self->msg;
    tri_lane_detach(&self->actor->lane, self->msg);
    self->fate |= TRI_FATE_KEPT;
    self->missed = skip_missed(self, timed);
    self->tick = timed;
    return true;
}

/* QUEUED → IN HAND */
bool tri_timed_arrived(tr_self *self, const struct tri_envelope *envelope)
{
    struct tri_actor *actor = self->actor;
    struct tri_timed *timed = actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation, TRI_TOKEN_TIMER,
                         envelope->token);

    if (timed == NULL) {
        tri_free(timed_of(envelope)); /* cancelled, or an incarnation's that is over */
        return false;
    }
    timed->armed = false;
    switch (timed->kind) {
    case TRI_TIMED_USER:
        return user_timer_arrived(self, timed);
    case TRI_TIMED_IDLE:
        return has_idled(self, timed);
    case TRI_TIMED_CALLS:
        timed->message = self->msg;
        tri_lane_detach(&actor->lane, self->msg);
        self->fate |= TRI_FATE_KEPT;
        tri_calls_due(self);
        return false;
    }
    return false;
}

/* IN HAND → ARMED */
void tri_timed_concluded(tr_self *self)
{
    struct tri_timed *timed = self->tick;

    if (timed == NULL)
        return;
    self->tick = NULL;
    self->missed = 0;
    tri_timed_arm(self, timed, timed->deadline + timed->period);
}

void tri_timed_discarded(const struct tri_message *message)
{
    if (message->flags & TRI_MESSAGE_EXTENDED
        && tri_message_envelope(message)->origin == TRI_TOKEN_TIMER)
        tri_free(timed_of(tri_message_envelope(message)));
}

void tri_timed_release(tr_self *self)
{
    struct tri_more *more = self->actor->more;
    struct tri_timed *timed;
    uint32_t cursor = 0;

    while ((timed = tri_token_each(&more->tokens, TRI_TOKEN_TIMER, &cursor)) != NULL) {
        tri_token_close(&more->tokens, timed->token);
        end_timed(self, timed);
    }
    self->tick = NULL;
    more->calls_due = NULL;
    more->idle_timer = NULL;
    more->idle_after = 0;
}

/* ---- making --------------------------------------------------------------------------------- */

static struct tri_timed *make(tr_self *self, const tr_message_info *info, const void *value,
                              int *ret_error)
{
    struct tri_more *more = tri_more_of(self->actor);
    struct tri_timed *timed = more != NULL ? tri_alloc_zeroed(sizeof *timed) : NULL;
    struct tri_message *message;

    *ret_error = -ENOMEM;
    if (timed == NULL)
        return NULL;
    message = tri_message_make(self->thread, info, info->size, true, ret_error);
    if (message == NULL) {
        tri_free(timed);
        return NULL;
    }
    *ret_error = tri_token_open(&more->tokens, self->actor->incarnation, TRI_TOKEN_TIMER, timed,
                                &timed->token);
    if (*ret_error < 0) {
        tri_message_free(message);
        tri_free(timed);
        return NULL;
    }
    if (value != NULL)
        memcpy(tri_message_payload(message), value, info->size);
    message->flags |= TRI_MESSAGE_SOLICITED;
    tri_message_envelope(message)->token = timed->token;
    tri_message_envelope(message)->origin = TRI_TOKEN_TIMER;
    tri_message_envelope(message)->key = (uintptr_t)timed;
    timed->system = self->system;
    timed->owner = tri_self_ref(self);
    timed->message = message;
    return timed;
}

struct tri_timed *tri_timed_new(tr_self *self, enum tri_timed_kind kind,
                                const tr_message_info *info)
{
    int error;
    struct tri_timed *timed = make(self, info, NULL, &error);

    if (timed != NULL)
        timed->kind = kind;
    return timed;
}

/* `delay` from now, by the exact clock: the coarse one is behind, and a timer must not be early. */
static tr_time from_now(tr_time delay)
{
    tr_time now = tri_clock_now();

    return delay > TR_FOREVER - now ? TR_FOREVER : now + delay;
}

static tr_timer start(tr_self *self, tr_time delay, tr_time period, const tr_message_info *info,
                      const void *value)
{
    int error = info == NULL || value == NULL || delay < 0 ? -EINVAL : 0;
    tr_timer timer = { 0 };

    if (error == 0)
        error = tri_self_check(self);
    if (error == 0) {
        struct tri_timed *timed = make(self, info, value, &error);
        if (timed != NULL) {
            timed->period = period;
            tri_timed_arm(self, timed, from_now(delay));
            timer.bits = timed->token;
            return timer;
        }
    }
    timer.bits = (uint64_t)-error;
    return timer;
}

tr_timer tr_after_raw(tr_self *self, tr_time delay, const tr_message_info *info, const void *value)
{
    return start(self, delay, 0, info, value);
}

tr_timer tr_every_raw(tr_self *self, tr_time period, const tr_message_info *info,
                      const void *value)
{
    return start(self, period < TR_MS(1) ? -1 : period, period, info, value);
}

int tr_cancel(tr_self *self, tr_timer timer)
{
    int error = tri_self_check(self);
    struct tri_actor *actor;
    struct tri_timed *timed;

    if (error < 0)
        return error;
    actor = self->actor;
    timed = actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation, TRI_TOKEN_TIMER, timer.bits);
    if (timed == NULL || timed->kind != TRI_TIMED_USER)
        return -ENOENT;
    tri_token_close(&actor->more->tokens, timed->token);
    if (timed == self->tick) {
        /* Its message is in hand, and read until the handler returns: own.c drops it then. */
        self->tick = NULL;
        tri_own_keep(actor, timed->message);
        timed->message = NULL;
    }
    end_timed(self, timed);
    return 0;
}

uint64_t tr_missed(const tr_self *self)
{
    return tri_self_check(self) == 0 && self->tick != NULL ? self->missed : 0;
}

/* ---- tr_idle_after -------------------------------------------------------------------------- */

int tr_idle_after(tr_self *self, tr_time duration)
{
    int error = duration < 0 ? -EINVAL : tri_self_check(self);
    struct tri_more *more;

    if (error < 0)
        return error;
    more = tri_more_of(self->actor);
    if (more != NULL && more->idle_timer == NULL && duration > 0)
        more->idle_timer = tri_timed_new(self, TRI_TIMED_IDLE, &tr_idle_info);
    if (more == NULL || (more->idle_timer == NULL && duration > 0))
        return -ENOMEM;
    more->idle_after = duration;
    return 0;
}

void tri_timed_turn_ends(tr_self *self)
{
    struct tri_more *more = self->actor->more;
    uint32_t messages = self->turn_budget - self->worker->budget;
    bool idled = more->idled;

    more->idled = false;
    if (messages == (idled ? 1 : 0))
        return; /* nothing came but the word that nothing came */
    more->last_message = tri_worker_now(self->worker);
    if (!more->idle_timer->armed)
        tri_timed_arm(self, more->idle_timer, from_now(more->idle_after));
}
