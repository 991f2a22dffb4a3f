/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_SPIN_H
#define TRI_BASE_SPIN_H

/*
 * A small lock for a few instructions that hardly ever meet: a depot, the injector.
 *
 * Spins a bounded time, then gives the processor up at each try, so that a holder who lost its own
 * processor gets it back. Nothing is called and nothing waited for while it is held.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"

struct tri_spin {
    uint32_t taken;
};

#define TRI_SPIN_FREE { 0 }

/* Waits until the lock was taken. */
void tri_spin_lock_slow(struct tri_spin *spin);

static inline bool tri_spin_try(struct tri_spin *spin)
{
    /* acquire: what the last holder wrote; pairs with the release in tri_spin_unlock. */
    return tri_exchange_acq_rel_32(&spin->taken, 1) == 0;
}

static inline void tri_spin_lock(struct tri_spin *spin)
{
    if (TRI_UNLIKELY(!tri_spin_try(spin)))
        tri_spin_lock_slow(spin);
}

static inline void tri_spin_unlock(struct tri_spin *spin)
{
    /* release: what was written under the lock; pairs with the acquire in tri_spin_try. */
    tri_store_release_32(&spin->taken, 0);
}

#endif
