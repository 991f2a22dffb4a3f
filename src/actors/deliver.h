/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_DELIVER_H
#define TRI_ACTORS_DELIVER_H

/*
 * Putting a message into a mailbox: what every verb that sends comes down to, and the seam for
 * the layers above, whose results arrive as messages.
 *
 * Partners: actors/send.c; actors/turn.c takes messages out.
 */

#include <string.h>

#include "actors/actor.h"
#include "actors/system.h"

/* Makes a message of a description for a payload of `size` bytes, which is not cleared. Errors:
 * *ret_error is set where NULL is returned. */
struct tri_message *tri_message_make(struct tri_thread *thread, const tr_message_info *info,
                                     size_t size, bool extended, int *ret_error);

/* Most messages are a few words; a copy of known size is two instructions, a call thirty. */
static inline void tri_payload_copy(void *to, const void *from, size_t size)
{
    switch (size) {
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    case 24:
        memcpy(to, from, 24);
        break;
    case 32:
        memcpy(to, from, 32);
        break;
    default:
        memcpy(to, from, size);
    }
}

/* Drops what the payload owns, and leaves the message. */
void tri_message_release(struct tri_message *message);

/* Drops both. */
void tri_message_drop(struct tri_message *message);

/* Says in a message who sends it: see tr_sender. */
static inline void tri_message_sign(struct tri_message *message, tr_ref sender)
{
    message->sender = (uint32_t)sender.bits;
    message->stamp = (uint16_t)tri_ref_generation(sender);
}

/* The message of a payload that tr_new_raw or tr_take_raw gave out. */
struct tri_message *tri_message_of(void *payload);

/*
 * Leaves a message in its receiver's user lane and schedules whom that wakes. Unsolicited ones are
 * subject to the receiver's limit. Counts. On failure the message is still the caller's.
 * `self` is the activation that runs here, or NULL. Errors: -ESRCH, -ENOBUFS, -EINVAL (another
 * system's ref).
 */
int tri_deliver_message(tr_system *sys, tr_self *self, tr_ref to, struct tri_message *message);

/* Leaves a notice in its receiver's urgent lane. On failure (-ESRCH) it is still the caller's.
 * Cannot fail for lack of memory. Notices are not counted. */
int tri_deliver_notice(tr_system *sys, tr_self *self, tr_ref to, struct tri_message *notice);

/* Signals the life that `to` names. Errors: -ESRCH. */
int tri_deliver_signal(tr_system *sys, tr_self *self, tr_ref to, enum tri_signal signal);

/* ---- for the layers above ---- */

/* As tr_new_raw, for tri_deliver; not cleared. */
void *tri_deliver_new(const tr_message_info *info, size_t size);

/* Posts a payload made by tri_deliver_new to one incarnation of an actor: never refused as too
 * many, dropped if that incarnation is over. On success the caller's pointer becomes NULL, else it
 * is still the caller's, for tr_drop. Threads: any, the poller's callbacks included.
 * Errors: -ESRCH. */
int tri_deliver(tr_system *sys, tr_ref to, uint32_t incarnation, void **msg);

struct tri_sched *tri_system_sched(tr_system *sys);

/* Ties something to the life of a system: `before_stop` is called when its actors have ended and
 * its workers still run, `free` when these have ended. One at a time. Errors: -EEXIST;
 * -ESHUTDOWN. */
int tri_system_attach(tr_system *sys, void *data, void (*before_stop)(void *data),
                      void (*free)(void *data));
void *tri_system_attached(tr_system *sys);

#endif
