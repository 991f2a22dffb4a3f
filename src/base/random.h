/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_RANDOM_H
#define TRI_BASE_RANDOM_H

/*
 * Random numbers that a seed repeats: for jitter, victims to steal from, and simulations. Not for
 * secrets.
 *
 * xoshiro256** and splitmix64 by David Blackman and Sebastiano Vigna (prng.di.unimi.it, public
 * domain); the bounded draw is Daniel Lemire's ("Fast Random Integer Generation in an Interval").
 */

#include <stdint.h>

struct tri_random {
    uint64_t state[4];
};

/* Spreads a seed, 0 included, over 64 bits; moves the seed on. */
static inline uint64_t tri_random_spread(uint64_t *seed)
{
    uint64_t mixed = (*seed += UINT64_C(0x9E3779B97F4A7C15));

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

static inline void tri_random_seed(struct tri_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = tri_random_spread(&seed);
}

static inline uint64_t tri_random_rotated(uint64_t value, int by)
{
    return (value << by) | (value >> (64 - by));
}

static inline uint64_t tri_random_next(struct tri_random *random)
{
    uint64_t *state = random->state;
    uint64_t drawn = tri_random_rotated(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = tri_random_rotated(state[3], 45);
    return drawn;
}

/* One of 0 … bound - 1, each as likely to within bound / 2^32; 0 when the bound is 0 or 1. */
static inline uint32_t tri_random_below(struct tri_random *random, uint32_t bound)
{
    return (uint32_t)(((tri_random_next(random) >> 32) * bound) >> 32);
}

#endif
