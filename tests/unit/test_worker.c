/* SPDX-License-Identifier: BSD-2-Clause */

#include <sched.h>

#include "sched/inside.h"
#include "support/sched.h"
#include "support/test.h"

/* A chain that would go on for ever does not keep the queue waiting: its budget runs out. */

static uint32_t may_end;

static void let_end(void)
{
    tri_store_release_32(&may_end, 1);
    tri_futex_wake(&may_end, 1);
}

static enum tri_turn talk(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[2]) {
        let_end();
        return TRI_TURN_DONE;
    }
    if (job->runs == 1 && job == &jobs[0])
        tri_sched_submit_last(worker, &jobs[2].task);
    if (tri_load_acquire_32(&may_end) == 0)
        tri_sched_submit(worker, job == &jobs[0] ? &jobs[1].task : &jobs[0].task);
    return TRI_TURN_DONE;
}

Test(worker, a_chain_shares_one_budget)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = talk;
    tri_sched_inject(sched, &jobs[0].task);
    wait_for_count(&may_end, 1);
    jobs_stop(sched);
    cr_assert_leq(jobs[2].order, TRI_TURN_MESSAGES + 2);
}

/* The same with handlers that are slow: time runs out before the budget does. */

static enum tri_turn talk_slowly(struct tri_worker *worker, struct job *job)
{
    enum tri_turn turn = talk(worker, job);

    for (tr_time until = tri_clock_now() + TR_US(300); tri_clock_now() < until;)
        tri_cpu_relax();
    return turn;
}

Test(worker, a_chain_shares_one_time)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = talk_slowly;
    tri_sched_inject(sched, &jobs[0].task);
    wait_for_count(&may_end, 1);
    jobs_stop(sched);
    cr_assert_leq(jobs[2].order, TRI_TURN_MESSAGES + 2);
}

/* What comes from outside is looked at while a worker is busy with its own. */

static enum tri_turn talk_until_told(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[2])
        let_end();
    else if (job != &jobs[3] && tri_load_acquire_32(&may_end) == 0)
        tri_sched_submit(worker, job == &jobs[0] ? &jobs[1].task : &jobs[0].task);
    return TRI_TURN_DONE;
}

Test(worker, the_injector_does_not_starve)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = talk_until_told;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(100);
    tri_sched_inject(sched, &jobs[3].task);
    tri_sched_inject(sched, &jobs[2].task);
    wait_for_count(&may_end, 1);
    jobs_stop(sched);
}

static enum tri_turn again_for_ever(struct tri_worker *worker, struct job *job)
{
    (void)worker;
    if (job == &jobs[1])
        let_end();
    return tri_load_acquire_32(&may_end) ? TRI_TURN_DONE : TRI_TURN_AGAIN;
}

Test(worker, one_that_always_comes_again_does_not_either)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = again_for_ever;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(100);
    tri_sched_inject(sched, &jobs[1].task);
    wait_for_count(&may_end, 1);
    jobs_stop(sched);
}

/* A busy worker fires its timers and looks into the poller. */

static uint32_t polls;

static void poll_and_count(void *context, tr_time timeout)
{
    (void)context;
    cr_assert_eq(timeout, 0);
    tri_fetch_add_acq_rel_32(&polls, 1);
    tri_futex_wake(&polls, 1);
}

static void wake_nobody(void *context)
{
    (void)context;
}

static enum tri_turn again_with_timer(struct tri_worker *worker, struct job *job)
{
    static struct tri_timer timer;

    if (job->runs == 1)
        tri_timer_start(worker->sched, worker, &timer, tri_worker_now(worker) + TR_MS(2));
    return tri_load_acquire_32(&may_end) ? TRI_TURN_DONE : TRI_TURN_AGAIN;
}

Test(worker, a_busy_one_fires_timers_and_polls)
{
    static const struct tri_poller poller = { .poll = poll_and_count, .wake = wake_nobody };
    struct tri_sched *sched = jobs_start(1);

    job_body = again_with_timer;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(2);
    tri_sched_set_poller(sched, &poller);
    timers_wait(1);
    wait_for_count(&polls, 3);
    tri_sched_set_poller(sched, NULL);
    tri_store_release_32(&may_end, 1);
    jobs_stop(sched);
}

/* The clock goes on while a worker is busy, and says when a turn has lasted too long. */

static enum tri_turn until_time_is_up(struct tri_worker *worker, struct job *job)
{
    (void)job;
    for (tr_time until = tri_clock_system() + JOBS_PATIENCE; !tri_worker_time_is_up(worker);) {
        if (tri_clock_system() > until)
            abort();
        sched_yield();
    }
    return TRI_TURN_DONE;
}

Test(worker, a_turn_hears_that_its_time_is_up)
{
    struct tri_sched *sched = jobs_start(1);

    job_body = until_time_is_up;
    tri_sched_inject(sched, &jobs[0].task);
    jobs_wait(1);
    jobs_stop(sched);
}
