/* SPDX-License-Identifier: BSD-2-Clause */

/* See token.h. */

#include "actors/token.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

#define PLACE_BITS   24
#define PLACE_MASK   ((UINT32_C(1) << PLACE_BITS) - 1)
#define SEQUENCE_MAX PLACE_MASK

_Static_assert(TRI_TOKENS_MAX <= PLACE_MASK, "a place fits its bits");

static uint32_t place_of(uint64_t token)
{
    return (uint32_t)token & PLACE_MASK;
}

static uint32_t sequence_of(uint64_t token)
{
    return (uint32_t)(token >> PLACE_BITS) & PLACE_MASK;
}

static int grow(struct tri_token_table *table)
{
    uint32_t length = table->length == 0 ? 4 : table->length * 2;

    if (table->length >= TRI_TOKENS_MAX)
        return -ENOBUFS;
    struct tri_token_place *places = tri_alloc(length * sizeof *places);
    if (places == NULL)
        return -ENOMEM;
    if (table->length > 0)
        memcpy(places, table->places, table->length * sizeof *places);
    tri_free(table->places);
    table->places = places;
    table->length = length;
    return 0;
}

static int take_place(struct tri_token_table *table, uint32_t *ret_place)
{
    if (table->free != 0) {
        *ret_place = table->free - 1;
        table->free = table->places[*ret_place].next;
        return 0;
    }
    if (table->used == table->length) {
        int error = grow(table);
        if (error < 0)
            return error;
    }
    *ret_place = table->used++;
    table->places[*ret_place] = (struct tri_token_place){ .sequence = 0 };
    return 0;
}

int tri_token_open(struct tri_token_table *table, uint32_t incarnation, enum tri_token_kind kind,
                   void *record, uint64_t *ret_token)
{
    uint32_t number;
    int error = take_place(table, &number);

    if (error < 0)
        return error;

    struct tri_token_place *place = &table->places[number];
    place->record = record;
    place->kind = kind;
    place->sequence++;
    table->count++;
    *ret_token = tri_token_for_incarnation(incarnation) | (uint64_t)place->sequence << PLACE_BITS
                 | number;
    return 0;
}

void *tri_token_find(const struct tri_token_table *table, uint32_t incarnation,
                     enum tri_token_kind kind, uint64_t token)
{
    uint32_t number = place_of(token);

    if (number >= table->used || !tri_token_is_of(token, incarnation))
        return NULL;
    const struct tri_token_place *place = &table->places[number];
    return place->kind == kind && place->sequence == sequence_of(token) ? place->record : NULL;
}

void tri_token_close(struct tri_token_table *table, uint64_t token)
{
    uint32_t number = place_of(token);
    struct tri_token_place *place = &table->places[number];

    tri_assert(number < table->used && place->kind != TRI_TOKEN_FREE);
    place->kind = TRI_TOKEN_FREE;
    place->record = NULL;
    table->count--;
    if (place->sequence == SEQUENCE_MAX)
        return; /* retired */
    place->next = table->free;
    table->free = number + 1;
}

void *tri_token_each(const struct tri_token_table *table, enum tri_token_kind kind,
                     uint32_t *cursor)
{
    while (*cursor < table->used) {
        const struct tri_token_place *place = &table->places[(*cursor)++];
        if (place->kind == kind)
            return place->record;
    }
    return NULL;
}

void tri_token_table_free(struct tri_token_table *table)
{
    tri_free(table->places);
    *table = (struct tri_token_table){ .places = NULL };
}
