/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_LIFO_SLOT_H
#define TRI_SCHED_LIFO_SLOT_H

/*
 * The task that a worker runs next: the one its running task has just made runnable.
 *
 * Why. Its message is still in the cache, and a conversation between two actors never touches a
 * queue. So the slot must cost its owner nothing: no atomic read-modify-write, no fence. Yet while
 * the owner is stuck in a long handler, somebody else must be able to take the task away. The dear
 * half of that agreement is left to the thief, which is rare: a heavy fence.
 *
 *     gate   written by the owner:  OPEN ──take, swap──► SHUT ──done, or a thief is here──► OPEN
 *     claim  written by thieves:    FREE ──steal: CAS──► CLAIMED ──────────────────────────► FREE
 *
 *     owner, take and swap            thief, steal
 *     1. gate = SHUT                  1. claim = CLAIMED, or give up: another thief is here
 *     2. light fence                  2. heavy fence
 *     3. claimed? gate = OPEN, wait   3. gate SHUT? give up: the owner is not stuck
 *     4. reads and writes `task`      4. takes `task`, leaves NULL
 *     5. gate = OPEN                  5. claim = FREE
 *
 * After the fences the owner sees the claim or the thief sees the gate: never do both touch a task
 * that is there. Filling an empty slot, the common case, needs no gate: a thief never fills it.
 *
 * Rules
 *   1. Only the worker that owns the slot calls fill, swap and take; any thread calls steal.
 *   2. Between 1 and 5 neither side calls anything or waits; so the owner waits a moment at worst.
 *
 * Partners: sched/worker.c; base/fence.h. Explored by tests/model/lifo_slot.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/fence.h"
#include "sched/task.h"

struct tri_lifo_slot {
    /* the owner, and a thief that holds the claim */
    struct tri_task *task;

    /* the owner writes, thieves read */
    uint32_t gate;

    /* thieves write, the owner reads */
    uint32_t claim;
};

enum { TRI_GATE_OPEN, TRI_GATE_SHUT };

void tri_lifo_slot_wait(struct tri_lifo_slot *slot);

static inline void tri_lifo_slot_shut(struct tri_lifo_slot *slot)
{
    tri_store_relaxed_32(&slot->gate, TRI_GATE_SHUT);
    tri_fence_light();  /* the gate is seen, or the claim is: pairs with the heavy one in steal */
    /* acquire: what the last thief left; pairs with the release in steal. */
    if (TRI_UNLIKELY(tri_load_acquire_32(&slot->claim) != 0))
        tri_lifo_slot_wait(slot);
}

static inline void tri_lifo_slot_open(struct tri_lifo_slot *slot)
{
    /* release: what was done to `task`; pairs with the acquire in steal. */
    tri_store_release_32(&slot->gate, TRI_GATE_OPEN);
}

static inline bool tri_lifo_slot_is_empty(const struct tri_lifo_slot *slot)
{
    return tri_load_relaxed_ptr(&slot->task) == NULL;
}

/* Puts a task into an empty slot; false, and nothing done, when it is not. */
static inline bool tri_lifo_slot_fill(struct tri_lifo_slot *slot, struct tri_task *task)
{
    if (!tri_lifo_slot_is_empty(slot))
        return false;
    /* release: publishes the task; pairs with the acquire in steal. */
    tri_store_release_ptr(&slot->task, task);
    return true;
}

/* Puts `task`, which may be NULL, in place of what is there, which is returned. */
static inline struct tri_task *tri_lifo_slot_swap(struct tri_lifo_slot *slot, struct tri_task *task)
{
    tri_lifo_slot_shut(slot);
    struct tri_task *old = tri_load_relaxed_ptr(&slot->task);
    /* release: publishes the task; pairs with the acquire in steal. */
    tri_store_release_ptr(&slot->task, task);
    tri_lifo_slot_open(slot);
    return old;
}

/* Empties the slot; NULL when there was nothing. */
static inline struct tri_task *tri_lifo_slot_take(struct tri_lifo_slot *slot)
{
    return tri_lifo_slot_is_empty(slot) ? NULL : tri_lifo_slot_swap(slot, NULL);
}

/* Takes the task away from its owner; NULL when there is none, when the owner is just at it, or
 * another thief is. Threads: any but the owner. Cost: a heavy fence. */
struct tri_task *tri_lifo_slot_steal(struct tri_lifo_slot *slot);

#endif
