/* SPDX-License-Identifier: BSD-2-Clause */

/* See run_queue.h for the ring and its rules. */

#include "sched/run_queue.h"

#include "base/assert.h"

#define PLACE(queue, position) (&(queue)->tasks[(position) % TRI_RUN_QUEUE_LENGTH])

_Static_assert(TRI_STEAL_MAX <= TRI_RUN_QUEUE_LENGTH / 2, "half a ring holds the loot");

static uint64_t half_of(uint64_t waiting)
{
    uint64_t half = waiting - waiting / 2;

    return half < TRI_STEAL_MAX ? half : TRI_STEAL_MAX;
}

uint32_t tri_run_queue_steal(struct tri_run_queue *from, struct tri_run_queue *to)
{
    uint64_t end = tri_load_relaxed_64(&to->tail);
    /* acquire: so that `tail`, read after it, is no older; pairs with the CAS in take and here. */
    uint64_t head = tri_load_acquire_64(&from->head);
    uint64_t count;

    /* acquire: thieves of ours have read the places we are going to fill. */
    tri_assert(end - tri_load_acquire_64(&to->head) <= TRI_RUN_QUEUE_LENGTH - TRI_STEAL_MAX);
    do {
        /* acquire: the tasks and their places; pairs with the release in push and below. */
        count = half_of(tri_load_acquire_64(&from->tail) - head);
        if (count == 0)
            return 0;
        for (uint64_t i = 0; i < count; i++)
            tri_store_relaxed_ptr(PLACE(to, end + i), tri_load_relaxed_ptr(PLACE(from, head + i)));
        /* release: the places have been read; pairs with the acquire in push. */
    } while (!tri_cas_acq_rel_64(&from->head, &head, head + count));

    /* release: the loot and its places; pairs with the acquire above, by the next thief. */
    tri_store_release_64(&to->tail, end + count);
    return (uint32_t)count;
}

uint32_t tri_run_queue_take_list(struct tri_run_queue *queue, uint32_t count,
                                 struct tri_task **ret_first, struct tri_task **ret_last)
{
    uint64_t tail = tri_load_relaxed_64(&queue->tail);
    uint64_t head = tri_load_relaxed_64(&queue->head);
    uint64_t taken;

    do {
        taken = tail - head < count ? tail - head : count;
        if (taken == 0)
            return 0;
        /* release: as in tri_run_queue_take. */
    } while (!tri_cas_acq_rel_64(&queue->head, &head, head + taken));

    /* The places can be read afterwards: nobody but the owner fills them again. */
    struct tri_task *first = tri_load_relaxed_ptr(PLACE(queue, head));
    struct tri_task *last = first;
    for (uint64_t i = 1; i < taken; i++) {
        last->next = tri_load_relaxed_ptr(PLACE(queue, head + i));
        last = last->next;
    }
    last->next = NULL;
    *ret_first = first;
    *ret_last = last;
    return (uint32_t)taken;
}
