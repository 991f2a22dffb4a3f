/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static tri_futex_wait_fn *used;

void tri_futex_wait_set(tri_futex_wait_fn *wait)
{
    used = wait;
}

int tri_futex_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    struct timespec until = {
        .tv_sec = deadline < 0 ? 0 : (time_t)(deadline / TRI_NS_PER_S),
        .tv_nsec = deadline < 0 ? 0 : (long)(deadline % TRI_NS_PER_S),
    };

    if (used != NULL)
        return used(word, expected, deadline);
    /* With a mask the time is absolute, on the monotonic clock. */
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                          deadline == INT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return result < 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void tri_futex_wake(const uint32_t *word, uint32_t count)
{
    if (used != NULL)
        return;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count > INT_MAX ? INT_MAX : (int)count, NULL, NULL,
            0);
}
