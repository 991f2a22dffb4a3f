/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The one source of choices.
 *
 * Three streams of numbers come from the seed. One for what is decided, so that a decision taken
 * out does not change the bytes that the program sees; one for those bytes; one for the priorities
 * of PCT, which are a property of the run and not decided step by step.
 *
 * PCT (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs",
 * 2010): whoever has work gets a random priority, the highest goes first, and at depth - 1 random
 * steps of the first k the one that would go is put behind all others. A bug of that depth (so many
 * orderings of two steps make it happen) in the first k steps of n participants is found by a run
 * with a probability of at least 1 / (n * k^(depth - 1)); a longer run has no points beyond.
 */

#include <string.h>

#include "sim/inside.h"
#include "sim/tape.h"

static struct tri_random decisions;
static struct tri_random contents;

static struct {
    uint64_t salt;
    uint32_t depth;
    uint64_t at[TRI_SIM_PCT_DEPTH_MAX];       /* the steps at which somebody is put behind */
    uint64_t lowered[TRI_SIM_PCT_DEPTH_MAX];  /* who was: the later the lower */
    uint32_t lowered_count;
} pct;

static void begin_pct(uint64_t seed, const struct tri_sim_options *options)
{
    struct tri_random random;

    memset(&pct, 0, sizeof pct);
    tri_random_seed(&random, seed);
    pct.salt = tri_random_next(&random);
    pct.depth = options->pct_depth;
    for (uint32_t i = 0; i + 1 < pct.depth; i++)
        pct.at[i] = tri_random_below(&random, options->pct_steps);
}

void tri_sim_choices_begin(const struct tri_sim_options *options)
{
    uint64_t seed = options->seed;

    tri_random_seed(&decisions, tri_random_spread(&seed));
    tri_random_seed(&contents, tri_random_spread(&seed));
    begin_pct(tri_random_spread(&seed), options);
}

/* ---- decisions ------------------------------------------------------------------------------ */

uint32_t tri_sim_choose(uint32_t n)
{
    uint32_t value;

    if (n <= 1)
        return 0;
    if (!tri_sim_tape_decides(n, &value))
        value = tri_random_below(&decisions, n);
    tri_sim_tape_note(value, n);
    return value;
}

bool tri_sim_chance(uint32_t rate)
{
    uint32_t value;

    if (rate == 0)
        return false;
    if (!tri_sim_tape_decides(2, &value))
        value = tri_random_next(&decisions) >> 32 < rate;
    tri_sim_tape_note(value, 2);
    return value != 0;
}

/* ---- contents ------------------------------------------------------------------------------- */

void tri_sim_random(void *bytes, size_t size)
{
    unsigned char *at = bytes;

    for (uint64_t drawn = 0; size > 0; size--, drawn >>= 8) {
        if (drawn == 0)
            drawn = tri_random_next(&contents);
        *at++ = (unsigned char)drawn;
    }
}

int64_t tri_sim_between(int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;

    if (high <= low)
        return low;
    return (int64_t)((uint64_t)low + tri_random_next(&contents) % (span == 0 ? 1 : span));
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* Above those of all that were lowered. */
static uint64_t priority_of(uint64_t who)
{
    uint64_t mixed = who ^ pct.salt;

    for (uint32_t i = pct.lowered_count; i > 0; i--) {
        if (pct.lowered[i - 1] == who)
            return TRI_SIM_PCT_DEPTH_MAX - i;
    }
    return tri_random_spread(&mixed) | UINT64_C(1) << 63;
}

static uint32_t highest(uint32_t count, uint64_t (*identify)(uint32_t index))
{
    uint32_t best = 0;
    uint64_t best_priority = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t priority = priority_of(identify(i));
        if (priority > best_priority) {
            best = i;
            best_priority = priority;
        }
    }
    return best;
}

static bool is_point_of_change(void)
{
    for (uint32_t i = 0; i + 1 < pct.depth; i++) {
        if (pct.at[i] == tri_sim_steps())
            return pct.lowered_count < TRI_SIM_PCT_DEPTH_MAX;
    }
    return false;
}

static uint32_t choose_by_strategy(uint32_t count, uint64_t (*identify)(uint32_t index))
{
    switch (tri_sim_options()->strategy) {
    case TRI_SIM_UNIFORM:
        return tri_random_below(&decisions, count);
    case TRI_SIM_FIRST:
        return 0;
    case TRI_SIM_PCT:
        break;
    }
    if (is_point_of_change())
        pct.lowered[pct.lowered_count++] = identify(highest(count, identify));
    return highest(count, identify);
}

uint32_t tri_sim_choose_step(uint32_t count, uint64_t (*identify)(uint32_t index))
{
    uint32_t chosen;

    if (count > 1 && tri_sim_tape_decides(count, &chosen)) {
        tri_sim_tape_note(chosen, count);
        return chosen;
    }
    chosen = count > 1 || tri_sim_options()->strategy == TRI_SIM_PCT
                 ? choose_by_strategy(count, identify) : 0;
    if (count > 1)
        tri_sim_tape_note(chosen, count);
    return chosen;
}
