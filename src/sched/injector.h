/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_INJECTOR_H
#define TRI_SCHED_INJECTOR_H

/*
 * The queue that belongs to all workers: what comes from outside, and what a worker's own queue has
 * no place for. Linked through the tasks: it cannot be full.
 *
 * Why not simply first in first out. What spills from a queue is cold when it comes back, and the
 * longer it has waited the colder; and a program that makes more and more actors, each of which
 * makes more, would have all of them before the first one ends. So what spilled last comes back
 * first, as a rule:
 *
 *     added     one by one, or a few                  oldest first      every other take
 *     spilled   half a queue at a time, each of       newest list       the others, but for
 *               which keeps its order                 first
 *     aged      all that was spilled when this was    as it was         every eighth
 *               empty and had its turn
 *
 * Where one has nothing, another's task is taken. Nothing waits without end: what is aged only
 * becomes fewer, and what is spilled becomes aged after that.
 */

#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/spin.h"
#include "sched/task.h"

struct tri_injected {
    struct tri_task *first;
    struct tri_task *last;
};

struct tri_injector {
    struct tri_spin lock __attribute__((aligned(TRI_CACHE_LINE)));
    uint32_t takes;
    struct tri_injected added;
    struct tri_injected spilled;
    struct tri_injected aged;

    /* written under the lock, read by any thread: see tri_injector_length */
    uint64_t length;
};

/* How many wait: exact under a fence on both sides, like that of a worker that goes to sleep. */
static inline uint64_t tri_injector_length(const struct tri_injector *injector)
{
    return tri_load_relaxed_64(&injector->length);
}

/* Adds `count` tasks linked from `first` to `last`. Threads: any. */
void tri_injector_add(struct tri_injector *injector, struct tri_task *first,
                      struct tri_task *last, uint32_t count);

/* The same with what a worker's queue had no place for. */
void tri_injector_spill(struct tri_injector *injector, struct tri_task *first,
                        struct tri_task *last, uint32_t count);

/* Takes up to `count`, linked by `next`, all from one of the three; NULL when there are none. */
struct tri_task *tri_injector_take(struct tri_injector *injector, uint32_t count);

#endif
