/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_MORE_H
#define TRI_ACTORS_MORE_H

/*
 * What only some actors have, made when they first need any of it and kept until their final end.
 *
 * Rule: the actor's own, like the second line of its slot.
 */

#include <stdint.h>

#include <troupe/ask.h>

#include "actors/actor.h"
#include "actors/token.h"

struct tri_child;
struct tri_calls;
struct tri_timed;
struct tri_owned;

struct tri_more {
    /* an incarnation's */
    struct tri_token_table tokens;
    struct tri_owned *owned;       /* what is released at its end, latest first: own.c */
    struct tri_message *taken;     /* by tr_take: take.c */
    struct tri_timed *calls_due;   /* the timer of the earliest deadline: ask.c */
    tr_time earliest_call;
    struct tri_timed *idle_timer;  /* tr_idle_after: timer.c */
    tr_time idle_after;
    tr_time last_message;
    bool idled;                    /* tr_idle was told in this turn */

    /* an actor's */
    struct tri_list made;          /* bonds it has made: bond.c */
    struct tri_list borne;         /* bonds that others have made with it */
    struct tri_list waiters;       /* pauses of those who wait for room: pause.c */
    uint32_t suspensions;          /* among `borne` */
    bool subscribed;               /* to dead letters */
    struct tri_child *child;       /* its supervisor's record of it: child.h */
};

/* One that nobody has yet. NULL: no memory. */
struct tri_more *tri_more_new(void);

/* The actor's, made at need. NULL: no memory. */
struct tri_more *tri_more_of(struct tri_actor *actor);

#endif
