/* SPDX-License-Identifier: BSD-2-Clause */

/* See behaviour.h. */

#include "actors/behaviour.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "actors/protocol.h"
#include "base/ck.h"
#include "base/limits.h"
#include "base/memory.h"
#include "mailbox/lane.h"

/* Multipliers tried for a size before the next one: the first will do nine times in ten. */
#define TRIES 64u

static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;

/* Added to at the front, under the lock; read without it. */
static struct tri_behaviour *behaviours;
static struct tri_type *types;

/* In the place of all handlers, or NULL. */
static tr_thunk *replacement;

static struct tri_behaviour *find_behaviour(const tr_handler *table)
{
    /* acquire: the compiled tables; pairs with the release in tri_behaviour_compile. */
    struct tri_behaviour *behaviour = tri_load_acquire_ptr(&behaviours);

    while (behaviour != NULL && behaviour->table != table)
        behaviour = behaviour->next;
    return behaviour;
}

struct tri_type *tri_type_find(const tr_actor_type *public)
{
    /* acquire: the compiled types; pairs with the release in tri_type_compile. */
    struct tri_type *type = tri_load_acquire_ptr(&types);

    while (type != NULL && type->public != public)
        type = type->next;
    return type;
}

static int check_table(const tr_handler *table, uint32_t *ret_count)
{
    uint32_t count = 0;

    for (; table != NULL && table[count].info != NULL; count++) {
        uint32_t kind = tri_kind_of(table[count].info);

        if (!(kind & TRI_KIND_KNOWN))
            return tri_kind_error(kind);
        if (table[count].call == NULL)
            return -EINVAL;
        for (uint32_t i = 0; i < count; i++)
            if (table[i].info->tag == table[count].info->tag)
                return -EINVAL;
    }
    *ret_count = count;
    return 0;
}

static struct tri_reaction reaction_of(const tr_handler *handler)
{
    struct tri_reaction reaction = {
        handler->info->tag, handler->info->size,
        replacement != NULL ? replacement : handler->call,
    };
    return reaction;
}

/* Lays the table out by the multiplier that stands there; false when two tags meet. */
static bool lay_out(struct tri_behaviour *behaviour, uint32_t count, uint32_t places)
{
    memset(behaviour->reactions, 0, places * sizeof behaviour->reactions[0]);
    for (uint32_t i = 0; i < count; i++) {
        struct tri_reaction reaction = reaction_of(&behaviour->table[i]);
        ptrdiff_t place = tri_behaviour_at(behaviour, reaction.tag) - behaviour->reactions;

        if (behaviour->reactions[place].tag != 0)
            return false;
        behaviour->reactions[place] = reaction;
    }
    return true;
}

static struct tri_behaviour *compile(const tr_handler *table, uint32_t count)
{
    for (uint32_t bits = 1;; bits++) {
        uint32_t places = UINT32_C(1) << bits;
        struct tri_behaviour *behaviour;

        if (places < 2 * count)
            continue;
        behaviour = tri_alloc(sizeof *behaviour + places * sizeof behaviour->reactions[0]);
        if (behaviour == NULL)
            return NULL;
        behaviour->table = table;
        behaviour->first = count > 0 ? reaction_of(&table[0]) : (struct tri_reaction){ 0 };
        behaviour->mask = (places - 1) * (uint32_t)sizeof behaviour->reactions[0];
        behaviour->multiplier = UINT64_C(0x9e3779b97f4a7c15);
        for (uint32_t i = 0; i < TRIES; i++) {
            if (lay_out(behaviour, count, places))
                return behaviour;
            behaviour->multiplier = behaviour->multiplier * UINT64_C(6364136223846793005) + 2;
        }
        tri_free(behaviour);
    }
}

int tri_behaviour_compile(const tr_handler *table, struct tri_behaviour **ret_behaviour)
{
    struct tri_behaviour *behaviour = find_behaviour(table);
    uint32_t count = 0;
    int error = 0;

    if (behaviour == NULL) {
        error = check_table(table, &count);
        if (error < 0)
            return error;
        pthread_mutex_lock(&compiling);
        behaviour = find_behaviour(table);
        if (behaviour == NULL) {
            behaviour = compile(table, count);
            if (behaviour != NULL) {
                behaviour->next = tri_load_relaxed_ptr(&behaviours);
                /* release: publishes the table; pairs with the acquire in find_behaviour. */
                tri_store_release_ptr(&behaviours, behaviour);
            }
        }
        pthread_mutex_unlock(&compiling);
    }
    if (behaviour == NULL)
        return -ENOMEM;
    *ret_behaviour = behaviour;
    return 0;
}

const tr_handler *tri_behaviour_handler(const struct tri_behaviour *behaviour, uint32_t tag)
{
    const tr_handler *handler = behaviour->table;

    while (handler->info->tag != tag)
        handler++;
    return handler;
}

static void replace(struct tri_behaviour *behaviour)
{
    for (const tr_handler *h = behaviour->table; h != NULL && h->info != NULL; h++) {
        ptrdiff_t place = tri_behaviour_at(behaviour, h->info->tag) - behaviour->reactions;

        behaviour->reactions[place] = reaction_of(h);
        if (h == behaviour->table)
            behaviour->first = reaction_of(h);
    }
}

void tri_behaviour_replace(tr_thunk *call)
{
    if (call == replacement)
        return;
    pthread_mutex_lock(&compiling);
    replacement = call;
    for (struct tri_behaviour *b = tri_load_relaxed_ptr(&behaviours); b != NULL; b = b->next)
        replace(b);
    pthread_mutex_unlock(&compiling);
}

int tri_limit_of(uint32_t capacity, tr_overflow overflow)
{
    if (capacity > TRI_LANE_CAPACITY_MAX)
        return -EINVAL;
    switch (overflow) {
    case TR_UNBOUNDED:
        return TRI_LANE_NO_LIMIT;
    case TR_OVERFLOW_DEFAULT:
    case TR_REJECT:
        return (int)(capacity != 0 ? capacity : TRI_CAPACITY_DEFAULT);
    }
    return -EINVAL;
}

static int check_type(const tr_actor_type *public)
{
    size_t align = public->state_align;

    if (public->name == NULL || public->name[0] == '\0')
        return -EINVAL;
    if (public->state_size > TRI_STATE_BYTES_MAX)
        return -EINVAL;
    if (align > TRI_CACHE_LINE || (align & (align - 1)) != 0)
        return -EINVAL;
    return tri_limit_of(public->capacity, public->overflow);
}

/* With the lock held. */
static struct tri_type *make_type(const tr_actor_type *public, struct tri_behaviour *behaviour,
                                  int limit)
{
    struct tri_type *newest = tri_load_relaxed_ptr(&types);
    struct tri_type *type = tri_alloc_zeroed(sizeof *type);

    if (type == NULL)
        return NULL;
    type->public = public;
    type->behaviour = behaviour;
    type->limit = (uint32_t)limit;
    type->id = newest == NULL ? 1 : newest->id + 1;
    type->next = newest;
    /* release: publishes the type; pairs with the acquire in tri_type_find. */
    tri_store_release_ptr(&types, type);
    return type;
}

uint32_t tri_types_made(void)
{
    /* acquire: the type; pairs with the release in make_type. */
    const struct tri_type *newest = tri_load_acquire_ptr(&types);

    return newest == NULL ? 1 : newest->id + 1;
}

int tri_type_compile(const tr_actor_type *public, struct tri_type **ret_type)
{
    struct tri_behaviour *behaviour;
    int limit = check_type(public);
    int error = limit < 0 ? limit : tri_behaviour_compile(public->on, &behaviour);

    if (error < 0)
        return error;
    pthread_mutex_lock(&compiling);
    struct tri_type *type = tri_type_find(public);
    if (type == NULL) {
        struct tri_type *newest = tri_load_relaxed_ptr(&types);
        if (newest != NULL && newest->id + 1 >= TRI_TYPES_MAX)
            error = -ENOSPC;
        else if ((type = make_type(public, behaviour, limit)) == NULL)
            error = -ENOMEM;
    }
    pthread_mutex_unlock(&compiling);
    if (type == NULL)
        return error;
    if (public->state != NULL)
        /* release: publishes the type; pairs with the acquire in tri_type_of. */
        tri_store_release_ptr(&public->state->compiled, type);
    *ret_type = type;
    return 0;
}
