/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_WAITING_H
#define TROUPE_TESTS_SUPPORT_WAITING_H

/* Waiting for what other threads do: until it holds, looked at every millisecond, with a bound that
 * only a test that fails reaches. */

#include <time.h>

#include "support/test.h"

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        int wait_tries = 20000;                                                                    \
        while (!(condition) && --wait_tries > 0)                                                   \
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                             \
        cr_assert(wait_tries > 0, "waited in vain for: %s", #condition);                           \
    } while (0)

#endif
