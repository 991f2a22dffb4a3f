/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_LIFECYCLE_H
#define TRI_ACTORS_LIFECYCLE_H

/*
 * An actor's life, from its first turn to its final end.
 *
 *              start: 0                 TR_STOP, an error, stop, kill, an exit
 *  ┌──────────┐        ┌─────────┐                                        ┌───────┐
 *  │ starting │ ─────► │ running │ ─────────────────────────────────────► │ ENDED │ slot is free,
 *  └──────────┘        └─────────┘   its child's spec does not restart it,└───────┘ generation + 1
 *    ▲      │               │        or it is nobody's child                  ▲
 *    │      │ an error      │                                                 │
 *    │      │               │ its child's spec restarts it for this reason    │ stop, kill,
 *    │      ▼               ▼                                                 │ or given up
 *    │     ┌────────────────────────────────┐                                 │
 *    │     │ held: its supervisor was told  │ ────────────────────────────────┘
 *    │     └────────────────────────────────┘
 *    │ notice RESTART: incarnation + 1 │
 *    └─────────────────────────────────┘
 *
 * What ends with an incarnation: state, tr_alloc and tr_defer, timers, asks it made, asks it was
 * serving or had on hold (-ECONNRESET), bonds it made and those with it. What stays until ENDED:
 * ref, name, queued messages, watches of it, those who wait for room.
 *
 * Rules
 *   1. Each transition is one function here, run by the actor's own turn: never by anyone else.
 *   2. The final end raises the generation first: from then on senders are refused. Then it closes
 *      the user lane, then the urgent one; whatever it finds there it answers.
 *   3. After the slot was given back nothing of it is touched.
 *   4. Nobody hears of the final end before the generation was raised, which frees the name, and
 *      its supervisor hears of it first: whoever is told finds the name free everywhere.
 *
 * Partners: actors/turn.c drives it; actors/bond.c, own.c, ask.c, timer.c release what they hold;
 * actors/supervisor.c answers what a held child waits for.
 */

#include "actors/actor.h"

/* What a turn does after a transition. */
enum tri_next {
    TRI_NEXT_GO_ON,  /* the actor lives on, perhaps held */
    TRI_NEXT_ENDED,  /* the slot is gone */
};

/* starting → running, or what its failing means. */
enum tri_next tri_life_start(tr_self *self);

/* Tells its supervisor, if it has one, that it has started. Not said for the runtime's own actors,
 * which say it themselves: a supervisor has started when its children have. */
void tri_life_started(tr_self *self);

/* The incarnation ends; the message in hand, if any, has been dealt with. */
enum tri_next tri_life_end(tr_self *self, const tr_reason *reason);

/* running → held, whatever its child's record says: for a supervisor, whose own children are held
 * already and must not lose it now. */
enum tri_next tri_life_hold(tr_self *self, const tr_reason *reason);

/* Notices and signals, as found in the urgent lane. */
enum tri_next tri_life_look(tr_self *self);

/* held → starting. */
enum tri_next tri_life_restart(tr_self *self);

/*
 * The runtime's own actors deal with notices and signals themselves: a supervisor that is told to
 * stop first stops its children.
 */
struct tri_hooks {
    /* One of its children's notices; must not end the actor. */
    void (*notice)(tr_self *self, struct tri_message *notice);

    /* After every look into the urgent lane: its signals, and the exit it should obey, or NULL.
     * May end the actor by tri_life_end, whose result it returns. */
    enum tri_next (*looked)(tr_self *self, uint32_t signals, const tr_reason *exit);
};

/* Fills a reason; text may be NULL. */
void tri_reason_set(tr_reason *reason, tr_reason_kind kind, int code, const char *text);

#endif
