/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_NAMES_H
#define TRI_ACTORS_NAMES_H

/*
 * Names of actors: a hash table under a lock, one for each system.
 *
 * What. An entry is a name and a ref; it is found by either. Nothing of it stands in the actor, so
 * that anybody may name any actor.
 *
 * Why. An entry whose actor has ended counts as absent from the moment the generation is raised:
 * the ref says so by itself. So an end does nothing for its name, which keeps it cheap, and nobody
 * who hears of the end can find the name still taken. What has become stale is thrown out when its
 * place is wanted: by the same name, by the same slot, or when the table would grow.
 *
 * Rules
 *   1. An actor may be given its name before its terms are published: then nobody finds it yet,
 *      and nobody else gets the name. If it is not published after all, tri_name_release follows.
 *   2. Whether an entry is stale is decided under the lock, by the slot's ref.
 *
 * Partners: actors/slot.h for ref and terms; actors/spawn.c gives names at birth.
 */

#include "actors/system.h"

/* Errors: NULL, no memory. */
struct tri_names *tri_names_new(uint64_t seed);
void tri_names_free(struct tri_names *names);

/* 0 for a name of 1 to 63 bytes, else -EINVAL. */
int tri_name_check(const char *name);

/* Gives an actor of this system, perhaps one that is not published yet, a copy of `name`.
 * Errors: -EEXIST, taken, or it has one; -ENOMEM; -ENOSPC (TRI_NAMES_MAX). */
int tri_name_give(tr_system *sys, tr_ref ref, const char *name);

/* Takes the name of an actor away, if it has one. */
void tri_name_release(tr_system *sys, tr_ref ref);

/* Copies the actor's name, or an empty string when it has none. */
void tri_name_of(tr_system *sys, tr_ref ref, char ret_name[TRI_NAME_BYTES_MAX]);

#endif
