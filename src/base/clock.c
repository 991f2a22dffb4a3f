/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static struct tri_clock used;

void tri_clock_set(const struct tri_clock *clock)
{
    used = clock != NULL ? *clock : (struct tri_clock){ NULL, NULL };
}

int64_t tri_clock_system(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TRI_NS_PER_S + now.tv_nsec;
}

int64_t tri_clock_now(void)
{
    return used.now == NULL ? tri_clock_system() : used.now(used.context);
}
