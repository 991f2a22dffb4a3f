/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_BOND_H
#define TRI_ACTORS_BOND_H

/*
 * Bonds: what one actor has made with another and that ends with either of them.
 *
 *     kind         its maker's end means            its bearer's end means
 *     monitor      it is forgotten                  tr_down to the maker
 *     watch        it is forgotten                  tr_ended to the maker; stays unless final
 *     link         an exit to the bearer            an exit to the maker
 *     suspension   the bearer goes on               it is forgotten
 *
 * One record with two sides. Each side stands in the list of its actor, which alone touches it.
 *
 *     maker                                             bearer
 *       │ made: in the maker's list   ── open ────►      │ in the bearer's list
 *       │                             ◄─ the end ──      │ ends: tells, leaves its list
 *       │ has had enough, or ends:                       │
 *       │ leaves the maker's list     ── close ───►      │ leaves its list
 *
 * A link is closed by either side, so each side has a `close` of its own.
 *
 * Why. Nothing that happens at an end may fail for want of memory: the notices stand in the record,
 * and the message that tells of the end is made with it. (A watch, which may have to tell many
 * times, keeps one message and the number of ends that it has yet to tell.)
 *
 * Rules
 *   1. A record is held by: a maker's side in its list; a bearer's side in its list, or its `open`
 *      on the way; each `close` on the way. Who lets go last frees it.
 *   2. Monitors and links are of one incarnation of both; a watch of one incarnation of its maker.
 *   3. An end that comes for a bond that its maker has closed finds no token, and is dropped.
 *
 * Partners: actors/lifecycle.c tells of ends and passes notices on.
 */

#include "actors/more.h"
#include "actors/system.h"

enum tri_bond_kind {
    TRI_BOND_MONITOR,
    TRI_BOND_WATCH,
    TRI_BOND_LINK,
    TRI_BOND_SUSPENSION,
};

/* ---- verbs ---------------------------------------------------------------------------------- */

/* Makes a bond and lets the bearer know. One that has ended already answers at once. *ret_token is
 * valid for monitors and watches. Errors: -ENOMEM, -ENOBUFS. */
int tri_bond_make(tr_self *self, enum tri_bond_kind kind, tr_ref bearer, uint64_t *ret_token);

/* Closes a monitor or watch by its token; with `flush`, a queued word of the end goes too.
 * Errors: -ENOENT. */
int tri_bond_unmake(tr_self *self, enum tri_bond_kind kind, uint64_t token, bool flush);

/* Whether this actor has made such a bond with another one; a link also if that one has made it. */
bool tri_bond_has(tr_self *self, enum tri_bond_kind kind, tr_ref with);

/* Closes one such bond; false if there is none. */
bool tri_bond_close_with(tr_self *self, enum tri_bond_kind kind, tr_ref with);

/* Sends a reason to an actor as an exit, without a bond. Errors: -ESRCH, -ENOMEM. */
int tri_exit_send(tr_system *sys, tr_self *self, tr_ref to, const tr_reason *reason);

/* ---- notices -------------------------------------------------------------------------------- */

/* Someone has made a bond with this actor. */
void tri_bond_opened(tr_self *self, struct tri_message *notice);

/* It came when this actor had ended, or was for another life of the slot. */
void tri_bond_came_late(tr_self *self, struct tri_message *notice, const tr_reason *reason);

/* The other side has closed a bond. */
void tri_bond_closed(tr_self *self, struct tri_message *notice);

/* ---- messages ------------------------------------------------------------------------------- */

/* A tr_down, tr_ended or tr_exited is in hand: whether it goes to a handler. */
bool tri_bond_arrived(tr_self *self, const struct tri_envelope *envelope);

/* An exit came in the urgent lane: whether the link it is of still stands; that ends it. One sent
 * by tr_exit always is meant. */
bool tri_bond_exit_is_meant(tr_self *self, const struct tri_message *message);

/* ---- ends ----------------------------------------------------------------------------------- */

/* Tells all whom the end of this incarnation concerns, and closes what it has made. */
void tri_bond_incarnation_ends(tr_self *self, const tr_reason *reason, bool restarting);

/* The actor will not be restarted any more: tells those who watch it. */
void tri_bond_actor_ends(tr_self *self, const tr_reason *reason);

#endif
