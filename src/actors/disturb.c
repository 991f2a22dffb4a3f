/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Faults of a simulated run at actors and messages, by their types and rates:
 *
 *     crash   the actor crashes before or after it has handled a message, or in its .start
 *     drop    the message is lost: nobody handles or answers it
 *     delay   its worker stands still before it handles the message, for up to 200 ms
 *     alloc   one of the requests for memory made while it is handled fails
 *
 * How it costs nothing when it is off. A compiled table of handlers holds the functions that turns
 * call. Where faults are asked for, those functions are all the one here, which finds the user's
 * own in the table that was compiled: turns are as they always are.
 *
 * What may be lost. A user's message that was not solicited: promised is "at most once". Replies,
 * ticks, ends and results of I/O always come in a real run, so they do here. Nothing is reordered:
 * a delay is the preemption of a thread, and whatever is behind the message waits with it.
 *
 * Rules
 *   1. The runtime's own actors are let be.
 *   2. What is struck is named by the actor's type and the message's; .start is called "start".
 *
 * Partners: sched/simulated.c delays; base/memory.h asks whether a request is refused.
 */

#include "actors/disturb.h"

#include <errno.h>

#include "actors/actor.h"
#include "actors/covered.h"
#include "base/memory.h"
#include "base/thread.h"
#include "sched/simulated.h"
#include "sim/inside.h"

#define DELAY_MAX TR_MS(200)

/* A request for memory that fails is one of the first so many that the handler makes. */
#define REQUESTS 4u

static struct tri_sim_fault crash = TRI_SIM_FAULT("crash");
static struct tri_sim_fault drop = TRI_SIM_FAULT("drop");
static struct tri_sim_fault delay = TRI_SIM_FAULT("delay");
static struct tri_sim_fault starve = TRI_SIM_FAULT("alloc");
static struct tri_sim_row refused = TRI_SIM_ROW("alloc: a request was refused");

/* The activation whose requests are counted, and how many come before the one that fails. */
static tr_self *starving;
static uint32_t requests_left;

/* ---- memory --------------------------------------------------------------------------------- */

static bool is_refused(void)
{
    const struct tri_worker *worker = tri_worker_current();

    if (starving == NULL || worker == NULL || worker->context != starving)
        return false;
    if (requests_left-- > 0)
        return false;
    starving = NULL;
    tri_sim_cover(&refused);
    return true;
}

/* Without blocks at hand, messages have to be asked for too. */
static void empty_pools(struct tri_thread *thread)
{
    for (unsigned i = 0; i < TRI_POOL_CLASSES; i++)
        tri_pool_cache_empty(&thread->pool[i], i);
}

static void starve_handler(tr_self *self)
{
    starving = self;
    requests_left = tri_sim_choose(REQUESTS);
    empty_pools(self->thread);
}

/* ---- one message ---------------------------------------------------------------------------- */

enum plan { PLAN_NOTHING, PLAN_DROP, PLAN_CRASH_BEFORE, PLAN_CRASH_AFTER };

static bool may_be_lost(const tr_self *self, const tr_message_info *info)
{
    return info->tag >= 256 && self->msg != NULL && !(self->fate & TRI_FATE_KEPT)
           && !(self->msg->flags & TRI_MESSAGE_SOLICITED);
}

static enum plan make_plan(tr_self *self, const tr_message_info *info)
{
    const char *type = self->actor->type->public->name;

    if (self->actor->flags & TRI_ACTOR_INTERNAL || info == NULL)
        return PLAN_NOTHING;
    if (tri_sim_strikes(&delay, type, info->name))
        tri_simulated_delay(self->worker, tri_sim_between(TR_US(10), DELAY_MAX));
    if (may_be_lost(self, info) && tri_sim_strikes(&drop, type, info->name))
        return PLAN_DROP;
    if (tri_sim_strikes(&starve, type, info->name))
        starve_handler(self);
    if (tri_sim_strikes(&crash, type, info->name))
        return tri_sim_choose(2) == 0 ? PLAN_CRASH_BEFORE : PLAN_CRASH_AFTER;
    return PLAN_NOTHING;
}

static int crash_here(tr_self *self)
{
    return tr_fail(self, -EFAULT, "simulated");
}

/* The handler has returned. */
static int conclude(tr_self *self, enum plan plan, int result)
{
    if (starving == self)
        starving = NULL;
    return plan == PLAN_CRASH_AFTER && result >= 0 ? crash_here(self) : result;
}

/* Whether the handler is not called at all. */
static bool is_prevented(tr_self *self, enum plan plan, int *ret_result)
{
    if (plan == PLAN_DROP) {
        self->fate |= TRI_FATE_LOST;
        *ret_result = TR_OK;
    } else if (plan == PLAN_CRASH_BEFORE) {
        *ret_result = conclude(self, plan, crash_here(self));
    } else {
        return false;
    }
    return true;
}

/* In the place of every handler. */
static int disturb(tr_self *self, void *me, const void *msg)
{
    const tr_handler *handler = tri_behaviour_handler(self->actor->behaviour, self->msg->tag);
    enum plan plan = make_plan(self, handler->info);
    int result;

    if (is_prevented(self, plan, &result))
        return result;
    return conclude(self, plan, handler->call(self, me, msg));
}

int tri_disturb_otherwise(tr_self *self, const tr_any *msg)
{
    struct tri_actor *actor = self->actor;
    enum plan plan = make_plan(self, msg->info);
    int result;

    if (is_prevented(self, plan, &result))
        return result;
    return conclude(self, plan, actor->type->public->otherwise(self, actor->state, msg));
}

bool tri_disturb_start(tr_self *self)
{
    return !(self->actor->flags & TRI_ACTOR_INTERNAL)
           && tri_sim_strikes(&crash, self->actor->type->public->name, "start");
}

/* ---- in and out ----------------------------------------------------------------------------- */

void tri_disturb_begin(void)
{
    bool is_wanted = tri_sim_is_on() && tri_sim_options()->rule_count > 0;

    if (tri_sim_is_on())
        tri_covered_declare();
    if (is_wanted) {
        tri_sim_declare(&crash.row);
        tri_sim_declare(&drop.row);
        tri_sim_declare(&delay.row);
        tri_sim_declare(&starve.row);
        tri_sim_declare(&refused);
    }
    starving = NULL;
    if (tri_sim_is_on()) /* else it is a test's own */
        tri_memory_refuse_set(is_wanted ? is_refused : NULL);
    tri_behaviour_replace(is_wanted ? disturb : NULL);
}
