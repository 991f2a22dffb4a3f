/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/sched.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sched/inside.h"
#include "support/sched.h"
#include "support/test.h"

/* ---- start and stop ---- */

static int starts, stops, fails_at;

static int count_start(void *context, struct tri_worker *worker)
{
    static struct tri_spin lock;

    cr_assert_eq(context, &starts);
    cr_assert_eq(tri_worker_current(), worker);
    tri_spin_lock(&lock);
    int number = ++starts;
    tri_spin_unlock(&lock);
    return number == fails_at ? -ENOSPC : 0;
}

static void count_stop(void *context, struct tri_worker *worker)
{
    static struct tri_spin lock;

    (void)context;
    cr_assert_eq(tri_worker_current(), worker);
    tri_spin_lock(&lock);
    stops++;
    tri_spin_unlock(&lock);
}

static const struct tri_sched_options counting = {
    .workers = 3, .run = job_run, .context = &starts,
    .worker_start = count_start, .worker_stop = count_stop,
};

Test(sched, starts_and_stops)
{
    struct tri_sched *sched;

    cr_assert_eq(tri_sched_start(&counting, &sched), 0);
    cr_assert_eq(starts, 3);
    cr_assert_eq(tri_sched_worker_count(sched), 3u);
    cr_assert_null(tri_worker_current());
    cr_assert_eq(tri_sched_stop(sched), 0);
    cr_assert_eq(stops, 3);
    cr_assert_null(tri_sched_take_any(sched));
    tri_sched_free(sched);
}

Test(sched, refuses_what_makes_no_sense)
{
    struct tri_sched *sched = NULL;
    struct tri_sched_options none = { .workers = 1 };
    struct tri_sched_options many = { .workers = TRI_WORKERS_MAX + 1, .run = job_run };

    cr_assert_eq(tri_sched_start(NULL, &sched), -EINVAL);
    cr_assert_eq(tri_sched_start(&none, &sched), -EINVAL);
    cr_assert_eq(tri_sched_start(&many, &sched), -EINVAL);
    cr_assert_null(sched);
    tri_sched_free(NULL);
}

Test(sched, as_many_workers_as_processors_when_not_told)
{
    struct tri_sched_options options = { .run = job_run, .pinned = true };
    struct tri_sched *sched;

    cr_assert_eq(tri_sched_start(&options, &sched), 0);
    cr_assert_geq(tri_sched_worker_count(sched), 1u);
    tri_sched_stop(sched);
    tri_sched_free(sched);
}

Test(sched, a_worker_that_cannot_start_undoes_the_start)
{
    struct tri_sched *sched = NULL;

    fails_at = 2;
    cr_assert_eq(tri_sched_start(&counting, &sched), -ENOSPC);
    cr_assert_null(sched);
    cr_assert_eq(starts, 3);
    cr_assert_eq(stops, 2, "those that had started");
}

static uint32_t allocations_left;  /* workers allocate too: their threads' records */

static void *scarce_alloc(void *context, size_t alignment, size_t size)
{
    (void)context;
    if ((int32_t)tri_fetch_sub_acq_rel_32(&allocations_left, 1) <= 0)
        return NULL;
    return aligned_alloc(alignment < 16 ? 16 : alignment, (size + 63) / 64 * 64 + 64);
}

static void scarce_free(void *context, void *block)
{
    (void)context;
    free(block);
}

Test(sched, each_allocation_may_fail)
{
    static const struct tri_memory_hook scarce = { scarce_alloc, scarce_free, NULL };
    static const struct tri_sched_options one = { .workers = 2, .run = job_run };
    struct tri_sched *sched = NULL;
    uint32_t failures = 0;

    tri_memory_hook_set(&scarce);
    for (;; failures++) {
        tri_store_release_32(&allocations_left, failures);
        if (tri_sched_start(&one, &sched) == 0)
            break;
        cr_assert_null(sched);
        cr_assert_lt(failures, 100u);
    }
    cr_assert_geq(failures, 7u, "the scheduler, two tables, two workers and what they saw");
    tri_sched_stop(sched);
    tri_sched_free(sched);
}

/* ---- work ---- */

Test(sched, runs_what_is_injected)
{
    struct tri_sched *sched = jobs_start(2);

    for (int i = 0; i < 1000; i++) {
        tri_sched_inject(sched, &jobs[i].task);
    }
    jobs_wait(1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(jobs[i].runs, 1u);
    jobs_stop(sched);
}

static enum tri_turn wake_two(struct tri_worker *worker, struct job *job)
{
    cr_assert_eq(tri_worker_current(), worker);
    if (job == &jobs[0]) {
        tri_sched_submit(worker, &jobs[1].task);
        tri_sched_submit(worker, &jobs[2].task);
        tri_sched_submit_last(worker, &jobs[3].task);
    }
    return TRI_TURN_DONE;
}

Test(sched, runs_the_latest_next_and_the_displaced_in_turn)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = wake_two;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(4);
    jobs_stop(sched);
    cr_assert_eq(jobs[0].order, 1u);
    cr_assert_eq(jobs[2].order, TRI_TURN_MESSAGES > 2 ? 2u : jobs[2].order);
    cr_assert_lt(jobs[1].order, jobs[3].order);
}

static enum tri_turn spend_budget(struct tri_worker *worker, struct job *job)
{
    if (job != &jobs[0])
        return TRI_TURN_DONE;
    if (job->runs == 1)
        tri_sched_submit_last(worker, &jobs[1].task);
    worker->budget = 0;
    return job->runs < 3 ? TRI_TURN_AGAIN : TRI_TURN_DONE;
}

Test(sched, again_goes_behind_those_that_wait)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = spend_budget;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(4);
    jobs_stop(sched);
    cr_assert_eq(jobs[1].order, 2u);
    cr_assert_eq(jobs[0].order, 4u);
}

static enum tri_turn wake_many(struct tri_worker *worker, struct job *job)
{
    for (int i = 1; job == &jobs[0] && i < JOBS; i++) {
        tri_sched_submit(worker, &jobs[i].task);
        tri_worker_sent(worker);
    }
    return TRI_TURN_DONE;
}

Test(sched, a_burst_overflows_into_the_injector)
{
    struct tri_sched *sched = jobs_start(2);

    job_body = wake_many;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(JOBS);
    for (int i = 0; i < JOBS; i++)
        cr_assert_eq(jobs[i].runs, 1u);
    jobs_stop(sched);
}

static uint32_t may_end;

static enum tri_turn wake_and_linger(struct tri_worker *worker, struct job *job)
{
    for (int i = 1; job == &jobs[0] && i < 50; i++)
        tri_sched_submit(worker, &jobs[i].task);
    while (tri_load_acquire_32(&may_end) == 0)
        tri_cpu_relax();
    return TRI_TURN_DONE;
}

Test(sched, hands_out_what_a_stop_leaves)
{
    struct tri_sched *sched = jobs_start(1);
    int handed_out = 0;

    job_body = wake_and_linger;
    tri_sched_inject(sched, &jobs[0].task);
    while (tri_load_relaxed_64(&tri_sched_worker(sched, 0)->turns) == 0)
        tri_cpu_relax();
    tri_sched_inject(sched, &jobs[50].task);
    /* The stop by hand: its flag first, so that no task is run after the one that lasts. */
    tri_store_relaxed_32(&sched->clock.stopping, 1);
    tri_store_release_32(&may_end, 1);
    pthread_join(sched->workers[0]->thread, NULL);
    pthread_join(sched->watcher_thread, NULL);
    while (tri_sched_take_any(sched) != NULL)
        handed_out++;
    cr_assert_eq(handed_out, 50);
    tri_sched_free(sched);
}

/* ---- forks ---- */

Test(sched, a_child_of_fork_is_told)
{
    struct tri_sched *sched = jobs_start(2);
    int status;

    cr_assert_not(tri_sched_is_forked(sched));
    pid_t child = fork();
    if (child == 0)
        _exit(tri_sched_is_forked(sched) && tri_sched_stop(sched) == -ESHUTDOWN ? 0 : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_not(tri_sched_is_forked(sched));
    jobs_stop(sched);
}

/* ---- timers ---- */

Test(sched, fires_timers_of_others)
{
    static struct tri_timer timer, far;
    struct tri_sched *sched = jobs_start(2);

    tri_timer_start(sched, NULL, &far, tri_clock_now() + TR_SEC(3600));
    tri_timer_start(sched, NULL, &timer, tri_clock_now() + TR_MS(5));
    timers_wait(1);
    cr_assert_geq(tri_clock_now(), timer.deadline);
    cr_assert_not(tri_timer_cancel(sched, &timer));
    cr_assert(tri_timer_cancel(sched, &far));
    cr_assert_not(tri_timer_cancel(sched, &far));
    jobs_stop(sched);
}

static struct tri_timer own;

static enum tri_turn start_own(struct tri_worker *worker, struct job *job)
{
    (void)job;
    tri_timer_start(worker->sched, worker, &own, tri_worker_now(worker) + TR_MS(3));
    return TRI_TURN_DONE;
}

Test(sched, fires_timers_of_a_worker)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = start_own;
    tri_sched_inject(sched, &jobs[0].task);
    timers_wait(1);
    jobs_stop(sched);
}

Test(sched, a_million_timers_wait)
{
    enum { MANY = 1000000 };
    struct tri_timer *many = calloc(MANY, sizeof *many);
    struct tri_sched *sched = jobs_start(2);
    int cancelled = 0;

    for (int i = 0; i < MANY; i++)
        tri_timer_start(sched, NULL, &many[i], tri_clock_now() + TR_SEC(100) + i * TR_US(100));
    for (int i = 0; i < MANY; i++)
        cancelled += tri_timer_cancel(sched, &many[i]);
    cr_assert_eq(cancelled, MANY);
    jobs_stop(sched);
    free(many);
}
