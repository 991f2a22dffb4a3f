/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_INSIDE_H
#define TRI_SCHED_INSIDE_H

/* What the files of the scheduler share among themselves. */

#include <pthread.h>

#include "base/clock.h"
#include "sched/injector.h"
#include "sched/sched.h"

/* Rule 2 of the scheduler: the turn a thief saw a worker in, and since when. */
struct tri_seen {
    uint64_t turn;
    tr_time since;
};

/* The watcher's notes about one worker: see watcher.c. */
struct tri_watched {
    struct tri_seen seen;
    uint32_t ticks; /* at which it was in that turn, after the first */
    bool was_reported;
};

struct tri_watcher {
    /* the watcher's thread */
    struct tri_watched *watched;
    bool role_was_free;    /* at its last tick: nobody polled */
    uint32_t ticks_left;   /* that it stays awake while all workers are parked */
    uint32_t linger;
    tr_time slept_since;

    /* the watcher sets, whoever wakes it clears */
    uint32_t is_asleep __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_park park;
};

/* Those who wait until no task is runnable. */
struct tri_quiet {
    uint32_t waiters;
    uint32_t sequence;  /* moves on when all workers have parked */
};

/* How the start goes: under its lock. */
struct tri_start {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t answers;  /* threads that have said how their start went */
    int error;         /* the first that failed */
    enum { TRI_START_UNDECIDED, TRI_START_GO, TRI_START_UNDO } decision;
};

struct tri_sched {
    struct tri_sched_clock clock;
    struct tri_idle idle;
    struct tri_injector injector;

    /* set once, before the first thread */
    struct tri_sched_options options __attribute__((aligned(TRI_CACHE_LINE)));
    uint32_t worker_count;
    uint32_t forks;  /* forks of the process before the start: see tri_sched_is_forked */
    struct tri_worker **workers;

    /* cold */
    void *driven;  /* the driver's own */
    struct tri_poll_role poll_role;
    struct tri_quiet quiet;
    struct tri_watcher watcher;
    struct tri_start start;
    pthread_t watcher_thread;
    uint32_t ended;  /* threads that have come to their end; each of them adds itself */
};

static inline bool tri_sched_is_stopping(const struct tri_sched *sched)
{
    return TRI_UNLIKELY(tri_load_relaxed_32(&sched->clock.stopping) != 0);
}

/* One more, in a counter of the calling thread that others read. */
static inline void tri_count(uint64_t *counter, uint64_t by)
{
    tri_store_relaxed_64(counter, tri_load_relaxed_64(counter) + by);
}

/* sched.c: advances the coarse clock to the real one, which is returned. Threads: any. */
tr_time tri_sched_clock_advance(struct tri_sched *sched);

/* worker.c: runs turns until the scheduler stops. */
void tri_worker_loop(struct tri_worker *worker);

/* worker.c: adds to the queue's tail; what has no place there goes to the injector. */
void tri_worker_enqueue(struct tri_worker *worker, struct tri_task *task);

/* worker.c: the slot's task or the queue's oldest, or NULL. */
struct tri_task *tri_worker_own_task(struct tri_worker *worker);

/* worker.c: fires due timers, at most TRI_TIMERS_AT_ONCE: true if more may be due. */
bool tri_worker_fire_timers(struct tri_worker *worker, tr_time now);

/* worker.c: moves up to `count` injected tasks, or its share of them, to its queue. */
bool tri_worker_take_injected(struct tri_worker *worker, uint32_t count);

/* seek.c: a task for a worker that has none; NULL when the scheduler stops. */
struct tri_task *tri_worker_seek(struct tri_worker *worker);

/* seek.c: leaves the sleep it had announced: withdraws, refreshes the clock, rouses the watcher. */
void tri_worker_awake_slow(struct tri_worker *worker);

/* sched.c: makes the workers and the watcher return from their loops. */
void tri_sched_end_loops(struct tri_sched *sched);

/* sched.c: gives the token that an idle set's choice owes. */
void tri_sched_wake(struct tri_sched *sched, uint32_t worker);

/* sched.c: wakes somebody for work that belongs to nobody. A fence came before. */
void tri_sched_wake_for_new_work(struct tri_sched *sched);

/* quiet.c: a worker has announced that it parks. */
void tri_quiet_note(struct tri_sched *sched);

/* watcher.c */
void tri_watcher_loop(struct tri_sched *sched);
void tri_watcher_rouse(struct tri_sched *sched);

#endif
