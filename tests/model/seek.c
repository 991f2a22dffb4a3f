/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/sched.c sched/worker.c sched/seek.c */
/* sources: sched/idle.c sched/park.c sched/injector.c sched/lifo_slot.c sched/run_queue.c */
/* sources: sched/timers.c sched/timer_wheel.c sched/poller.c sched/quiet.c sched/watcher.c */

/*
 * Parking and waking: the workers' own loops, while somebody outside gives them work, starts
 * timers, waits for quiet, sets and takes away a poller, and stops them.
 *
 * What is demanded, in every set-up: all that was given is run, once, or handed out after a stop;
 * each timer fires; nobody is left asleep (the explorer says so); quiet means that nothing runs;
 * one worker at a time polls, and none after the poller was taken away; in the end the idle set
 * counts nobody who is not there.
 *
 * The watcher is left out of most set-ups: it mends, a tick later, what the protocol must do by
 * itself. Time passes with each look at the clock; a sleep with a deadline may end at any moment.
 */

#include "explorer.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/futex.h"
#include "base/memory.h"
#include "base/thread.h"
#include "sched/cpus.h"
#include "sched/inside.h"

enum { WORKERS_MAX = 2, TASKS_MAX = 6 };

struct setup {
    uint32_t workers;
    int injected;      /* tasks given from outside, one after the other */
    int children;      /* tasks that the first of them submits */
    bool waits;        /* the outsider gives the next when the one before has run */
    bool naps;         /* the first search of each worker is a long pause after poor loot */
    bool times;        /* when all have run the outsider starts a timer */
    bool quiets;       /* it waits for quiet before it stops them */
    bool stops_early;  /* it stops them without waiting */
    bool polls;        /* a poller is set first and taken away last */
    bool awaits_poll;  /* a worker must go into it, though nothing else wakes one */
    bool is_watched;
    bool sticks;       /* the first task waits until its children have run, or the timer fired */
    bool is_symmetric;
};

static const struct setup *setup;
static struct tri_sched sched;
static struct tri_worker workers[WORKERS_MAX];
static struct tri_worker *workers_of_sched[WORKERS_MAX];
static struct tri_seen seen[WORKERS_MAX][WORKERS_MAX];
static struct tri_watched watched[WORKERS_MAX];
static struct tri_task tasks[TASKS_MAX];
static struct tri_timer timer;
static int runs[TASKS_MAX];
static int runs_in_all, running, fired, loops;
static tr_time now;

/* ---- in place of base ---- */

_Thread_local struct tri_thread *tri_thread_current;

struct tri_thread *tri_thread_make(void)
{
    return NULL;
}

void *tri_alloc_zeroed(size_t size)
{
    (void)size;
    return NULL;
}

void *tri_alloc_aligned(size_t alignment, size_t size)
{
    (void)alignment;
    return tri_alloc_zeroed(size);
}

void tri_free(void *block)
{
    (void)block;
}

uint32_t tri_cpus_allowed(void)
{
    return 1;
}

int tri_cpus_pin(uint32_t index)
{
    (void)index;
    return 0;
}

int64_t tri_clock_now(void)
{
    return now += TR_US(1);
}

int64_t tri_clock_system(void)
{
    return tri_clock_now();
}

struct wait {
    const uint32_t *word;
    uint32_t expected;
};

static bool has_changed(void *context)
{
    const struct wait *wait = context;

    return *wait->word != wait->expected;
}

int tri_futex_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct wait wait = { word, expected };

    if (deadline == TR_FOREVER) {
        explorer_wait(has_changed, &wait);
        return 0;
    }
    explorer_point("time may be up");
    if (*word != expected)
        return 0;
    if (now < deadline)
        now = deadline;
    return -ETIMEDOUT;
}

void tri_futex_wake(const uint32_t *word, uint32_t count)
{
    (void)word, (void)count;
    explorer_point("futex wake");
}

/* ---- the poller ---- */

static struct {
    int signals;
    int seen;
    int inside;
    bool is_there;
} fake;

static bool is_signalled(void *context)
{
    (void)context;
    return fake.signals != fake.seen;
}

static void fake_poll(void *context, tr_time timeout)
{
    (void)context;
    EXPECT(fake.is_there);
    EXPECT(fake.inside++ == 0);
    if (timeout == TR_FOREVER)
        explorer_wait(is_signalled, NULL);
    else
        explorer_point("poll");
    fake.seen = fake.signals;
    fake.inside--;
}

static void fake_wake(void *context)
{
    (void)context;
    EXPECT(fake.is_there);
    fake.signals++;
    explorer_point("signal");
}

static const struct tri_poller poller = { .poll = fake_poll, .wake = fake_wake };

/* ---- work ---- */

static bool have_run(void *context)
{
    return runs_in_all >= *(const int *)context;
}

static bool has_fired(void *context)
{
    (void)context;
    return fired == 1;
}

/* What only the watcher can help out of. */
static void get_stuck(struct tri_worker *worker)
{
    int children = setup->children;

    if (children > 0) {
        explorer_wait(have_run, &children);
    } else {
        tri_timer_start(&sched, worker, &timer, now + TR_MS(1));
        explorer_wait(has_fired, NULL);
    }
}

static enum tri_turn run(struct tri_worker *worker, struct tri_task *task)
{
    running++;
    if (worker->budget > 0)
        worker->budget--;
    if (task == &tasks[0]) {
        for (int i = 0; i < setup->children; i++)
            tri_sched_submit(worker, &tasks[setup->injected + i]);
    }
    if (task == &tasks[0] && setup->sticks)
        get_stuck(worker);
    EXPECT(runs[task - tasks]++ == 0);
    runs_in_all++;
    running--;
    return TRI_TURN_DONE;
}

static void timer_due(void *context, struct tri_worker *worker, struct tri_timer *one)
{
    (void)context, (void)worker;
    EXPECT(one->deadline <= now);
    fired++;
}

static void worker_thread(int number)
{
    workers[number].pause = setup->naps ? TR_US(TRI_THIEF_PAUSE_MAX_US) : 0;
    workers[number].loot_since = setup->naps ? now : 0;
    tri_worker_loop(&workers[number]);
    EXPECT(workers[number].announced == TRI_AWAKE);
    loops--;
}

static void watcher_thread(int number)
{
    (void)number;
    tri_watcher_loop(&sched);
    loops--;
}

/* ---- the outsider ---- */

static void wait_for_runs(int count)
{
    explorer_wait(have_run, &count);
}

static void give(void)
{
    for (int i = 0; i < setup->injected; i++) {
        tri_sched_inject(&sched, &tasks[i]);
        if (setup->waits)
            wait_for_runs(i + 1);
    }
}

static void wait_for_all(void)
{
    if (setup->quiets) {
        EXPECT(tri_sched_wait_quiet(&sched, TR_FOREVER) == 0);
        EXPECT(running == 0);
        EXPECT(runs_in_all == setup->injected + setup->children);
    }
    if (!setup->stops_early)
        wait_for_runs(setup->injected + setup->children);
    if (setup->times) {
        tri_timer_start(&sched, NULL, &timer, now + TR_MS(3));
        explorer_wait(has_fired, NULL);
    }
}

static bool is_polled(void *context)
{
    (void)context;
    return fake.inside > 0;
}

static void outsider(int number)
{
    (void)number;
    if (setup->polls) {
        fake.is_there = true;
        tri_sched_set_poller(&sched, &poller);
    }
    if (setup->awaits_poll)
        explorer_wait(is_polled, NULL);
    give();
    wait_for_all();
    if (setup->polls) {
        tri_sched_set_poller(&sched, NULL);
        fake.is_there = false;
    }
    tri_sched_end_loops(&sched);
}

/* ---- one schedule ---- */

static void set_up_worker(uint32_t id)
{
    struct tri_worker *worker = &workers[id];

    memset(worker, 0, sizeof(*worker));
    worker->sched = &sched;
    worker->clock = &sched.clock;
    worker->idle = &sched.idle;
    worker->id = id;
    worker->next_victim = id + 1;
    worker->seen = seen[id];
    tri_timers_init(&worker->timers, now);
    explorer_ignore(&worker->counters, sizeof(worker->counters));
    workers_of_sched[id] = worker;
    explorer_name(&worker->park.word, id == 0 ? "park 0" : "park 1");
}

static void start(const void *chosen)
{
    setup = chosen;
    now = TR_SEC(1);
    runs_in_all = running = fired = 0;
    memset(&sched, 0, sizeof(sched));
    memset(&fake, 0, sizeof(fake));
    memset(&timer, 0, sizeof(timer));
    memset(runs, 0, sizeof(runs));
    memset(seen, 0, sizeof(seen));
    memset(watched, 0, sizeof(watched));
    tri_fence_is_asymmetric = !setup->is_symmetric;
    sched.options.run = run;
    sched.options.timer_due = timer_due;
    sched.worker_count = setup->workers;
    sched.workers = workers_of_sched;
    sched.watcher.watched = watched;
    sched.clock.now = (uint64_t)now;
    explorer_name(&sched.idle.counts, "counts");
    explorer_name(&sched.idle.parked, "parked");
    explorer_name(&sched.injector.length, "injected");
    explorer_name(&sched.clock.stopping, "stopping");
    for (uint32_t i = 0; i < setup->workers; i++) {
        set_up_worker(i);
        explorer_thread(worker_thread, (int)i);
    }
    loops = (int)setup->workers + setup->is_watched;
    if (setup->is_watched)
        explorer_thread(watcher_thread, 0);
    explorer_thread(outsider, 0);
}

static void check(void)
{
    int handed_out = 0;

    EXPECT(loops == 0);
    while (tri_sched_take_any(&sched) != NULL)
        handed_out++;
    EXPECT(handed_out == 0 || setup->stops_early);
    if (runs[0] == 1 || setup->injected == 0)
        EXPECT(runs_in_all + handed_out == setup->injected + setup->children);
    else
        EXPECT(runs_in_all + handed_out == setup->injected);
    EXPECT(sched.idle.counts % TRI_IDLE_LEFT == 0);
    EXPECT(sched.idle.parked.words[0] == 0);
    EXPECT(sched.idle.napping.words[0] == 0);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "seek/" name_, .start = start, .check = check,                                       \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 2, .searched = 60000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("alone", .workers = 1, .injected = 2),
    MODEL("one-by-one", .workers = 1, .injected = 2, .waits = true),
    MODEL("two", .workers = 2, .injected = 2),
    MODEL("two-by-one", .workers = 2, .injected = 2, .waits = true),
    MODEL("children", .workers = 2, .injected = 1, .children = 3),
    MODEL("nap", .workers = 2, .injected = 2, .naps = true),
    MODEL("timer", .workers = 1, .injected = 1, .times = true),
    MODEL("quiet", .workers = 2, .injected = 1, .children = 2, .quiets = true),
    MODEL("stop", .workers = 2, .injected = 2, .children = 1, .stops_early = true),
    MODEL("poller", .workers = 1, .injected = 2, .waits = true, .polls = true),
    MODEL("poller-two", .workers = 2, .injected = 1, .children = 3, .polls = true),
    MODEL("poller-early", .workers = 2, .injected = 1, .children = 3, .polls = true,
          .stops_early = true),
    MODEL("watched", .workers = 1, .injected = 1, .times = true, .is_watched = true),
    MODEL("stuck", .workers = 2, .injected = 1, .children = 1, .is_watched = true, .sticks = true),
    MODEL("stuck-queue", .workers = 2, .injected = 1, .children = 2, .is_watched = true,
          .sticks = true),
    MODEL("stuck-timer", .workers = 1, .injected = 1, .is_watched = true, .sticks = true),
    MODEL("symmetric", .workers = 2, .injected = 2, .is_symmetric = true),
    MODEL("symmetric-timer", .workers = 1, .times = true, .is_symmetric = true),
    MODEL("symmetric-poller", .workers = 1, .polls = true, .awaits_poll = true,
          .is_symmetric = true),
    MODEL("symmetric-quiet", .workers = 1, .injected = 1, .quiets = true, .is_symmetric = true),
    MODEL("symmetric-stuck", .workers = 2, .injected = 1, .children = 1, .is_watched = true,
          .sticks = true, .is_symmetric = true),
    MODEL("symmetric-children", .workers = 2, .injected = 1, .children = 3, .is_symmetric = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
