/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SUPERVISOR_H
#define TRI_ACTORS_SUPERVISOR_H

/*
 * Supervisors: actors of the runtime's own that start, restart and stop their children.
 *
 *     ┌──────┐ .start ┌──────────┐ the last child has started ┌─────────┐
 *     │ DOWN │ ─────► │ STARTING │ ─────────────────────────► │ RUNNING │
 *     └──────┘        └──────────┘                            └─────────┘
 *       ▲  │ stop, kill │ stop, kill, an exit, a child did not start, or │
 *       │  │            │ was restarted too often                        │
 *       │  │            ▼                                                │
 *       │  │       ┌────────┐ ◄──────────────────────────────────────────┘
 *       │  └─────► │ ENDING │   children stop in reverse order, each with its grace
 *       │          └────────┘
 *       │            │   └── none will restart it: all its children have gone, and so does it
 *       └────────────┘
 *          it will be restarted: its static children are held, and so is it
 *
 * Why as an actor. It hears of its children through its urgent lane, which cannot fail for lack of
 * memory and is read even while it is held; it needs no lock, and is supervised like any other.
 *
 * Rules
 *   1. What stands in a tree is its supervisor actor's alone, except while nobody has its ref yet.
 *   2. It ends only from `looked`; whatever happens elsewhere raises its own alert.
 *   3. What its children become (held or gone) is decided when its end begins, and again whenever
 *      it is signalled: held children need a supervisor that is held itself.
 *
 * Partners: actors/place.h has the other machine; actors/supervise.c sends what users ask for;
 * actors/stop.c stops the roots. docs/design/supervision.md tells both machines together.
 */

#include "actors/place.h"
#include "actors/system.h"

/* Compiles the type. To be called before any tree is started. Errors: -ENOMEM, -ENOSPC. */
int tri_supervisor_prepare(void);

extern const tr_actor_type tri_supervisor_actor;

/* Messages of the runtime to a supervisor; both own what they point to. */
struct tri_child_start {
    struct tri_place *place;
};

struct tri_child_stop {
    struct tri_outcome *outcome; /* NULL: nobody waits */
    char name[TRI_NAME_BYTES_MAX];
};

extern const tr_message_info tri_child_start_info;
extern const tr_message_info tri_child_stop_info;

/* ---- supervise.c ---- */

/* For tr_run: starts a tree and does not wait; its end is told by tri_run_tell_end. */
int tri_supervise_main(tr_system *sys, const tr_supervisor *spec);

/* The root that was started last, or the zero ref. */
tr_ref tri_supervisor_last_root(tr_system *sys);

#endif
