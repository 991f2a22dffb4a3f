/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_STARVE_H
#define TROUPE_TESTS_SUPPORT_STARVE_H

/*
 * Memory that runs out around one call: its nth request fails, or that one and all that follow, in
 * whatever thread.
 *
 *     tri_memory_refuse_set(starve_refuses);    // before there is a system
 *     starve_first(STARVE_ONCE);
 *     while (starve_next())
 *         error = STARVED(tr_defer(self, …));
 *
 * The blocks that this thread's pool has at hand, which nobody has to be asked for, are put aside
 * first: a message is a request as well.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ck.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/thread.h"
#include "support/test.h"

enum { STARVE_OFF, STARVE_COUNTS, STARVE_ONCE, STARVE_FOR_GOOD };

static uint32_t starve_mode;           /* what holds while a call is starved */
static uint32_t starve_state;          /* what holds now */
static uint32_t starve_request;        /* the one that fails, from 1 */
static uint32_t starve_asked, starve_refused;

static bool starve_refuses(void)
{
    uint32_t state = tri_load_acquire_32(&starve_state);

    if (state == STARVE_OFF)
        return false;
    uint32_t now = tri_fetch_add_acq_rel_32(&starve_asked, 1) + 1;
    uint32_t nth = tri_load_relaxed_32(&starve_request);
    bool refuses = (state == STARVE_ONCE && now == nth)
                   || (state == STARVE_FOR_GOOD && now >= nth);
    if (refuses)
        (void)tri_fetch_add_acq_rel_32(&starve_refused, 1);
    return refuses;
}

static void starve_set(uint32_t state)
{
    tri_store_relaxed_32(&starve_asked, 0);
    tri_store_release_32(&starve_state, state);
}

static void *starve_aside[TRI_POOL_CLASSES];

/* Until three blocks in a row had to be asked for: no magazine has any left. */
static void starve_empty(struct tri_thread *thread, unsigned size_class)
{
    uint32_t in_a_row = 0;

    while (in_a_row < 3) {
        uint32_t before = tri_load_relaxed_32(&starve_asked);
        void **block = tri_pool_get(thread, size_class);
        cr_assert_not_null(block);
        *block = starve_aside[size_class];
        starve_aside[size_class] = block;
        in_a_row = tri_load_relaxed_32(&starve_asked) != before ? in_a_row + 1 : 0;
    }
}

static void starve_begin(void)
{
    struct tri_thread *thread = tri_thread_self();

    cr_assert_not_null(thread);
    starve_set(STARVE_COUNTS);
    for (unsigned i = 0; i < TRI_POOL_CLASSES; i++)
        starve_empty(thread, i);
    starve_set(tri_load_relaxed_32(&starve_mode));
}

static int starve_end(int result)
{
    struct tri_thread *thread = tri_thread_self();

    starve_set(STARVE_OFF);
    for (unsigned i = 0; i < TRI_POOL_CLASSES; i++) {
        while (starve_aside[i] != NULL) {
            void **block = starve_aside[i];
            starve_aside[i] = *block;
            tri_pool_put(thread, i, block);
        }
    }
    return result;
}

#define STARVED(call) (starve_begin(), starve_end(call))

static void starve_first(uint32_t mode)
{
    tri_store_relaxed_32(&starve_mode, mode);
    tri_store_relaxed_32(&starve_request, 0);
    tri_store_relaxed_32(&starve_refused, 1);
}

/* The next request is to fail; false: the last try made fewer than it was to fail at. */
static bool starve_next(void)
{
    if (tri_load_acquire_32(&starve_refused) == 0)
        return false;
    tri_store_relaxed_32(&starve_refused, 0);
    tri_store_relaxed_32(&starve_request, tri_load_relaxed_32(&starve_request) + 1);
    return true;
}

#endif
