/* SPDX-License-Identifier: BSD-2-Clause */

/* See idle.h for the state machine and its rules. */

#include "sched/idle.h"

#include "base/assert.h"

/* Adds to several counts at once: a field that goes down borrows from those above it, which the
 * same amount gives back, so that nobody ever sees a half of a transition. */
static uint64_t move_counts(struct tri_idle *idle, uint64_t by)
{
    /* acquire and release: who sees a transition sees what came before it; pairs with itself. */
    return tri_fetch_add_acq_rel_64(&idle->counts, by) + by;
}

static void set_bit(struct tri_idle_set *set, uint32_t worker)
{
    /* release: the worker's whole past; pairs with the acquire in clear_bit, by its waker. */
    tri_or_acq_rel_64(&set->words[worker / 64], UINT64_C(1) << worker % 64);
}

/* Whoever gets true has cleared it, and nobody else has. */
static bool clear_bit(struct tri_idle_set *set, uint32_t worker)
{
    uint64_t *word = &set->words[worker / 64];
    uint64_t bit = UINT64_C(1) << worker % 64;
    uint64_t seen = tri_load_relaxed_64(word);

    while (seen & bit) {
        /* acquire: pairs with the release in set_bit; release: pairs with the next clear_bit. */
        if (tri_cas_acq_rel_64(word, &seen, seen & ~bit))
            return true;
    }
    return false;
}

static uint32_t clear_any_bit(struct tri_idle_set *set)
{
    for (uint32_t i = 0; i < TRI_IDLE_WORDS; i++) {
        uint64_t seen = tri_load_relaxed_64(&set->words[i]);
        while (seen != 0) {
            uint32_t lowest = (uint32_t)__builtin_ctzll(seen);
            if (clear_bit(set, i * 64 + lowest))
                return i * 64 + lowest;
            seen = tri_load_relaxed_64(&set->words[i]);
        }
    }
    return TRI_IDLE_NOBODY;
}

void tri_idle_search(struct tri_idle *idle)
{
    move_counts(idle, TRI_IDLE_SEARCHING);
}

bool tri_idle_found(struct tri_idle *idle)
{
    uint64_t counts = move_counts(idle, 0 - TRI_IDLE_SEARCHING);
    bool was_last = tri_idle_searching_of(counts) <= tri_idle_napping_of(counts);

    if (was_last)
        tri_fence_full();  /* pairs with the one before tri_idle_choose_for_new_work */
    return was_last;
}

void tri_idle_announce(struct tri_idle *idle, uint32_t worker)
{
    set_bit(&idle->parked, worker);
    move_counts(idle, TRI_IDLE_PARKED - TRI_IDLE_SEARCHING);
}

bool tri_idle_withdraw(struct tri_idle *idle, uint32_t worker)
{
    if (!clear_bit(&idle->parked, worker))
        return false;
    move_counts(idle, TRI_IDLE_LEFT - TRI_IDLE_PARKED);
    return true;
}

void tri_idle_nap(struct tri_idle *idle, uint32_t worker)
{
    set_bit(&idle->napping, worker);
    move_counts(idle, TRI_IDLE_NAPPING);
}

bool tri_idle_nap_ends(struct tri_idle *idle, uint32_t worker)
{
    if (!clear_bit(&idle->napping, worker))
        return false;
    move_counts(idle, 0 - TRI_IDLE_NAPPING);
    return true;
}

/* The waker's part: the worker searches from now on. */
static uint32_t wake_parked(struct tri_idle *idle, uint32_t worker)
{
    if (worker != TRI_IDLE_NOBODY)
        move_counts(idle, TRI_IDLE_LEFT + TRI_IDLE_SEARCHING - TRI_IDLE_PARKED);
    return worker;
}

uint32_t tri_idle_choose_for_surplus(struct tri_idle *idle)
{
    if (!tri_idle_wants_work(idle))
        return TRI_IDLE_NOBODY;
    return wake_parked(idle, clear_any_bit(&idle->parked));
}

uint32_t tri_idle_choose_for_new_work(struct tri_idle *idle)
{
    uint64_t counts = tri_load_relaxed_64(&idle->counts);

    if (tri_idle_searching_of(counts) > tri_idle_napping_of(counts))
        return TRI_IDLE_NOBODY;
    if (tri_idle_napping_of(counts) > 0) {
        uint32_t worker = clear_any_bit(&idle->napping);
        if (worker != TRI_IDLE_NOBODY) {
            move_counts(idle, 0 - TRI_IDLE_NAPPING);
            return worker;
        }
    }
    return wake_parked(idle, clear_any_bit(&idle->parked));
}

bool tri_idle_choose_one(struct tri_idle *idle, uint32_t worker)
{
    return clear_bit(&idle->parked, worker) && wake_parked(idle, worker) == worker;
}
