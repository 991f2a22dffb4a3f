/* SPDX-License-Identifier: BSD-2-Clause */

/* See timers.h for the rules. */

#include "sched/timers.h"

#include "base/assert.h"

static void set_earliest(struct tri_timers *timers, tr_time when)
{
    /* relaxed: who must not miss it (a worker that goes to sleep) takes the lock. */
    tri_store_relaxed_64(&timers->earliest, (uint64_t)when);
}

void tri_timers_init(struct tri_timers *timers, tr_time now)
{
    timers->lock = (struct tri_spin)TRI_SPIN_FREE;
    tri_timer_wheel_init(&timers->wheel, now);
    set_earliest(timers, TR_FOREVER);
}

bool tri_timers_add(struct tri_timers *timers, struct tri_timer *timer)
{
    tri_spin_lock(&timers->lock);
    tri_timer_wheel_add(&timers->wheel, timer);
    bool is_earliest = timer->deadline < tri_timers_earliest(timers);
    if (is_earliest)
        set_earliest(timers, timer->deadline);
    tri_spin_unlock(&timers->lock);
    return is_earliest;
}

bool tri_timers_remove(struct tri_timers *timers, struct tri_timer *timer)
{
    tri_spin_lock(&timers->lock);
    bool was_waiting = timer->state == TRI_TIMER_WAITING;
    if (was_waiting)
        tri_timer_wheel_remove(&timers->wheel, timer);
    tri_spin_unlock(&timers->lock);
    return was_waiting;
}

struct tri_timer *tri_timers_expire(struct tri_timers *timers, tr_time now)
{
    tri_spin_lock(&timers->lock);
    struct tri_timer *timer = tri_timer_wheel_expire(&timers->wheel, now);
    if (timer == NULL)
        set_earliest(timers, tri_timer_wheel_next(&timers->wheel));
    tri_spin_unlock(&timers->lock);
    return timer;
}

tr_time tri_timers_next(struct tri_timers *timers)
{
    tri_spin_lock(&timers->lock);
    tr_time next = tri_timer_wheel_next(&timers->wheel);
    set_earliest(timers, next);
    tri_spin_unlock(&timers->lock);
    return next;
}
