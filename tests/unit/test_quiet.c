/* SPDX-License-Identifier: BSD-2-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "sched/inside.h"
#include "support/sched.h"
#include "support/test.h"

static uint32_t may_end;

static enum tri_turn linger(struct tri_worker *worker, struct job *job)
{
    (void)worker, (void)job;
    while (tri_load_acquire_32(&may_end) == 0)
        sched_yield();
    return TRI_TURN_DONE;
}

Test(quiet, a_running_task_is_not_quiet)
{
    struct tri_sched *sched = jobs_start(2);

    job_body = linger;
    tri_sched_inject(sched, &jobs[0].task);
    cr_assert_not(tri_sched_is_quiet(sched));
    cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + TR_MS(5)), -ETIMEDOUT);
    tri_store_release_32(&may_end, 1);
    cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE), 0);
    cr_assert(tri_sched_is_quiet(sched));
    cr_assert_eq(jobs[0].runs, 1u);
    jobs_stop(sched);
}

/* Each quiet point comes after all that was submitted before it, and what that submitted. */

static enum tri_turn pass_on(struct tri_worker *worker, struct job *job)
{
    (void)worker;
    return job->runs % 20 != 0 ? TRI_TURN_AGAIN : TRI_TURN_DONE;
}

Test(quiet, comes_after_all_work)
{
    struct tri_sched *sched = jobs_start(2);

    job_body = pass_on;
    for (uint32_t round = 1; round <= 300; round++) {
        for (int i = 0; i < 4; i++)
            tri_sched_inject(sched, &jobs[i].task);
        cr_assert_eq(tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE), 0);
        for (int i = 0; i < 4; i++)
            cr_assert_eq(jobs[i].runs, 20 * round);
    }
    jobs_stop(sched);
}

static void *wait_too(void *sched)
{
    return tri_sched_wait_quiet(sched, tri_clock_now() + JOBS_PATIENCE) == 0 ? sched : NULL;
}

Test(quiet, several_may_wait)
{
    struct tri_sched *sched = jobs_start(2);
    pthread_t threads[4];

    job_body = linger;
    tri_sched_inject(sched, &jobs[0].task);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, wait_too, sched), 0);
    tri_store_release_32(&may_end, 1);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        cr_assert_eq(result, sched);
    }
    jobs_stop(sched);
}
