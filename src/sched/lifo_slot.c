/* SPDX-License-Identifier: BSD-2-Clause */

/* See lifo_slot.h for the protocol and its rules. */

#include "sched/lifo_slot.h"

#include <sched.h>

#include "base/limits.h"

enum { FREE, CLAIMED };

/* The owner met a thief: lets it go first, and shuts the gate behind it. */
TRI_COLD void tri_lifo_slot_wait(struct tri_lifo_slot *slot)
{
    do {
        tri_lifo_slot_open(slot);
        /* acquire: what the thief did to `task`; pairs with the release in leave. */
        for (unsigned tries = 0; tri_load_acquire_32(&slot->claim) != FREE; tries++) {
            if (tries < TRI_SPIN_TRIES)
                tri_cpu_relax();
            else
                sched_yield();  /* the thief lost its processor, maybe this one */
        }
        tri_store_relaxed_32(&slot->gate, TRI_GATE_SHUT);
        tri_fence_light();  /* as in tri_lifo_slot_shut */
        /* acquire: as in tri_lifo_slot_shut. */
    } while (tri_load_acquire_32(&slot->claim) != FREE);
}

static void leave(struct tri_lifo_slot *slot)
{
    /* release: what was done to `task`; pairs with the acquire in shut and wait. */
    tri_store_release_32(&slot->claim, FREE);
}

struct tri_task *tri_lifo_slot_steal(struct tri_lifo_slot *slot)
{
    uint32_t seen = FREE;

    if (tri_lifo_slot_is_empty(slot) || !tri_cas_acq_rel_32(&slot->claim, &seen, CLAIMED))
        return NULL;
    tri_fence_heavy();  /* the claim is seen, or the gate is: pairs with the light one in shut */
    /* acquire: what the owner did to `task`; pairs with the release in open. */
    if (tri_load_acquire_32(&slot->gate) != TRI_GATE_OPEN) {
        leave(slot);
        return NULL;
    }
    /* acquire: the task; pairs with the release in fill and swap. */
    struct tri_task *task = tri_load_acquire_ptr(&slot->task);
    if (task != NULL)
        tri_store_relaxed_ptr(&slot->task, NULL);
    leave(slot);
    return task;
}
