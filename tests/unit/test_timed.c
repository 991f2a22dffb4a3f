/* SPDX-License-Identifier: BSD-2-Clause */

/* Timers of actors: one-shot, periodic, cancelled, ended with their incarnation; idling. */

#include "actors/timed.h"

#include "support/puppet.h"

static tr_timer timer;
static uint64_t ticks, missed;

static int starts_after(tr_self *self, void *arg)
{
    timer = tr_after(self, *(tr_time *)arg, puppet_note, .value = 1);
    return tr_timer_error(timer);
}

static int starts_every(tr_self *self, void *arg)
{
    timer = tr_every(self, *(tr_time *)arg, puppet_note, .value = 2);
    return tr_timer_error(timer);
}

static int cancels(tr_self *self, void *arg)
{
    (void)arg;
    return tr_cancel(self, timer);
}

static int nothing(tr_self *self, void *arg)
{
    (void)self;
    (void)arg;
    return 0;
}

static void finish(tr_system *sys)
{
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(timed, fires_once_and_not_early)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet);
    tr_time delay = TR_MS(20), before = tr_now(sys);

    cr_assert_eq(puppet_do(sys, a, starts_after, &delay), 0);
    WAIT_FOR(diary_count(DIARY_NOTE) == 1);
    cr_assert_geq(tr_now(sys) - before, delay);
    cr_assert_eq(puppet_do(sys, a, cancels, NULL), -ENOENT);
    cr_assert_eq(diary_count(DIARY_NOTE), 1);
    finish(sys);
}

Test(timed, refuses_what_makes_no_sense)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet);
    tr_time negative = -1, short_period = TR_US(999), far = TR_FOREVER;

    cr_assert_eq(puppet_do(sys, a, starts_after, &negative), -EINVAL);
    cr_assert_eq(puppet_do(sys, a, starts_every, &negative), -EINVAL);
    cr_assert_eq(puppet_do(sys, a, starts_every, &short_period), -EINVAL);
    cr_assert_eq(puppet_do(sys, a, starts_after, &far), 0);
    cr_assert_eq(puppet_do(sys, a, cancels, NULL), 0);
    finish(sys);
}

Test(timed, a_cancelled_one_never_delivers_even_when_queued, .timeout = 60)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet);
    tr_time now = 0;
    uint32_t seen = 0;

    for (int i = 0; i < 500; i++) {
        cr_assert_eq(puppet_do(sys, a, starts_after, &now), 0);
        int error = puppet_do(sys, a, cancels, NULL);
        seen += error == -ENOENT;
        cr_assert(error == 0 || error == -ENOENT);
        cr_assert_eq(diary_count(DIARY_NOTE), seen);
    }
    finish(sys);
}

static int ticks_three_times(tr_self *self, void *arg)
{
    (void)arg;
    tri_store_release_64(&ticks, tri_load_relaxed_64(&ticks) + 1);
    return tri_load_relaxed_64(&ticks) == 3 ? tr_cancel(self, timer) : 0;
}

static int starts_ticking(tr_self *self, void *arg)
{
    timer = tr_every(self, TR_MS(1), puppet_act, .act = ticks_three_times, .arg = arg);
    return tr_timer_error(timer);
}

Test(timed, ticks_until_its_handler_cancels_it)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, starts_ticking, NULL), 0);
    WAIT_FOR(puppet_do(sys, a, nothing, NULL) == 0 && tri_load_acquire_64(&ticks) == 3);
    cr_assert_eq(puppet_do(sys, a, cancels, NULL), -ENOENT);
    finish(sys);
    cr_assert_eq(ticks, 3u);
}

static int dawdles(tr_self *self, void *arg)
{
    tr_time until = tr_now(self) + *(tr_time *)arg;

    while (tr_now(self) < until)
        tri_cpu_relax();
    return 0;
}

static int counts_missed(tr_self *self, void *arg)
{
    (void)arg;
    tri_store_release_64(&missed, tri_load_relaxed_64(&missed) + tr_missed(self));
    tri_store_release_64(&ticks, tri_load_relaxed_64(&ticks) + 1);
    return 0;
}

static int starts_counting(tr_self *self, void *arg)
{
    timer = tr_every(self, TR_MS(1), puppet_act, .act = counts_missed, .arg = arg);
    return tr_timer_error(timer);
}

Test(timed, ticks_that_were_missed_are_told_not_sent)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet);
    tr_time long_time = TR_MS(50);

    cr_assert_eq(puppet_do(sys, a, starts_counting, NULL), 0);
    cr_assert_eq(puppet_do(sys, a, dawdles, &long_time), 0);
    WAIT_FOR(tri_load_acquire_64(&missed) >= 40);
    cr_assert_eq(puppet_do(sys, a, cancels, NULL), 0);
    finish(sys);
}

Test(timed, ends_with_its_actor, .timeout = 60)
{
    tr_system *sys = puppet_system(2);
    tr_time short_time = TR_MS(1), long_time = TR_SEC(1000);

    for (int i = 0; i < 300; i++) {
        tr_ref a = tr_spawn(sys, puppet);
        cr_assert_eq(puppet_do(sys, a, starts_every, &short_time), 0);
        cr_assert_eq(puppet_do(sys, a, starts_after, &long_time), 0);
        cr_assert_eq(puppet_do(sys, a, starts_after, &short_time), 0);
        cr_assert_eq(tr_kill(sys, a), 0);
    }
    finish(sys);
}

static int starts_many(tr_self *self, void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        tr_timer one = tr_after(self, TR_SEC(100) + TR_MS(i), puppet_note, .value = 3);
        if (tr_timer_error(one) < 0)
            return tr_timer_error(one);
    }
    return 0;
}

Test(timed, very_many_at_a_time, .timeout = 60)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet);
    int many = TRI_LIMIT(100000, 60);

    cr_assert_eq(puppet_do(sys, a, starts_many, &many), 0);
    cr_assert_eq(tr_kill(sys, a), 0);
    finish(sys);
}

static int idles_after(tr_self *self, void *arg)
{
    return tr_idle_after(self, *(tr_time *)arg);
}

Test(timed, idling_is_told_once_each_time)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet);
    tr_time short_time = TR_MS(5), off = 0, negative = -1;

    cr_assert_eq(puppet_do(sys, a, idles_after, &negative), -EINVAL);
    cr_assert_eq(puppet_do(sys, a, idles_after, &short_time), 0);
    WAIT_FOR(diary_count(DIARY_IDLE) == 1);
    /* Nothing has come since: no second word, however long it takes. */
    tr_time until = tr_now(sys) + TR_MS(30);
    WAIT_FOR(tr_now(sys) > until);
    cr_assert_eq(diary_count(DIARY_IDLE), 1);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    WAIT_FOR(diary_count(DIARY_IDLE) == 2);
    cr_assert_eq(puppet_do(sys, a, idles_after, &off), 0);
    finish(sys);
}
