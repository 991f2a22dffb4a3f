/* SPDX-License-Identifier: BSD-2-Clause */

/* What the counters of actors/counts.h add up to. */

#include "actors/system.h"

/* A snapshot may have seen the one of two figures and not yet the other. */
static uint64_t rest_of(uint64_t whole, uint64_t parts)
{
    return whole > parts ? whole - parts : 0;
}

static void add(uint64_t sums[TRI_COUNTS], const struct tri_counts *counts)
{
    for (unsigned i = 0; i < TRI_COUNTS; i++)
        sums[i] += tri_load_relaxed_64(&counts->of[i]);
}

/* The types from `first` to before `end`, over all workers and the threads that are none. */
static void add_types(const tr_system *sys, uint32_t first, uint32_t end, uint64_t sums[TRI_COUNTS])
{
    for (uint32_t type = first; type < end; type++) {
        add(sums, &sys->shared_counts[type]);
        for (uint32_t i = 0; i < sys->workers; i++)
            add(sums, &sys->activations[i]->counts[type]);
    }
}

static tr_stats name_sums(const uint64_t sums[TRI_COUNTS])
{
    tr_stats stats = {
        .attempted = sums[TRI_COUNT_ACCEPTED] + sums[TRI_COUNT_REJECTED],
        .accepted = sums[TRI_COUNT_ACCEPTED],
        .rejected = sums[TRI_COUNT_REJECTED],
        .handled = sums[TRI_COUNT_HANDLED],
        .crashed = sums[TRI_COUNT_CRASHED],
        .dead_letters = sums[TRI_COUNT_DEAD_LETTERS],
        .dropped = sums[TRI_COUNT_DROPPED],
        .expired = sums[TRI_COUNT_EXPIRED],
        .spawned = sums[TRI_COUNT_SPAWNED],
        .ended = sums[TRI_COUNT_ENDED],
        .restarts = sums[TRI_COUNT_RESTARTS],
        .late_replies = sums[TRI_COUNT_LATE_REPLIES],
    };

    stats.queued = rest_of(stats.accepted, stats.handled + stats.crashed + stats.dead_letters
                                               + stats.dropped + stats.expired);
    stats.alive = rest_of(stats.spawned, stats.ended);
    return stats;
}

static void add_workers(const tr_system *sys, tr_stats *stats)
{
    for (uint32_t i = 0; i < sys->workers; i++) {
        const struct tri_worker *worker = tri_sched_worker(sys->sched, i);
        stats->turns += tri_load_relaxed_64(&worker->turns);
        stats->wakes += tri_load_relaxed_64(&worker->counters.wakes);
        stats->steals += tri_load_relaxed_64(&worker->counters.steals);
        stats->parks += tri_load_relaxed_64(&worker->counters.parks);
    }
}

int tr_system_stats(tr_system *sys, tr_stats *ret_stats)
{
    uint64_t sums[TRI_COUNTS] = { 0 };
    int error = ret_stats == NULL ? -EINVAL : tri_system_enter(sys);

    if (error < 0)
        return error;
    add_types(sys, 0, TRI_TYPES_MAX, sums);
    *ret_stats = name_sums(sums);
    add_workers(sys, ret_stats);
    tri_system_leave(sys);
    return 0;
}

int tr_type_stats(tr_system *sys, const tr_actor_type *type, tr_stats *ret_stats)
{
    uint64_t sums[TRI_COUNTS] = { 0 };
    int error = type == NULL || ret_stats == NULL ? -EINVAL : tri_system_enter(sys);

    if (error < 0)
        return error;
    const struct tri_type *compiled = tri_type_find(type);
    if (compiled != NULL) /* else none was ever made: all zeroes */
        add_types(sys, compiled->id, compiled->id + 1, sums);
    *ret_stats = name_sums(sums);
    tri_system_leave(sys);
    return 0;
}
