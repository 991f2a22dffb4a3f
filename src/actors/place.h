/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_PLACE_H
#define TRI_ACTORS_PLACE_H

/*
 * What a supervisor keeps: a tree, copied from what the user gave, and in it a place for each
 * child, whether or not an actor has it now.
 *
 *               spawned                   started
 *   ┌────────┐ ────────► ┌──────────┐ ──────────────► ┌────┐
 *   │ ABSENT │           │ STARTING │                 │ UP │
 *   └────────┘           └──────────┘ ◄──┐            └────┘
 *      ▲  ▲                 │     │      │ restarted   │  │
 *      │  │ gone            │     │ ended│             │  │ ended, to be restarted
 *      │  └─────────────────┼─────┼──────┼─────────────┤  ▼
 *      │                    │     │      │            ┌──────┐
 *      │                    │     └──────┼──────────► │ HELD │ a backoff may be running
 *      │            told to │            └─────────── └──────┘
 *      │              stop  ▼                           │  ▲
 *      │ gone         ┌──────────┐ ◄────────────────────┘  │ ended, and is wanted HELD
 *      └───────────── │ STOPPING │ ────────────────────────┘
 *                     └──────────┘   a grace may be running, then it is killed
 *
 * Rules
 *   1. A place is freed only when it is ABSENT: until then its actor talks through it.
 *   2. Before it leaves HELD or STOPPING its timer is cancelled: a timer's message names the place.
 *   3. A nested tree belongs to the place of its supervisor, and outlives every incarnation of it:
 *      that is where its held children are kept.
 *
 * Partners: actors/tree.c makes and frees; actors/supervisor.c is the machine above, and its own.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/supervise.h>

#include "actors/child.h"
#include "actors/outcome.h"
#include "actors/restart.h"
#include "base/list.h"

enum tri_place_state {
    TRI_PLACE_ABSENT,
    TRI_PLACE_STARTING,
    TRI_PLACE_UP,
    TRI_PLACE_HELD,
    TRI_PLACE_STOPPING,
};

struct tri_tree;

struct tri_place {
    struct tri_child child; /* what it shares with the actor */
    struct tri_link link;   /* among its supervisor's, in the order of their start */

    /* set once */
    tr_child spec;          /* name and initial value are the place's own */
    struct tri_tree *tree;  /* of a nested supervisor, else NULL; also its state's initial value */
    bool is_dynamic;        /* added at run time: forgotten when its child has gone */

    /* its supervisor */
    enum tri_place_state state;
    tr_ref ref;
    tr_timer timer;         /* backoff or grace; zero: none */
    tr_time up_since;
    uint32_t row;           /* restarts since it was up for long */
    bool has_been_up;       /* in this incarnation of the supervisor */
    bool is_killed;         /* STOPPING: its grace is over */
    bool is_forgotten;      /* freed when its child has gone */
    int error;              /* of a start that failed: told when the child has gone */
    struct tri_outcome *outcome; /* who waits for the child to start, or to go */
};

enum tri_tree_phase {
    TRI_TREE_DOWN,     /* before its first start, or held */
    TRI_TREE_STARTING,
    TRI_TREE_RUNNING,
    TRI_TREE_ENDING,
};

/* A supervisor's memory across its incarnations. */
struct tri_tree {
    /* set once */
    tr_supervisor spec;     /* defaults filled in; its children are the places */
    bool is_root;
    bool is_main;           /* the root that tr_run waits for */

    /* under the system's lock: of a root */
    struct tri_link link;
    tr_ref ref;

    /* its supervisor actor */
    enum tri_tree_phase phase;
    bool has_run;           /* in some incarnation all its children had started */
    bool is_killing;        /* ENDING: nobody is waited for one by one */
    bool is_finished;       /* ENDING: no child stands in the way any more */
    uint32_t wanted;        /* ENDING: what becomes of static children, enum tri_child_wanted */
    tr_reason reason;       /* ENDING */
    struct tri_place *cursor; /* STARTING: the child that is waited for */
    struct tri_list places;
    uint32_t count;
    struct tri_intensity intensity;
    struct tri_random random;
    struct tri_outcome *outcome; /* of a root: who waits for its start */
};

/* Copies a tree, or what describes one child. Errors: -EINVAL, as supervise.h says; -ENOMEM; what
 * compiling a type answers. */
int tri_tree_new(const tr_supervisor *spec, struct tri_tree **ret_tree);
int tri_place_new(const tr_child *spec, struct tri_place **ret_place);

/* NULL included; no actor has a place in it. */
void tri_tree_free(struct tri_tree *tree);

/* It is in no list any more. Tells who waits that the actor is not there. */
void tri_place_free(struct tri_place *place);

/* The place that has the name now, or NULL. */
struct tri_place *tri_tree_find(const struct tri_tree *tree, const char *name);

/* Restarts of different supervisors are spread differently, and alike for one seed. */
void tri_tree_seed(struct tri_tree *tree, uint64_t *seed);

static inline struct tri_place *tri_place_of(struct tri_link *link)
{
    return link != NULL ? TRI_CONTAINER_OF(link, struct tri_place, link) : NULL;
}

#endif
