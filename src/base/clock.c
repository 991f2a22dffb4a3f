/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/clock.h"

#include <stddef.h>
#include <time.h>

#define BEGINS_AT_S INT64_C(1000000000)

static struct tri_clock used;

void tri_clock_set(const struct tri_clock *clock)
{
    used = clock != NULL ? *clock : (struct tri_clock){ NULL, NULL };
}

static int64_t read_system(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * TRI_NS_PER_S + now.tv_nsec;
}

int64_t tri_clock_system(void)
{
    return read_system(CLOCK_MONOTONIC);
}

int64_t tri_clock_now(void)
{
    return used.now == NULL ? tri_clock_system() : used.now(used.context);
}

int64_t tri_clock_unix(void)
{
    if (used.now == NULL)
        return read_system(CLOCK_REALTIME);
    return BEGINS_AT_S * TRI_NS_PER_S + used.now(used.context);
}
