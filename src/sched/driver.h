/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_DRIVER_H
#define TRI_SCHED_DRIVER_H

/*
 * What runs the workers' turns where it is not threads: a simulation.
 *
 * Why a table. The slow paths of the scheduler ask whether there is one, and the fast paths never:
 * a driver arranges the words that they look at so that they come to the slow ones. Calls by name
 * would tie every build of the scheduler's files, the explorers' too, to the simulation.
 *
 * Partners: sched/simulated.c is the only one; sched.c, worker.c and quiet.c call it.
 */

#include <stdbool.h>

#include <troupe/types.h>

struct tri_sched;
struct tri_task;
struct tri_worker;

struct tri_driver {
    /* In place of the threads: calls worker_start. On failure everything is undone. */
    int (*start)(struct tri_sched *sched);

    /* Finishes the turns that were interrupted; calls worker_stop. */
    void (*stop)(struct tri_sched *sched);

    /* NULL-safe; after stop. */
    void (*free)(struct tri_sched *sched);

    /* A task that has no place in the worker's slot; one from anywhere; one that has not run. */
    void (*submit)(struct tri_worker *worker, struct tri_task *task);
    void (*inject)(struct tri_sched *sched, struct tri_task *task);
    struct tri_task *(*take_any)(struct tri_sched *sched);

    /* A turn has sent messages: it may be interrupted here. No lock is held. */
    void (*interrupt)(struct tri_worker *worker);

    bool (*is_quiet)(struct tri_sched *sched);
    int (*wait_quiet)(struct tri_sched *sched, tr_time deadline);
};

#endif
