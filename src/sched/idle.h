/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_IDLE_H
#define TRI_SCHED_IDLE_H

/*
 * Which workers have nothing to do, and whom to wake.
 *
 * Why. Waking a worker costs its waker as much as 500 messages. So whoever makes work must see at
 * one look that nobody needs waking: one word counts the workers that are parked, that search, and
 * that nap between two searches. A set of bits says who they are, and decides, by CAS, who may be
 * woken by whom; it is an array, for there may be more workers than bits in a word.
 *
 *                   found work                      nothing found
 *     ┌─────────┐ ◄──────────── ┌───────────┐ ──────────────────► ┌────────┐
 *     │ running │ ────────────► │ searching │ ◄────────────────── │ parked │
 *     └─────────┘   begin       └───────────┘   woken: the waker  └────────┘
 *          ▲                       │     ▲      counts it as          │
 *          │                       ▼     │      searching             │ withdraw: found something
 *          │                     ┌─────────┐                          │ after all, or time is up
 *          │                     │ napping │ (counts as searching too)│
 *          │                     └─────────┘                          │
 *          └──────────────────────────────────────────────────────────┘
 *
 * No wake-up is lost: a parker first says so here, then passes a heavy fence, then looks for work
 * once more; a waker first makes the work visible, then passes a light fence, then looks here.
 *
 * Rules
 *   1. A bit is set by its worker alone. Whoever clears it moves the counts: the worker itself
 *      (withdraw), or its waker, who then owes it a token.
 *   2. A worker whose bit was cleared by somebody else takes that token before it does anything.
 *   3. A searcher that finds work and was the last one looks whether there is more, and wakes.
 *
 * Partners: sched/park.c is where they sleep; sched/worker.c decides. Explored by
 * tests/model/idle.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/limits.h"

#define TRI_IDLE_WORDS ((TRI_WORKERS_MAX + 63) / 64)

struct tri_idle_set {
    uint64_t words[TRI_IDLE_WORDS];
};

struct tri_idle {
    /* any worker; hardly ever written while there is work, read at every scheduling */
    uint64_t counts __attribute__((aligned(TRI_CACHE_LINE)));

    struct tri_idle_set parked __attribute__((aligned(TRI_CACHE_LINE)));
    struct tri_idle_set napping;
};

/* The counts' fields, 16 bits each, and above them how often a worker has left the parked ones. */
#define TRI_IDLE_PARKED    (UINT64_C(1) << 0)
#define TRI_IDLE_SEARCHING (UINT64_C(1) << 16)
#define TRI_IDLE_NAPPING   (UINT64_C(1) << 32)
#define TRI_IDLE_LEFT      (UINT64_C(1) << 48)

_Static_assert(TRI_WORKERS_MAX < (1u << 16), "a count of workers fits its field");

#define TRI_IDLE_NOBODY UINT32_MAX

static inline uint32_t tri_idle_parked_of(uint64_t counts)
{
    return (uint16_t)counts;
}

static inline uint32_t tri_idle_searching_of(uint64_t counts)
{
    return (uint16_t)(counts / TRI_IDLE_SEARCHING);
}

static inline uint32_t tri_idle_napping_of(uint64_t counts)
{
    return (uint16_t)(counts / TRI_IDLE_NAPPING);
}

/* Whether a surplus is worth a wake: somebody is parked and nobody searches. */
static inline bool tri_idle_wants_work(const struct tri_idle *idle)
{
    uint32_t counts = (uint32_t)tri_load_relaxed_64(&idle->counts);

    return TRI_UNLIKELY(counts - 1 < TRI_IDLE_SEARCHING - 1);
}

/* A running worker begins to search. */
void tri_idle_search(struct tri_idle *idle);

/* A searcher found work, or has to stop; true if it was the last one awake: rule 3. What this
 * caller then looks at is no older than what a waker saw that did not wake because of it. */
bool tri_idle_found(struct tri_idle *idle);

/* A searcher says that it is going to sleep. A heavy fence and another look must follow. */
void tri_idle_announce(struct tri_idle *idle, uint32_t worker);

/* A parked worker runs again by itself; false: somebody else has woken it, and it counts as a
 * searcher now: rule 2. */
bool tri_idle_withdraw(struct tri_idle *idle, uint32_t worker);

/* A searcher says that it will nap, which a heavy fence and another look must follow too; and that
 * it has done so: false if somebody else has ended the nap, rule 2. It is a searcher still. */
void tri_idle_nap(struct tri_idle *idle, uint32_t worker);
bool tri_idle_nap_ends(struct tri_idle *idle, uint32_t worker);

/*
 * Chooses somebody to wake, who counts as a searcher from now on and is owed a token;
 * TRI_IDLE_NOBODY when nobody needs to be. Threads: any, after a fence that follows what there is
 * to do: a light one for a surplus, a full one for new work (for the last searcher looks without
 * a heavy one).
 *
 *     surplus   there is more than its owner can run: wakes unless somebody searches or naps
 *     new work  it belongs to nobody: wakes unless somebody searches and is awake
 *     one       that very worker, if it is parked
 */
uint32_t tri_idle_choose_for_surplus(struct tri_idle *idle);
uint32_t tri_idle_choose_for_new_work(struct tri_idle *idle);
bool tri_idle_choose_one(struct tri_idle *idle, uint32_t worker);

#endif
