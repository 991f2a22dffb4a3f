/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs about the message in hand: its size, keeping it, passing it on. */

#include <errno.h>

#include "actors/behaviour.h"
#include "actors/deliver.h"
#include "actors/own.h"
#include "actors/protocol.h"

size_t tr_size(const tr_self *self)
{
    if (tri_self_check(self) < 0 || self->msg == NULL || self->fate & TRI_FATE_HANDED_OVER)
        return 0;
    if (self->msg->flags & TRI_MESSAGE_EXTENDED)
        return tri_message_envelope(self->msg)->size;

    const tr_message_info *info = tri_protocol_find(self->msg->tag);
    return info->size;
}

/* A message has room for the slot and half of the generation: enough to tell its sender from who
 * has the slot now, unless 65 536 have had it in between. */
tr_ref tr_sender(const tr_self *self)
{
    if (tri_self_check(self) < 0 || self->msg == NULL || self->fate & TRI_FATE_HANDED_OVER
        || self->msg->sender == 0)
        return tr_none();

    tr_ref sender = tri_slot_tenant(self->system_index, self->msg->sender);
    return (uint16_t)tri_ref_generation(sender) == self->msg->stamp ? sender : tr_none();
}

/* Why the message in hand cannot be handed over, or 0. */
static int check_in_hand(const tr_self *self)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (self->msg == NULL)
        return -EINVAL;
    return self->fate & (TRI_FATE_GONE | TRI_FATE_ANSWERED) ? -EALREADY : 0;
}

const void *tr_take_raw(tr_self *self)
{
    struct tri_actor *actor;

    if (check_in_hand(self) < 0 || self->msg->flags & TRI_MESSAGE_ASK
        || tri_more_of(self->actor) == NULL)
        return NULL;
    actor = self->actor;
    tri_own_detach(self);
    self->fate |= TRI_FATE_HANDED_OVER;
    tri_own_keep(actor, self->msg);
    return tri_message_payload(self->msg);
}

int tr_forward(tr_self *self, tr_ref to)
{
    struct tri_message *message, counted;
    int error = check_in_hand(self);

    if (error < 0)
        return error;
    message = self->msg;
    counted = *message;
    if (message->flags & TRI_MESSAGE_SOLICITED)
        return -EINVAL; /* it is about something that only this actor has open */

    /* The lane must let go of it before anybody else may have it; done() takes it all the same. */
    tri_own_detach(self);
    error = tri_deliver_message(self->system, self, to, message);
    if (error < 0) {
        message->generation = counted.generation;
        return error;
    }
    tri_lane_settle(&self->actor->lane, &counted);
    self->fate |= TRI_FATE_HANDED_OVER;
    return 0;
}

int tr_become(tr_self *self, const tr_handler *table)
{
    struct tri_behaviour *behaviour;
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    error = table == NULL ? -EINVAL : tri_behaviour_compile(table, &behaviour);
    if (error == 0)
        self->actor->behaviour = behaviour;
    return error;
}
