/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_SCHED_H
#define TRI_SCHED_SCHED_H

/*
 * The scheduler: runs tasks, in turns, on a fixed pool of threads.
 *
 * What. A task that becomes runnable on a worker goes into that worker's LIFO slot and runs next;
 * what it displaces goes to the worker's queue. A turn ends when the task sleeps, after so many
 * messages, or after so long; the successor in the slot inherits what is left of the budget, so
 * that a pair of actors that talk to each other cannot keep the others waiting.
 *
 * Why. Moving work between processors costs as much as dozens of messages, waking a sleeping
 * processor as much as hundreds. So work moves only when it lasts longer than that:
 *   1. A worker wakes another only when it has two or more runnable tasks itself, when nobody
 *      searches already; and looks once every 256 sends of a long turn.
 *   2. A lone task is stolen only from a worker that is still in the same turn when its thief looks
 *      again.
 *   3. A thief whose loot ran out at once, or that was woken for what was gone when it came, waits
 *      longer and longer before it steals again, and nobody wakes it meanwhile for a surplus.
 * A watcher, which sleeps when all workers do, sees to the workers that are stuck in one turn.
 *
 *      run function ──submit──► LIFO slot ──displaced──► run queue ──full──┐
 *      any thread   ──inject──────────────────────────► injector ◄─────────┘
 *      timers, poller callbacks ──submit──► the worker they run on
 *
 * Rules
 *   1. A task is submitted once for each time it becomes runnable: the mailbox's WAKE sees to it.
 *   2. From DONE on a task may be running elsewhere: the scheduler does not touch it any more.
 *   3. The fields of a worker belong to its thread, except where it says otherwise.
 *
 * Partners: run_queue, lifo_slot, injector hold tasks; idle, park and worker.c decide who runs;
 * timers, watcher, poller. docs/design/scheduler.md has the whole and its measurements.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <troupe/types.h>

#include "base/bits.h"
#include "base/ck.h"
#include "sched/driver.h"
#include "sched/idle.h"
#include "sched/lifo_slot.h"
#include "sched/park.h"
#include "sched/poller.h"
#include "sched/run_queue.h"
#include "sched/task.h"
#include "sched/timers.h"

struct tri_sched;
struct tri_worker;

/*
 * Runs one turn of a task on the worker's thread. Takes 1 from worker->budget for each message but
 * the first, and returns AGAIN when that is 0 or tri_worker_time_is_up(). Never blocks.
 */
typedef enum tri_turn tri_run_fn(struct tri_worker *worker, struct tri_task *task);

struct tri_sched_options {
    uint32_t workers;  /* 0: as many as the process may use processors */
    bool pinned;       /* each worker to a processor of its own */
    const struct tri_driver *driver;  /* NULL: threads */
    tri_run_fn *run;
    void *context;     /* the first argument of these, any of which may be NULL: */

    /* On the worker's own thread, before its first task; may set worker->context. A negative
     * result aborts the start, which returns it. */
    int (*worker_start)(void *context, struct tri_worker *worker);

    /* On the worker's own thread, after its last task; for those alone whose start returned 0. */
    void (*worker_stop)(void *context, struct tri_worker *worker);

    /* A timer is due; no lock is held. `worker` is the current one, or NULL on the watcher. */
    void (*timer_due)(void *context, struct tri_worker *worker, struct tri_timer *timer);

    /* For a driver: what names a task in every run alike. */
    uint64_t (*identify)(void *context, struct tri_task *task);

    /* For a driver, in the audit build: no turn is under way; looks whether all is in order. */
    void (*audit)(void *context);

    /* Once for each turn that lasts longer than TRI_STUCK_AFTER, on the watcher's thread. The
     * worker is running meanwhile: only what it declares as readable by others may be read. */
    void (*stuck)(void *context, struct tri_worker *worker, tr_time for_how_long);
};

/* Since the start, of one worker; written by it, and to be read as tri_load_relaxed_64 by
 * others. */
struct tri_worker_counters {
    uint64_t queued;     /* tasks that went through the run queue */
    uint64_t overflows;  /* tasks that went from there to the injector */
    uint64_t injected;   /* tasks taken from the injector */
    uint64_t steals;     /* raids that got something, and what they got */
    uint64_t stolen;
    uint64_t wakes;      /* times that somebody else woke it */
    uint64_t parks;
    uint64_t polls;      /* parks spent in the poller; polls in passing are not counted */
    uint64_t naps;       /* pauses between two searches */
    uint64_t timers;     /* timers fired */
};

/* The time that turns and stamps read: some of it is always passing, see tri_worker_now. */
struct tri_sched_clock {
    uint64_t now __attribute__((aligned(TRI_CACHE_LINE)));
    uint32_t stopping;
};

/* What others take a worker for that is about to sleep, sleeps, or is in the poller. */
enum tri_announced { TRI_AWAKE, TRI_PARKED, TRI_NAPPING };

struct tri_worker {
    /* set once, before its thread runs; `context` by worker_start */
    struct tri_sched *sched __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_sched_clock *clock;
    struct tri_idle *idle;
    void *context;
    uint32_t id;
    pthread_t thread;

    /* its own thread */
    uint32_t budget;       /* messages left to this turn and its successors, but for */
    uint64_t charged;      /* … the turns since this one, which have cost a message each */
    uint32_t sent;         /* messages it has sent, not counting those that fill the slot */
    uint64_t sent_in;      /* the turn in which it had last sent many */
    tr_time turn_ends;     /* on the coarse clock */
    struct tri_task *task; /* whose turn it is; a run function that went on with a successor says
                            * so before it returns AGAIN */
    tr_time looked_at;     /* the coarse time when it last looked around */
    uint64_t look_after;   /* turns: then it looks around even if that time has not changed */
    uint64_t chain_ends;   /* turns: then no successor any more; at the latest with the budget */
    enum tri_announced announced;
    bool is_searching;     /* the idle set counts it as searching */
    bool is_polling;       /* it sleeps in the poller, not on its futex */
    bool was_woken;        /* and has not found anything since */
    tr_time polled_at;

    /* its own thread writes, thieves and the watcher read */
    uint64_t turns __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_lifo_slot lifo;  /* see there for its own rules */
    uint32_t is_running;        /* in turns, not idle: only then can it be stuck */
    struct tri_worker_counters counters;

    /* its own thread: its thefts */
    tr_time loot_since;    /* when it got its last loot; 0: none */
    tr_time pause;         /* rule 3 */
    uint32_t next_victim;
    struct tri_seen *seen; /* rule 2: what it saw of each worker */

    /* the watcher writes, thieves read: the turn it is stuck in, or 0 */
    uint64_t stuck_in __attribute__((aligned(TRI_CACHE_LINE)));

    /* any thread, by their own rules */
    struct tri_park park;
    struct tri_timers timers;
    struct tri_run_queue queue;
};

/* ---- life ---- */

/*
 * Starts the workers and the watcher; returns when every worker_start has succeeded.
 * Errors: -EINVAL for options that make no sense, -ENOMEM, -EAGAIN if there can be no more threads,
 * or what a worker_start returned: everything is undone then.
 */
int tri_sched_start(const struct tri_sched_options *options, struct tri_sched **ret_sched);

/*
 * Stops the workers after the turns they are in, and joins all threads. What was submitted and
 * injected and has not run stays for take_any. Timers do not fire any more; they may be cancelled.
 * Threads: one, none of the workers. Errors: -ESHUTDOWN in a child of fork: nothing is done.
 */
int tri_sched_stop(struct tri_sched *sched);

/* The same, but waits no longer than that. Errors: also -ETIMEDOUT, a task does not return: its
 * thread is left to itself, and nothing of the scheduler may be touched or freed any more. */
int tri_sched_stop_within(struct tri_sched *sched, tr_time within);

/* After stop: a task that has not run, or NULL. */
struct tri_task *tri_sched_take_any(struct tri_sched *sched);

/* After stop, NULL included. */
void tri_sched_free(struct tri_sched *sched);

/* Whether this process is a child made by fork since the start: there no worker runs here. */
bool tri_sched_is_forked(const struct tri_sched *sched);

/* No task runnable or running. True is exact: there was such a moment during the call. */
bool tri_sched_is_quiet(struct tri_sched *sched);

/* Waits for such a moment. Threads: none of the workers. Errors: -ETIMEDOUT. */
int tri_sched_wait_quiet(struct tri_sched *sched, tr_time deadline);

uint32_t tri_sched_worker_count(const struct tri_sched *sched);
struct tri_worker *tri_sched_worker(struct tri_sched *sched, uint32_t index);

/* The worker this thread is, or NULL. Never inlined: after a switch of stacks it may be another. */
struct tri_worker *tri_worker_current(void);

/* ---- time ---- */

/* The coarse clock: behind the real one by a millisecond or two while any worker is awake. */
static inline tr_time tri_worker_now(const struct tri_worker *worker)
{
    return (tr_time)tri_load_relaxed_64(&worker->clock->now);
}

/* The same for any thread. While all workers sleep it is refreshed first. */
tr_time tri_sched_now(struct tri_sched *sched);

/* Whether the coarse clock has moved since the worker looked around: until then no time is up. */
static inline bool tri_worker_time_moved(const struct tri_worker *worker)
{
    return TRI_UNLIKELY(tri_worker_now(worker) != worker->looked_at);
}

static inline bool tri_worker_time_is_up(const struct tri_worker *worker)
{
    return TRI_UNLIKELY(tri_worker_now(worker) >= worker->turn_ends);
}

/* ---- work ---- */

void tri_worker_submit_slow(struct tri_worker *worker, struct tri_task *task);
void tri_worker_look_for_help(struct tri_worker *worker);

/* Rule 1 of the scheduler. */
static inline void tri_worker_surplus(struct tri_worker *worker)
{
    if (tri_idle_wants_work(worker->idle)
        && tri_run_queue_length(&worker->queue) + tri_lifo_slot_has_task(&worker->lifo) >= 2)
        tri_worker_look_for_help(worker);
}

/* Makes a task runnable, to run next. `worker` is the current one. Cannot fail. Cost: 2 ns. */
static inline void tri_sched_submit(struct tri_worker *worker, struct tri_task *task)
{
    if (TRI_LIKELY(worker->budget > 0 && tri_lifo_slot_fill(&worker->lifo, task)))
        tri_worker_surplus(worker);
    else
        tri_worker_submit_slow(worker, task);
}

/* The same, to run after those that are waiting. */
void tri_sched_submit_last(struct tri_worker *worker, struct tri_task *task);

/* The same from any thread, worker or not. Blocks: never. Cost: a wake if all workers sleep. */
void tri_sched_inject(struct tri_sched *sched, struct tri_task *task);

/*
 * The same in the usual case; false, and nothing done, where submit has to see to more. Whether
 * somebody wants work is not asked: a lone task is not given away, and where others are queued that
 * was asked when they were, and is again when the worker looks around.
 */
static inline bool tri_sched_submit_next(struct tri_worker *worker, struct tri_task *task)
{
    return tri_lifo_slot_fill(&worker->lifo, task);
}

void tri_worker_sent_many(struct tri_worker *worker);

/* A message was sent: whether tri_worker_sent_many is to be called. */
static inline bool tri_worker_has_sent_many(struct tri_worker *worker)
{
    return TRI_UNLIKELY(++worker->sent % TRI_SENDS_PER_LOOK == 0);
}

/* A message was sent: a long producer gets help although its receiver is a lone task. */
static inline void tri_worker_sent(struct tri_worker *worker)
{
    if (tri_worker_has_sent_many(worker))
        tri_worker_sent_many(worker);
}

/* To be called when a turn ends with its budget spent: it has no successor. */
static inline void tri_worker_spent(struct tri_worker *worker)
{
    worker->chain_ends = 0;
}

struct tri_task *tri_worker_next(struct tri_worker *worker);

/*
 * The task to be run next, at once: a run function may go on with it instead of returning DONE. It
 * is the one that the present one has just made runnable, with what is left of its budget; else the
 * queue's oldest. NULL: it has to return, because there is none, or the worker has to look around.
 */
static inline struct tri_task *tri_worker_successor(struct tri_worker *worker)
{
    struct tri_task *task;

    if (worker->turns >= worker->chain_ends || tri_worker_time_moved(worker))
        return tri_worker_next(worker);
    task = tri_lifo_slot_take(&worker->lifo);
    if (TRI_UNLIKELY(task == NULL))
        return tri_worker_next(worker);
    /* relaxed: thieves and the watcher only compare it. */
    tri_add_own_64(&worker->turns, 1);
    return task;
}

/* ---- timers ---- */

/*
 * Calls timer_due at `deadline` or up to two milliseconds later (when no worker is free, later).
 * `worker` is the current one, or NULL on other threads. The timer is idle: never started, fired,
 * or cancelled with true. Cannot fail.
 */
void tri_timer_start(struct tri_sched *sched, struct tri_worker *worker, struct tri_timer *timer,
                     tr_time deadline);

/* True: it was taken out and will not fire. False: it has fired, is just firing, or was idle.
 * Threads: any, but one at a time for each timer, and none while it is being started. */
bool tri_timer_cancel(struct tri_sched *sched, struct tri_timer *timer);

/* ---- the poller ---- */

/* From now on idle workers wait in the poller, and busy ones look into it now and then. NULL takes
 * it away: when this returns nobody is in it, nor will be. `poller` stays the caller's. */
void tri_sched_set_poller(struct tri_sched *sched, const struct tri_poller *poller);

void tri_worker_awake_slow(struct tri_worker *worker);

/* To be called by the poller's callbacks: a worker that slept in the poller is awake. */
static inline void tri_worker_awake(struct tri_worker *worker)
{
    if (worker->announced != TRI_AWAKE)
        tri_worker_awake_slow(worker);
}

#endif
