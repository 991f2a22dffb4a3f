/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. One turn of an actor: its signals and notices first, then messages, each given to its
 * handler, until there are none, it is held, or the turn's budget is spent.
 *
 * Why. Nearly every turn is one plain message to an actor that sleeps before and after it:
 * run_actor is that turn in one piece, with neither a call nor a branch for what it does not have.
 * All else goes on in take_messages: messages with an envelope, with something of their own, or of
 * the runtime go through admit there; what is not simply TR_OK goes through conclude.
 *
 * Rules
 *   1. The message in hand is the lane's until it is handed over; whatever happens, exactly one of
 *      lane done and detach follows before the next one is taken.
 *   2. Every message taken out is counted once: handled, crashed, dead letter, dropped or expired.
 *
 * Partners: actors/lifecycle.c, which may end the actor in the middle of a turn; sched/worker.c.
 */

#include "actors/turn.h"

#include <errno.h>

#include <troupe/error.h>

#include "actors/answer.h"
#include "actors/bond.h"
#include "actors/call.h"
#include "actors/dead_letter.h"
#include "actors/deliver.h"
#include "actors/disturb.h"
#include "actors/lifecycle.h"
#include "actors/more.h"
#include "actors/pause.h"
#include "actors/protocol.h"
#include "actors/timed.h"
#include "sim/sim.h"

/* Rule 1: done, unless it was handed over. */
static void give_back(tr_self *self)
{
    struct tri_message *message = self->msg;

    self->msg = NULL;
    if (self->fate & TRI_FATE_GONE)
        return;
    tri_message_release(message);
    tri_lane_done(&self->actor->lane, message);
}

/* An ask that its handler refused, or did not see to, is answered for it. */
static void answer_for(tr_self *self, int error)
{
    if (self->fate & TRI_FATE_REFUSED)
        tri_refuse_in_hand(self, self->refusal);
    else if (!(self->fate & (TRI_FATE_GONE | TRI_FATE_ANSWERED))
             && self->msg->flags & TRI_MESSAGE_ASK)
        tri_refuse_in_hand(self, error);
}

static TRI_COLD void unhandled(tr_self *self, tr_dead why, int error)
{
    tri_self_count(self, TRI_COUNT_DEAD_LETTERS);
    tri_dead_letter_report(self, self->msg, why);
    answer_for(self, error);
    give_back(self);
    tri_timed_concluded(self);
}

/* Drops the message in hand without a word: nobody waits for it any more. */
static bool drop(tr_self *self, enum tri_count why)
{
    tri_self_count(self, why);
    give_back(self);
    return false;
}

static TRI_COLD enum tri_next crash(tr_self *self, int code)
{
    tr_reason reason = self->reason;

    if (!(self->fate & TRI_FATE_FAILED))
        tri_reason_set(&reason, TR_ERROR, code, NULL);
    tri_self_count(self, TRI_COUNT_CRASHED);
    tri_log(self->system, TR_LOG_ERROR, "an actor of type %s crashed: %s %s",
            self->actor->type->public->name, tr_error_name(reason.code), reason.text);
    answer_for(self, -ECONNRESET);
    give_back(self);
    return tri_life_end(self, &reason);
}

/* What follows from a handler's result, where it is not the usual one. */
static inline enum tri_next conclude_here(tr_self *self, int result)
{
    if (self->fate & TRI_FATE_LOST) {
        (void)drop(self, TRI_COUNT_DROPPED);
        return TRI_NEXT_GO_ON;
    }
    if (result < 0 || self->fate & TRI_FATE_FAILED)
        return crash(self, result);
    if (result == TR_UNHANDLED && !(self->fate & TRI_FATE_HANDED_OVER)) {
        unhandled(self, TR_DEAD_UNHANDLED, -ENOMSG);
        return TRI_NEXT_GO_ON;
    }
    tri_self_count(self, TRI_COUNT_HANDLED);
    answer_for(self, -ENOMSG);
    give_back(self);
    tri_timed_concluded(self);
    if (result != TR_STOP)
        return TRI_NEXT_GO_ON;

    tr_reason reason;
    tri_reason_set(&reason, TR_NORMAL, 0, NULL);
    return tri_life_end(self, &reason);
}

/* The same, out of the way of the loop over messages. */
static __attribute__((noinline, flatten)) enum tri_next conclude(tr_self *self, int result)
{
    return conclude_here(self, result);
}

/* What came back to the actor for something it has, or had, open. */
static bool admit_solicited(tr_self *self, const struct tri_envelope *envelope)
{
    uint32_t counts_at = self->actor->counts_at;
    bool wanted;

    switch ((enum tri_token_kind)envelope->origin) {
    case TRI_TOKEN_CALL:
        wanted = tri_call_arrived(self, envelope);
        break;
    case TRI_TOKEN_TIMER:
        wanted = tri_timed_arrived(self, envelope);
        break;
    case TRI_TOKEN_MONITOR:
    case TRI_TOKEN_WATCH:
    case TRI_TOKEN_LINK:
        wanted = tri_bond_arrived(self, envelope);
        break;
    default:
        wanted = tri_token_is_of(envelope->token, self->actor->incarnation);
    }
    if (wanted)
        return true;
    if (self->actor == NULL || self->msg == NULL) /* it ended, or is held, by what it was told */
        tri_count(tri_counts_at(self->counts, counts_at), TRI_COUNT_DROPPED);
    else
        (void)drop(self, TRI_COUNT_DROPPED);
    return false;
}

/* Whether a special message goes to its handler; if not, it has been dealt with. */
static __attribute__((noinline, flatten)) bool admit(tr_self *self)
{
    struct tri_message *message = self->msg;

    self->payload = tri_message_payload(message);
    if (!(message->flags & TRI_MESSAGE_EXTENDED))
        return true;

    const struct tri_envelope *envelope = tri_message_envelope(message);
    if (message->flags & TRI_MESSAGE_SOLICITED)
        return admit_solicited(self, envelope);
    if (message->flags & TRI_MESSAGE_ASK && envelope->deadline <= tri_worker_now(self->worker)) {
        tri_dead_letter_report(self, message, TR_DEAD_EXPIRED);
        return drop(self, TRI_COUNT_EXPIRED);
    }
    return true;
}

static TRI_COLD int call_otherwise(tr_self *self, const void *payload)
{
    struct tri_actor *actor = self->actor;
    tr_any any = { tri_protocol_find(self->msg->tag), payload, tr_size(self) };

    if (actor->type->public->otherwise == NULL)
        return TR_UNHANDLED;
    if (tri_sim_is_on())
        return tri_disturb_otherwise(self, &any);
    return actor->type->public->otherwise(self, actor->state, &any);
}

enum tri_next tri_turn_tell(tr_self *self, const tr_message_info *info, const void *payload)
{
    struct tri_actor *actor = self->actor;
    const struct tri_reaction *reaction = tri_behaviour_find(actor->behaviour, info->tag);

    tri_self_count(self, TRI_COUNT_ACCEPTED);
    if (reaction == NULL)
        return conclude(self, call_otherwise(self, payload));
    /* The table's own: there is no message in hand whose tag could tell which. */
    const tr_handler *handler = tri_behaviour_handler(actor->behaviour, info->tag);
    return conclude(self, handler->call(self, actor->state, payload));
}

/* Whether a message is this life's, and asks for nothing but its handler. */
static inline bool is_plain(const struct tri_actor *actor, const struct tri_message *message)
{
    return TRI_LIKELY(message->generation == actor->ref >> 32
                      && !(message->flags & (TRI_MESSAGE_SPECIAL | TRI_MESSAGE_SOLICITED)));
}

/* Calls the handler of such a message; what it returns, and has done to the message: 0, usually. */
static inline unsigned call(tr_self *self, struct tri_actor *actor, struct tri_message *message,
                            const struct tri_reaction *reaction, int *ret_result)
{
    self->msg = message;
    *ret_result = reaction->call(self, actor->state,
                                 (const char *)message + TRI_MESSAGE_PLAIN_AT);
    return (unsigned)*ret_result | self->fate;
}

/* Gives one message to whom it is for. */
static inline enum tri_next handle(tr_self *self, struct tri_message *message)
{
    struct tri_actor *actor = self->actor;

    self->msg = message;
    if (TRI_UNLIKELY(message->generation != actor->ref >> 32)) {
        unhandled(self, TR_DEAD_STALE, -ESRCH);
        return TRI_NEXT_GO_ON;
    }
    const void *payload = (const char *)message + TRI_MESSAGE_PLAIN_AT;
    if (TRI_UNLIKELY(message->flags & TRI_MESSAGE_SPECIAL)) {
        if (!admit(self))
            return self->actor != NULL ? TRI_NEXT_GO_ON : TRI_NEXT_ENDED;
        payload = self->payload;
    }

    const struct tri_reaction *reaction = tri_behaviour_find(actor->behaviour, message->tag);
    int result = TRI_LIKELY(reaction != NULL) ? reaction->call(self, actor->state, payload)
                                              : call_otherwise(self, payload);
    if (TRI_UNLIKELY(result != TR_OK || self->fate != 0
                     || message->flags & (TRI_MESSAGE_OWNS | TRI_MESSAGE_ASK)))
        return conclude(self, result);

    /* self->msg stays: nobody asks for it before the next one is in hand, or attend forgets it. */
    tri_self_count(self, TRI_COUNT_HANDLED);
    tri_lane_done(&actor->lane, message);
    return TRI_NEXT_GO_ON;
}

/* The same; all in one piece for one that is plain, as most are. */
static inline enum tri_next dispatch(tr_self *self, struct tri_actor *actor,
                                     struct tri_message *message)
{
    const struct tri_reaction *reaction;
    enum tri_next next;
    int result;

    if (!is_plain(actor, message)
        || TRI_UNLIKELY((reaction = tri_behaviour_find(actor->behaviour, message->tag)) == NULL)) {
        next = handle(self, message);
    } else if (TRI_UNLIKELY(call(self, actor, message, reaction, &result) != 0)) {
        next = conclude(self, result);
    } else {
        tri_count(tri_counts_at(self->counts, actor->counts_at), TRI_COUNT_HANDLED);
        if (tri_lane_done_counted(&actor->lane, message))
            tri_pool_put(self->thread, message->size_class, message);
        return TRI_NEXT_GO_ON;
    }
    self->fate = 0;
    return next;
}

/* Before the actor stops running for now: who waits for room may have some, and idling begins. */
static inline void turn_ends(tr_self *self)
{
    struct tri_more *more = self->actor->more;

    if (TRI_LIKELY(more == NULL))
        return;
    if (!tri_list_is_empty(&more->waiters))
        tri_pause_turn_ends(self);
    if (more->idle_after > 0)
        tri_timed_turn_ends(self);
}

/* The budget is spent; an actor that has nothing left to do goes to sleep all the same. */
static enum tri_turn yield(tr_self *self)
{
    struct tri_actor *actor = self->actor;

    turn_ends(self);
    tri_self_leave(self);
    tri_worker_spent(self->worker);
    if (actor->lane.pending == NULL && !tri_actor_is_held(actor)
        && tri_lane_rest(&actor->lane) == TRI_SLEEP_ASLEEP)
        return TRI_TURN_DONE;
    return TRI_TURN_AGAIN;
}

/* Whether the actor went to sleep; if not, *ret_look says whether the urgent lane must be looked
 * into. */
static inline bool sleeps(tr_self *self, bool *ret_look)
{
    struct tri_actor *actor = self->actor;
    enum tri_sleep sleep;

    turn_ends(self);
    sleep = !tri_actor_is_held(actor) ? tri_lane_rest(&actor->lane) : tri_lane_hold(&actor->lane);
    *ret_look = sleep == TRI_SLEEP_ALERTED;
    return sleep == TRI_SLEEP_ASLEEP;
}

/* What comes before the next message; ENDED when there is no actor any more. */
static TRI_COLD enum tri_next attend(tr_self *self)
{
    self->msg = NULL;
    enum tri_next next = tri_life_look(self);
    if (next != TRI_NEXT_ENDED && !tri_actor_is_held(self->actor)
        && self->actor->special & TRI_SPECIAL_NEW)
        next = tri_life_start(self);
    self->fate = 0;
    return next;
}

/* Messages until there are none, or the turn is over; `message` has been taken out, or is NULL. */
static inline enum tri_turn take_messages(tr_self *self, struct tri_actor *actor,
                                          struct tri_message *message)
{
    struct tri_worker *worker = self->worker;
    bool look = (actor->special & TRI_SPECIAL_NEW) != 0;

    for (;;) {
        if (TRI_UNLIKELY(look || tri_urgent_is_waiting(&actor->urgent)) && message == NULL) {
            if (attend(self) == TRI_NEXT_ENDED)
                return TRI_TURN_DONE;
        }
        look = false;
        if (message == NULL && !tri_actor_is_held(actor))
            message = tri_lane_next(&actor->lane);
        if (message == NULL) {
            if (sleeps(self, &look))
                return TRI_TURN_DONE;
            continue;
        }
        if (dispatch(self, actor, message) == TRI_NEXT_ENDED)
            return TRI_TURN_DONE;
        message = NULL;
        if (--worker->budget == 0 || tri_worker_time_is_up(worker))
            return yield(self);
        /* Going to sleep finds out by itself whether anything has come: no need to look before. */
        if (actor->lane.pending == NULL && !tri_actor_is_held(actor) && sleeps(self, &look))
            return TRI_TURN_DONE;
    }
}

/* ---- the usual turn, and where it goes on when it is not ------------------------------------- */

/* From its first message on, which has been taken out or is NULL. */
static __attribute__((noinline, flatten)) enum tri_turn go_on(tr_self *self,
                                                              struct tri_actor *actor,
                                                              struct tri_message *message)
{
    self->turn_budget = self->worker->budget;
    return take_messages(self, actor, message);
}

/* The same with the message that next_lone() has handed out. */
static __attribute__((noinline)) enum tri_turn go_on_with(tr_self *self, struct tri_actor *actor,
                                                          struct tri_message *message)
{
    tri_lane_not_lone(&actor->lane, message);
    return go_on(self, actor, message);
}

/* After one message, which has been handled and is done, but not paid for. */
static __attribute__((noinline, flatten)) enum tri_turn go_on_after(tr_self *self,
                                                                    struct tri_actor *actor)
{
    self->turn_budget = self->worker->budget;
    if (--self->worker->budget == 0 || tri_worker_time_is_up(self->worker))
        return yield(self);
    return take_messages(self, actor, NULL);
}

/* The same where it is not done yet. */
static __attribute__((noinline)) enum tri_turn go_on_done(tr_self *self, struct tri_actor *actor,
                                                          struct tri_message *message)
{
    tri_lane_not_lone(&actor->lane, message);
    tri_lane_done(&actor->lane, message);
    return go_on_after(self, actor);
}

/* The same where its result was not the usual one. */
static __attribute__((noinline, flatten)) enum tri_turn
go_on_concluding(tr_self *self, struct tri_actor *actor, int result)
{
    if (!(self->fate & (TRI_FATE_GONE | TRI_FATE_DETACHED)))
        tri_lane_not_lone(&actor->lane, self->msg);

    enum tri_next next = conclude_here(self, result);
    self->fate = 0;
    return next == TRI_NEXT_ENDED ? TRI_TURN_DONE : go_on_after(self, actor);
}

/*
 * The usual turn: an actor that slept has been left one message, which asks for nothing special,
 * and sleeps again. Whatever is not so is found before anything is done, or one of the above sees
 * to it. Between two messages `fate` is 0.
 */
static inline enum tri_turn run_actor(tr_self *self, struct tri_actor *actor)
{
    struct tri_message *message;
    uint64_t word;

    tri_self_enter(self, actor);
    if (TRI_UNLIKELY(actor->special != 0)
        || TRI_UNLIKELY((message = tri_lane_next_lone(&actor->lane, &word)) == NULL))
        return go_on(self, actor, NULL);

    const struct tri_reaction *reaction = tri_behaviour_find(actor->behaviour, message->tag);
    int result;
    if (TRI_UNLIKELY(!is_plain(actor, message) || reaction == NULL))
        return go_on_with(self, actor, message);

    unsigned unusual = call(self, actor, message, reaction, &result);
    actor = self->actor; /* the same; the call leaves no register to keep it in */
    if (TRI_UNLIKELY(unusual != 0))
        return go_on_concluding(self, actor, result);
    tri_self_count(self, TRI_COUNT_HANDLED);
    if (TRI_UNLIKELY(actor->special != 0))
        return go_on_done(self, actor, message);
    if (TRI_UNLIKELY(!tri_lane_rest_lone(&actor->lane, message, word)))
        return go_on_after(self, actor);
    tri_pool_put(self->thread, message->size_class, message);
    return TRI_TURN_DONE;
}

__attribute__((flatten)) enum tri_turn tri_turn_run(struct tri_worker *worker,
                                                    struct tri_task *task)
{
    tr_self *self = worker->context;
    enum tri_turn turn;

    tri_thread_running = self;
    do {
        turn = run_actor(self, tri_actor_of(task));
    } while (turn == TRI_TURN_DONE && (task = tri_worker_successor(worker)) != NULL);
    tri_self_leave(self);
    tri_thread_running = TRI_THREAD_RUNS_NOTHING;
    if (turn == TRI_TURN_AGAIN)
        worker->task = task; /* it may be a successor of the one that was to be run */
    return turn;
}

static tr_ref meant_for(const tr_self *self, const struct tri_message *message)
{
    return tri_ref_make(message->generation, (uint32_t)tri_self_ref(self).bits);
}

void tri_turn_discard(tr_self *self, struct tri_message *messages)
{
    uint32_t generation = tri_ref_generation(tri_self_ref(self));
    struct tri_message *next;

    for (; messages != NULL; messages = next) {
        next = messages->next;
        if (messages->flags & TRI_MESSAGE_SOLICITED) {
            /* Nobody's loss: the actor that asked for it has ended. */
            tri_self_count(self, TRI_COUNT_DROPPED);
            tri_timed_discarded(messages);
            tri_message_drop(messages);
            continue;
        }
        tri_self_count(self, TRI_COUNT_DEAD_LETTERS);
        tri_dead_letter_report(self, messages, messages->generation == generation ? TR_DEAD_ENDED
                                                                         : TR_DEAD_STALE);
        if (messages->flags & TRI_MESSAGE_ASK)
            tri_refuse_message(self->system, self, meant_for(self, messages), messages, -ESRCH);
        else
            tri_message_drop(messages);
    }
}
