/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_INJECTOR_H
#define TRI_SCHED_INJECTOR_H

/* The queue that belongs to all workers: what comes from outside, and what a worker's own queue has
 * no place for. First in first out, linked through the tasks: it cannot be full. */

#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/spin.h"
#include "sched/task.h"

struct tri_injector {
    struct tri_spin lock __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_task *first;
    struct tri_task *last;

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

/* Takes up to `count` of the oldest, linked by `next`; NULL when there are none. */
struct tri_task *tri_injector_take(struct tri_injector *injector, uint32_t count);

#endif
