/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_CHILD_H
#define TRI_ACTORS_CHILD_H

/*
 * What a supervisor and its child have in common: the record through which they talk without
 * allocating anything.
 *
 *     child                                       supervisor
 *       │ .start returned 0      ── started ──►       │
 *       │ ended, to be restarted ── ended ────►       │ after the backoff, if it does not give up:
 *       │                        ◄─ restart ──        │
 *       │ ended for good         ── gone ──────►      │ frees the record, or uses it again
 *
 * Each notice stands here once and is in flight at most once: a child that has started again has
 * been restarted, so its last `ended` was read, and `started` before that. `gone` has a place of
 * its own, since a child that waits may be told to stop before its `ended` was read.
 *
 * Rules
 *   1. The supervisor makes the record before the child and frees it after it has read `gone`.
 *   2. A supervisor ends only after all its children have, and is held only when they are. To be
 *      rid of one it sets `wanted` to GONE, then signals stop or kill: whatever the reason, that
 *      end is the final one. HELD instead: whatever the reason, it waits to be restarted.
 *   3. Apart from `wanted`, the child writes a notice, and the reason that goes with it, until it
 *      has pushed it; the supervisor from when it has read it.
 *
 * Partners: actors/lifecycle.c is the child's side, actors/supervisor.c the other.
 */

#include <stdalign.h>

#include <troupe/supervise.h>

#include "actors/actor.h"

/* What an end of the child comes to. */
enum tri_child_wanted {
    TRI_CHILD_AS_SPECIFIED,
    TRI_CHILD_HELD,
    TRI_CHILD_GONE,
};

struct tri_child {
    /* set once */
    tr_ref supervisor;
    tr_restart restart;
    tr_queue_fate queue;
    const void *initial; /* NULL: zeroes */

    /* any thread */
    uint32_t wanted; /* enum tri_child_wanted; its supervisor writes it */

    /* rule 3; a lane keeps its state in the low bits of a message's address */
    alignas(16) struct tri_message started;
    alignas(16) struct tri_message ended;
    alignas(16) struct tri_message gone;
    alignas(16) struct tri_message restarted;
    tr_reason ended_for;
    tr_reason gone_for;
};

/* Whether a child that ends for this reason is restarted. */
bool tri_child_restarts(const struct tri_child *child, const tr_reason *reason);

#endif
