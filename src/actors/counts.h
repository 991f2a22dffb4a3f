/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_COUNTS_H
#define TRI_ACTORS_COUNTS_H

/*
 * What happened to messages and actors, by type.
 *
 * Each worker has an array with an entry for each type, which it alone writes; threads that are no
 * workers share one more, by atomic additions. A reader adds them all up: exact when nothing runs.
 *
 *     accepted = handled + crashed + dead_letters + dropped + expired + queued
 *
 * holds because whoever takes a message out of a mailbox counts it under exactly one of these, and
 * `queued` is what is missing. Entry 0 is for refs that name nobody.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ck.h"

enum tri_count {
    TRI_COUNT_ACCEPTED,
    TRI_COUNT_REJECTED,
    TRI_COUNT_HANDLED,
    TRI_COUNT_CRASHED,
    TRI_COUNT_DEAD_LETTERS,
    TRI_COUNT_DROPPED,
    TRI_COUNT_EXPIRED,
    TRI_COUNT_SPAWNED,
    TRI_COUNT_ENDED,
    TRI_COUNT_RESTARTS,
    TRI_COUNT_LATE_REPLIES,
    TRI_COUNTS,
};

struct tri_counts {
    uint64_t of[16];
};

_Static_assert(TRI_COUNTS <= 16, "an entry is two cache lines");

/* By the worker that owns the entry. relaxed: readers only add up. */
static inline void tri_count_add(struct tri_counts *counts, enum tri_count what, uint64_t n)
{
    tri_add_own_64(&counts->of[what], n);
}

static inline void tri_count(struct tri_counts *counts, enum tri_count what)
{
    tri_count_add(counts, what, 1);
}

/* The entry that stands so many bytes behind the first: an actor has that of its type at hand. */
static inline struct tri_counts *tri_counts_at(struct tri_counts *counts, uint32_t bytes)
{
    return (struct tri_counts *)(void *)((char *)counts + bytes);
}

/* By any thread, of the shared entries. */
static inline void tri_count_shared(struct tri_counts *counts, enum tri_count what)
{
    (void)tri_fetch_add_relaxed_64(&counts->of[what], 1);
}

#endif
