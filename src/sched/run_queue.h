/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_RUN_QUEUE_H
#define TRI_SCHED_RUN_QUEUE_H

/*
 * A worker's queue: its owner adds and takes, first in first out; others steal half of it at once.
 *
 * Why. A push is two plain stores and a take one CAS, which is all that work-stealing costs here as
 * long as nobody steals. The ring is bounded, so that it stays in the first cache and never
 * allocates: what does not fit goes to the injector. (ck_ring was rejected: it takes one CAS per
 * item to steal a batch, and its accesses hide from ThreadSanitizer and the explorer. A deque that
 * grows was rejected too: old arrays would have to outlive late thieves.)
 *
 *        head                       tail
 *          │  tasks[n % length]      │
 *     ─────┼─────────────────────────┼─────►   counted up for ever, 64 bits: no ABA
 *   taken  │        waiting          │  free until head + length
 *
 *     push   the owner:  tasks[tail] = task, tail + 1
 *     take   the owner:  reads tasks[head], head + 1 by CAS
 *     steal  any other:  reads half of them into free places of its own ring, head + n by one CAS,
 *                        and only then moves its own tail over them
 *
 * Rules
 *   1. One thread, the owner, pushes, takes, and is `to` of a steal.
 *   2. A place is written again only after `head` has passed it; so whoever moves `head` by CAS
 *      from the value it had when the places were read, has read what stood there.
 *
 * Partners: sched/worker.c owns one; the order pairs are in docs/design/memory-order.md and
 * explored by tests/model/run_queue.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/limits.h"
#include "sched/task.h"

_Static_assert((TRI_RUN_QUEUE_LENGTH & (TRI_RUN_QUEUE_LENGTH - 1)) == 0, "a power of two");

struct tri_run_queue {
    /* the owner and thieves, by CAS */
    uint64_t head __attribute__((aligned(TRI_CACHE_LINE)));

    /* the owner writes, thieves read */
    uint64_t tail __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_task *tasks[TRI_RUN_QUEUE_LENGTH];
};

/* Tasks waiting: exact for the owner while nobody steals, a guess for others. */
static inline uint32_t tri_run_queue_length(const struct tri_run_queue *queue)
{
    uint64_t head = tri_load_relaxed_64(&queue->head);

    return (uint32_t)(tri_load_relaxed_64(&queue->tail) - head);
}

/* Adds a task at the tail; false when there is no place. The owner only. */
static inline bool tri_run_queue_push(struct tri_run_queue *queue, struct tri_task *task)
{
    uint64_t tail = tri_load_relaxed_64(&queue->tail);

    /* acquire: whoever took the place's last task has read it; pairs with the CAS in take and
     * steal. */
    if (TRI_UNLIKELY(tail - tri_load_acquire_64(&queue->head) >= TRI_RUN_QUEUE_LENGTH))
        return false;
    tri_store_relaxed_ptr(&queue->tasks[tail % TRI_RUN_QUEUE_LENGTH], task);
    /* release: publishes the task and its place; pairs with the acquire in steal. */
    tri_store_release_64(&queue->tail, tail + 1);
    return true;
}

/* The oldest task, or NULL. The owner only. */
static inline struct tri_task *tri_run_queue_take(struct tri_run_queue *queue)
{
    uint64_t tail = tri_load_relaxed_64(&queue->tail);
    uint64_t head = tri_load_relaxed_64(&queue->head);

    while (head != tail) {
        struct tri_task *task = tri_load_relaxed_ptr(&queue->tasks[head % TRI_RUN_QUEUE_LENGTH]);
        /* release: the place has been read; pairs with the acquire in push, which fills it
         * again. */
        if (TRI_LIKELY(tri_cas_acq_rel_64(&queue->head, &head, head + 1)))
            return task;
    }
    return NULL;
}

/* Moves half of `from`, rounded up and at most TRI_STEAL_MAX, to the tail of `to`, which has that
 * much room; returns how many. Threads: the owner of `to`. Blocks: never. */
uint32_t tri_run_queue_steal(struct tri_run_queue *from, struct tri_run_queue *to);

/* Takes up to `count` of the oldest out as a list linked by `next`; returns how many, and the
 * list's ends if there are any. The owner only. */
uint32_t tri_run_queue_take_list(struct tri_run_queue *queue, uint32_t count,
                                 struct tri_task **ret_first, struct tri_task **ret_last);

#endif
