/* SPDX-License-Identifier: BSD-2-Clause */

/* See own.h. */

#include "actors/own.h"

#include <errno.h>

#include "actors/deliver.h"
#include "base/memory.h"

/* Memory follows the structure, or a function is to be called: one list, so that both are released
 * in the reverse of the order in which they came. */
struct tri_owned {
    struct tri_owned *next;
    void (*release)(void *arg);
    alignas(max_align_t) void *arg;
};

_Static_assert(sizeof(struct tri_owned) % alignof(max_align_t) == 0, "memory follows it");

struct tri_more *tri_more_new(void)
{
    struct tri_more *more = tri_alloc_zeroed(sizeof *more);

    if (more == NULL)
        return NULL;
    tri_list_init(&more->made);
    tri_list_init(&more->borne);
    tri_list_init(&more->waiters);
    more->earliest_call = TR_FOREVER;
    return more;
}

struct tri_more *tri_more_of(struct tri_actor *actor)
{
    if (TRI_UNLIKELY(actor->more == NULL)) {
        actor->more = tri_more_new();
        if (actor->more != NULL)
            actor->special |= TRI_SPECIAL_MORE;
    }
    return actor->more;
}

static struct tri_owned *own(tr_self *self, size_t more_bytes)
{
    struct tri_more *more = tri_more_of(self->actor);
    struct tri_owned *owned;

    if (more == NULL || more_bytes > SIZE_MAX - sizeof *owned)
        return NULL;
    owned = tri_alloc_zeroed(sizeof *owned + more_bytes);
    if (owned == NULL)
        return NULL;
    owned->next = more->owned;
    more->owned = owned;
    return owned;
}

void *tr_alloc(tr_self *self, size_t size)
{
    if (tri_self_check(self) < 0 || size == 0)
        return NULL;

    struct tri_owned *owned = own(self, size);
    return owned != NULL ? owned + 1 : NULL;
}

int tr_defer(tr_self *self, void (*release)(void *arg), void *arg)
{
    int error = release == NULL ? -EINVAL : tri_self_check(self);

    if (release == NULL)
        return error;

    struct tri_owned *owned = error == 0 ? own(self, 0) : NULL;
    if (owned == NULL) {
        release(arg);
        return error < 0 ? error : -ENOMEM;
    }
    owned->release = release;
    owned->arg = arg;
    return 0;
}

void tri_own_detach(tr_self *self)
{
    if (!(self->fate & TRI_FATE_DETACHED))
        tri_lane_detach(&self->actor->lane, self->msg);
    self->fate |= TRI_FATE_DETACHED;
}

void tri_own_keep(struct tri_actor *actor, struct tri_message *message)
{
    message->next = actor->more->taken;
    actor->more->taken = message;
}

bool tri_own_untake(struct tri_actor *actor, struct tri_message *message)
{
    struct tri_message **place = actor->more != NULL ? &actor->more->taken : NULL;

    for (; place != NULL && *place != NULL; place = &(*place)->next) {
        if (*place == message) {
            *place = message->next;
            tri_lane_settle(&actor->lane, message);
            return true;
        }
    }
    return false;
}

void tri_own_release(tr_self *self)
{
    struct tri_more *more = self->actor->more;

    while (more->owned != NULL) {
        struct tri_owned *owned = more->owned;
        more->owned = owned->next;
        if (owned->release != NULL)
            owned->release(owned->arg);
        tri_free(owned);
    }
    while (more->taken != NULL) {
        struct tri_message *message = more->taken;
        (void)tri_own_untake(self->actor, message);
        tri_message_drop(message);
    }
}
