/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_SCHED_H
#define TROUPE_TESTS_SUPPORT_SCHED_H

/* Tasks that count: what the tests of the scheduler run. A job that goes on returns AGAIN, it does
 * not submit itself. Every wait has a bound. */

#include "base/ck.h"
#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"
#include "support/test.h"

enum { JOBS = 5000 };

#define JOBS_PATIENCE TR_SEC(30)

struct job {
    struct tri_task task;
    uint32_t runs;
    uint32_t order;  /* of its last run among those of all */
};

static struct job jobs[JOBS];
static enum tri_turn (*job_body)(struct tri_worker *worker, struct job *job);
static uint32_t jobs_run, timers_fired;
static struct tri_worker *timers_fired_on;

static enum tri_turn job_run(struct tri_worker *worker, struct tri_task *task)
{
    struct job *job = TRI_CONTAINER_OF(task, struct job, task);
    enum tri_turn turn = TRI_TURN_DONE;

    if (worker->budget > 0)
        worker->budget--;
    job->runs++;
    if (job_body != NULL)
        turn = job_body(worker, job);
    tri_store_release_32(&job->order, tri_fetch_add_acq_rel_32(&jobs_run, 1) + 1);
    tri_futex_wake(&jobs_run, 1);
    return turn;
}

static inline void jobs_timer_due(void *context, struct tri_worker *worker, struct tri_timer *timer)
{
    (void)context;
    cr_assert_eq(worker, tri_worker_current());
    cr_assert_leq(timer->deadline, tri_clock_now());
    tri_store_relaxed_ptr(&timers_fired_on, worker);
    tri_fetch_add_acq_rel_32(&timers_fired, 1);
    tri_futex_wake(&timers_fired, 1);
}

static inline struct tri_sched *jobs_start(uint32_t workers)
{
    struct tri_sched_options options = {
        .workers = workers, .run = job_run, .timer_due = jobs_timer_due,
    };
    struct tri_sched *sched;

    cr_assert_eq(tri_sched_start(&options, &sched), 0);
    return sched;
}

static inline void wait_for_count(uint32_t *word, uint32_t count)
{
    tr_time deadline = tri_clock_system() + JOBS_PATIENCE;

    for (;;) {
        uint32_t seen = tri_load_acquire_32(word);
        if (seen >= count)
            return;
        cr_assert_lt(tri_clock_system(), deadline, "only %u of %u", seen, count);
        tri_futex_wait(word, seen, deadline);
    }
}

/* Until so many turns have ended, or so many timers have fired, in all. */
static inline void jobs_wait(uint32_t count)
{
    wait_for_count(&jobs_run, count);
}

static inline void timers_wait(uint32_t count)
{
    wait_for_count(&timers_fired, count);
}

static inline void jobs_stop(struct tri_sched *sched)
{
    cr_assert_eq(tri_sched_stop(sched), 0);
    tri_sched_free(sched);
}

#endif
