/* SPDX-License-Identifier: BSD-2-Clause */

/* See dead_letter.h. */

#include "actors/dead_letter.h"

#include <errno.h>

#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/more.h"
#include "actors/protocol.h"

static void tell(tr_self *self, tr_ref subscriber, const struct tr_dead_letter *letter)
{
    int error;
    struct tri_message *message = tri_message_make(self->thread, &tr_dead_letter_info,
                                                   sizeof *letter, false, &error);

    if (message == NULL)
        return;
    *(struct tr_dead_letter *)tri_message_payload(message) = *letter;
    if (tri_deliver_message(self->system, self, subscriber, message) < 0)
        tri_message_free(message);
}

static TRI_COLD void report(tr_self *self, const struct tri_message *message, tr_dead why)
{
    const tr_message_info *info = tri_protocol_find(message->tag);
    struct tr_dead_letter letter = {
        .to = tri_ref_make(message->generation, (uint32_t)tri_self_ref(self).bits),
        .message = info != NULL ? info->name : "a message of the runtime",
        .tag = message->tag,
        .why = why,
    };
    tr_system *sys = self->system;
    tr_ref subscribers[TRI_SUBSCRIBERS_MAX];
    uint32_t count;

    pthread_mutex_lock(&sys->lock);
    count = sys->subscriber_count;
    for (uint32_t i = 0; i < count; i++)
        subscribers[i] = sys->subscribers[i];
    pthread_mutex_unlock(&sys->lock);
    for (uint32_t i = 0; i < count; i++)
        tell(self, subscribers[i], &letter);
}

void tri_dead_letter_report(tr_self *self, const struct tri_message *message, tr_dead why)
{
    tri_cover(TRI_COVERED_DEAD_UNHANDLED + (unsigned)why);
    /* relaxed: who subscribes at this moment may miss it. */
    if (tri_load_relaxed_32(&self->system->subscriber_count) > 0
        && message->tag != TR_TAG_tr_dead_letter)
        report(self, message, why);
}

void tri_dead_letter_unsubscribe(tr_self *self)
{
    tr_system *sys = self->system;
    tr_ref me = tri_self_ref(self);

    pthread_mutex_lock(&sys->lock);
    for (uint32_t i = 0; i < sys->subscriber_count; i++) {
        if (tr_ref_equal(sys->subscribers[i], me)) {
            sys->subscribers[i] = sys->subscribers[sys->subscriber_count - 1];
            tri_store_relaxed_32(&sys->subscriber_count, sys->subscriber_count - 1);
            break;
        }
    }
    pthread_mutex_unlock(&sys->lock);
    self->actor->more->subscribed = false;
}

static int subscribe(tr_self *self)
{
    tr_system *sys = self->system;
    struct tri_more *more = tri_more_of(self->actor);
    int error = 0;

    if (more == NULL)
        return -ENOMEM;
    if (more->subscribed)
        return 0;
    pthread_mutex_lock(&sys->lock);
    if (sys->subscriber_count == TRI_SUBSCRIBERS_MAX) {
        error = -EBUSY;
    } else {
        sys->subscribers[sys->subscriber_count] = tri_self_ref(self);
        tri_store_relaxed_32(&sys->subscriber_count, sys->subscriber_count + 1);
        more->subscribed = true;
    }
    pthread_mutex_unlock(&sys->lock);
    return error;
}

int tr_dead_letters(tr_self *self, bool on)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (on)
        return subscribe(self);
    if (self->actor->more != NULL && self->actor->more->subscribed)
        tri_dead_letter_unsubscribe(self);
    return 0;
}
