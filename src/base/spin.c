/* SPDX-License-Identifier: BSD-2-Clause */

#include "base/spin.h"

#include <sched.h>

#include "base/limits.h"

void tri_spin_lock_slow(struct tri_spin *spin)
{
    for (unsigned tries = 0;; tries++) {
        if (tri_load_relaxed_32(&spin->taken) == 0 && tri_spin_try(spin))
            return;
        if (tries < TRI_SPIN_TRIES)
            tri_cpu_relax();
        else
            sched_yield();
    }
}
