/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_DEAD_LETTER_H
#define TRI_ACTORS_DEAD_LETTER_H

/*
 * Dead letters: what nobody handled, told to the actors that subscribe to them.
 *
 * A dead letter about a dead letter is not told: a subscriber that does not handle them would talk
 * to itself for ever.
 */

#include "actors/system.h"

/* Tells the subscribers of a message to the actor in `self`; its caller has counted it. */
void tri_dead_letter_report(tr_self *self, const struct tri_message *message, tr_dead why);

/* The actor ends or has had enough. */
void tri_dead_letter_unsubscribe(tr_self *self);

#endif
