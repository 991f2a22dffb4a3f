/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/worker.c sched/run_queue.c sched/injector.c */
/* sources: sched/lifo_slot.c sched/idle.c */

/*
 * A worker's queue that overflows into the injector, while another worker steals from the queue and
 * takes from the injector, and somebody outside adds to it.
 *
 * What is demanded: each task is had once, none is lost between the three places, and what a worker
 * takes of the injector fits its queue.
 */

#include "explorer.h"

#include <string.h>

#include "sched/inside.h"

enum { WORKERS = 2, TASKS_MAX = 10 };

struct setup {
    int tasks;       /* of the first worker, whose queue holds four */
    int takes;       /* it takes one after each so many; 0: never */
    int outside;     /* tasks that come from outside */
    int raids;       /* of the second worker */
    bool steals;     /* it steals; else it takes from the injector */
};

static const struct setup *setup;
static struct tri_sched sched;
static struct tri_worker workers[WORKERS];
static struct tri_worker *workers_of_sched[WORKERS] = { &workers[0], &workers[1] };
static struct tri_task tasks[TASKS_MAX];
static int had[TASKS_MAX];

/* ---- in place of the rest of sched ---- */

struct tri_task *tri_worker_seek(struct tri_worker *worker)
{
    (void)worker;
    return NULL;
}

void tri_worker_awake_slow(struct tri_worker *worker)
{
    (void)worker;
}

void tri_sched_wake(struct tri_sched *one, uint32_t worker)
{
    (void)one, (void)worker;
}

/* ---- threads ---- */

static void have(const struct tri_task *task)
{
    EXPECT(task >= tasks && task < tasks + TASKS_MAX);
    EXPECT(had[task - tasks]++ == 0);
}

static void owner(int number)
{
    struct tri_worker *worker = &workers[number];

    for (int i = 0; i < setup->tasks; i++) {
        tri_worker_enqueue(worker, &tasks[i]);
        if (setup->takes != 0 && i % setup->takes == 0) {
            struct tri_task *task = tri_run_queue_take(&worker->queue);
            if (task != NULL)
                have(task);
        }
    }
    (void)tri_worker_take_injected(worker, TRI_STEAL_MAX);
}

static void other(int number)
{
    struct tri_worker *worker = &workers[number];

    for (int i = 0; i < setup->raids; i++) {
        if (setup->steals)
            tri_run_queue_steal(&workers[0].queue, &worker->queue);
        else
            (void)tri_worker_take_injected(worker, TRI_STEAL_MAX);
        EXPECT(tri_run_queue_length(&worker->queue) <= TRI_RUN_QUEUE_LENGTH);
        for (struct tri_task *task; (task = tri_run_queue_take(&worker->queue)) != NULL;)
            have(task);
    }
}

static void outsider(int number)
{
    (void)number;
    for (int i = 0; i < setup->outside; i++) {
        struct tri_task *task = &tasks[setup->tasks + i];
        tri_injector_add(&sched.injector, task, task, 1);
    }
}

/* ---- one schedule ---- */

static void start(const void *chosen)
{
    setup = chosen;
    sched.worker_count = WORKERS;
    sched.workers = workers_of_sched;
    explorer_name(&sched.injector.length, "injected");
    explorer_name(&workers[0].queue.head, "head");
    explorer_name(&workers[0].queue.tail, "tail");
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i].sched = &sched;
        workers[i].clock = &sched.clock;
        workers[i].idle = &sched.idle;
        workers[i].id = i;
        explorer_ignore(&workers[i].counters, sizeof(workers[i].counters));
    }
    explorer_thread(owner, 0);
    explorer_thread(other, 1);
    if (setup->outside > 0)
        explorer_thread(outsider, 0);
}

static void check(void)
{
    struct tri_task *task;

    for (int i = 0; i < WORKERS; i++) {
        while ((task = tri_run_queue_take(&workers[i].queue)) != NULL)
            have(task);
    }
    while ((task = tri_injector_take(&sched.injector, 1)) != NULL)
        have(task);
    EXPECT(tri_injector_length(&sched.injector) == 0);
    for (int i = 0; i < setup->tasks + setup->outside; i++)
        EXPECT(had[i] == 1);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "overflow/" name_, .start = start, .check = check,                                   \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 2, .searched = 300000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("steal", .tasks = 6, .raids = 2, .steals = true),
    MODEL("steal-take", .tasks = 7, .takes = 3, .raids = 2, .steals = true),
    MODEL("inject", .tasks = 6, .raids = 2),
    MODEL("twice", .tasks = 8, .raids = 3),
    MODEL("outside", .tasks = 5, .outside = 2, .raids = 2),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
