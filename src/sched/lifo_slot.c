/* SPDX-License-Identifier: BSD-2-Clause */

/* See lifo_slot.h for the protocol and its rules. */

#include "sched/lifo_slot.h"

#include <sched.h>

#include "base/limits.h"

/* A claim that has not found anything yet: no task's address. */
static struct tri_task claimed;

/* What a thief has found, once it has: the task that was stolen, or NULL and the claim is free. */
static struct tri_task *stolen_from(const struct tri_lifo_slot *slot)
{
    struct tri_task *stolen;

    for (unsigned tries = 0; (stolen = tri_load_relaxed_ptr(&slot->claim)) == &claimed; tries++) {
        tri_cpu_relax();
        if (tries >= TRI_SPIN_TRIES)
            sched_yield();  /* the thief lost its processor, maybe this one */
    }
    return stolen;
}

static void end_claim(struct tri_lifo_slot *slot)
{
    /* release: that what was stolen stands in the slot no more; pairs with the CAS in steal. */
    tri_store_release_ptr(&slot->claim, NULL);
}

TRI_COLD struct tri_task *tri_lifo_slot_settle(struct tri_lifo_slot *slot, struct tri_task *old,
                                               struct tri_task *task)
{
    struct tri_task *stolen = stolen_from(slot);

    if (stolen == NULL)
        return old;
    if (stolen == task)
        tri_store_relaxed_ptr(&slot->task, NULL); /* it has seen the new one already */
    end_claim(slot);
    return stolen == old ? NULL : old;
}

struct tri_task *tri_lifo_slot_swap(struct tri_lifo_slot *slot, struct tri_task *task)
{
    /* Rule 3: what was stolen from here may be what comes again. */
    if (TRI_UNLIKELY(stolen_from(slot) != NULL)) {
        tri_store_relaxed_ptr(&slot->task, NULL);
        end_claim(slot);
    }
    return tri_lifo_slot_put(slot, task);
}

struct tri_task *tri_lifo_slot_steal(struct tri_lifo_slot *slot)
{
    void *seen = NULL;

    if (tri_lifo_slot_is_empty(slot) || !tri_cas_acq_rel_ptr(&slot->claim, &seen, &claimed))
        return NULL;
    tri_fence_heavy();  /* the claim is seen, or the store is: pairs with the light one in put */
    /* acquire: the task; pairs with the release in fill and put. */
    struct tri_task *task = tri_load_acquire_ptr(&slot->task);
    /* relaxed: the owner compares it, and reads nothing that it would publish. */
    tri_store_relaxed_ptr(&slot->claim, task);
    return task;
}
