/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/poller.h"

#include <pthread.h>
#include <sched.h>

#include "base/ck.h"
#include "support/test.h"

static struct tri_poll_role role;
static uint32_t wakes;

static void poll_nothing(void *context, tr_time timeout)
{
    (void)context, (void)timeout;
}

static void count_wake(void *context)
{
    (void)context;
    tri_fetch_add_acq_rel_32(&wakes, 1);
}

static const struct tri_poller poller = { .poll = poll_nothing, .wake = count_wake };

Test(poller, nobody_polls_without_one)
{
    cr_assert_not(tri_poll_role_is_free(&role));
    cr_assert_null(tri_poll_role_take(&role));
    tri_poll_role_wake(&role);
    cr_assert_eq(wakes, 0u);
    tri_poll_role_set(&role, NULL);
}

Test(poller, one_at_a_time_polls)
{
    tri_poll_role_set(&role, &poller);
    cr_assert(tri_poll_role_is_free(&role));
    cr_assert_eq(tri_poll_role_take(&role), &poller);
    cr_assert_not(tri_poll_role_is_free(&role));
    cr_assert_null(tri_poll_role_take(&role));
    tri_poll_role_wake(&role);
    cr_assert_eq(wakes, 1u);
    tri_poll_role_release(&role);
    cr_assert_eq(tri_poll_role_take(&role), &poller);
}

Test(poller, can_be_taken_away_and_replaced)
{
    static const struct tri_poller other = { .poll = poll_nothing, .wake = count_wake };

    tri_poll_role_set(&role, &poller);
    tri_poll_role_set(&role, NULL);
    cr_assert_null(tri_poll_role_take(&role));
    tri_poll_role_set(&role, &poller);
    tri_poll_role_set(&role, &other);
    cr_assert_eq(tri_poll_role_take(&role), &other);
}

/* Whoever takes it away waits until the one who polls is out, and gets him out. */

static void *hold(void *unused)
{
    while (tri_load_acquire_32(&wakes) == 0)
        sched_yield();
    tri_poll_role_release(&role);
    return unused;
}

Test(poller, is_taken_away_when_nobody_is_in_it)
{
    pthread_t thread;

    tri_poll_role_set(&role, &poller);
    cr_assert_eq(tri_poll_role_take(&role), &poller);
    cr_assert_eq(pthread_create(&thread, NULL, hold, NULL), 0);
    tri_poll_role_set(&role, NULL);
    pthread_join(thread, NULL);
    cr_assert_geq(wakes, 1u);
    cr_assert_null(tri_poll_role_take(&role));
}

/* A waker never meets a poller that was taken away. */

static uint32_t is_there, is_over;

static void wake_if_there(void *context)
{
    (void)context;
    if (!tri_load_acquire_32(&is_there))
        abort();
}

static void *waker(void *unused)
{
    while (!tri_load_acquire_32(&is_over))
        tri_poll_role_wake(&role);
    return unused;
}

Test(poller, is_not_woken_after_it_was_taken_away)
{
    static const struct tri_poller touchy = { .poll = poll_nothing, .wake = wake_if_there };
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, waker, NULL), 0);
    for (int i = 0; i < 2000; i++) {
        tri_store_release_32(&is_there, 1);
        tri_poll_role_set(&role, &touchy);
        tri_poll_role_set(&role, NULL);
        tri_store_release_32(&is_there, 0);
    }
    tri_store_release_32(&is_over, 1);
    pthread_join(thread, NULL);
}
