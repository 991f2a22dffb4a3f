/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_ACTOR_H
#define TRI_ACTORS_ACTOR_H

/*
 * What an actor is made of.
 *
 *     struct tri_actor   the slot: 128 bytes, two cache lines, its address follows from the ref
 *     struct tri_more    what only some actors have: asks, timers, links, a supervisor, …
 *     struct tr_self     one for each worker: the activation that runs there now
 *
 * The slot's first line is what senders touch, the second what the actor itself works with. An
 * actor that does nothing special consists of its slot, and of its state when that is above 16
 * bytes.
 *
 * Rules
 *   1. A slot is never unmapped and never becomes anything else: a stale ref may always be looked
 *      up. Its generation tells whether it still names who lives there.
 *   2. Apart from the fields under "any thread", only the worker that runs the actor touches it.
 *   3. Once the lane has gone to sleep or was closed, nothing of the slot is touched any more.
 *
 * Partners: actors/slot.c hands slots out; actors/turn.c runs them; actors/lifecycle.c ends them.
 */

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/actor.h>

#include "actors/behaviour.h"
#include "actors/counts.h"
#include "base/bits.h"
#include "base/ck.h"
#include "base/list.h"
#include "base/random.h"
#include "base/thread.h"
#include "mailbox/lane.h"
#include "mailbox/message.h"
#include "mailbox/urgent.h"
#include "sched/sched.h"

/* What actors/ adds to the flags of a message. */
enum {
    TRI_MESSAGE_ANSWER = TRI_MESSAGE_FLAG_FREE,       /* the outcome of an ask of the receiver */
    TRI_MESSAGE_OWNS = TRI_MESSAGE_FLAG_FREE << 1,    /* its payload has a drop function */
    TRI_MESSAGE_RUNTIME = TRI_MESSAGE_FLAG_FREE << 2, /* see actors/runtime.c */

    /* Whatever cannot simply be handed to its handler. */
    TRI_MESSAGE_SPECIAL = TRI_MESSAGE_EXTENDED | TRI_MESSAGE_OWNS | TRI_MESSAGE_RUNTIME,
};

#define TRI_SMALL_STATE 16u

/* What a turn has to see to beside messages. While an actor is held it takes none. */
enum {
    TRI_HELD_SUSPENDED = 1,
    TRI_HELD_RESTART = 2,   /* its incarnation has ended; its supervisor now says what follows */
    TRI_HELD = TRI_HELD_SUSPENDED | TRI_HELD_RESTART,
    TRI_SPECIAL_NEW = 4,    /* .start has not returned 0 */
    TRI_SPECIAL_MORE = 8,   /* `more` is there */
};

enum {
    TRI_ACTOR_INTERNAL = 1,  /* the runtime's own: no fault of a simulated run strikes it */
};

struct tri_more;

struct tri_actor {
    /* any thread */
    struct tri_urgent urgent;
    uint64_t ref;          /* of who lives here; see actors/slot.h for this and the terms */
    struct tri_task task;
    struct tri_type *type; /* written before the terms name its life, as is counts_at */
    uint32_t terms;
    uint32_t counts_at;    /* where its type's counts are in each worker's: tri_counts_at */

    /* the actor only */
    struct tri_behaviour *behaviour;

    struct tri_lane lane; /* its first 16 bytes are for any thread, and end the cache line */

    /* the actor only */
    void *state;
    struct tri_more *more; /* NULL until it needs any */
    uint32_t incarnation;
    uint8_t special;       /* 0, nearly always: nothing stands between it and its messages */
    uint8_t flags;
    uint16_t number;       /* in a simulated run: by order of birth in it */
    alignas(16) unsigned char small[TRI_SMALL_STATE];
};

_Static_assert(sizeof(struct tri_actor) == 2 * TRI_CACHE_LINE, "two cache lines");
_Static_assert(offsetof(struct tri_actor, lane.pending) == TRI_CACHE_LINE, "the line's end");

/* What has become of the message in hand. */
enum {
    TRI_FATE_HANDED_OVER = 1, /* taken, forwarded, held, or made an answer: not to be touched */
    TRI_FATE_KEPT = 16,       /* a timer's own: not the lane's, but there until the handler ends */
    TRI_FATE_GONE = TRI_FATE_HANDED_OVER | TRI_FATE_KEPT,
    TRI_FATE_ANSWERED = 2,
    TRI_FATE_REFUSED = 4,     /* with self->refusal, once its handler has returned */
    TRI_FATE_FAILED = 8,      /* tr_fail was called: self->reason says with what */
    TRI_FATE_DETACHED = 64,   /* not the lane's; in hand all the same if it was not forwarded */
    TRI_FATE_LOST = 32,       /* by a fault of a simulated run: nobody handles or answers it */
};

struct tri_timed;

struct tr_self {
    /* set once, by the worker's start */
    struct tr_system *system;
    struct tri_worker *worker;
    struct tri_thread *thread;
    struct tri_counts *counts; /* one for each type */
    uint16_t system_index;     /* as the terms have it */

    /* the present activation; no actor: none */
    struct tri_actor *actor;
    uint64_t left;      /* its ref, from when that leads to nobody until it is left; else 0 */
    struct tri_message *msg;
    const void *payload;
    uint32_t fate;
    int refusal;
    uint32_t turn_budget; /* messages this turn could begin with */
    uint64_t answered;
    void *context;
    struct tri_timed *tick; /* the timer of tr_every that is in hand */
    uint64_t missed;
    tr_reason reason;
    struct tr_ended ended; /* the payload of a watch's word: see bond.c */

    struct tri_random random; /* seeded by the worker's start */

    /* free slots of this worker */
    struct tri_actor *free_slots;
    uint32_t free_count;
};

/* relaxed: the watcher, and a stop that names who blocks it, look at who runs here. */
static inline void tri_self_enter(tr_self *self, struct tri_actor *actor)
{
    tri_store_relaxed_ptr(&self->actor, actor);
}

static inline void tri_self_leave(tr_self *self)
{
    tri_store_relaxed_ptr(&self->actor, NULL);
    self->left = 0;
}

static inline bool tri_actor_is_held(const struct tri_actor *actor)
{
    return (actor->special & TRI_HELD) != 0;
}

/* Counts for the type of the present activation. */
static inline void tri_self_count(tr_self *self, enum tri_count what)
{
    tri_count(tri_counts_at(self->counts, self->actor->counts_at), what);
}

/* The present activation's. */
static inline tr_ref tri_self_ref(const tr_self *self)
{
    tr_ref ref = { self->left != 0 ? self->left : tri_load_relaxed_64(&self->actor->ref) };
    return ref;
}

static inline struct tri_actor *tri_actor_of(struct tri_task *task)
{
    return TRI_CONTAINER_OF(task, struct tri_actor, task);
}

#endif
