/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SYSTEM_H
#define TRI_ACTORS_SYSTEM_H

/*
 * A system: a scheduler, its workers' activations, and what all its actors share.
 *
 * Calls from outside pass a gate, one word that counts those inside and says whether the system is
 * still open to them:
 *
 *     30 CLOSING   no one enters; those inside may finish
 *     29 .. 0      callers inside
 *
 * A stop closes the gate, waits until those inside have left, and only then takes things apart. The
 * system itself, a small structure, is kept until the process ends, so that a stale pointer answers
 * -ESHUTDOWN for ever.
 *
 * Partners: actors/stop.c; every verb that takes a tr_system.
 */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include <troupe/system.h>

#include "actors/actor.h"
#include "actors/counts.h"
#include "actors/slot.h"

#define TRI_SUBSCRIBERS_MAX 16u

struct tri_names;

struct tr_system {
    /* set once */
    struct tri_sched *sched;
    tr_self **activations; /* one for each worker */
    uint32_t workers;
    uint32_t index;        /* in every slot's address; from 1 */
    uint32_t fork_epoch;
    tr_config config;
    struct tr_system *next_known;
    uint64_t seed;
    uint32_t ending; /* set once by its stop: no actor is made any more */

    /* any thread */
    uint32_t gate;
    struct tri_counts *shared_counts;
    uint32_t told;   /* what tr_run should know: run.h */
    int told_error;  /* written before `told` says so */

    /* under their own locks */
    struct tri_names *names;
    pthread_mutex_t lock; /* of what follows */
    tr_ref subscribers[TRI_SUBSCRIBERS_MAX]; /* to dead letters; read without it, see there */
    uint32_t subscriber_count;
    struct tri_list suspensions; /* from outside: suspend.c */
    struct tri_list roots;   /* supervisors that nobody supervises, in order of their start */
    uint64_t supervisors;    /* made so far: seeds their jitter */
    bool is_stopping;
    void *attached;
    void (*before_stop)(void *attached);
    void (*free_attached)(void *attached);
};

#define TRI_GATE_CLOSING (UINT32_C(1) << 30)
#define TRI_GATE_CALLERS (TRI_GATE_CLOSING - 1)

/* Counts the forks, while a system was alive, that made this process. */
extern uint32_t tri_fork_epoch;

/* Whether any system is open. */
bool tri_systems_live(void);

/* Forgets the suspensions from outside, whose actors have ended. */
void tri_suspensions_free(tr_system *sys);

/* Enters from outside. Errors: -EINVAL without a system; -ESHUTDOWN. Every 0 needs a leave. */
int tri_system_enter(tr_system *sys);
void tri_system_leave(tr_system *sys);

/* A system that has started lets callers in. */
void tri_system_open_gate(tr_system *sys);

/* For the stop: no caller enters any more; waits until none is inside. Errors: -ETIMEDOUT. */
void tri_system_close_gate(tr_system *sys);
int tri_system_wait_empty(tr_system *sys, tr_time deadline);

/* For the stop: frees all but the shell, which stays known, when no thread uses it any more. */
void tri_system_release(tr_system *sys);

/* -EINVAL for NULL; else -EPERM; in a child of fork, where no thread is a worker any more,
 * -ESHUTDOWN. */
int tri_self_misused(const tr_self *self);

/* Whether `self` is this thread's present activation: 0, -EINVAL, or as above. */
static inline int tri_self_check(const tr_self *self)
{
    return TRI_LIKELY(self == tri_thread_running) ? 0 : tri_self_misused(self);
}

/* Makes an actor runnable: by the activation that runs here, or (NULL) by any thread. */
void tri_wake_from_anywhere(tr_system *sys, struct tri_actor *actor);

static inline void tri_wake(tr_system *sys, tr_self *self, struct tri_actor *actor)
{
    if (TRI_LIKELY(self != NULL))
        tri_sched_submit(self->worker, &actor->task);
    else
        tri_wake_from_anywhere(sys, actor);
}

/* In the audit build, when no turn is under way: aborts if counters and slots do not agree. */
void tri_books_audit(void *system);

static inline void tri_count_for(tr_system *sys, tr_self *self, uint32_t type, enum tri_count what)
{
    if (TRI_LIKELY(self != NULL))
        tri_count(&self->counts[type], what);
    else
        tri_count_shared(&sys->shared_counts[type], what);
}

/* To the log, in printf's way; cut at 256 bytes. */
void tri_log(const tr_system *sys, tr_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
