/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_FENCE_H
#define TRI_BASE_FENCE_H

/*
 * A fence in two halves, one free and one dear.
 *
 * What. Two threads each write a word of their own and then read the other's, and at least one of
 * them must see the other's write: "work is here" against "I am going to sleep". Each needs a full
 * fence between its write and its read. Where one of the two happens a million times as often as
 * the other, its fence can be left to the other: tri_fence_heavy() makes every thread of the
 * process pass a full fence, so that tri_fence_light() need only hold the compiler back.
 *
 * Why. The light side is every scheduling of an actor, where a fence would cost a third of the
 * whole message; the heavy side is a worker that goes to sleep, which costs microseconds anyway.
 * It is membarrier's private expedited command; where the kernel lacks it, both are full fences.
 *
 * Rules
 *   1. tri_fence_init() runs before the first thread that uses either half is started.
 *   2. A light fence is paired with heavy ones only, never with another light one.
 *
 * Under a sanitizer both halves are full fences on one word. The explorer has its own heavy half,
 * which writes out the store buffers of all threads.
 *
 * Partners: sched/park.c.
 */

#include <stdbool.h>

#include "base/bits.h"
#include "base/ck.h"

/* Set once, by tri_fence_init. */
extern bool tri_fence_is_asymmetric;

/* Finds out which half may be free. Idempotent. */
void tri_fence_init(void);

static inline void tri_fence_light(void)
{
    if (TRI_LIKELY(tri_fence_is_asymmetric))
        tri_fence_compiler();
    else
        tri_fence_full();
}

void tri_fence_heavy(void);

#endif
