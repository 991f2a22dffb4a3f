/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * "No task is runnable or running": what a system that drains waits for.
 *
 * All workers parked, and nothing in any queue, at one moment: the counts of the idle set, read
 * before and after the queues, are the same word, and that word also counts each leaving. So nobody
 * left in between, nobody took anything, and what was found empty was empty at the first reading.
 * (A worker in the poller counts as parked; what the poller's callbacks submit stands in its
 * queue.)
 *
 * Counting tasks in and out was rejected: two atomic operations for each scheduling.
 */

#include <errno.h>

#include "base/futex.h"
#include "sched/inside.h"

static bool are_queues_empty(struct tri_sched *sched)
{
    if (tri_injector_length(&sched->injector) > 0)
        return false;
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        const struct tri_worker *worker = sched->workers[i];
        if (!tri_lifo_slot_is_empty(&worker->lifo) || tri_run_queue_length(&worker->queue) > 0)
            return false;
    }
    return true;
}

bool tri_sched_is_quiet(struct tri_sched *sched)
{
    if (sched->options.driver != NULL)
        return sched->options.driver->is_quiet(sched);

    uint64_t *counts = &sched->idle.counts;
    /* acquire: what a worker did before it parked; pairs with its announcing in idle.c. */
    uint64_t before = tri_load_acquire_64(counts);

    if (tri_idle_parked_of(before) != sched->worker_count || !are_queues_empty(sched))
        return false;
    tri_fence_full();  /* the queues are read before the counts are read again */
    return tri_load_acquire_64(counts) == before;
}

void tri_quiet_note(struct tri_sched *sched)
{
    struct tri_quiet *quiet = &sched->quiet;

    /* The heavy fence after the announcing pairs with the one in tri_sched_wait_quiet: the waiter
     * sees this worker parked, or this worker sees the waiter. */
    if (tri_load_relaxed_32(&quiet->waiters) == 0
        || tri_idle_parked_of(tri_load_relaxed_64(&sched->idle.counts)) != sched->worker_count)
        return;
    tri_fetch_add_acq_rel_32(&quiet->sequence, 1);
    tri_futex_wake(&quiet->sequence, UINT32_MAX);
}

int tri_sched_wait_quiet(struct tri_sched *sched, tr_time deadline)
{
    struct tri_quiet *quiet = &sched->quiet;
    int result = 0;

    if (sched->options.driver != NULL)
        return sched->options.driver->wait_quiet(sched, deadline);
    tri_fetch_add_acq_rel_32(&quiet->waiters, 1);
    tri_fence_heavy();  /* see tri_quiet_note */
    for (;;) {
        uint32_t sequence = tri_load_acquire_32(&quiet->sequence);
        if (tri_sched_is_quiet(sched))
            break;
        if (tri_clock_now() >= deadline) {
            result = -ETIMEDOUT;
            break;
        }
        tri_futex_wait(&quiet->sequence, sequence, deadline);
    }
    tri_fetch_sub_acq_rel_32(&quiet->waiters, 1);
    return result;
}
