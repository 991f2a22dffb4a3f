/* SPDX-License-Identifier: BSD-2-Clause */

/* See answer.h. */

#include "actors/answer.h"

#include <errno.h>

#include "actors/call.h"
#include "actors/deliver.h"
#include "actors/own.h"

/* ---- refusing ------------------------------------------------------------------------------- */

void tri_refuse_message(tr_system *sys, tr_self *self, tr_ref who, struct tri_message *message,
                        int error)
{
    struct tri_envelope *envelope = tri_message_envelope(message);
    tr_ref asker = { envelope->asker };

    tri_message_release(message);
    *(struct tr_failed *)tri_message_payload(message)
        = (struct tr_failed){ .call = { envelope->token }, .who = who, .error = error };
    message->tag = TR_TAG_tr_failed;
    message->flags = TRI_MESSAGE_EXTENDED | TRI_MESSAGE_SOLICITED | TRI_MESSAGE_ANSWER;
    envelope->origin = TRI_TOKEN_CALL;
    envelope->size = sizeof(struct tr_failed);
    if (tri_deliver_message(sys, self, asker, message) < 0)
        tri_message_free(message);
}

void tri_refuse_in_hand(tr_self *self, int error)
{
    struct tri_message *message = self->msg;

    tri_own_detach(self);
    tri_lane_settle(&self->actor->lane, message);
    self->fate |= TRI_FATE_HANDED_OVER | TRI_FATE_ANSWERED;
    tri_refuse_message(self->system, self, tri_self_ref(self), message, error);
}

/* ---- replying ------------------------------------------------------------------------------- */

/* 0 also when the asker has gone. Errors: -ENOMEM and those of the description. */
static int reply_to(tr_self *self, const struct tri_envelope *request, const tr_message_info *info,
                    const void *value)
{
    int error;
    struct tri_message *message = tri_message_make(self->thread, info, info->size, true, &error);
    tr_ref asker = { request->asker };

    if (message == NULL)
        return error;
    tri_payload_copy(tri_message_payload(message), value, info->size);
    message->flags |= TRI_MESSAGE_SOLICITED | TRI_MESSAGE_ANSWER;
    tri_message_sign(message, tri_self_ref(self));
    tri_message_envelope(message)->token = request->token;
    tri_message_envelope(message)->origin = TRI_TOKEN_CALL;
    if (tri_deliver_message(self->system, self, asker, message) < 0)
        tri_message_drop(message);
    return 0;
}

static int check_ask_in_hand(const tr_self *self)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (self->msg == NULL)
        return -EINVAL;
    if (TRI_UNLIKELY(self->fate & (TRI_FATE_HANDED_OVER | TRI_FATE_ANSWERED)))
        return -EALREADY; /* it may be another one's by now, and is not looked at */
    return self->msg->flags & TRI_MESSAGE_ASK ? 0 : -EINVAL;
}

__attribute__((flatten)) int tr_reply_raw(tr_self *self, const tr_message_info *info,
                                          const void *value)
{
    int error = info == NULL || value == NULL ? -EINVAL : check_ask_in_hand(self);

    if (error == 0)
        error = reply_to(self, tri_message_envelope(self->msg), info, value);
    if (error == 0)
        self->fate |= TRI_FATE_ANSWERED;
    return error;
}

int tr_refuse(tr_self *self, int error)
{
    int wrong = error >= 0 ? -EINVAL : check_ask_in_hand(self);

    if (wrong == 0) {
        /* The payload may be read until the handler returns: the answer has to wait for it. */
        self->refusal = error;
        self->fate |= TRI_FATE_ANSWERED | TRI_FATE_REFUSED;
    }
    return wrong;
}

/* ---- holding -------------------------------------------------------------------------------- */

int tr_call_hold(tr_self *self, tr_caller *ret_caller)
{
    int error = ret_caller == NULL ? -EINVAL : check_ask_in_hand(self);
    struct tri_actor *actor;
    struct tri_more *more;
    uint64_t token;

    if (error < 0)
        return error;
    actor = self->actor;
    more = tri_more_of(actor);
    if (more == NULL)
        return -ENOMEM;
    error = tri_calls_look_at(self, tri_message_envelope(self->msg)->deadline);
    if (error == 0)
        error = tri_token_open(&more->tokens, actor->incarnation, TRI_TOKEN_HOLD, self->msg,
                               &token);
    if (error < 0)
        return error;
    tri_own_detach(self);
    tri_message_envelope(self->msg)->key = token;
    self->fate |= TRI_FATE_HANDED_OVER;
    ret_caller->bits = token;
    return 0;
}

static struct tri_message *find_hold(const tr_self *self, tr_caller caller)
{
    const struct tri_actor *actor = self->actor;

    return actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation, TRI_TOKEN_HOLD, caller.bits);
}

/* The request is the caller's own from now on. */
static void end_hold(tr_self *self, struct tri_message *message)
{
    tri_token_close(&self->actor->more->tokens, tri_message_envelope(message)->key);
    tri_lane_settle(&self->actor->lane, message);
}

int tr_answer_raw(tr_self *self, tr_caller caller, const tr_message_info *info, const void *value)
{
    int error = info == NULL || value == NULL ? -EINVAL : tri_self_check(self);
    struct tri_message *message = error == 0 ? find_hold(self, caller) : NULL;

    if (error < 0)
        return error;
    if (message == NULL)
        return -ENOENT;
    error = reply_to(self, tri_message_envelope(message), info, value);
    if (error == 0) {
        end_hold(self, message);
        tri_message_drop(message);
    }
    return error;
}

int tr_answer_refuse(tr_self *self, tr_caller caller, int error)
{
    int wrong = error >= 0 ? -EINVAL : tri_self_check(self);
    struct tri_message *message = wrong == 0 ? find_hold(self, caller) : NULL;

    if (wrong < 0)
        return wrong;
    if (message == NULL)
        return -ENOENT;
    end_hold(self, message);
    tri_refuse_message(self->system, self, tri_self_ref(self), message, error);
    return 0;
}

tr_time tri_hold_look(tr_self *self, struct tri_message *message, tr_time now)
{
    tr_time deadline = tri_message_envelope(message)->deadline;

    if (now < deadline)
        return deadline;
    end_hold(self, message);
    tri_message_drop(message);
    return TR_FOREVER;
}

void tri_holds_release(tr_self *self)
{
    struct tri_token_table *tokens = &self->actor->more->tokens;
    struct tri_message *message;
    uint32_t cursor = 0;

    while ((message = tri_token_each(tokens, TRI_TOKEN_HOLD, &cursor)) != NULL) {
        end_hold(self, message);
        tri_refuse_message(self->system, self, tri_self_ref(self), message, -ECONNRESET);
    }
}
