/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Suspending an actor and letting it go on.
 *
 * Why. A suspension is a bond: it ends with the actor that made it. From outside an actor is made
 * that suspends, and that ends after a while; to resume is to stop it. So a program that forgets
 * what it has suspended, or dies half way, holds nobody for ever.
 *
 * An actor's suspension stands in the target's urgent lane when tr_self_suspend returns: what is
 * sent after it is not handled before it. So that this holds from outside as well, the caller waits
 * until that actor has suspended; one that runs on a worker must not wait, and is not promised it.
 *
 * Partners: actors/bond.c, actors/outcome.c.
 */

#include <troupe/timer.h>

#include <errno.h>

#include "actors/bond.h"
#include "actors/deliver.h"
#include "actors/lifecycle.h"
#include "actors/notice.h"
#include "actors/outcome.h"
#include "actors/spawn.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/memory.h"

int tr_self_suspend(tr_self *self, tr_ref actor)
{
    int error = tri_self_check(self);
    struct tri_actor *target;
    uint64_t token;

    if (error == 0)
        error = tri_slot_look(self->system->index, actor, &target);
    if (error < 0)
        return error;
    return tri_bond_make(self, TRI_BOND_SUSPENSION, actor, &token);
}

/* Why there is nothing to resume. */
static int not_suspended(const tr_system *sys, tr_ref ref)
{
    struct tri_actor *actor;
    int error = tri_slot_look(sys->index, ref, &actor);

    return error < 0 ? error : -EALREADY;
}

int tr_self_resume(tr_self *self, tr_ref actor)
{
    int error = tri_self_check(self);

    if (error < 0)
        return error;
    if (tri_bond_close_with(self, TRI_BOND_SUSPENSION, actor))
        return 0;
    return not_suspended(self->system, actor);
}

/* ---- from outside --------------------------------------------------------------------------- */

struct suspender {
    tr_ref target;
    struct tri_outcome *outcome; /* NULL: nobody waits */
};

struct suspender_limit {
    char unused;
};

enum { TR_TAG_suspender_limit = TRI_TAG_SUSPENDER_LIMIT };

static tr_message_state suspender_limit_state;
static const tr_message_info suspender_limit_info = {
    .name = "suspender_limit", .tag = TR_TAG_suspender_limit,
    .size = sizeof(struct suspender_limit), .align = 1, .state = &suspender_limit_state,
};

/* One that stands for a suspension from outside, in its system's list. */
struct tri_suspension {
    struct tri_link link;
    tr_ref target;
    tr_ref suspender;
};

TR_START(suspender, self, me)
{
    int error = tr_timer_error(tr_after(self, TR_MS(TRI_SUSPENSION_LIMIT_MS), suspender_limit));

    if (error == 0)
        error = tr_self_suspend(self, me->target);
    tri_outcome_tell(me->outcome, error, me->target);
    return error;
}

TR_ON(suspender, suspender_limit, self, me, msg)
{
    return TR_STOP;
}

static const tr_actor_type suspender_actor = {
    TR_STATE(suspender), .on = TR_TABLE(TR_HANDLES(suspender, suspender_limit)),
    .start = TR_STARTS(suspender),
};

/* With the lock held: one for that target whose actor is still there; forgets others. */
static struct tri_suspension *find(tr_system *sys, tr_ref target)
{
    struct tri_suspension *found = NULL;

    TRI_LIST_EACH(&sys->suspensions, link) {
        struct tri_suspension *suspension = TRI_CONTAINER_OF(link, struct tri_suspension, link);

        if (!tri_slot_has(sys->index, suspension->suspender)) {
            tri_link_remove(link);
            tri_free(suspension);
        } else if (tr_ref_equal(suspension->target, target)) {
            found = suspension;
        }
    }
    return found;
}

void tri_suspensions_free(tr_system *sys)
{
    TRI_LIST_EACH(&sys->suspensions, link)
        tri_free(TRI_CONTAINER_OF(link, struct tri_suspension, link));
    tri_list_init(&sys->suspensions);
}

/* Spawns the suspender and, unless it runs on a worker, waits until that has suspended. */
static int spawn_suspender(tr_system *sys, tr_ref target, tr_ref *ret_suspender)
{
    bool waits = tri_worker_current() == NULL;
    struct suspender initial = { target, waits ? tri_outcome_new() : NULL };
    struct tri_spawning spawning = { .type = &suspender_actor, .initial = &initial,
                                     .flags = TRI_ACTOR_INTERNAL };
    tr_ref ignored;

    if (waits && initial.outcome == NULL)
        return -ENOMEM;
    *ret_suspender = tri_spawn(sys, NULL, &spawning);
    if (!tr_ref_is_some(*ret_suspender)) {
        tri_free(initial.outcome); /* with both references */
        return tr_ref_error(*ret_suspender);
    }
    return waits ? tri_outcome_wait(initial.outcome,
                                    tri_clock_now() + TR_MS(TRI_SUSPENSION_LIMIT_MS), &ignored)
                 : 0;
}

/* Nobody may find it before it has suspended: one that was stopped earlier would tell nobody. */
static int suspend(tr_system *sys, tr_ref actor)
{
    struct tri_suspension *suspension;
    struct tri_actor *target;
    int error = tri_slot_look(sys->index, actor, &target);

    if (error < 0)
        return error;
    suspension = tri_alloc(sizeof *suspension);
    if (suspension == NULL)
        return -ENOMEM;
    suspension->target = actor;
    error = spawn_suspender(sys, actor, &suspension->suspender);
    if (error < 0) {
        tri_free(suspension);
        return error;
    }
    pthread_mutex_lock(&sys->lock);
    tri_list_push_back(&sys->suspensions, &suspension->link);
    pthread_mutex_unlock(&sys->lock);
    return 0;
}

int tr_system_suspend(tr_system *sys, tr_ref actor)
{
    int error = tri_system_enter(sys);

    if (error < 0)
        return error;
    error = suspend(sys, actor);
    tri_system_leave(sys);
    return error;
}

int tr_system_resume(tr_system *sys, tr_ref actor)
{
    struct tri_suspension *suspension;
    int error = tri_system_enter(sys);

    if (error < 0)
        return error;
    pthread_mutex_lock(&sys->lock);
    suspension = find(sys, actor);
    if (suspension != NULL)
        tri_link_remove(&suspension->link);
    pthread_mutex_unlock(&sys->lock);
    error = suspension == NULL ? not_suspended(sys, actor)
        : tri_deliver_signal(sys, NULL, suspension->suspender, TRI_SIGNAL_STOP);
    tri_free(suspension);
    tri_system_leave(sys);
    return error;
}
