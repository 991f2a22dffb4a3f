/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_LIFO_SLOT_H
#define TRI_SCHED_LIFO_SLOT_H

/*
 * The task that a worker runs next: the one its running task has just made runnable.
 *
 * Why. Its message is still in the cache, and a conversation between two actors never touches a
 * queue. So the slot must cost its owner next to nothing: one store to fill it, one to empty it,
 * no read-modify-write, no fence. Yet while the owner is stuck in a long handler, somebody else
 * must be able to take the task away. The dear half of that agreement is left to the thief, which
 * is rare: a heavy fence.
 *
 *     claim   FREE ──steal: CAS──► CLAIMED ──nothing there──► FREE
 *                                     │
 *                                     └──the task it found──► that task ──the owner, next──► FREE
 *
 *     owner, take and swap            thief, steal
 *     1. reads `task`                 1. claim = CLAIMED, or give up: another thief was here
 *     2. task = NULL, or another      2. heavy fence
 *     3. light fence                  3. reads `task`; NULL: claim = FREE, give up
 *     4. claim FREE? has it           4. claim = that task, and has it
 *        else waits, then compares
 *
 * After the fences the thief sees what the owner has put there, or the owner sees the claim, and
 * then learns from it what the thief has found: the old task, the new one, or nothing. Thieves
 * write the claim alone, so that a task which was stolen stands in the slot until its owner comes
 * by, and nobody else steals there before.
 *
 * Rules
 *   1. Only the worker that owns the slot calls fill, swap and take; any thread calls steal.
 *   2. From CLAIMED on a thief does what is above and nothing else: the owner waits a moment.
 *   3. No task is put into a slot where it stands already, unless it was stolen from there.
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
    struct tri_task *task;   /* the owner writes, thieves read */
    struct tri_task *claim;  /* NULL: FREE. Thieves write, the owner resets it */
};

/* The owner met a claim while it put `task` in place of `old`: which of them it still has. */
struct tri_task *tri_lifo_slot_settle(struct tri_lifo_slot *slot, struct tri_task *old,
                                      struct tri_task *task);

/* For the owner: whether it can be filled. A task that was stolen from it fills it still. */
static inline bool tri_lifo_slot_is_empty(const struct tri_lifo_slot *slot)
{
    return tri_load_relaxed_ptr(&slot->task) == NULL;
}

/* For all: whether there is anything to be had, as a hint. */
static inline bool tri_lifo_slot_has_task(const struct tri_lifo_slot *slot)
{
    return !tri_lifo_slot_is_empty(slot) && tri_load_relaxed_ptr(&slot->claim) == NULL;
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

static inline struct tri_task *tri_lifo_slot_put(struct tri_lifo_slot *slot, struct tri_task *task)
{
    struct tri_task *old = tri_load_relaxed_ptr(&slot->task);

    /* release: publishes the task; pairs with the acquire in steal. */
    tri_store_release_ptr(&slot->task, task);
    tri_fence_light();  /* the store is seen, or the claim is: pairs with the heavy one in steal */
    /* relaxed: who stole has not written anything that is read here. */
    if (TRI_UNLIKELY(tri_load_relaxed_ptr(&slot->claim) != NULL))
        return tri_lifo_slot_settle(slot, old, task);
    return old;
}

/* Empties the slot; NULL when there was nothing. */
static inline struct tri_task *tri_lifo_slot_take(struct tri_lifo_slot *slot)
{
    return tri_lifo_slot_put(slot, NULL);
}

/* Puts `task` in place of what is there, which is returned; NULL when there was nothing. */
struct tri_task *tri_lifo_slot_swap(struct tri_lifo_slot *slot, struct tri_task *task);

/* Takes the task away from its owner; NULL when there is none, or another thief was here before.
 * Threads: any but the owner. Cost: a heavy fence. */
struct tri_task *tri_lifo_slot_steal(struct tri_lifo_slot *slot);

#endif
