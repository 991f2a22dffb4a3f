/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_OWN_H
#define TRI_ACTORS_OWN_H

/* What an incarnation owns: memory, deferred calls and taken messages, released when it ends. */

#include "actors/more.h"

/* Makes the message in hand, which has not been handed over, the actor's own instead of the
 * lane's. It may be done more than once: what could not be forwarded may still be answered. */
void tri_own_detach(tr_self *self);

/* Releases all of it, latest first. Deferred functions run as the actor's own code. */
void tri_own_release(tr_self *self);

/* Takes a message out of those the actor has taken, and stops counting it against its mailbox;
 * false when it is not one of them. */
bool tri_own_untake(struct tri_actor *actor, struct tri_message *message);

/* Adds a message that was detached from the lane to those the actor has taken; it has a `more`. */
void tri_own_keep(struct tri_actor *actor, struct tri_message *message);

#endif
