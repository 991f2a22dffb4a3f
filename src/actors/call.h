/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_CALL_H
#define TRI_ACTORS_CALL_H

/*
 * Asks, on the asker's side: a record for each one in flight, under a token that travels with the
 * request and comes back with the answer.
 *
 *               attempt sent                         answer, or a failure that is final
 *     tr_ask ─────────────► ┌─────────┐ ────────────────────────────────────► outcome
 *                           │ WAITING │                                          ▲
 *                  ┌──────► └─────────┘ ───┐ attempt timed out, target full or   │ deadline
 *                  │ backoff is over       │ crashed, and attempts are left      │
 *                  │        ┌─────────┐    │                                     │
 *                  └─────── │ BACKOFF │ ◄──┘ ────────────────────────────────────┘
 *                           └─────────┘
 *
 * Why. Most asks are answered long before they time out: arming and cancelling a timer for each
 * would cost as much as the message. An actor has one timer, for the earliest moment at which any
 * of its asks needs looking at; a later ask leaves it alone, an answer too. When it is due, all are
 * looked at, once.
 *
 * Rules
 *   1. A record belongs to the asker's incarnation; whoever closes its token frees it.
 *   2. Exactly one outcome: closing the token is what decides. A late answer finds no token.
 *   3. A deadline's outcome is told without a message of its own: it cannot fail for want of
 *      memory.
 *
 * Partners: actors/answer.c is the other side; actors/timed.c has the timer.
 */

#include "actors/more.h"
#include "actors/system.h"

/* An answer is in hand: whether it goes to a handler. */
bool tri_call_arrived(tr_self *self, const struct tri_envelope *envelope);

/* The timer: time has come for some asks, or for some callers on hold. May end the actor. */
void tri_calls_due(tr_self *self);

/* Sees to it that calls_due runs at `when` at the latest. Errors: -ENOMEM. */
int tri_calls_look_at(tr_self *self, tr_time when);

/* Forgets all asks of the incarnation: what comes back for them is dropped. */
void tri_calls_release(tr_self *self);

#endif
