/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. A system stops, in this order, each step with a limit:
 *
 *     ┌─────────┐  quiet, or half   ┌──────────┐  all have ended   ┌───────────┐
 *     │ drain:  │ ────────────────► │ stop:    │ ────────────────► │ take      │ ──► only the shell
 *     │ gate is │  the time is gone │ the      │                   │ apart     │
 *     │ closed  │                   │ unsuper- │  the deadline     └───────────┘
 *     └─────────┘                   │ vised,   │ ─────┐                 ▲  │ a thread or a caller
 *                                   │ then the │      ▼                 │  │ does not come back
 *                                   │ roots    │   ┌──────┐  all ended, │  ▼
 *                                   └──────────┘   │ kill │ ────────────┘ ┌───────────┐
 *                                                  └──────┘  or it lasts  │ left with │
 *                                                                         │ its parts │
 *                                                                         └───────────┘
 *
 * Why by looking at all slots. A list of actors would cost every spawn and every end something,
 * for a walk that happens once: the slots' terms say who lives in this system, and whether a
 * supervisor sees to him.
 *
 * Rules
 *   1. Nothing here waits without a limit, and nothing looks again sooner than after a millisecond
 *      unless the scheduler says that something has changed.
 *   2. Parts are freed only when no thread can use them. A handler that never returns keeps them.
 *   3. What the threads have left undone is done here, on one of the activations, after they ended:
 *      nobody but this thread is left then.
 *   4. While actors run, a look at all slots may miss one that was made behind its back. So that
 *      nobody was found ends nothing by itself: from the end of the orderly part on nobody is made
 *      any more, and the last look is the one after the threads have ended.
 *
 * Partners: sched/quiet.c; actors/supervisor.c stops its own children; actors/system.c.
 */

#include <errno.h>
#include <time.h>

#include "actors/deliver.h"
#include "actors/names.h"
#include "actors/supervisor.h"
#include "actors/turn.h"
#include "base/clock.h"
#include "sim/sim.h"

/* Callers that are only passing through leave within this. */
#define PASSING TR_MS(10)

/* Rounds of finishing what was left: a supervisor needs two for each level of its children. */
#define ROUNDS_MAX (4 * TRI_NESTING_MAX)

static tr_time after(tr_time delay)
{
    tr_time now = tri_clock_now();

    return delay < TR_FOREVER - now ? now + delay : TR_FOREVER;
}

static tr_time earlier(tr_time a, tr_time b)
{
    return a < b ? a : b;
}

/* ---- who is alive --------------------------------------------------------------------------- */

/* The next actor of the system from slot *cursor on, which is moved behind it, or the zero ref. */
static tr_ref next_alive(const tr_system *sys, uint32_t *cursor)
{
    tr_ref ref = tr_none();

    while (!tr_ref_is_some(ref) && *cursor < tri_load_relaxed_32(&tri_slots_used))
        ref = tri_slot_tenant(sys->index, (*cursor)++);
    return ref;
}

static bool is_supervised(tr_ref ref)
{
    return (tri_load_relaxed_32(&tri_slot_at(ref)->terms) & TRI_TERMS_SUPERVISED) != 0;
}

/* Signals the actors that are alive, perhaps only those that nobody supervises; how many. */
static uint32_t signal_alive(tr_system *sys, tr_self *self, enum tri_signal signal)
{
    uint32_t cursor = 1, count = 0;

    for (;;) {
        tr_ref ref = next_alive(sys, &cursor);
        if (!tr_ref_is_some(ref))
            return count;
        if (signal == TRI_SIGNAL_STOP && is_supervised(ref))
            continue;
        count++;
        (void)tri_deliver_signal(sys, self, ref, signal);
    }
}

static bool is_anyone_alive(const tr_system *sys)
{
    uint32_t cursor = 1;

    return tr_ref_is_some(next_alive(sys, &cursor));
}

/* ---- who had to be killed ------------------------------------------------------------------- */

static bool is_in_turn(const tr_system *sys, const struct tri_actor *actor)
{
    for (uint32_t i = 0; i < sys->workers; i++)
        if (tri_load_relaxed_ptr(&sys->activations[i]->actor) == actor)
            return true;
    return false;
}

static void name_one(tr_system *sys, tr_ref ref)
{
    struct tri_actor *actor = tri_slot_at(ref);
    const struct tri_type *type = tri_load_relaxed_ptr(&actor->type);
    char name[TRI_NAME_BYTES_MAX];

    tri_name_of(sys, ref, name);
    tri_log(sys, TR_LOG_ERROR, "killed, for it did not stop in time: %s%san actor of type %s%s",
            name, name[0] != '\0' ? ", " : "", type->public->name,
            is_in_turn(sys, actor) ? ", in a handler" : "");
}

/* The runtime's own are never the reason. */
static void report(tr_system *sys)
{
    uint32_t cursor = 1, named = 0, others = 0;

    for (;;) {
        tr_ref ref = next_alive(sys, &cursor);
        if (!tr_ref_is_some(ref))
            break;
        const struct tri_type *type = tri_load_relaxed_ptr(&tri_slot_at(ref)->type);
        if (type->hooks != NULL)
            continue;
        if (named == TRI_STOP_NAMED_MAX) {
            others++;
            continue;
        }
        named++;
        name_one(sys, ref);
    }
    if (others > 0)
        tri_log(sys, TR_LOG_ERROR, "killed, for they did not stop in time: %u more",
                (unsigned)others);
}

/* ---- the steps ------------------------------------------------------------------------------ */

/* Lets what was signalled happen. Rule 1: quiet, and yet not done, is worth a pause. */
static void let_it_happen(tr_system *sys, tr_time deadline)
{
    const struct timespec pause = { .tv_nsec = TR_MS(1) };

    if (tri_sched_wait_quiet(sys->sched, deadline) != 0 || tri_clock_now() >= deadline
        || !is_anyone_alive(sys))
        return;
    if (tri_sim_is_on())
        tri_sim_sleep(TR_MS(1));
    else
        (void)nanosleep(&pause, NULL);
}

static void drain(tr_system *sys, tr_time deadline)
{
    (void)tri_system_wait_empty(sys, earlier(after(PASSING), deadline));
    (void)tri_sched_wait_quiet(sys->sched, deadline);
}

/* The unsupervised first; a tree whose children made more of them gives another round. */
static void stop_orderly(tr_system *sys, tr_time deadline)
{
    while (is_anyone_alive(sys)) {
        uint32_t unsupervised = signal_alive(sys, NULL, TRI_SIGNAL_STOP);
        tr_ref root = unsupervised == 0 ? tri_supervisor_last_root(sys) : tr_none();

        if (tr_ref_is_some(root))
            (void)tri_deliver_signal(sys, NULL, root, TRI_SIGNAL_STOP);
        if (tri_clock_now() >= deadline)
            return;
        let_it_happen(sys, deadline);
    }
}

static void kill_rest(tr_system *sys)
{
    tr_time deadline = after(TR_MS(TRI_STOP_LINGER_MS));

    report(sys);
    while (signal_alive(sys, NULL, TRI_SIGNAL_KILL) > 0 && tri_clock_now() < deadline)
        let_it_happen(sys, deadline);
}

/* Rule 3. */
static void run_left(tr_self *self)
{
    struct tri_worker *worker = self->worker;
    struct tri_task *task;

    while ((task = tri_sched_take_any(self->system->sched)) != NULL) {
        worker->task = task;
        do {
            worker->budget = TRI_TURN_MESSAGES;
            worker->turn_ends = TR_FOREVER;
        } while (tri_turn_run(worker, worker->task) == TRI_TURN_AGAIN);
    }
}

/* False: somebody is still alive. */
static bool finish(tr_system *sys)
{
    tr_self *self = sys->activations[0];

    self->thread = tri_thread_self();
    if (self->thread == NULL)
        return false;
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        uint32_t alive = signal_alive(sys, self, TRI_SIGNAL_KILL);
        run_left(self);
        if (alive == 0)
            break;
    }
    tri_slots_flush(self);
    return !is_anyone_alive(sys);
}

/* Rule 2. */
static int take_apart(tr_system *sys)
{
    if (sys->attached != NULL && sys->before_stop != NULL)
        sys->before_stop(sys->attached);
    if (tri_system_wait_empty(sys, after(TR_MS(TRI_STOP_LINGER_MS))) < 0) {
        tri_log(sys, TR_LOG_ERROR, "a caller from outside does not return from the system");
        return -ETIMEDOUT;
    }
    if (tri_sched_stop_within(sys->sched, TR_MS(TRI_STOP_LINGER_MS)) < 0) {
        tri_log(sys, TR_LOG_ERROR, "a handler does not return: its thread is left to itself");
        return -ETIMEDOUT;
    }
    if (!finish(sys)) {
        tri_log(sys, TR_LOG_ERROR, "not all actors could be ended");
        return -ETIMEDOUT;
    }
    if (sys->attached != NULL && sys->free_attached != NULL)
        sys->free_attached(sys->attached);
    tri_system_release(sys);
    return 0;
}

/* ---- the verb ------------------------------------------------------------------------------- */

/* The first one may. */
static int claim(tr_system *sys)
{
    int error = 0;

    if (sys->fork_epoch != tri_fork_epoch)
        return -ESHUTDOWN;
    pthread_mutex_lock(&sys->lock);
    if (sys->is_stopping)
        error = -ESHUTDOWN;
    sys->is_stopping = true;
    pthread_mutex_unlock(&sys->lock);
    return error;
}

int tr_system_stop(tr_system *sys, tr_time within)
{
    if (sys == NULL || within < 0)
        return -EINVAL;
    if (tri_worker_current() != NULL)
        return -EDEADLK;
    int error = claim(sys);
    if (error < 0)
        return error;

    tr_time deadline = after(within);
    tri_system_close_gate(sys);
    drain(sys, after(within / 2));
    stop_orderly(sys, deadline);
    tri_store_relaxed_32(&sys->ending, 1); /* rule 4 */
    bool had_to_kill = is_anyone_alive(sys);
    if (had_to_kill)
        kill_rest(sys);
    error = take_apart(sys);
    return had_to_kill ? -ETIMEDOUT : error;
}
