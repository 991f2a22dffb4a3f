/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SCRIPT_H
#define TRI_ACTORS_SCRIPT_H

/* Tests as scripts, troupe/sim.h: what the lifecycle tells them. */

#include "actors/actor.h"

/* An incarnation of the actor in hand ends; the run is simulated. */
void tri_script_ended(const tr_self *self, const tr_reason *reason);

#endif
