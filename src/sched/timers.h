/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_TIMERS_H
#define TRI_SCHED_TIMERS_H

/*
 * A worker's timers: a wheel and its lock.
 *
 * Why a lock. Cancelling takes the timer out at once, from whatever thread its owner runs on now,
 * and the watcher fires the timers of a worker that is stuck. It is hardly ever contended: 10 ns.
 *
 * Rule: a timer belongs to one owner, who starts and cancels it, one call at a time. Only its
 * firing comes by itself: after a cancel that answers true it does not; after false it has, or is
 * about to.
 */

#include "base/bits.h"
#include "base/ck.h"
#include "base/spin.h"
#include "sched/timer_wheel.h"

struct tri_timers {
    struct tri_spin lock __attribute__((aligned(TRI_CACHE_LINE)));

    /* written under the lock, read by any thread: no timer is due before it, as nanoseconds */
    uint64_t earliest;

    struct tri_timer_wheel wheel;
};

static inline tr_time tri_timers_earliest(const struct tri_timers *timers)
{
    return (tr_time)tri_load_relaxed_64(&timers->earliest);
}

void tri_timers_init(struct tri_timers *timers, tr_time now);

/* Adds; true if it is the earliest now. */
bool tri_timers_add(struct tri_timers *timers, struct tri_timer *timer);

/* Removes; false if it is not in this wheel. */
bool tri_timers_remove(struct tri_timers *timers, struct tri_timer *timer);

/* Takes one timer out that is due; NULL when there is none, or not yet. */
struct tri_timer *tri_timers_expire(struct tri_timers *timers, tr_time now);

/* When to look again, worked out anew. */
tr_time tri_timers_next(struct tri_timers *timers);

#endif
