/* SPDX-License-Identifier: BSD-2-Clause */

/* See pause.h. */

#include "actors/pause.h"

#include <errno.h>
#include <string.h>

#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/notice.h"
#include "base/clock.h"
#include "base/memory.h"
#include "sched/park.h"

struct tri_pause {
    struct tri_link link;      /* the receiver's list */
    struct tri_message notice;
    uint32_t held;             /* rule 1 */
    struct tri_park park;
};

/* Waiters let go at a time: each brings one message, and the next look is a turn away. */
#define LET_GO_MAX 8u

static void let_go(struct tri_pause *pause)
{
    /* release, acquire: who frees has seen what the other one did last. */
    if (tri_fetch_sub_acq_rel_32(&pause->held, 1) == 1)
        tri_free(pause);
}

static void resume(struct tri_pause *pause)
{
    (void)tri_park_give(&pause->park);
    let_go(pause);
}

static uint32_t capacity_of(const struct tri_actor *actor)
{
    return tri_load_relaxed_32(&actor->lane.capacity);
}

static void resume_some(struct tri_actor *actor)
{
    struct tri_list *waiters = &actor->more->waiters;

    for (uint32_t i = 0; i < LET_GO_MAX && !tri_list_is_empty(waiters); i++) {
        if (tri_lane_depth(&actor->lane) + i > capacity_of(actor) / 2)
            return;
        resume(TRI_CONTAINER_OF(tri_list_pop_front(waiters), struct tri_pause, link));
    }
}

void tri_pause_taken(tr_self *self, struct tri_message *notice)
{
    struct tri_pause *pause = TRI_CONTAINER_OF(notice, struct tri_pause, notice);
    struct tri_more *more = tri_more_of(self->actor);

    if (more == NULL) {
        resume(pause); /* it will try again, and find the mailbox as it is */
        return;
    }
    tri_list_push_back(&more->waiters, &pause->link);
    resume_some(self->actor);
}

void tri_pause_refused(tr_self *self, struct tri_message *notice)
{
    (void)self;
    resume(TRI_CONTAINER_OF(notice, struct tri_pause, notice));
}

void tri_pause_turn_ends(tr_self *self)
{
    resume_some(self->actor);
}

void tri_pause_release(tr_self *self)
{
    struct tri_list *waiters = &self->actor->more->waiters;

    while (!tri_list_is_empty(waiters))
        resume(TRI_CONTAINER_OF(tri_list_pop_front(waiters), struct tri_pause, link));
}

/* ---- tr_send_wait --------------------------------------------------------------------------- */

static struct tri_pause *make(void)
{
    struct tri_pause *pause = tri_alloc_aligned(TRI_CACHE_LINE, sizeof *pause);

    if (pause == NULL)
        return NULL;
    memset(pause, 0, sizeof *pause);
    pause->held = 2;
    pause->notice.tag = TRI_NOTICE_WAITING;
    return pause;
}

/* Waits until the receiver has let this thread go. The caller is not inside the system meanwhile: a
 * stop need not wait for it. Errors: -ETIMEDOUT, -ESRCH, -ENOMEM, -ESHUTDOWN; inside again on 0. */
static int wait_for_room(tr_system *sys, tr_ref to, tr_time deadline)
{
    struct tri_pause *pause = make();
    int error;

    tri_cover(TRI_COVERED_MAILBOX_WAITED);
    if (pause == NULL) {
        tri_system_leave(sys);
        return -ENOMEM;
    }
    error = tri_deliver_notice(sys, NULL, to, &pause->notice);
    if (error < 0)
        let_go(pause); /* the notice's share */
    tri_system_leave(sys);
    if (error == 0 && !tri_park_sleep(&pause->park, deadline))
        error = -ETIMEDOUT;
    let_go(pause);
    return error < 0 ? error : tri_system_enter(sys);
}

/* The caller is inside; it has left when this returns. */
static int try_until(tr_system *sys, tr_ref to, struct tri_message *message, tr_time deadline)
{
    int error;

    do {
        error = tri_deliver_message(sys, NULL, to, message);
        if (error != -ENOBUFS) {
            tri_system_leave(sys);
            return error;
        }
        error = wait_for_room(sys, to, deadline);
    } while (error == 0);
    return error;
}

int tr_system_send_wait(tr_system *sys, tr_ref to, const tr_message_info *info, const void *value,
                        tr_time timeout)
{
    int error = info == NULL || value == NULL || timeout < 0 ? -EINVAL : 0;
    tr_time now = tri_clock_now();
    tr_time deadline = timeout > TR_FOREVER - now ? TR_FOREVER : now + timeout;
    struct tri_message *message;

    if (error == 0 && tri_worker_current() != NULL)
        error = -EDEADLK;
    if (error == 0)
        error = tri_system_enter(sys);
    if (error < 0)
        return error;
    message = tri_message_make(tri_thread_self(), info, info->size, false, &error);
    if (message == NULL) {
        tri_system_leave(sys);
        return error;
    }
    memcpy(tri_message_payload(message), value, info->size);
    error = try_until(sys, to, message, deadline);
    if (error < 0)
        tri_message_free(message);
    return error;
}
