/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SPAWN_H
#define TRI_ACTORS_SPAWN_H

/* Making actors, and the memory of their states. */

#include "actors/child.h"
#include "actors/system.h"

struct tri_spawning {
    const tr_spawn_options *options; /* may be NULL */
    const tr_actor_type *type;
    const void *initial;
    struct tri_child *child;         /* NULL: nobody's */
    const struct tri_hooks *hooks;   /* NULL but for the runtime's own */
    uint8_t flags;                   /* TRI_ACTOR_INTERNAL */
};

/* Makes an actor; `self` is NULL outside. As tr_self_spawn without its argument checks. */
tr_ref tri_spawn(tr_system *sys, tr_self *self, const struct tri_spawning *spawning);

/* Writes the initial value. */
void tri_state_fill(struct tri_actor *actor, const void *initial);

void tri_state_free(struct tri_thread *thread, struct tri_actor *actor);

#endif
