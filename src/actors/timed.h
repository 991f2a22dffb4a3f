/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_TIMED_H
#define TRI_ACTORS_TIMED_H

/*
 * Timers of actors: a message to oneself that a timer of the scheduler puts into the mailbox.
 *
 *               due (any worker, or the watcher)
 *     ┌───────┐ ───────────────────────────────► ┌────────┐
 *     │ ARMED │                                  │ QUEUED │
 *     └───────┘ ◄──────────────────┐             └────────┘
 *       │  ▲  arm                  │ periodic: after    │ arrived
 *       │  └────────────────┐      │ its handler        ▼
 *       │ cancel, in time   │      │              ┌─────────┐
 *       ▼                   │      └───────────── │ IN HAND │ ── one-shot: freed
 *     freed                 └──── (runtime's own) └─────────┘
 *
 * Whether a cancel is in time the scheduler tells: it took the timer out, or the timer is on its
 * way into the mailbox. Then the message finds no token any more, is dropped, and the record with
 * it.
 *
 * Rules
 *   1. A record belongs to its actor, but while QUEUED to its message, whose envelope names it.
 *   2. The message of a periodic timer is made once: detached from the lane while it is in hand, it
 *      is sent again, so that a tick cannot fail for lack of memory.
 *
 * Partners: sched/timers.c; actors/turn.c calls arrived and concluded.
 */

#include "actors/more.h"
#include "actors/system.h"

enum tri_timed_kind {
    TRI_TIMED_USER,
    TRI_TIMED_CALLS, /* the earliest deadline of the actor's asks: call.c */
    TRI_TIMED_IDLE,  /* tr_idle_after */
};

/* What the scheduler calls; `context` is the system. */
void tri_timed_due(void *context, struct tri_worker *worker, struct tri_timer *timer);

/* A timer's message is in hand: whether it goes to a handler. */
bool tri_timed_arrived(tr_self *self, const struct tri_envelope *envelope);

/* The handler of a message of a periodic timer has returned. */
void tri_timed_concluded(tr_self *self);

/* A message that will not arrive: if a timer sent it, the record goes. */
void tri_timed_discarded(const struct tri_message *message);

/* Ends all timers of the incarnation. */
void tri_timed_release(tr_self *self);

/* Makes a timer of the runtime's own, not armed; its message is `info` without a payload.
 * NULL: no memory. */
struct tri_timed *tri_timed_new(tr_self *self, enum tri_timed_kind kind,
                                const tr_message_info *info);

/* Arms a timer that is not armed. */
void tri_timed_arm(tr_self *self, struct tri_timed *timed, tr_time deadline);

/* Sees to it that it is due at `deadline` at the latest, whatever it was before. */
void tri_timed_arm_by(tr_self *self, struct tri_timed *timed, tr_time deadline);

/* The turn ends: the time of tr_idle_after begins. */
void tri_timed_turn_ends(tr_self *self);

#endif
