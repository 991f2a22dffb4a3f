/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_CLOCK_H
#define TROUPE_KV_DEMO_CLOCK_H

/* Time and chance for the drivers: a clock that only goes forward, and a seeded generator. */

#include <stdint.h>
#include <time.h>

#define MILLISECOND_NS UINT64_C(1000000)
#define SECOND_NS      UINT64_C(1000000000)

static inline uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static inline void clock_sleep_ns(uint64_t ns)
{
    nanosleep(&(struct timespec){ (time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS) }, NULL);
}

/* Milliseconds from now to a moment, as poll() wants them: never negative, never for ever. */
static inline int clock_poll_ms(uint64_t until_ns)
{
    uint64_t now = clock_ns();

    if (until_ns <= now)
        return 0;
    uint64_t left = (until_ns - now + MILLISECOND_NS - 1) / MILLISECOND_NS;
    return left < 1000 ? (int)left : 1000;
}

/* splitmix64: good from any seed, also from 0 and 1. */
static inline uint64_t chance_next(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to bound - 1 */
static inline uint32_t chance_below(uint64_t *seed, uint32_t bound)
{
    return (uint32_t)(((chance_next(seed) >> 32) * bound) >> 32);
}

#endif
