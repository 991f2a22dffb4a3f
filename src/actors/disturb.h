/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_DISTURB_H
#define TRI_ACTORS_DISTURB_H

/*
 * Faults of a simulated run at actors and messages: see disturb.c.
 */

#include <stdbool.h>

#include <troupe/message.h>

/* Called whenever a system starts: puts the faults in, where the run is simulated and asks for
 * any, or takes them out. No other system is at work. */
void tri_disturb_begin(void);

/* Whether .start of the actor in hand fails here, as if it had returned an error. */
bool tri_disturb_start(tr_self *self);

/* In the place of a type's .otherwise, where the run is simulated. */
int tri_disturb_otherwise(tr_self *self, const tr_any *msg);

#endif
