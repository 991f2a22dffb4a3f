/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Hands a value to another thread through one word. With TRI_PLANTED the word is written and read
 * with relaxed order, which publishes nothing: a bug that no x86 shows. ThreadSanitizer must report
 * it, and must be silent about the same test without TRI_PLANTED: so it sees base/ck.h's orders.
 */

#include "support/test.h"

#include <pthread.h>
#include <sched.h>

#include "base/ck.h"

static uint64_t ready;
static uint64_t value;

static void *writes(void *argument)
{
    value = 42;
#ifdef TRI_PLANTED
    tri_store_relaxed_64(&ready, 1);
#else
    /* release: publishes `value`; pairs with the acquire in is_ready. */
    tri_store_release_64(&ready, 1);
#endif
    return argument;
}

static bool is_ready(void)
{
#ifdef TRI_PLANTED
    return tri_load_relaxed_64(&ready) == 1;
#else
    /* acquire: `value`; pairs with the release in writes. */
    return tri_load_acquire_64(&ready) == 1;
#endif
}

Test(planted, race)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, writes, NULL), 0);
    while (!is_ready())
        sched_yield();
    cr_assert_eq(value, 42);
    pthread_join(thread, NULL);
}
