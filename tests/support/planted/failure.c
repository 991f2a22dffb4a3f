/* SPDX-License-Identifier: BSD-2-Clause */

/* Fails: shows that a failing assertion, in any thread, is seen. */

#include "support/test.h"

#include <pthread.h>

static void *fails(void *argument)
{
    cr_assert_eq(1, 2, "planted");
    return argument;
}

Test(planted, passes)
{
    cr_assert(true);
}

Test(planted, fails_in_another_thread)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, fails, NULL), 0);
    pthread_join(thread, NULL);
}
