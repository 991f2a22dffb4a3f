/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_THREAD_H
#define TRI_BASE_THREAD_H

/*
 * What the library keeps for each thread of the process, its own or a foreign one.
 *
 * Rules
 *   1. Only the thread itself touches its record, which ends with it.
 *   2. After a switch to another stack the thread may be another one: code that goes on there asks
 *      tri_thread_again(), for a compiler may keep what tri_thread_self() found before the switch.
 *
 * Partners: base/pool.h, whose caches are here; sched/worker.c sets `worker`.
 */

#include <stddef.h>

#include "base/bits.h"
#include "base/pool.h"

struct tri_thread {
    struct tri_pool_cache pool[TRI_POOL_CLASSES];
    void *worker;  /* the scheduler's own, NULL on a thread that is none of its workers */
};

extern _Thread_local struct tri_thread *tri_thread_current
    __attribute__((tls_model("initial-exec")));

/*
 * Whatever runs on this thread now, as whoever runs it sees fit: an activation, for actors/. It is
 * here because code that leaves a stack in the middle has to carry it along. Never NULL, so that
 * one comparison tells a pointer given by a user from it.
 */
extern _Thread_local void *tri_thread_running __attribute__((tls_model("initial-exec")));

#define TRI_THREAD_RUNS_NOTHING ((void *)(uintptr_t)1)

struct tri_thread *tri_thread_make(void);

/* This thread's record, made at the first call; NULL when there is no memory for it. */
static inline struct tri_thread *tri_thread_self(void)
{
    struct tri_thread *thread = tri_thread_current;

    return TRI_LIKELY(thread != NULL) ? thread : tri_thread_make();
}

/* The same, read anew: never inlined, so that nothing found before a switch can be kept. */
struct tri_thread *tri_thread_again(void);

/* A block of `size_class` (enum tri_pool_class), not cleared; NULL without memory. */
static inline void *tri_pool_get(struct tri_thread *thread, unsigned size_class)
{
    return tri_pool_cache_get(&thread->pool[size_class], size_class);
}

/* Takes back a block that any thread got from that class. Cannot fail. */
static inline void tri_pool_put(struct tri_thread *thread, unsigned size_class, void *block)
{
    tri_pool_cache_put(&thread->pool[size_class], size_class, block);
}

#endif
