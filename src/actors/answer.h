/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_ANSWER_H
#define TRI_ACTORS_ANSWER_H

/*
 * Asks, on the side of who must answer.
 *
 * A reply is a message of its own. A refusal is the request itself, turned around: its node has an
 * envelope with the asker's ref and token, and room for a tr_failed, so that it cannot fail.
 *
 * Rule: a request is answered once: in hand, from hold, or when it is discarded.
 *
 * Partners: actors/turn.c answers for handlers that did not; actors/call.c receives.
 */

#include "actors/more.h"
#include "actors/system.h"

/* Turns a request that is the caller's own into a tr_failed from `who` and sends it back. */
void tri_refuse_message(tr_system *sys, tr_self *self, tr_ref who, struct tri_message *message,
                        int error);

/* The same with the one in hand, which is handed over. */
void tri_refuse_in_hand(tr_self *self, int error);

/* Drops a caller on hold whose deadline has passed; answers when to look at it otherwise. */
tr_time tri_hold_look(tr_self *self, struct tri_message *message, tr_time now);

/* The incarnation ends: -ECONNRESET to all callers on hold. */
void tri_holds_release(tr_self *self);

#endif
