/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_BEHAVIOUR_H
#define TRI_ACTORS_BEHAVIOUR_H

/*
 * Tables of handlers, made ready for dispatch, and types, made ready for spawning.
 *
 * A table is compiled once in a process, when it is first used: checked, then laid out so that one
 * multiplication finds the only entry that may hold a tag. Its first handler, often the only one,
 * is compared before that: a processor guesses how a comparison ends, but has to wait for a
 * product. A type is compiled with its table; what came out stands in the type's own word, for the
 * next spawn.
 *
 * Nothing compiled is ever freed: actors of any system may use it.
 */

#include <stdint.h>

#include <troupe/actor.h>

#include "base/bits.h"
#include "base/ck.h"

struct tri_reaction {
    uint32_t tag;   /* 0: none */
    uint32_t size;  /* what the handler reads at least */
    tr_thunk *call;
};

struct tri_behaviour {
    const tr_handler *table;
    struct tri_behaviour *next;  /* the next one compiled, of any type */
    uint64_t multiplier;
    uint32_t mask;  /* of the reactions' places, counted in bytes */
    struct tri_reaction first;
    struct tri_reaction reactions[];
};

_Static_assert(sizeof(struct tri_reaction) == 16, "a place is a multiple of it");

/* The library's own actors, which look at their signals before the lifecycle does. */
struct tri_hooks;

struct tri_type {
    const tr_actor_type *public;
    struct tri_behaviour *behaviour;
    struct tri_type *next;
    const struct tri_hooks *hooks; /* NULL for users' types */
    uint32_t id;     /* dense, from 1; 0 stands for receivers that never were */
    uint32_t limit;  /* of unsolicited messages, 0: none */
};

/* The only place where a tag can stand. */
static inline const struct tri_reaction *tri_behaviour_at(const struct tri_behaviour *behaviour,
                                                          uint32_t tag)
{
    uint32_t at = (uint32_t)(tag * behaviour->multiplier >> 32) & behaviour->mask;

    return (const struct tri_reaction *)(const void *)((const char *)behaviour->reactions + at);
}

/* The reaction to a tag, or NULL. */
static inline const struct tri_reaction *tri_behaviour_find(const struct tri_behaviour *behaviour,
                                                            uint32_t tag)
{
    if (TRI_LIKELY(behaviour->first.tag == tag))
        return &behaviour->first;

    const struct tri_reaction *reaction = tri_behaviour_at(behaviour, tag);
    return TRI_LIKELY(reaction->tag == tag) ? reaction : NULL;
}

/* What the user's table has for a tag that has a reaction. */
const tr_handler *tri_behaviour_handler(const struct tri_behaviour *behaviour, uint32_t tag);

/* From now on all reactions, those compiled before too, are this function; NULL: as the tables have
 * them. No actor is at work. */
void tri_behaviour_replace(tr_thunk *call);

/* Errors: -EINVAL, a handler without a function or two for one message; -EEXIST, a message's tag is
 * described in two ways; -ENOMEM; -ENOSPC. */
int tri_behaviour_compile(const tr_handler *table, struct tri_behaviour **ret_behaviour);

/* Compiled by an earlier spawn, or NULL. */
static inline struct tri_type *tri_type_of(const tr_actor_type *public)
{
    /* acquire: the compiled type; pairs with the release in tri_type_compile. */
    return public->state != NULL ? tri_load_acquire_ptr(&public->state->compiled) : NULL;
}

/* Errors: as above, and -EINVAL, a type without a name or with limits out of range; -ENOSPC, too
 * many types. */
int tri_type_compile(const tr_actor_type *public, struct tri_type **ret_type);

/* The same for any type, with or without a word of its own. */
struct tri_type *tri_type_find(const tr_actor_type *public);

/* One more than the highest id of a type. */
uint32_t tri_types_made(void);

/* What a type's and an option's capacity and overflow come to; negative: -EINVAL. */
int tri_limit_of(uint32_t capacity, tr_overflow overflow);

#endif
