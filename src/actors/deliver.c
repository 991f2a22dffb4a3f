/* SPDX-License-Identifier: BSD-2-Clause */

/* See deliver.h. */

#include "actors/deliver.h"

#include <errno.h>
#include <string.h>

#include "actors/covered.h"
#include "actors/protocol.h"
#include "actors/token.h"
#include "base/assert.h"

__attribute__((flatten)) struct tri_message *
tri_message_make(struct tri_thread *thread, const tr_message_info *info, size_t size, bool extended,
                 int *ret_error)
{
    uint32_t kind = tri_kind_of(info);

    if (TRI_UNLIKELY(!(kind & TRI_KIND_KNOWN))) {
        *ret_error = tri_kind_error(kind);
        return NULL;
    }
    if (TRI_UNLIKELY(size < info->size || size > TRI_MESSAGE_PAYLOAD_MAX)) {
        *ret_error = -EMSGSIZE;
        return NULL;
    }

    struct tri_message *message = thread == NULL ? NULL
        : tri_message_new(thread, size, extended || (kind & TRI_KIND_WIDE) != 0
                                            || size != info->size);
    if (TRI_UNLIKELY(message == NULL)) {
        *ret_error = -ENOMEM;
        return NULL;
    }
    message->tag = info->tag;
    message->sender = 0;
    if (kind & TRI_KIND_OWNS)
        message->flags |= TRI_MESSAGE_OWNS;
    return message;
}

void tri_message_release(struct tri_message *message)
{
    if (message->flags & TRI_MESSAGE_OWNS) {
        message->flags &= (uint8_t)~TRI_MESSAGE_OWNS;
        tri_protocol_find(message->tag)->drop(tri_message_payload(message));
    }
}

void tri_message_drop(struct tri_message *message)
{
    tri_message_release(message);
    tri_message_free(message);
}

struct tri_message *tri_message_of(void *payload)
{
    /* Blocks lie at multiples of 32: the place of a payload says what is before it. */
    uintptr_t at = (uintptr_t)payload % 32 == TRI_MESSAGE_PLAIN_AT ? TRI_MESSAGE_PLAIN_AT
                                                                  : TRI_MESSAGE_EXTENDED_AT;
    return (struct tri_message *)(void *)((char *)payload - at);
}

static int refused(tr_system *sys, tr_self *self, uint32_t type, int error)
{
    tri_count_for(sys, self, type, TRI_COUNT_REJECTED);
    return error;
}

__attribute__((flatten)) int tri_deliver_message(tr_system *sys, tr_self *self, tr_ref to,
                                                 struct tri_message *message)
{
    struct tri_actor *actor;
    int error = tri_slot_look(sys->index, to, &actor);

    if (TRI_UNLIKELY(error < 0))
        return refused(sys, self, 0, error);

    /* A slot that changes hands at this very moment is counted for either life. */
    uint32_t type = ((struct tri_type *)tri_load_relaxed_ptr(&actor->type))->id;
    uint32_t limit = tri_terms_limit(tri_load_relaxed_32(&actor->terms));
    message->generation = tri_ref_generation(to);
    switch (tri_lane_push(&actor->lane, message, limit)) {
    case TRI_PUSH_WAKE:
        tri_count_for(sys, self, type, TRI_COUNT_ACCEPTED);
        tri_wake(sys, self, actor);
        return 0;
    case TRI_PUSH_QUEUED:
        tri_count_for(sys, self, type, TRI_COUNT_ACCEPTED);
        return 0;
    case TRI_PUSH_FULL:
        tri_cover(TRI_COVERED_MAILBOX_FULL);
        return refused(sys, self, type, -ENOBUFS);
    case TRI_PUSH_CLOSED:
        break;
    }
    return refused(sys, self, type, -ESRCH);
}

/* Where a notice or a signal for `to` goes, or NULL. */
static struct tri_actor *find(const tr_system *sys, tr_ref to)
{
    struct tri_actor *actor;

    return tri_slot_look(sys->index, to, &actor) == 0 ? actor : NULL;
}

static int pushed(tr_system *sys, tr_self *self, struct tri_actor *actor, enum tri_push push)
{
    if (push == TRI_PUSH_WAKE)
        tri_wake(sys, self, actor);
    return push == TRI_PUSH_CLOSED ? -ESRCH : 0;
}

int tri_deliver_notice(tr_system *sys, tr_self *self, tr_ref to, struct tri_message *notice)
{
    struct tri_actor *actor = find(sys, to);

    if (actor == NULL)
        return -ESRCH;
    notice->generation = tri_ref_generation(to);
    return pushed(sys, self, actor, tri_urgent_push(&actor->urgent, &actor->lane, notice));
}

int tri_deliver_signal(tr_system *sys, tr_self *self, tr_ref to, enum tri_signal signal)
{
    struct tri_actor *actor = tri_slot_at(to);

    if (actor == NULL)
        return -ESRCH;
    /* The life first, the generation after it: see urgent.h, rule 2. */
    uint16_t life = tri_urgent_life(&actor->urgent);
    actor = find(sys, to);
    if (actor == NULL)
        return -ESRCH;
    return pushed(sys, self, actor,
                  tri_urgent_signal(&actor->urgent, &actor->lane, signal, life));
}

void *tri_deliver_new(const tr_message_info *info, size_t size)
{
    int error;
    struct tri_message *message = tri_message_make(tri_thread_self(), info, size, true, &error);

    return message != NULL ? tri_message_payload(message) : NULL;
}

int tri_deliver(tr_system *sys, tr_ref to, uint32_t incarnation, void **msg)
{
    struct tri_message *message = tri_message_of(*msg);

    tri_assert(message->flags & TRI_MESSAGE_EXTENDED);
    message->flags |= TRI_MESSAGE_SOLICITED;
    tri_message_envelope(message)->token = tri_token_for_incarnation(incarnation);

    int error = tri_deliver_message(sys, NULL, to, message);
    if (error == 0)
        *msg = NULL;
    return error;
}

void tri_wake_from_anywhere(tr_system *sys, struct tri_actor *actor)
{
    struct tri_worker *worker = tri_worker_current();

    if (worker != NULL && worker->sched == sys->sched) {
        tri_worker_awake(worker);
        tri_sched_submit(worker, &actor->task);
    } else {
        tri_sched_inject(sys->sched, &actor->task);
    }
}

struct tri_sched *tri_system_sched(tr_system *sys)
{
    return sys->sched;
}
