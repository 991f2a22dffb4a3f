/* SPDX-License-Identifier: BSD-2-Clause */

/* See lifecycle.h for the state machine and its rules. */

#include "actors/lifecycle.h"

#include <errno.h>
#include <stdio.h>

#include "actors/answer.h"
#include "actors/bond.h"
#include "actors/call.h"
#include "actors/child.h"
#include "actors/covered.h"
#include "actors/dead_letter.h"
#include "actors/deliver.h"
#include "actors/disturb.h"
#include "actors/notice.h"
#include "actors/own.h"
#include "actors/pause.h"
#include "actors/script.h"
#include "actors/spawn.h"
#include "actors/timed.h"
#include "actors/turn.h"
#include "base/assert.h"
#include "base/memory.h"

void tri_reason_set(tr_reason *reason, tr_reason_kind kind, int code, const char *text)
{
    reason->kind = kind;
    reason->code = code;
    reason->text[0] = '\0';
    if (text != NULL) /* without one, the usual end, printing nothing costs more than the rest */
        (void)snprintf(reason->text, sizeof reason->text, "%s", text);
}

static struct tri_child *child_of(const struct tri_actor *actor)
{
    return actor->more != NULL ? actor->more->child : NULL;
}

bool tri_child_restarts(const struct tri_child *child, const tr_reason *reason)
{
    /* acquire: pairs with the release of its supervisor, who signals after it. */
    uint32_t wanted = tri_load_acquire_32(&child->wanted);

    if (wanted != TRI_CHILD_AS_SPECIFIED)
        return wanted == TRI_CHILD_HELD;
    if (child->restart == TR_TRANSIENT)
        return reason->kind != TR_NORMAL && reason->kind != TR_SHUTDOWN;
    return child->restart == TR_PERMANENT;
}

static void tell_supervisor(tr_self *self, struct tri_child *child, struct tri_message *notice)
{
    int error = tri_deliver_notice(self->system, self, child->supervisor, notice);

    tri_assert(error == 0); /* child.h, rule 2 */
    (void)error;
}

/* ---- starting → running --------------------------------------------------------------------- */

void tri_life_started(tr_self *self)
{
    struct tri_child *child = child_of(self->actor);

    if (child != NULL)
        tell_supervisor(self, child, &child->started);
}

enum tri_next tri_life_start(tr_self *self)
{
    struct tri_actor *actor = self->actor;
    int (*start)(tr_self *, void *) = actor->type->public->start;
    int result;

    self->fate = 0;
    self->msg = NULL;
    result = start != NULL ? start(self, actor->state) : TR_OK;
    if (tri_sim_is_on() && tri_disturb_start(self))
        result = -EFAULT;
    if (result < 0 || self->fate & TRI_FATE_FAILED) {
        tr_reason reason = self->reason;
        if (!(self->fate & TRI_FATE_FAILED))
            tri_reason_set(&reason, TR_ERROR, result, NULL);
        return tri_life_end(self, &reason);
    }

    tri_cover(TRI_COVERED_LIFE_RUNNING);
    actor->special &= (uint8_t)~TRI_SPECIAL_NEW;
    if (actor->type->hooks == NULL)
        tri_life_started(self);
    if (result != TR_STOP)
        return TRI_NEXT_GO_ON;

    tr_reason reason;
    tri_reason_set(&reason, TR_NORMAL, 0, NULL);
    return tri_life_end(self, &reason);
}

/* ---- running → held or ENDED ---------------------------------------------------------------- */

static void say_goodbye(tr_self *self, const tr_reason *reason)
{
    struct tri_actor *actor = self->actor;

    if (actor->type->public->stop != NULL && !(actor->special & TRI_SPECIAL_NEW)
        && reason->kind != TR_KILLED && reason->kind != TR_FAULT) {
        self->fate = 0;
        self->msg = NULL;
        actor->type->public->stop(self, actor->state, reason);
    }
}

/* Releases what ends with the incarnation, but for the bonds: they tell of the end. */
static void release_incarnation(tr_self *self)
{
    if (self->actor->more == NULL)
        return;
    tri_timed_release(self);
    tri_calls_release(self);
    tri_own_release(self);
    tri_holds_release(self);
}

/* Tells who is bound to it that the incarnation has ended. */
static void release_bonds(tr_self *self, const tr_reason *reason, bool restarting)
{
    tri_bond_incarnation_ends(self, reason, restarting);
    tri_token_table_free(&self->actor->more->tokens);
}

static void discard_queue(tr_self *self)
{
    struct tri_message *message;

    while ((message = tri_lane_next(&self->actor->lane)) != NULL) {
        tri_lane_detach(&self->actor->lane, message);
        tri_lane_settle(&self->actor->lane, message);
        message->next = NULL;
        tri_turn_discard(self, message);
    }
}

/* running → held: what becomes of it now is the supervisor's business. */
static enum tri_next wait_for_restart(tr_self *self, struct tri_child *child,
                                      const tr_reason *reason)
{
    struct tri_actor *actor = self->actor;

    release_bonds(self, reason, true);
    actor->special |= TRI_HELD_RESTART;
    tri_cover(child->queue == TR_QUEUE_KEEP ? TRI_COVERED_QUEUE_KEPT
                                            : TRI_COVERED_QUEUE_DISCARDED);
    if (child->queue == TR_QUEUE_DEAD_LETTER)
        discard_queue(self);
    child->ended_for = *reason;
    tell_supervisor(self, child, &child->ended);
    return TRI_NEXT_GO_ON;
}

/* A notice that its receiver could not take any more. */
static void return_notice(tr_self *self, struct tri_message *notice, const tr_reason *reason)
{
    switch ((enum tri_notice)notice->tag) {
    case TRI_NOTICE_BOND_OPEN:
        tri_bond_came_late(self, notice, reason);
        break;
    case TRI_NOTICE_BOND_CLOSE:
        tri_bond_closed(self, notice);
        break;
    case TRI_NOTICE_EXIT:
        tri_message_drop(notice);
        break;
    case TRI_NOTICE_WAITING:
        tri_pause_refused(self, notice);
        break;
    case TRI_NOTICE_RESTART:
        break; /* its supervisor is about to learn of the end */
    case TRI_NOTICE_CHILD_STARTED:
    case TRI_NOTICE_CHILD_ENDED:
    case TRI_NOTICE_CHILD_GONE:
        tri_assert(false); /* child.h, rule 2 */
    }
}

/* What was still in the lanes when they were closed. */
struct remains {
    struct tri_message *messages;
    struct tri_message *notices;
};

/* Rule 2: the generation first, then the lanes. */
static struct remains close_lanes(tr_self *self)
{
    struct tri_actor *actor = self->actor;
    struct remains remains;

    self->left = tri_slot_end(actor);
    remains.messages = tri_lane_close(&actor->lane);
    remains.notices = tri_urgent_close(&actor->urgent).notices;
    return remains;
}

/* Whatever came too late. */
static void answer_remains(tr_self *self, const struct remains *remains, const tr_reason *reason)
{
    tri_turn_discard(self, remains->messages);
    for (struct tri_message *notice = remains->notices, *next; notice != NULL; notice = next) {
        next = notice->next;
        return_notice(self, notice, reason);
    }
}

static void release_actor(tr_self *self, const tr_reason *reason)
{
    struct tri_more *more = self->actor->more;

    if (more == NULL)
        return;
    release_bonds(self, reason, false);
    tri_bond_actor_ends(self, reason);
    tri_pause_release(self);
    if (more->subscribed)
        tri_dead_letter_unsubscribe(self);
    tri_free(more);
}

/* After this its record may be gone, or in use again. */
static void tell_gone(tr_self *self, struct tri_child *child, const tr_reason *reason)
{
    child->gone_for = *reason;
    tell_supervisor(self, child, &child->gone);
}

/* running or held → ENDED, in the order of rule 4 */
static enum tri_next finish(tr_self *self, const tr_reason *reason)
{
    struct tri_actor *actor = self->actor;
    struct tri_child *child = child_of(actor);
    struct remains remains = close_lanes(self);

    tri_self_count(self, TRI_COUNT_ENDED);
    if (child != NULL)
        tell_gone(self, child, reason);
    answer_remains(self, &remains, reason);
    release_actor(self, reason);
    tri_state_free(self->thread, actor);
    tri_slot_give(self, actor);
    tri_self_leave(self);
    return TRI_NEXT_ENDED;
}

/* Which edges of the machine this end is, for the table; and for a test that expects it. */
static void tell_simulation(const tr_self *self, const tr_reason *reason, bool restarting)
{
    if (!(self->actor->special & TRI_SPECIAL_NEW))
        tri_cover(restarting ? TRI_COVERED_LIFE_HELD : TRI_COVERED_LIFE_ENDED);
    else
        tri_cover(restarting ? TRI_COVERED_LIFE_START_HELD : TRI_COVERED_LIFE_START_ENDED);
    tri_script_ended(self, reason);
    if (reason->kind <= TR_ERROR)
        tri_cover(TRI_COVERED_END_NORMAL + (unsigned)reason->kind);
}

static void end_incarnation(tr_self *self, const tr_reason *reason, bool restarting)
{
    if (tri_sim_is_on())
        tell_simulation(self, reason, restarting);
    say_goodbye(self, reason);
    release_incarnation(self);
    self->actor->special |= TRI_SPECIAL_NEW;
}

enum tri_next tri_life_hold(tr_self *self, const tr_reason *reason)
{
    end_incarnation(self, reason, true);
    return wait_for_restart(self, child_of(self->actor), reason);
}

enum tri_next tri_life_end(tr_self *self, const tr_reason *reason)
{
    struct tri_child *child = child_of(self->actor);

    if (self->actor->special & TRI_HELD_RESTART) {
        tri_cover(TRI_COVERED_LIFE_HELD_ENDED);
        return finish(self, reason);
    }
    if (child != NULL && tri_child_restarts(child, reason))
        return tri_life_hold(self, reason);
    end_incarnation(self, reason, false);
    return finish(self, reason);
}

/* ---- held → starting ------------------------------------------------------------------------ */

enum tri_next tri_life_restart(tr_self *self)
{
    struct tri_actor *actor = self->actor;

    tri_assert(actor->special & TRI_HELD_RESTART);
    tri_cover(TRI_COVERED_LIFE_RESTARTED);
    actor->incarnation++;
    /* Signals for the incarnation that ended were not for this one. */
    tri_urgent_renew(&actor->urgent, (uint16_t)(tri_urgent_life(&actor->urgent) + 1));
    actor->special &= (uint8_t)~TRI_HELD_RESTART;
    actor->behaviour = actor->type->behaviour;
    tri_actor_set_trap(actor, false);
    tri_state_fill(actor, actor->more->child->initial);
    tri_self_count(self, TRI_COUNT_RESTARTS);
    return TRI_NEXT_GO_ON;
}

/* ---- the urgent lane ------------------------------------------------------------------------ */

/* An exit: a message for one who traps, obeyed by another. True: it ends for *ret_reason. */
static bool take_exit(tr_self *self, struct tri_message *message, tr_reason *ret_reason)
{
    struct tri_actor *actor = self->actor;
    const struct tr_exited *exited = tri_message_payload(message);
    bool obeyed = false;

    if (actor->special & TRI_HELD_RESTART) {
        tri_message_drop(message);
        return false;
    }
    if (tri_actor_traps(actor)) {
        message->tag = TR_TAG_tr_exited; /* the link is looked for when it is handled */
        if (tri_deliver_message(self->system, self, tri_ref_of(actor), message) < 0)
            tri_message_drop(message);
        return false;
    }
    if (tri_bond_exit_is_meant(self, message) && exited->reason.kind != TR_NORMAL) {
        tri_cover(TRI_COVERED_EXIT_OBEYED);
        *ret_reason = exited->reason;
        obeyed = true;
    }
    tri_message_drop(message);
    return obeyed;
}

/* True: the actor ends for *ret_reason. */
static bool take_notice(tr_self *self, struct tri_message *notice, tr_reason *ret_reason)
{
    switch ((enum tri_notice)notice->tag) {
    case TRI_NOTICE_BOND_OPEN:
        tri_bond_opened(self, notice);
        return false;
    case TRI_NOTICE_BOND_CLOSE:
        tri_bond_closed(self, notice);
        return false;
    case TRI_NOTICE_EXIT:
        return take_exit(self, notice, ret_reason);
    case TRI_NOTICE_WAITING:
        tri_pause_taken(self, notice);
        return false;
    case TRI_NOTICE_RESTART:
        (void)tri_life_restart(self);
        return false;
    case TRI_NOTICE_CHILD_STARTED:
    case TRI_NOTICE_CHILD_ENDED:
    case TRI_NOTICE_CHILD_GONE:
        self->actor->type->hooks->notice(self, notice);
        return false;
    }
    return false;
}

enum tri_next tri_life_look(tr_self *self)
{
    struct tri_actor *actor = self->actor;
    struct tri_urgent_found found = tri_urgent_take(&actor->urgent, &actor->lane);
    tr_reason reason, exit;
    bool ends = false;

    for (struct tri_message *notice = found.notices, *next; notice != NULL; notice = next) {
        next = notice->next;
        if (notice->generation != tri_ref_generation(tri_self_ref(self))) {
            tri_reason_set(&exit, TR_LOST, 0, NULL);
            return_notice(self, notice, &exit);
        } else if (take_notice(self, notice, &exit) && !ends) {
            reason = exit;
            ends = true;
        }
    }
    if (actor->type->hooks != NULL)
        return actor->type->hooks->looked(self, found.signals, ends ? &reason : NULL);
    if (found.signals & TRI_SIGNAL_KILL)
        tri_reason_set(&reason, TR_KILLED, 0, NULL);
    else if (found.signals & TRI_SIGNAL_STOP)
        tri_reason_set(&reason, TR_SHUTDOWN, 0, NULL);
    else if (!ends)
        return TRI_NEXT_GO_ON;
    return tri_life_end(self, &reason);
}
