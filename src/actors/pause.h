/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_PAUSE_H
#define TRI_ACTORS_PAUSE_H

/*
 * Pauses: who waits until a mailbox has room. For now these are threads in tr_send_wait.
 *
 *     thread                                   receiver
 *       │ full: a record is made
 *       │              ── notice WAITING ──►      │ in its list, oldest first
 *       │ sleeps                                  │ below half of its capacity: lets a few go
 *       │              ◄── token ──               │
 *       │ tries again, and if it is full again waits again
 *
 * Why. By level, not by crossing: the receiver looks at its depth whenever it takes a WAITING and
 * at every turn's end. So it does not matter whether the room came before the word of it, and a
 * receiver that goes to sleep is below half and has let everybody go.
 *
 * Rules
 *   1. A record is held by the waiting thread and by the notice or list it is in; who lets go last
 *      frees it. A thread whose time is up just lets go.
 *   2. The receiver's final end lets all go: their next try finds no receiver.
 *
 * Partners: actors/turn.c at the turn's end, actors/lifecycle.c.
 */

#include "actors/more.h"
#include "actors/system.h"

void tri_pause_taken(tr_self *self, struct tri_message *notice);

/* It came too late, or for another life of the slot. */
void tri_pause_refused(tr_self *self, struct tri_message *notice);

/* Lets some of the waiters go if there is room. */
void tri_pause_turn_ends(tr_self *self);

/* The final end. */
void tri_pause_release(tr_self *self);

#endif
