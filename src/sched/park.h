/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_PARK_H
#define TRI_SCHED_PARK_H

/*
 * Where one thread sleeps until it is given a token. At most one token waits.
 *
 *                 sleep                     give, time is up
 *     ┌───────┐ ─────────► ┌────────────────────────┐ ──────┐
 *     │ EMPTY │            │ WAITING  on its futex  │       │
 *     └───────┘            │ POLLING  in the poller │       │
 *      ▲     │             └────────────────────────┘       │
 *      │     │ give                                         │
 *      │     └──────► ┌───────┐                             │
 *      └───────────── │ TOKEN │ ◄───────────────────────────┘
 *         taken       └───────┘          (EMPTY when time was up)
 *
 * Rules
 *   1. One thread sleeps here; any thread gives.
 *   2. A futex wake is paid only for a thread that sleeps: giving to one that is awake is one
 *      exchange.
 *   3. Who sleeps is decided elsewhere (sched/idle.h): a token left over makes the next sleep end
 *      at once, which its caller must stand.
 *
 * Partners: sched/idle.c gives; sched/worker.c and sched/watcher.c sleep.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/types.h>

#include "base/bits.h"

struct tri_park {
    uint32_t word __attribute__((aligned(TRI_CACHE_LINE)));
};

enum tri_given {
    TRI_GIVEN_NOTHING,   /* a token was there, or the sleeper is waking up already */
    TRI_GIVEN_WAKE,      /* the sleeper was woken */
    TRI_GIVEN_POLLING,   /* the caller must get it out of its poller */
};

/* Sleeps until a token is given, which is taken, or until `deadline`: false. */
bool tri_park_sleep(struct tri_park *park, tr_time deadline);

/* Says that the thread will sleep in the poller; false, and nothing to do, if a token was there. */
bool tri_park_begin_poll(struct tri_park *park);

/* After the poller: true if a token was given. */
bool tri_park_end_poll(struct tri_park *park);

/* Leaves a token and wakes the sleeper if it sleeps. Threads: any. */
enum tri_given tri_park_give(struct tri_park *park);

#endif
