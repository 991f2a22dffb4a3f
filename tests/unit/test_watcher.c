/* SPDX-License-Identifier: BSD-2-Clause */

#include <sched.h>

#include "sched/inside.h"
#include "support/sched.h"
#include "support/test.h"

static uint32_t may_end, reports;
static struct tri_worker *reported;
static tr_time reported_time;

static void report(void *context, struct tri_worker *worker, tr_time for_how_long)
{
    (void)context;
    reported = worker;
    reported_time = for_how_long;
    tri_fetch_add_acq_rel_32(&reports, 1);
    tri_futex_wake(&reports, 1);
}

static void linger(void)
{
    for (tr_time until = tri_clock_system() + JOBS_PATIENCE; !tri_load_acquire_32(&may_end);) {
        if (tri_clock_system() > until)
            abort();
        sched_yield();
    }
}

static enum tri_turn be_stuck(struct tri_worker *worker, struct job *job)
{
    (void)worker;
    if (job == &jobs[0])
        linger();
    return TRI_TURN_DONE;
}

Test(watcher, reports_a_stuck_turn_once)
{
    struct tri_sched_options options = { .workers = 2, .run = job_run, .stuck = report };
    struct tri_sched *sched;

    job_body = be_stuck;
    cr_assert_eq(tri_sched_start(&options, &sched), 0);
    tri_sched_inject(sched, &jobs[0].task);
    wait_for_count(&reports, 1);
    tr_time again = tri_clock_system() + TR_MS(20);
    while (tri_clock_system() < again)
        sched_yield();
    tri_store_release_32(&may_end, 1);
    jobs_wait(1);
    jobs_stop(sched);
    cr_assert_eq(reports, 1u);
    cr_assert_geq(reported_time, TR_MS(TRI_STUCK_AFTER_MS));
    cr_assert_not_null(reported);
}

/* ---- a watcher that did not run itself ------------------------------------------------------ */

static struct tri_timer delaying;
static uint32_t was_delayed, ticks_reported;

/* On the watcher's thread, since the worker is in a turn. */
static void delay_watcher(void *context, struct tri_worker *worker, struct tri_timer *due)
{
    tr_time until = tri_clock_system() + TR_MS(TRI_STUCK_AFTER_MS + 20);

    (void)context;
    (void)due;
    cr_assert_null(worker);
    while (tri_clock_system() < until)
        sched_yield();
    tri_store_release_32(&was_delayed, 1);
}

static void report_ticks(void *context, struct tri_worker *worker, tr_time for_how_long)
{
    (void)context;
    (void)for_how_long;
    tri_store_release_32(&ticks_reported, worker->sched->watcher.watched[worker->id].ticks);
}

/* A turn of messages that are all short: it ends when it is told the time. */
static enum tri_turn be_told_late(struct tri_worker *worker, struct job *job)
{
    tr_time until = tri_clock_system() + JOBS_PATIENCE;
    tr_time seen = 0;

    (void)job;
    tri_timer_start(worker->sched, worker, &delaying, tri_clock_now() + TR_MS(1));
    while (!tri_load_acquire_32(&was_delayed) || tri_worker_now(worker) < seen + TR_MS(2)) {
        if (tri_clock_system() > until)
            abort();
        if (seen == 0 && tri_load_acquire_32(&was_delayed))
            seen = tri_worker_now(worker);
        sched_yield();
    }
    return TRI_TURN_DONE;
}

Test(watcher, a_turn_that_it_did_not_see_to_is_no_long_handler)
{
    struct tri_sched_options options = {
        .workers = 1, .run = job_run, .stuck = report_ticks, .timer_due = delay_watcher,
    };
    struct tri_sched *sched;

    job_body = be_told_late;
    cr_assert_eq(tri_sched_start(&options, &sched), 0);
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(1);
    jobs_stop(sched);
    /* Reported or not, that is up to the machine; but not for one look that came late. */
    cr_assert(ticks_reported == 0 || ticks_reported >= TRI_STUCK_AFTER_TICKS);
}

static struct tri_timer timer;

static enum tri_turn be_stuck_with_timer(struct tri_worker *worker, struct job *job)
{
    (void)job;
    tri_timer_start(worker->sched, worker, &timer, tri_clock_now() + TR_MS(3));
    linger();
    return TRI_TURN_DONE;
}

Test(watcher, fires_the_timers_of_a_stuck_worker)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = be_stuck_with_timer;
    timers_fired_on = tri_sched_worker(sched, 0);
    tri_sched_inject(sched, &jobs[0].task);
    timers_wait(1);
    cr_assert_null(tri_load_relaxed_ptr(&timers_fired_on), "on the watcher");
    tri_store_release_32(&may_end, 1);
    jobs_wait(1);
    jobs_stop(sched);
}

static enum tri_turn hold_on_to_one(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[1]) {
        tri_store_release_32(&may_end, 1);
        return TRI_TURN_DONE;
    }
    tri_sched_wait_quiet(worker->sched, 0);  /* nothing: only to take a moment */
    tri_sched_submit_last(worker, &jobs[1].task);
    linger();
    return TRI_TURN_DONE;
}

Test(watcher, hands_on_what_a_stuck_worker_holds)
{
    for (uint32_t i = 1; i <= 5; i++) {
        struct tri_sched *sched = jobs_start(2);
        may_end = 0;
        cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE), 0);
        job_body = hold_on_to_one;
        tri_sched_inject(sched, &jobs[0].task);
        jobs_wait(2 * i);
        jobs_stop(sched);
    }
}

static enum tri_turn watch_the_clock(struct tri_worker *worker, struct job *job)
{
    tr_time before = tri_worker_now(worker);

    (void)job;
    for (tr_time until = tri_clock_system() + JOBS_PATIENCE; tri_worker_now(worker) == before;) {
        if (tri_clock_system() > until)
            abort();
        sched_yield();
    }
    return TRI_TURN_DONE;
}

Test(watcher, advances_the_clock_during_a_turn)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = watch_the_clock;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(1);
    jobs_stop(sched);
}

Test(watcher, sleeps_when_all_do_and_is_roused)
{
    struct tri_sched *sched = jobs_start(2);

    job_body = watch_the_clock;
    for (uint32_t i = 1; i <= 5; i++) {
        tr_time until = tri_clock_system() + JOBS_PATIENCE;
        while (tri_load_relaxed_32(&sched->watcher.is_asleep) == 0) {
            cr_assert_lt(tri_clock_system(), until);
            sched_yield();
        }
        tri_sched_inject(sched, &jobs[0].task);
        jobs_wait(i);
    }
    jobs_stop(sched);
}

/* While all sleep nobody advances the clock: a sender from outside does. */
Test(watcher, the_clock_is_right_for_those_outside)
{
    struct tri_sched *sched = jobs_start(2);

    cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE), 0);
    tr_time real = tri_clock_now();
    cr_assert_geq(tri_sched_now(sched), real - TR_MS(2));
    jobs_stop(sched);
}
