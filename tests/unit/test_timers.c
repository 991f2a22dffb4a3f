/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/timers.h"

#include <pthread.h>

#include "support/test.h"

static struct tri_timers timers;
static struct tri_timer a, b;

static bool add(struct tri_timer *timer, tr_time deadline)
{
    timer->deadline = deadline;
    return tri_timers_add(&timers, timer);
}

Test(timers, tell_when_the_earliest_moves_forward)
{
    tri_timers_init(&timers, 0);
    cr_assert_eq(tri_timers_earliest(&timers), TR_FOREVER);
    cr_assert(add(&a, TR_SEC(5)));
    cr_assert_eq(tri_timers_earliest(&timers), TR_SEC(5));
    cr_assert_not(add(&b, TR_SEC(6)));
    cr_assert(tri_timers_remove(&timers, &b));
    cr_assert(add(&b, TR_SEC(4)));
    cr_assert_eq(tri_timers_earliest(&timers), TR_SEC(4));
}

Test(timers, work_out_the_earliest_anew)
{
    tri_timers_init(&timers, 0);
    add(&a, TR_SEC(5));
    add(&b, TR_SEC(4));
    tri_timers_remove(&timers, &b);
    cr_assert_eq(tri_timers_next(&timers), TR_SEC(5));
    cr_assert_eq(tri_timers_earliest(&timers), TR_SEC(5));
    cr_assert_null(tri_timers_expire(&timers, TR_SEC(5) - 1));
    cr_assert_eq(tri_timers_expire(&timers, TR_SEC(5)), &a);
    cr_assert_null(tri_timers_expire(&timers, TR_SEC(5)));
    cr_assert_eq(tri_timers_earliest(&timers), TR_FOREVER);
}

Test(timers, a_timer_is_removed_once)
{
    tri_timers_init(&timers, 0);
    cr_assert_not(tri_timers_remove(&timers, &a), "it was never added");
    add(&a, TR_SEC(1));
    cr_assert(tri_timers_remove(&timers, &a));
    cr_assert_not(tri_timers_remove(&timers, &a));
    add(&a, TR_SEC(1));
    cr_assert_eq(tri_timers_expire(&timers, TR_SEC(1)), &a);
    cr_assert_not(tri_timers_remove(&timers, &a), "it has fired");
}

/* One thread fires, another cancels: each timer has one end. */

enum { TIMERS = 20000 };

static struct tri_timer many[TIMERS];
static uint32_t cancelled, fired;

static void *canceller(void *unused)
{
    for (int i = 0; i < TIMERS; i++)
        cancelled += tri_timers_remove(&timers, &many[i]);
    return unused;
}

Test(timers, are_fired_or_cancelled)
{
    pthread_t thread;

    tri_timers_init(&timers, 0);
    for (int i = 0; i < TIMERS; i++)
        add(&many[i], TR_MS(i / 100));
    cr_assert_eq(pthread_create(&thread, NULL, canceller, NULL), 0);
    for (tr_time now = 0; now < TR_MS(TIMERS / 100 + 1); now += TR_MS(1)) {
        while (tri_timers_earliest(&timers) <= now)
            fired += tri_timers_expire(&timers, now) != NULL;
    }
    pthread_join(thread, NULL);
    cr_assert_eq(fired + cancelled, (uint32_t)TIMERS);
    cr_assert_eq(timers.wheel.count, 0u);
}
