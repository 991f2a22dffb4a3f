/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/park.h"

#include <pthread.h>

#include "base/ck.h"
#include "base/clock.h"
#include "support/test.h"

static struct tri_park park;

Test(park, a_token_that_was_there_ends_the_sleep_at_once)
{
    cr_assert_eq(tri_park_give(&park), TRI_GIVEN_NOTHING);
    cr_assert(tri_park_sleep(&park, TR_FOREVER));
    cr_assert_not(tri_park_sleep(&park, 0), "it was taken");
}

Test(park, tokens_do_not_add_up)
{
    tri_park_give(&park);
    tri_park_give(&park);
    cr_assert(tri_park_sleep(&park, TR_FOREVER));
    cr_assert_not(tri_park_sleep(&park, tri_clock_system()));
}

Test(park, time_runs_out)
{
    tr_time until = tri_clock_system() + TR_MS(2);

    cr_assert_not(tri_park_sleep(&park, until));
    cr_assert_geq(tri_clock_system(), until);
    cr_assert_eq(tri_park_give(&park), TRI_GIVEN_NOTHING, "nobody sleeps here");
}

Test(park, the_giver_hears_of_a_poller)
{
    cr_assert(tri_park_begin_poll(&park));
    cr_assert_eq(tri_park_give(&park), TRI_GIVEN_POLLING);
    cr_assert_eq(tri_park_give(&park), TRI_GIVEN_NOTHING, "once is enough");
    cr_assert(tri_park_end_poll(&park));
    cr_assert_not(tri_park_end_poll(&park));
}

Test(park, a_token_keeps_out_of_the_poller)
{
    tri_park_give(&park);
    cr_assert_not(tri_park_begin_poll(&park));
    cr_assert(tri_park_begin_poll(&park), "it was taken");
}

/* Two threads hand a token to and fro: each sleep ends by it. */

enum { ROUNDS = 2000 };

static struct tri_park there;

static void *answer(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (!tri_park_sleep(&there, tri_clock_system() + TR_SEC(20)))
            abort();
        tri_park_give(&park);
    }
    return unused;
}

Test(park, loses_no_token)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, answer, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        tri_park_give(&there);
        cr_assert(tri_park_sleep(&park, tri_clock_system() + TR_SEC(20)));
    }
    pthread_join(thread, NULL);
}
