/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The scheduler with 1, 2, 4 and 8 workers, everything accounted for: sched [ROUNDS [WORKERS]].
 *
 *     storm    tasks make each other runnable in every way there is, threads outside inject, timers
 *              are started and cancelled; at the quiet point each scheduling was run exactly once
 *     stop     the same, stopped in the middle: what was not run is handed out, nothing is lost
 *     wake     one task at a time from outside, at every moment of a worker's way to sleep
 *     stuck    a turn that lasts: what its worker holds is run by others
 *     poller   a poller is set and taken away while tasks and its callbacks run
 *
 * A task is scheduled as an actor is: a word says whether it is asleep, and only who wakes it
 * submits it.
 */

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ck.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/random.h"
#include "sched/sched.h"

enum { TASKS = 64, OUTSIDERS = 2, TIMERS = 16 };
enum { ASLEEP, RUNNABLE, RUNNING, RUNNING_AND_WOKEN };

#define PATIENCE TR_SEC(20)

struct job {
    struct tri_task task;
    uint32_t state;
    uint64_t wakes;  /* times it was made runnable */
    uint64_t runs;
    uint32_t inside; /* workers in it right now */
} __attribute__((aligned(TRI_CACHE_LINE)));

struct clockwork {
    struct tri_timer timer;
    uint32_t is_armed;
    uint64_t started;
    uint64_t cancelled;
    uint64_t fired;
};

static struct job jobs[TASKS];
static struct clockwork clockworks[TIMERS];
static struct tri_sched *sched;
static uint64_t work_left;   /* turns that still wake others */
static uint64_t random_state;
static uint32_t turn_lasts;  /* until this is 0: the job 0 of "stuck" */
static bool uses_timers;

static void fail(const char *what)
{
    fprintf(stderr, "sched: %s\n", what);
    abort();
}

static uint32_t draw(uint32_t bound)
{
    uint64_t seed = tri_fetch_add_relaxed_64(&random_state, 1);

    return (uint32_t)(tri_random_spread(&seed) >> 33) % bound;
}

/* Whether the caller has woken it, and must submit it. */
static bool wake(struct job *job)
{
    uint32_t seen = tri_load_relaxed_32(&job->state);

    for (;;) {
        uint32_t next = seen == ASLEEP ? RUNNABLE : seen == RUNNING ? RUNNING_AND_WOKEN : seen;
        if (next == seen)
            return false;
        if (tri_cas_acq_rel_32(&job->state, &seen, next))
            break;
    }
    if (seen != ASLEEP)
        return false;
    tri_fetch_add_relaxed_64(&job->wakes, 1);
    return true;
}

static void wake_some_how(struct tri_worker *worker, struct job *job)
{
    if (!wake(job))
        return;
    switch (worker == NULL ? 0 : draw(4)) {
    case 0:
        tri_sched_inject(sched, &job->task);
        break;
    case 1:
        tri_sched_submit_last(worker, &job->task);
        break;
    default:
        tri_sched_submit(worker, &job->task);
        break;
    }
    if (worker != NULL)
        tri_worker_sent(worker);
}

static bool take_work(void)
{
    uint64_t left = tri_load_relaxed_64(&work_left);

    while (left > 0) {
        if (tri_cas_acq_rel_64(&work_left, &left, left - 1))
            return true;
    }
    return false;
}

static void wind(struct tri_worker *worker)
{
    struct clockwork *one = &clockworks[draw(TIMERS)];
    uint32_t seen = 0;

    /* One owner at a time: whoever holds `is_armed` at 1; it stays at 2 while the timer runs. */
    if (tri_cas_acq_rel_32(&one->is_armed, &seen, 1)) {
        one->started++;
        tri_store_release_32(&one->is_armed, 2);
        tri_timer_start(sched, worker, &one->timer, tri_clock_now() + (tr_time)draw(5000000));
    }
}

static void timer_due(void *context, struct tri_worker *worker, struct tri_timer *timer)
{
    struct clockwork *one = TRI_CONTAINER_OF(timer, struct clockwork, timer);

    (void)context;
    if (timer->deadline > tri_clock_now())
        fail("a timer fired too early");
    if (worker != tri_worker_current())
        fail("a timer fired on another worker than it says");
    one->fired++;
    tri_store_release_32(&one->is_armed, 0);
    wake_some_how(worker, &jobs[draw(TASKS)]);
}

static enum tri_turn fall_asleep(struct job *job)
{
    uint32_t seen = RUNNING;

    tri_fetch_add_relaxed_32(&job->inside, UINT32_MAX);
    if (tri_cas_acq_rel_32(&job->state, &seen, ASLEEP))
        return TRI_TURN_DONE;
    tri_store_release_32(&job->state, RUNNABLE);
    tri_fetch_add_relaxed_64(&job->wakes, 1);
    return TRI_TURN_AGAIN;
}

static enum tri_turn run(struct tri_worker *worker, struct tri_task *task)
{
    struct job *job = TRI_CONTAINER_OF(task, struct job, task);
    uint32_t seen = RUNNABLE;

    /* relaxed: that its waker comes before this turn is for the scheduler to see to. */
    if (tri_fetch_add_relaxed_32(&job->inside, 1) != 0)
        fail("two workers run one task");
    if (!tri_cas_relaxed_32(&job->state, &seen, RUNNING))
        fail("a task that was not runnable is run");
    job->runs++;
    if (worker->budget > 0)
        worker->budget--;
    if (take_work()) {
        for (uint32_t i = draw(3); i > 0; i--)
            wake_some_how(worker, &jobs[draw(TASKS)]);
        if (uses_timers && draw(8) == 0)
            wind(worker);
    }
    return fall_asleep(job);
}

static struct tri_sched *start_with(uint32_t workers, tri_run_fn *body)
{
    struct tri_sched_options options = { .workers = workers, .run = body, .timer_due = timer_due };

    memset(jobs, 0, sizeof jobs);
    memset(clockworks, 0, sizeof clockworks);
    if (tri_sched_start(&options, &sched) != 0)
        fail("no start");
    return sched;
}

static void account(uint64_t handed_out)
{
    uint64_t wakes = 0, runs = 0;

    for (int i = 0; i < TASKS; i++) {
        wakes += jobs[i].wakes;
        runs += jobs[i].runs;
    }
    if (wakes != runs + handed_out)
        fail("a scheduling was lost, or run twice");
}

static void *outsider(void *argument)
{
    for (int i = 0; i < 300; i++) {
        wake_some_how(NULL, &jobs[draw(TASKS)]);
        for (uint32_t pause = draw(200); pause > 0; pause--)
            tri_cpu_relax();
    }
    return argument;
}

static void storm_once(void)
{
    pthread_t outsiders[OUTSIDERS];

    tri_store_relaxed_64(&work_left, 20000);
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_create(&outsiders[i], NULL, outsider, NULL);
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(outsiders[i], NULL);
}

static void cancel_timers(void)
{
    for (int i = 0; i < TIMERS; i++) {
        if (tri_timer_cancel(sched, &clockworks[i].timer))
            clockworks[i].cancelled++;
    }
}

static void storm(uint32_t workers)
{
    start_with(workers, run);
    uses_timers = true;
    storm_once();
    if (tri_sched_wait_quiet(sched, tri_clock_now() + PATIENCE) != 0)
        fail("no quiet point");
    tri_sched_stop(sched);
    cancel_timers();
    for (int i = 0; i < TIMERS; i++) {
        if (clockworks[i].started != clockworks[i].fired + clockworks[i].cancelled)
            fail("a timer was lost, or fired twice");
    }
    uint64_t handed_out = 0;
    while (tri_sched_take_any(sched) != NULL)
        handed_out++;
    account(handed_out);  /* a timer may have fired between the quiet point and the stop */
    tri_sched_free(sched);
}

static void stop(uint32_t workers)
{
    uint64_t handed_out = 0;

    start_with(workers, run);
    uses_timers = false;
    tri_store_relaxed_64(&work_left, UINT64_MAX);
    for (int i = 0; i < TASKS / 2; i++)
        wake_some_how(NULL, &jobs[i]);
    for (uint32_t pause = draw(20000); pause > 0; pause--)
        tri_cpu_relax();
    tri_sched_stop(sched);
    while (tri_sched_take_any(sched) != NULL)
        handed_out++;
    account(handed_out);
    tri_sched_free(sched);
}

/* ---- wake ---- */

static uint32_t woken;

static enum tri_turn run_and_tell(struct tri_worker *worker, struct tri_task *task)
{
    (void)worker, (void)task;
    tri_fetch_add_acq_rel_32(&woken, 1);
    tri_futex_wake(&woken, 1);
    return TRI_TURN_DONE;
}

static void wait_until_woken(uint32_t times)
{
    tr_time deadline = tri_clock_system() + PATIENCE;

    for (;;) {
        uint32_t seen = tri_load_acquire_32(&woken);
        if (seen == times)
            return;
        if (tri_clock_system() >= deadline)
            fail("a wake-up was lost");
        tri_futex_wait(&woken, seen, deadline);
    }
}

static void wakes(uint32_t workers, uint32_t times)
{
    start_with(workers, run_and_tell);
    tri_store_relaxed_32(&woken, 0);
    for (uint32_t i = 1; i <= times; i++) {
        tri_sched_inject(sched, &jobs[0].task);
        wait_until_woken(i);
        for (uint32_t pause = draw(i % 4 == 0 ? 2000 : 100); pause > 0; pause--)
            tri_cpu_relax();
    }
    tri_sched_stop(sched);
    tri_sched_free(sched);
}

/* ---- stuck ---- */

/* Job 0 makes two others runnable and lasts until both have run. */
static enum tri_turn run_stuck(struct tri_worker *worker, struct tri_task *task)
{
    if (task != &jobs[0].task) {
        tri_fetch_sub_acq_rel_32(&turn_lasts, 1);
        return TRI_TURN_DONE;
    }
    if (draw(2) == 0)
        tri_sched_submit_last(worker, &jobs[1].task);
    else
        tri_sched_submit(worker, &jobs[1].task);
    tr_time deadline = tri_clock_now() + PATIENCE;
    while (tri_load_acquire_32(&turn_lasts) != 0) {
        if (tri_clock_now() > deadline)
            fail("a stuck worker kept its task");
        sched_yield();
    }
    tri_fetch_add_acq_rel_32(&woken, 1);
    tri_futex_wake(&woken, 1);
    return TRI_TURN_DONE;
}

static void stuck(uint32_t workers, uint32_t times)
{
    start_with(workers, run_stuck);
    tri_store_relaxed_32(&woken, 0);
    for (uint32_t i = 1; i <= times; i++) {
        tri_store_release_32(&turn_lasts, 1);
        tri_sched_inject(sched, &jobs[0].task);
        wait_until_woken(i);
    }
    tri_sched_stop(sched);
    tri_sched_free(sched);
}

/* ---- poller ---- */

static struct {
    uint32_t signal;     /* the poller's event: moves on at each wake */
    uint32_t seen;       /* the one who polls */
    uint32_t inside;
    uint32_t is_gone;
    uint64_t calls;
} fake;

static void fake_poll(void *context, tr_time timeout)
{
    (void)context;
    /* relaxed: the role orders those who poll one after the other. */
    if (tri_fetch_add_relaxed_32(&fake.inside, 1) != 0)
        fail("two workers poll");
    if (tri_load_relaxed_32(&fake.is_gone))
        fail("a poller that was taken away is polled");
    tr_time deadline = timeout == TR_FOREVER ? TR_FOREVER : tri_clock_system() + timeout;
    while (timeout != 0 && tri_load_acquire_32(&fake.signal) == fake.seen) {
        if (tri_futex_wait(&fake.signal, fake.seen, deadline) != 0)
            break;
    }
    fake.seen = tri_load_acquire_32(&fake.signal);
    fake.calls++;
    struct tri_worker *worker = tri_worker_current();
    if (worker == NULL)
        fail("no worker polls");
    if (draw(2) == 0) {
        tri_worker_awake(worker);
        wake_some_how(worker, &jobs[draw(TASKS)]);
        wake_some_how(worker, &jobs[draw(TASKS)]);
    }
    tri_fetch_add_relaxed_32(&fake.inside, UINT32_MAX);
}

static void fake_wake(void *context)
{
    (void)context;
    tri_fetch_add_acq_rel_32(&fake.signal, 1);
    tri_futex_wake(&fake.signal, 1);
}

static void poller(uint32_t workers)
{
    const struct tri_poller it = { .poll = fake_poll, .wake = fake_wake };

    start_with(workers, run);
    uses_timers = true;
    memset(&fake, 0, sizeof fake);
    for (int i = 0; i < 3; i++) {
        tri_store_release_32(&fake.is_gone, 0);
        tri_sched_set_poller(sched, &it);
        storm_once();
        tri_sched_set_poller(sched, NULL);
        tri_store_release_32(&fake.is_gone, 1);
    }
    if (tri_sched_wait_quiet(sched, tri_clock_now() + PATIENCE) != 0)
        fail("no quiet point after polling");
    tri_sched_stop(sched);
    cancel_timers();
    uint64_t handed_out = 0;
    while (tri_sched_take_any(sched) != NULL)
        handed_out++;
    account(handed_out);
    tri_sched_free(sched);
}

int main(int argc, char **argv)
{
    static const uint32_t pools[] = { 1, 2, 4, 8 };
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    uint32_t only = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;

    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        uint32_t workers = pools[i];
        if (only != 0 && workers != only)
            continue;
        for (int round = 0; round < rounds; round++) {
            storm(workers);
            poller(workers);
            for (int j = 0; j < 20; j++)
                stop(workers);
            wakes(workers, 400);
            if (workers > 1)
                stuck(workers, 20);
        }
        printf("sched: %u workers, %d rounds: accounted for\n", (unsigned)workers, rounds);
    }
    return EXIT_SUCCESS;
}
