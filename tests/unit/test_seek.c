/* SPDX-License-Identifier: BSD-2-Clause */

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "sched/inside.h"
#include "support/sched.h"
#include "support/test.h"

/* ---- stealing ---- */

static uint32_t inside;

/* Ends when two of them are inside at one time: two workers have come to share them. */
static enum tri_turn meet(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[0]) {
        for (int i = 1; i <= 8; i++)
            tri_sched_submit(worker, &jobs[i].task);
        return TRI_TURN_DONE;
    }
    tri_fetch_add_acq_rel_32(&inside, 1);
    for (tr_time until = tri_clock_system() + JOBS_PATIENCE; tri_load_acquire_32(&inside) < 2;) {
        if (tri_clock_system() > until)
            abort();
        sched_yield();
    }
    return TRI_TURN_DONE;
}

Test(seek, a_surplus_is_shared)
{
    struct tri_sched *sched = jobs_start(2);

    cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE), 0);
    job_body = meet;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(9);
    cr_assert_geq(tri_sched_worker(sched, 0)->counters.steals
                      + tri_sched_worker(sched, 1)->counters.steals, 1u);
    jobs_stop(sched);
}

/* The loner in the slot of a long turn goes to somebody who is looking for work. */

static enum tri_turn wait_for_successor(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[1]) {
        tri_store_release_32(&inside, 1);
        return TRI_TURN_DONE;
    }
    tri_sched_submit(worker, &jobs[1].task);
    for (tr_time until = tri_clock_system() + JOBS_PATIENCE; !tri_load_acquire_32(&inside);) {
        if (tri_clock_system() > until)
            abort();
        sched_yield();
    }
    return TRI_TURN_DONE;
}

Test(seek, the_slot_of_a_long_turn_is_emptied)
{
    struct tri_sched *sched = jobs_start(3);

    job_body = wait_for_successor;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(2);
    jobs_stop(sched);
}

/* ---- sleeping ---- */

static void wait_until_all_sleep(struct tri_sched *sched)
{
    tr_time until = tri_clock_system() + JOBS_PATIENCE;

    cr_assert_eq(tri_sched_wait_quiet(sched, until), 0);
    while (tri_load_relaxed_32(&sched->watcher.is_asleep) == 0) {
        cr_assert_lt(tri_clock_system(), until);
        sched_yield();
    }
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);  /* into the kernel */
}

static long switches(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

Test(seek, an_idle_scheduler_does_nothing_at_all)
{
    static struct tri_timer far;
#ifdef TRI_CK_COMPILER
    cr_skip_test("the sanitizer has a thread of its own, which does not sleep");
#endif
    struct tri_sched *sched = jobs_start(4);

    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(1);
    tri_timer_start(sched, NULL, &far, tri_clock_now() + TR_SEC(100));
    wait_until_all_sleep(sched);
    long before = switches();
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    cr_assert_leq(switches() - before, 2, "the test's own sleep counts too");
    cr_assert(tri_timer_cancel(sched, &far));
    jobs_stop(sched);
}

Test(seek, a_timer_from_outside_wakes_its_worker)
{
    static struct tri_timer timers[20];
    struct tri_sched *sched = jobs_start(2);

    for (int i = 0; i < 20; i++) {
        wait_until_all_sleep(sched);
        tri_timer_start(sched, NULL, &timers[i], tri_clock_now() + TR_MS(1 + i % 3));
        timers_wait((uint32_t)i + 1);
    }
    jobs_stop(sched);
}

/* ---- the poller ---- */

static uint32_t event, seen_event, polls;

static void sleep_in_poller(void *context, tr_time timeout)
{
    struct tri_worker *worker = tri_worker_current();

    (void)context;
    tri_fetch_add_acq_rel_32(&polls, 1);
    tri_futex_wake(&polls, 1);
    if (timeout != 0)
        tri_futex_wait(&event, seen_event,
                       timeout == TR_FOREVER ? TR_FOREVER : tri_clock_system() + timeout);
    uint32_t now = tri_load_acquire_32(&event);
    if (now == seen_event)
        return;
    seen_event = now;
    tri_worker_awake(worker);
    tri_sched_submit(worker, &jobs[0].task);
}

static void wake_poller(void *context)
{
    (void)context;
    tri_futex_wake(&event, 1);
    tri_fetch_add_acq_rel_32(&event, 1);
    tri_futex_wake(&event, 1);
}

Test(seek, an_idle_worker_waits_in_the_poller_and_runs_what_comes)
{
    static const struct tri_poller poller = { .poll = sleep_in_poller, .wake = wake_poller };
    struct tri_sched *sched = jobs_start(2);

    wait_until_all_sleep(sched);
    tri_sched_set_poller(sched, &poller);
    wait_for_count(&polls, 1);
    for (uint32_t i = 1; i <= 50; i++) {
        tri_fetch_add_acq_rel_32(&event, 1);
        tri_futex_wake(&event, 1);
        jobs_wait(i);
    }
    tri_sched_set_poller(sched, NULL);
    jobs_stop(sched);
}

Test(seek, what_is_injected_gets_the_only_worker_out_of_the_poller)
{
    static const struct tri_poller poller = { .poll = sleep_in_poller, .wake = wake_poller };
    struct tri_sched *sched = jobs_start(1);

    tri_sched_set_poller(sched, &poller);
    for (uint32_t i = 1; i <= 50; i++) {
        tri_sched_inject(sched, &jobs[i].task);
        for (tr_time until = tri_clock_system() + JOBS_PATIENCE;
             tri_load_acquire_32(&jobs[i].order) == 0; sched_yield())
            cr_assert_lt(tri_clock_system(), until);
    }
    tri_sched_set_poller(sched, NULL);
    jobs_stop(sched);
}
