/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_POLLER_H
#define TRI_SCHED_POLLER_H

/*
 * The seam to I/O: something that a worker with nothing to do waits in, and that one worker at a
 * time looks after.
 *
 *     ┌────────┐  set   ┌──────┐  take: a worker     ┌──────┐  unset  ┌─────────┐
 *     │ ABSENT │ ─────► │ FREE │ ──────────────────► │ HELD │ ──────► │ LEAVING │
 *     └────────┘ ◄───── └──────┘ ◄────────────────── └──────┘         └─────────┘
 *         ▲      unset            release                                  │ release
 *         └────────────────────────────────────────────────────────────────┘
 *
 * Why. A thread of its own for I/O would have to wake a worker for each event; a worker that waits
 * for I/O itself runs what comes in, at once and on a warm cache.
 *
 * Partners: sched/worker.c holds the role while it polls; src/io implements the poller.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/types.h>

struct tri_poller {
    void *context;

    /*
     * Waits until something happens, wake() is called, or `timeout` is over (0: does not wait;
     * TR_FOREVER), and makes the callbacks. They run on a worker, outside of any turn: each may
     * submit to tri_worker_current(), after it has called tri_worker_awake().
     */
    void (*poll)(void *context, tr_time timeout);

    /* Makes poll() return, or the next one not wait. Threads: any. */
    void (*wake)(void *context);
};

struct tri_poll_role {
    /* any worker; one thread sets and unsets */
    uint32_t word;
    uint32_t wakers;  /* threads that are about to call the poller's wake() */
    const struct tri_poller *poller;
};

/* Becomes the one who polls: the poller; NULL when there is none or somebody else is. */
const struct tri_poller *tri_poll_role_take(struct tri_poll_role *role);
void tri_poll_role_release(struct tri_poll_role *role);

/* Whether there is a poller and nobody looks after it. */
bool tri_poll_role_is_free(const struct tri_poll_role *role);

/* Sets the poller; `poller` NULL takes it away and returns when nobody is in it. */
void tri_poll_role_set(struct tri_poll_role *role, const struct tri_poller *poller);

/* Gets whoever polls out of it. */
void tri_poll_role_wake(struct tri_poll_role *role);

#endif
