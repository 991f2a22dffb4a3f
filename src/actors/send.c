/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. The verbs that put a message of the user's into a mailbox: copied, moved, or passed on.
 *
 * Why. tr_self_send is the call that everything else waits for: it makes the message in one piece
 * and leaves the rest to tri_deliver_message, which is common to all.
 *
 * Partners: actors/deliver.c; actors/take.c for the message in hand.
 */

#include <errno.h>
#include <string.h>

#include "actors/deliver.h"
#include "actors/own.h"
#include "actors/protocol.h"

static int reject(tr_system *sys, tr_self *self, int error)
{
    tri_count_for(sys, self, 0, TRI_COUNT_REJECTED);
    return error;
}

/* Makes a message and sends it; what it owns stays the caller's if that fails. */
static TRI_COLD int send_copy(tr_system *sys, tr_self *self, tr_ref to, const tr_message_info *info,
                            const void *bytes, size_t size)
{
    int error;
    struct tri_message *message = tri_message_make(self != NULL ? self->thread : tri_thread_self(),
                                                   info, size, false, &error);

    if (TRI_UNLIKELY(message == NULL))
        return reject(sys, self, error);
    tri_payload_copy(tri_message_payload(message), bytes, size);
    if (self != NULL)
        tri_message_sign(message, tri_self_ref(self));
    error = tri_deliver_message(sys, self, to, message);
    if (TRI_UNLIKELY(error < 0))
        tri_message_free(message);
    else if (self != NULL)
        tri_worker_sent(self->worker);
    return error;
}

/* ---- the short way -------------------------------------------------------------------------- */

/* Any size that TRI_KIND_SIMPLE allows, without a call: words, the last of which may overlap. No
 * larger pieces: the value was written by words a moment ago, and a load of two stores waits. */
static inline void copy_simple(char *to, const char *from, size_t size)
{
    memcpy(to, from, 8);
    if (size == 8)
        return;
    for (size_t at = 8; at + 8 < size; at += 8)
        memcpy(to + at, from + at, 8);
    memcpy(to + size - 8, from + size - 8, 8);
}

/* Its receiver is not simply next in the worker's slot, or somebody may be looking for work. */
static __attribute__((noinline)) int schedule(struct tri_worker *worker, struct tri_actor *actor)
{
    tri_sched_submit(worker, &actor->task);
    tri_worker_sent(worker);
    return 0;
}

static TRI_COLD int sent_many(struct tri_worker *worker)
{
    tri_worker_sent_many(worker);
    return 0;
}

/* The lane is full or closed: the long way finds out what is wrong. */
static TRI_COLD int send_refused(tr_self *self, tr_ref to, struct tri_message *message)
{
    int error = tri_deliver_message(self->system, self, to, message);

    if (error < 0)
        tri_message_free(message);
    return error;
}

/* Its receiver has fallen asleep, or somebody else sends to it, or it is full, or has ended. */
static __attribute__((noinline, flatten)) int send_counted(tr_self *self,
                                                           struct tri_message *message,
                                                           struct tri_actor *actor, tr_ref to)
{
    /* Before the push: after it the slot may change hands. */
    uint32_t counts_at = actor->counts_at;
    uint32_t limit = tri_terms_limit(tri_load_relaxed_32(&actor->terms));
    enum tri_push push = tri_lane_push_counted(&actor->lane, message, limit);

    if (TRI_UNLIKELY(push > TRI_PUSH_WAKE))
        return send_refused(self, to, message);
    tri_count(tri_counts_at(self->counts, counts_at), TRI_COUNT_ACCEPTED);
    if (push == TRI_PUSH_WAKE)
        return schedule(self->worker, actor);
    tri_worker_sent(self->worker);
    return 0;
}

/* Its receiver is at work. */
static __attribute__((noinline, flatten)) int send_awake(tr_self *self, struct tri_message *message,
                                                         struct tri_actor *actor, tr_ref to)
{
    /* Before the push: after it the slot may change hands. */
    uint32_t counts_at = actor->counts_at;
    uint32_t limit = tri_terms_limit(tri_load_relaxed_32(&actor->terms));
    struct tri_worker *worker = self->worker;

    if (TRI_UNLIKELY(!tri_lane_push_awake(&actor->lane, message, limit)))
        return send_counted(self, message, actor, to);
    tri_count(tri_counts_at(self->counts, counts_at), TRI_COUNT_ACCEPTED);
    return TRI_UNLIKELY(tri_worker_has_sent_many(worker)) ? sent_many(worker) : 0;
}

static __attribute__((noinline)) int send_long(tr_self *self, tr_ref to,
                                               const tr_message_info *info, const void *value)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (info == NULL || value == NULL)
        return -EINVAL;
    return send_copy(self->system, self, to, info, value, info->size);
}

/*
 * Nearly every send: a few words, from an actor to another one that lives and has room. All else
 * is found before anything was done. What is rare is a call in the last place, so that no register
 * has to be saved: each would be one more store that the CAS waits for.
 */
__attribute__((flatten)) int tr_self_send(tr_self *self, tr_ref to, const tr_message_info *info,
                                          const void *value)
{
    if (TRI_UNLIKELY(self != tri_thread_running || info == NULL || value == NULL
                     || info->state == NULL))
        return send_long(self, to, info, value);

    /* relaxed: the word alone says all. */
    uint32_t kind = tri_load_relaxed_32(&info->state->checked);
    struct tri_pool_cache *pool = tri_kind_cache(self->thread, kind);
    if (TRI_UNLIKELY(!(kind & TRI_KIND_SIMPLE) || tri_pool_cache_is_empty(pool)))
        return send_long(self, to, info, value);

    /* A slot that cannot be is another one's here, whose ref is not this one. */
    struct tri_actor *actor = &tri_slots[(uint32_t)to.bits % TRI_SLOTS_MAX];
    /* acquire, as in tri_slot_look. */
    if (TRI_UNLIKELY(tri_load_acquire_64(&actor->ref) != to.bits
                     || tri_terms_system(tri_load_acquire_32(&actor->terms))
                            != self->system_index))
        return send_long(self, to, info, value);

    unsigned size_class = tri_kind_class(kind);
    struct tri_message *message = tri_pool_cache_take(pool, size_class);
    tri_message_address(message, to.bits, info->tag);
    tri_message_init(message, size_class, self->actor->ref);
    copy_simple((char *)message + TRI_MESSAGE_PLAIN_AT, value, info->size);

    /* Before the push: after it the slot may change hands. */
    uint32_t counts_at = actor->counts_at;
    if (TRI_UNLIKELY(!tri_lane_push_asleep(&actor->lane, message)))
        return send_awake(self, message, actor, to);
    tri_count(tri_counts_at(self->counts, counts_at), TRI_COUNT_ACCEPTED);
    return tri_sched_submit_next(self->worker, &actor->task) ? 0 : schedule(self->worker, actor);
}

int tr_system_send(tr_system *sys, tr_ref to, const tr_message_info *info, const void *value)
{
    return tr_system_send_raw(sys, to, info, value, info != NULL ? info->size : 0);
}

int tr_self_send_raw(tr_self *self, tr_ref to, const tr_message_info *info, const void *bytes,
                     size_t size)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (info == NULL || bytes == NULL)
        return -EINVAL;
    return send_copy(self->system, self, to, info, bytes, size);
}

int tr_system_send_raw(tr_system *sys, tr_ref to, const tr_message_info *info, const void *bytes,
                       size_t size)
{
    int error = info == NULL || bytes == NULL ? -EINVAL : tri_system_enter(sys);

    if (error < 0)
        return error;
    error = send_copy(sys, NULL, to, info, bytes, size);
    tri_system_leave(sys);
    return error;
}

/* ---- moved ---------------------------------------------------------------------------------- */

void *tr_new_raw(const tr_message_info *info, size_t size)
{
    int error;
    struct tri_message *message = info == NULL ? NULL
        : tri_message_make(tri_thread_self(), info, size, false, &error);

    if (message == NULL)
        return NULL;
    return memset(tri_message_payload(message), 0, size);
}

/* The activation that runs on this thread, or NULL. */
static tr_self *activation(void)
{
    struct tri_worker *worker = tri_worker_current();
    tr_self *self = worker != NULL ? worker->context : NULL;

    return self != NULL && self->actor != NULL ? self : NULL;
}

void tr_drop(void *msg)
{
    tr_self *self = activation();

    if (msg == NULL)
        return;
    if (self != NULL)
        (void)tri_own_untake(self->actor, tri_message_of(msg));
    tri_message_drop(tri_message_of(msg));
}

/* A message that was taken may be marked by how it came; posted it is a plain one again. */
static int post(tr_system *sys, tr_self *self, tr_ref to, void **msg)
{
    struct tri_message *message = tri_message_of(*msg);
    uint8_t kept = TRI_MESSAGE_EXTENDED | TRI_MESSAGE_OWNS;
    uint8_t flags = message->flags;
    bool taken = self != NULL && tri_own_untake(self->actor, message);
    int error;

    message->flags &= kept;
    message->sender = 0;
    if (self != NULL)
        tri_message_sign(message, tri_self_ref(self));
    error = tri_deliver_message(sys, self, to, message);
    if (error == 0) {
        *msg = NULL;
        return 0;
    }
    message->flags = flags;
    if (taken) {
        message->flags |= TRI_MESSAGE_SOLICITED; /* it has been settled with the mailbox */
        tri_own_keep(self->actor, message);
    }
    return error;
}

int tr_self_post(tr_self *self, tr_ref to, void **msg)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (msg == NULL || *msg == NULL)
        return -EINVAL;
    return post(self->system, self, to, msg);
}

int tr_system_post(tr_system *sys, tr_ref to, void **msg)
{
    int error = msg == NULL || *msg == NULL ? -EINVAL : tri_system_enter(sys);

    if (error < 0)
        return error;
    error = post(sys, NULL, to, msg);
    tri_system_leave(sys);
    return error;
}

/* ---- signals -------------------------------------------------------------------------------- */

static int signal_from_self(tr_self *self, tr_ref actor, enum tri_signal signal)
{
    int error = tri_self_check(self);

    return error < 0 ? error : tri_deliver_signal(self->system, self, actor, signal);
}

static int signal_from_outside(tr_system *sys, tr_ref actor, enum tri_signal signal)
{
    int error = tri_system_enter(sys);

    if (error < 0)
        return error;
    error = tri_deliver_signal(sys, NULL, actor, signal);
    tri_system_leave(sys);
    return error;
}

int tr_self_stop(tr_self *self, tr_ref actor)
{
    return signal_from_self(self, actor, TRI_SIGNAL_STOP);
}

int tr_system_stop_actor(tr_system *sys, tr_ref actor)
{
    return signal_from_outside(sys, actor, TRI_SIGNAL_STOP);
}

int tr_self_kill(tr_self *self, tr_ref actor)
{
    return signal_from_self(self, actor, TRI_SIGNAL_KILL);
}

int tr_system_kill(tr_system *sys, tr_ref actor)
{
    return signal_from_outside(sys, actor, TRI_SIGNAL_KILL);
}
