/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_TOKEN_H
#define TRI_ACTORS_TOKEN_H

/*
 * Tokens: what an incarnation has open (asks, timers, monitors, callers on hold) under numbers that
 * are never mistaken for one another.
 *
 *     63 .. 48   incarnation, modulo 2^16
 *     47 .. 24   sequence of the place, from 1: how often it was used
 *     23 ..  0   place in the actor's table
 *
 * A token whose place has moved on finds nothing. A place whose sequence would wrap is retired.
 * Sequence 0 is no place: such a token only names an incarnation.
 *
 * Rule: a table belongs to its actor alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum tri_token_kind {
    TRI_TOKEN_FREE,
    TRI_TOKEN_CALL,
    TRI_TOKEN_TIMER,
    TRI_TOKEN_MONITOR,
    TRI_TOKEN_WATCH,
    TRI_TOKEN_LINK,
    TRI_TOKEN_HOLD,
};

struct tri_token_place {
    void *record;
    uint32_t sequence;
    uint32_t kind;  /* FREE: `next` is the next free place */
    uint32_t next;
};

/* Zeroed: empty. */
struct tri_token_table {
    struct tri_token_place *places;
    uint32_t length;
    uint32_t used;  /* places below this one were in use at some time */
    uint32_t free;  /* a free place plus 1, or 0 */
    uint32_t count;
};

/* Opens a token for a record. Errors: -ENOMEM; -ENOBUFS, TRI_TOKENS_MAX are open. */
int tri_token_open(struct tri_token_table *table, uint32_t incarnation, enum tri_token_kind kind,
                   void *record, uint64_t *ret_token);

/* The record of an open token of that kind and incarnation, or NULL. */
void *tri_token_find(const struct tri_token_table *table, uint32_t incarnation,
                     enum tri_token_kind kind, uint64_t token);

/* Closes a token that was found. */
void tri_token_close(struct tri_token_table *table, uint64_t token);

/* Any record of that kind that is open, from place *cursor on, which is moved behind it; NULL when
 * there are no more. */
void *tri_token_each(const struct tri_token_table *table, enum tri_token_kind kind,
                     uint32_t *cursor);

void tri_token_table_free(struct tri_token_table *table);

static inline uint64_t tri_token_for_incarnation(uint32_t incarnation)
{
    return (uint64_t)(incarnation & 0xffff) << 48;
}

static inline bool tri_token_is_of(uint64_t token, uint32_t incarnation)
{
    return token >> 48 == (incarnation & 0xffff);
}

#endif
