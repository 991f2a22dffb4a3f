/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the scheduler costs for each task, with tasks that do nothing: sched [MILLIONS].
 *
 *     slot     two tasks that wake each other: the LIFO slot
 *     chains   as many such pairs as there are workers, and one
 *     queue    64 tasks that go to the tail of the queue each time
 *     burst    one task that makes a thousand times 1000 others runnable
 *     inject   the same, from a thread outside
 *     timer    timers started and cancelled by a task
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ck.h"
#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"

enum kind { SLOT, CHAINS, QUEUE, BURST, INJECT, TIMER, KINDS };

static const char *const names[KINDS] = { "slot", "chains", "queue", "burst", "inject", "timer" };

struct chain {
    struct tri_task task;
    struct chain *next;
    int64_t left;
} __attribute__((aligned(TRI_CACHE_LINE)));

static enum kind kind;
static struct chain chains[1024];
static uint32_t ended;
static uint32_t ends_expected;
static uint64_t ran __attribute__((aligned(TRI_CACHE_LINE)));

static void end(void)
{
    if (tri_fetch_add_acq_rel_32(&ended, 1) + 1 == ends_expected)
        tri_futex_wake(&ended, 1);
}

static enum tri_turn run_chain(struct tri_worker *worker, struct chain *chain)
{
    if (--chain->left == 0) {
        end();
        return TRI_TURN_DONE;
    }
    if (kind == QUEUE)
        tri_sched_submit_last(worker, &chain->next->task);
    else
        tri_sched_submit(worker, &chain->next->task);
    tri_worker_sent(worker);
    return TRI_TURN_DONE;
}

/* The first chain makes all others runnable, a thousand times, each time when they have run. */
static enum tri_turn run_burst(struct tri_worker *worker, struct chain *chain)
{
    if (chain != &chains[0]) {
        if (tri_fetch_add_acq_rel_64(&ran, 1) + 1 == 1000)
            tri_sched_submit(worker, &chains[0].task);
        return TRI_TURN_DONE;
    }
    if (chain->left-- <= 0) {
        end();
        return TRI_TURN_DONE;
    }
    tri_store_relaxed_64(&ran, 0);
    for (int i = 1; i <= 1000; i++) {
        tri_sched_submit(worker, &chains[i].task);
        tri_worker_sent(worker);
    }
    return TRI_TURN_DONE;
}

static enum tri_turn run_timer(struct tri_worker *worker, struct chain *chain)
{
    static struct tri_timer timer;

    for (int i = 0; i < 1000 && chain->left > 0; i++, chain->left--) {
        tri_timer_start(worker->sched, worker, &timer, tri_worker_now(worker) + TR_SEC(5));
        tri_timer_cancel(worker->sched, &timer);
    }
    worker->budget = 0;
    if (chain->left > 0)
        return TRI_TURN_AGAIN;
    end();
    return TRI_TURN_DONE;
}

static enum tri_turn run(struct tri_worker *worker, struct tri_task *task)
{
    struct chain *chain = TRI_CONTAINER_OF(task, struct chain, task);

    worker->budget--;
    if (kind == BURST)
        return run_burst(worker, chain);
    if (kind == INJECT) {
        tri_fetch_add_acq_rel_64(&ran, 1);
        return TRI_TURN_DONE;
    }
    return kind == TIMER ? run_timer(worker, chain) : run_chain(worker, chain);
}

static void timer_due(void *context, struct tri_worker *worker, struct tri_timer *timer)
{
    (void)context, (void)worker, (void)timer;
}

static void link_in_rings(uint32_t count, uint32_t length, int64_t tasks)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = i / length * length;
        chains[i] = (struct chain){ .next = &chains[first + (i + 1 - first) % length],
                                    .left = tasks / length };
    }
}

/* Returns how many tasks will run. */
static int64_t set_up(struct tri_sched *sched, int64_t tasks)
{
    uint32_t pairs = kind == CHAINS ? tri_sched_worker_count(sched) + 1 : 1;

    ended = 0;
    ran = 0;
    ends_expected = kind == SLOT || kind == CHAINS ? pairs : kind == QUEUE ? 64 : 1;
    if (kind == QUEUE) {
        link_in_rings(64, 1, tasks / 64);
    } else if (kind == BURST) {
        link_in_rings(1001, 1, tasks / 1000);
        return tasks / 1000 * 1000;
    } else if (kind == SLOT || kind == CHAINS) {
        link_in_rings(2 * pairs, 2, tasks / pairs);
    } else {
        link_in_rings(1024, 1, tasks);
    }
    return tasks;
}

static void start_chains(struct tri_sched *sched)
{
    uint32_t step = kind == SLOT || kind == CHAINS ? 2 : 1;

    for (uint32_t i = 0; i < ends_expected; i++)
        tri_sched_inject(sched, &chains[i * step].task);
}

static void inject_all(struct tri_sched *sched, int64_t tasks)
{
    for (int64_t i = 0; i < tasks; i++) {
        if (i % 1000 == 0)
            while (tri_load_acquire_64(&ran) < (uint64_t)i)
                tri_cpu_relax();
        tri_sched_inject(sched, &chains[i % 1000].task);
    }
    while (tri_load_acquire_64(&ran) < (uint64_t)tasks)
        tri_cpu_relax();
}

static void wait_for_end(void)
{
    for (;;) {
        uint32_t seen = tri_load_acquire_32(&ended);
        if (seen >= ends_expected)
            return;
        tri_futex_wait(&ended, seen, INT64_MAX);
    }
}

static void report(struct tri_sched *sched, int64_t tasks, int64_t ns)
{
    struct tri_worker_counters sum = { 0 };

    for (uint32_t i = 0; i < tri_sched_worker_count(sched); i++) {
        const struct tri_worker_counters *one = &tri_sched_worker(sched, i)->counters;
        sum.steals += one->steals, sum.stolen += one->stolen, sum.wakes += one->wakes;
        sum.parks += one->parks, sum.naps += one->naps, sum.overflows += one->overflows;
    }
    printf("%-7s %u workers %7.2f ns   wakes %llu steals %llu stolen %llu parks %llu naps %llu "
           "overflows %llu\n", names[kind], (unsigned)tri_sched_worker_count(sched),
           (double)ns / (double)tasks, (unsigned long long)sum.wakes,
           (unsigned long long)sum.steals, (unsigned long long)sum.stolen,
           (unsigned long long)sum.parks, (unsigned long long)sum.naps,
           (unsigned long long)sum.overflows);
}

static void measure(uint32_t workers, int64_t tasks)
{
    struct tri_sched_options options = {
        .workers = workers, .pinned = true, .run = run, .timer_due = timer_due,
    };
    struct tri_sched *sched;

    if (tri_sched_start(&options, &sched) != 0)
        exit(EXIT_FAILURE);
    tasks = set_up(sched, tasks);
    int64_t before = tri_clock_now();
    if (kind == INJECT) {
        inject_all(sched, tasks);
    } else {
        start_chains(sched);
        wait_for_end();
    }
    int64_t ns = tri_clock_now() - before;
    tri_sched_stop(sched);
    report(sched, tasks, ns);
    tri_sched_free(sched);
}

int main(int argc, char **argv)
{
    int64_t tasks = (argc > 1 ? atoi(argv[1]) : 10) * INT64_C(1000000);

    for (int i = 0; i < KINDS; i++) {
        if (argc > 2 && strcmp(argv[2], names[i]) != 0)
            continue;
        kind = (enum kind)i;
        for (uint32_t workers = 1; workers <= 2; workers++)
            measure(workers, kind == INJECT || kind == TIMER ? tasks / 10 : tasks);
    }
    return EXIT_SUCCESS;
}
