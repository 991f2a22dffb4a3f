/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The driver of a simulation: all workers on one thread, turn by turn.
 *
 * What. Runnable tasks, timers that are due and interrupted turns are the steps that the simulation
 * chooses among. For a turn it is chosen how many messages it may take, and whether it will be
 * interrupted, and after which of its sends.
 *
 *     ┌──────────┐ chosen  ┌─────────┐ DONE
 *     │ runnable │ ──────► │ in turn │ ────────►
 *     └──────────┘ ◄────── └─────────┘
 *                   AGAIN    │     ▲
 *          after a send of   ▼     │ chosen
 *          its choice     ┌─────────────┐
 *                         │ interrupted │
 *                         └─────────────┘
 *
 * Why interruptions. A turn that always runs to its end never shows what happens when a message
 * that it has sent is handled, and answered to a third, before it sends the next one. With as many
 * interrupted turns as the system has workers, one excepted, the schedules are those that threads
 * can have, at the grain of whole sends, and no others: messages are never reordered by hand.
 *
 * How it costs nothing when it is off. The inline paths find the words that they look at anyway:
 * `chain_ends` and `look_after` 0, so that no turn goes on with a successor; the worker's slot
 * filled for ever, so that whatever becomes runnable comes to submit(); one worker counted as
 * parked, so that a send that is a multiple of TRI_SENDS_PER_LOOK comes to look_for_help(), which
 * asks the driver; and `sent` begins so many below 0 as the turn has sends before its interruption,
 * as if `sent_in` this turn there had been many already.
 *
 * Rules
 *   1. Only the simulation's thread gets here.
 *   2. Whatever is chosen from stands in an order that does not depend on addresses.
 *
 * Partners: sim/loop.c takes the steps; sched/driver.h is where the scheduler calls.
 */

#include "sched/simulated.h"

#include <errno.h>

#include "base/assert.h"
#include "base/context.h"
#include "base/memory.h"
#include "base/thread.h"
#include "sched/inside.h"
#include "sim/inside.h"

/* Tasks from which the next one is chosen; those behind them move up. */
#define WINDOW 256u

/* A turn that can be is interrupted once in so many, after one of so many sends. */
#define INTERRUPTED_ONE_IN 8u
#define INTERRUPTED_WITHIN 8u

#define STACK_BYTES ((size_t)8 << 20)

struct virtual_worker {
    struct tri_worker *worker;
    struct tri_context *context; /* made when its first turn is to be interrupted */
    bool is_interrupted;
    bool is_on_context;          /* its turn runs on a stack of its own */
    bool may_be_interrupted;
    int64_t goes_on_at;          /* of an interrupted one */
    enum tri_turn result;
};

struct simulated {
    struct tri_sched *sched;
    struct tri_sim_source source;
    struct tri_task *window[WINDOW]; /* runnable, oldest first */
    uint32_t window_count;
    struct tri_task *first, *last;   /* those behind the window, linked by `next` */
    struct tri_list due;             /* timers */
    uint32_t due_count;
    uint32_t interrupted_count;
    uint32_t count;
    struct virtual_worker workers[];
};

static struct tri_sim_row batches = TRI_SIM_ROW("turn: cut short after some messages");
static struct tri_sim_row interruptions = TRI_SIM_ROW("turn: interrupted after a send");
static struct tri_sim_row timers_together = TRI_SIM_ROW("timers: more than one due");
/* In every worker's slot. */
static struct tri_task filler;

static struct tri_sim_fault stall = TRI_SIM_FAULT("stall");
static struct tri_sim_fault jump = TRI_SIM_FAULT("jump");

static struct simulated *of(const struct tri_sched *sched)
{
    return sched->driven;
}

/* ---- runnable tasks ------------------------------------------------------------------------- */

static void add(struct simulated *simulated, struct tri_task *task)
{
    task->next = NULL;
    if (simulated->window_count < WINDOW) {
        simulated->window[simulated->window_count++] = task;
    } else if (simulated->first == NULL) {
        simulated->first = simulated->last = task;
    } else {
        simulated->last->next = task;
        simulated->last = task;
    }
}

static struct tri_task *take_out(struct simulated *simulated, uint32_t index)
{
    struct tri_task *task = simulated->window[index];
    struct tri_task *moved = simulated->first;

    simulated->window_count--;
    for (uint32_t i = index; i < simulated->window_count; i++)
        simulated->window[i] = simulated->window[i + 1];
    if (moved != NULL) {
        simulated->first = moved->next;
        add(simulated, moved);
    }
    return task;
}

static void submit(struct tri_worker *worker, struct tri_task *task)
{
    add(of(worker->sched), task);
}

static void inject(struct tri_sched *sched, struct tri_task *task)
{
    if (!tri_sim_is_here())
        tri_sim_fail("a thread of the program's own uses the runtime: only one can be simulated");
    add(of(sched), task);
}

static struct tri_task *take_any(struct tri_sched *sched)
{
    struct simulated *simulated = of(sched);

    return simulated->window_count > 0 ? take_out(simulated, 0) : NULL;
}

/* ---- turns ---------------------------------------------------------------------------------- */

/* The thread is that worker, or none. */
static void become(struct tri_worker *worker)
{
    tri_thread_self()->worker = worker;
}

static void refresh_clock(struct tri_sched *sched)
{
    tri_store_relaxed_64(&sched->clock.now, (uint64_t)tri_sim_now());
}

static void run(struct virtual_worker *virtual)
{
    struct tri_worker *worker = virtual->worker;

    virtual->result = worker->sched->options.run(worker, worker->task);
}

static void run_on_context(void *argument)
{
    struct virtual_worker *virtual = argument;

    for (;;) {
        run(virtual);
        virtual->is_on_context = false;
        tri_context_leave(virtual->context);
    }
}

/* A turn has come to its end, or is interrupted. */
static void after_turn(struct simulated *simulated, struct virtual_worker *virtual)
{
    become(NULL);
    if (!virtual->is_interrupted && virtual->result == TRI_TURN_AGAIN)
        add(simulated, virtual->worker->task);
}

static void go_on(struct simulated *simulated, struct virtual_worker *virtual)
{
    become(virtual->worker);
    tri_context_enter(virtual->context);
    after_turn(simulated, virtual);
}

static void leave_until(struct simulated *simulated, struct virtual_worker *virtual, int64_t when)
{
    virtual->may_be_interrupted = false;
    virtual->is_interrupted = true;
    virtual->goes_on_at = when;
    simulated->interrupted_count++;
    void *running = tri_thread_running;
    tri_thread_running = TRI_THREAD_RUNS_NOTHING;
    tri_context_leave(virtual->context);
    tri_thread_running = running;
}

static void interrupt(struct tri_worker *worker)
{
    struct simulated *simulated = of(worker->sched);
    struct virtual_worker *virtual = &simulated->workers[worker->id];

    if (!virtual->may_be_interrupted || worker->sent != 0)
        return;
    tri_sim_cover(&interruptions);
    leave_until(simulated, virtual, 0);
}

void tri_simulated_delay(struct tri_worker *worker, int64_t duration)
{
    struct simulated *simulated = of(worker->sched);
    struct virtual_worker *virtual = &simulated->workers[worker->id];

    if (virtual->is_on_context && simulated->interrupted_count + 1 < simulated->count)
        leave_until(simulated, virtual, tri_sim_now() + duration);
}

/* How many messages the turn may take: most take all that are there. */
static uint32_t choose_batch(void)
{
    uint32_t kind = tri_sim_choose(4);

    if (kind == 0 || TRI_TURN_MESSAGES < 3)
        return TRI_TURN_MESSAGES;
    tri_sim_cover(&batches);
    return kind == 3 ? 1 + tri_sim_choose(TRI_TURN_MESSAGES) : kind;
}

static bool will_be_interrupted(struct simulated *simulated)
{
    return simulated->interrupted_count + 1 < simulated->count
           && tri_sim_chance(UINT32_MAX / INTERRUPTED_ONE_IN);
}

/* Whether the turn gets a stack of its own: where it may be interrupted, or delayed. */
static bool has_context(struct virtual_worker *virtual, bool is_needed)
{
    if (!is_needed && !tri_sim_wants("delay"))
        return false;
    if (virtual->context == NULL)
        virtual->context = tri_context_new(STACK_BYTES, run_on_context, virtual);
    return virtual->context != NULL;
}

static struct virtual_worker *free_worker(struct simulated *simulated)
{
    uint32_t i = 0;

    while (simulated->workers[i].is_interrupted)
        i++;
    tri_assert(i < simulated->count);
    return &simulated->workers[i];
}

static void begin_turn(struct simulated *simulated, struct tri_task *task)
{
    struct virtual_worker *virtual = free_worker(simulated);
    struct tri_worker *worker = virtual->worker;

    worker->budget = choose_batch();
    worker->turn_ends = TR_FOREVER;
    worker->look_after = worker->chain_ends = 0;
    worker->sent = 0;
    worker->task = task;
    tri_store_relaxed_64(&worker->turns, worker->turns + 1);
    virtual->may_be_interrupted = will_be_interrupted(simulated);
    if (virtual->may_be_interrupted) {
        worker->sent = 0 - (1 + tri_sim_choose(INTERRUPTED_WITHIN));
        worker->sent_in = worker->turns;
    }
    if (has_context(virtual, virtual->may_be_interrupted)) {
        virtual->is_on_context = true;
        go_on(simulated, virtual);
        virtual->may_be_interrupted = false;
        return;
    }
    virtual->may_be_interrupted = false;
    become(worker);
    run(virtual);
    after_turn(simulated, virtual);
}

static bool may_go_on(const struct virtual_worker *virtual)
{
    return virtual->is_interrupted && virtual->goes_on_at <= tri_sim_now();
}

static uint32_t count_able_to_go_on(const struct simulated *simulated)
{
    uint32_t count = 0;

    for (uint32_t i = 0; simulated->interrupted_count > 0 && i < simulated->count; i++)
        count += may_go_on(&simulated->workers[i]);
    return count;
}

static struct virtual_worker *interrupted(struct simulated *simulated, uint32_t index)
{
    for (uint32_t i = 0; i < simulated->count; i++) {
        if (may_go_on(&simulated->workers[i]) && index-- == 0)
            return &simulated->workers[i];
    }
    return NULL;
}

static void resume(struct simulated *simulated, uint32_t index)
{
    struct virtual_worker *virtual = interrupted(simulated, index);

    virtual->is_interrupted = false;
    simulated->interrupted_count--;
    go_on(simulated, virtual);
}

/* ---- timers --------------------------------------------------------------------------------- */

static void gather_due(struct simulated *simulated)
{
    tr_time now = tri_sim_now();

    for (uint32_t i = 0; i < simulated->count; i++) {
        struct tri_timers *timers = &simulated->workers[i].worker->timers;
        while (tri_timers_earliest(timers) <= now) {
            struct tri_timer *timer = tri_timers_expire(timers, now);
            if (timer == NULL)
                continue;
            tri_list_push_back(&simulated->due, &timer->link);
            if (++simulated->due_count > 1)
                tri_sim_cover(&timers_together);
        }
    }
}

static void fire(struct simulated *simulated, uint32_t index)
{
    const struct tri_sched_options *options = &simulated->sched->options;
    struct tri_link *link = tri_list_first(&simulated->due);

    while (index-- > 0)
        link = link->next;
    tri_link_remove(link);
    simulated->due_count--;
    options->timer_due(options->context, NULL, TRI_CONTAINER_OF(link, struct tri_timer, link));
}

/* ---- the source of steps -------------------------------------------------------------------- */

/* In this order: timers, interrupted turns, tasks. The first is what happens by itself. */
static uint32_t ready(void *context)
{
    struct simulated *simulated = context;

    gather_due(simulated);
    return simulated->due_count + count_able_to_go_on(simulated) + simulated->window_count;
}

static uint64_t name_of(const struct simulated *simulated, struct tri_task *task)
{
    const struct tri_sched_options *options = &simulated->sched->options;

    return options->identify != NULL ? options->identify(options->context, task) : 0;
}

static uint64_t identify(void *context, uint32_t index)
{
    struct simulated *simulated = context;

    if (index < simulated->due_count)
        return 1;
    index -= simulated->due_count;
    const struct virtual_worker *virtual = interrupted(simulated, index);
    if (virtual != NULL)
        return name_of(simulated, virtual->worker->task);
    return name_of(simulated, simulated->window[index - count_able_to_go_on(simulated)]);
}

/* Faults of the machine: the whole stands still for a while, or its clock leaps. */
static void disturb(void)
{
    if (tri_sim_strikes(&stall, NULL, NULL))
        tri_sim_set_now(tri_sim_now() + tri_sim_between(TRI_NS_PER_MS, 50 * TRI_NS_PER_MS));
    if (tri_sim_strikes(&jump, NULL, NULL))
        tri_sim_set_now(tri_sim_now() + tri_sim_between(TRI_NS_PER_S, 60 * TRI_NS_PER_S));
}

static void take(void *context, uint32_t index)
{
    struct simulated *simulated = context;

    disturb();
    refresh_clock(simulated->sched);
    if (index < simulated->due_count) {
        fire(simulated, index);
        return;
    }
    index -= simulated->due_count;
    if (interrupted(simulated, index) != NULL)
        resume(simulated, index);
    else
        begin_turn(simulated, take_out(simulated, index - count_able_to_go_on(simulated)));
}

static int64_t next(void *context)
{
    struct simulated *simulated = context;
    int64_t next = INT64_MAX;

    for (uint32_t i = 0; i < simulated->count; i++) {
        int64_t when = tri_timers_next(&simulated->workers[i].worker->timers);
        next = when < next ? when : next;
        if (simulated->workers[i].is_interrupted && simulated->workers[i].goes_on_at < next)
            next = simulated->workers[i].goes_on_at;
    }
    return next;
}

/* ---- audit --------------------------------------------------------------------------------- */

#ifdef TRI_AUDIT

/* How often a task stands among those that run or will. */
static uint32_t count_places(const struct simulated *simulated, const struct tri_task *task)
{
    uint32_t places = 0;

    for (uint32_t i = 0; i < simulated->window_count; i++)
        places += simulated->window[i] == task;
    for (const struct tri_task *at = simulated->first; at != NULL; at = at->next)
        places += at == task;
    for (uint32_t i = 0; i < simulated->count; i++)
        places += simulated->workers[i].is_interrupted
                  && simulated->workers[i].worker->task == task;
    return places;
}

/* A task is scheduled once; and what is counted is there. */
static void audit_tasks(void *context)
{
    const struct simulated *simulated = context;
    const struct tri_sched_options *options = &simulated->sched->options;
    uint32_t interrupted_found = 0, due_found = 0;

    for (uint32_t i = 0; i < simulated->window_count; i++)
        tri_audit(count_places(simulated, simulated->window[i]) == 1);
    for (uint32_t i = 0; i < simulated->count; i++) {
        const struct virtual_worker *virtual = &simulated->workers[i];
        interrupted_found += virtual->is_interrupted;
        tri_audit(!virtual->is_interrupted || count_places(simulated, virtual->worker->task) == 1);
    }
    TRI_LIST_EACH(&simulated->due, link)
        due_found++;
    tri_audit(interrupted_found == simulated->interrupted_count);
    tri_audit(due_found == simulated->due_count);
    tri_audit(simulated->first == NULL || simulated->window_count == WINDOW);
    if (interrupted_found == 0 && options->audit != NULL)
        options->audit(options->context);
}

#define AUDIT_TASKS audit_tasks
#else
#define AUDIT_TASKS NULL
#endif

/* ---- quiet ---------------------------------------------------------------------------------- */

static bool is_quiet(struct tri_sched *sched)
{
    const struct simulated *simulated = of(sched);

    return simulated->window_count == 0 && simulated->interrupted_count == 0;
}

static bool has_become_quiet(const void *context)
{
    return is_quiet((struct tri_sched *)(uintptr_t)context);
}

static int wait_quiet(struct tri_sched *sched, tr_time deadline)
{
    int error = tri_sim_drive(has_become_quiet, sched, deadline);

    return error == -ECANCELED ? -ETIMEDOUT : error;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void stop_workers(struct tri_sched *sched, uint32_t count)
{
    const struct tri_sched_options *options = &sched->options;

    for (uint32_t i = 0; i < count; i++) {
        if (options->worker_stop != NULL)
            options->worker_stop(options->context, sched->workers[i]);
    }
}

static struct simulated *make(struct tri_sched *sched)
{
    uint32_t count = sched->worker_count;
    struct simulated *simulated =
        tri_alloc_zeroed(sizeof *simulated + count * sizeof simulated->workers[0]);

    if (simulated == NULL || tri_thread_self() == NULL) {
        tri_free(simulated);
        return NULL;
    }
    simulated->sched = sched;
    simulated->count = count;
    tri_list_init(&simulated->due);
    simulated->source = (struct tri_sim_source){
        .context = simulated, .ready = ready, .identify = identify, .take = take, .next = next,
        .audit = AUDIT_TASKS,
    };
    for (uint32_t i = 0; i < count; i++) {
        simulated->workers[i].worker = sched->workers[i];
        (void)tri_lifo_slot_fill(&sched->workers[i]->lifo, &filler);
    }
    return simulated;
}

static int start(struct tri_sched *sched)
{
    const struct tri_sched_options *options = &sched->options;
    uint32_t started = 0;
    int error = 0;

    if (!tri_sim_is_here())
        tri_sim_fail("a system is started on a thread of the program's own");
    sched->driven = make(sched);
    if (sched->driven == NULL)
        return -ENOMEM;
    while (error == 0 && started < sched->worker_count) {
        struct tri_worker *worker = sched->workers[started];
        error = options->worker_start != NULL ? options->worker_start(options->context, worker) : 0;
        started += error == 0;
    }
    if (error < 0) {
        stop_workers(sched, started);
        return error;
    }
    sched->idle.counts = TRI_IDLE_PARKED; /* see above: what sends look at */
    tri_sim_source_add(&of(sched)->source);
    return 0;
}

static void stop(struct tri_sched *sched)
{
    struct simulated *simulated = of(sched);

    tri_sim_source_remove(&simulated->source);
    refresh_clock(sched);
    for (uint32_t i = 0; i < simulated->count; i++)
        simulated->workers[i].goes_on_at = 0;
    while (simulated->interrupted_count > 0)
        resume(simulated, 0);
    while (simulated->due_count > 0)
        fire(simulated, 0);
    stop_workers(sched, simulated->count);
}

static void free_driven(struct tri_sched *sched)
{
    struct simulated *simulated = of(sched);

    if (simulated == NULL)
        return;
    for (uint32_t i = 0; i < simulated->count; i++)
        tri_context_free(simulated->workers[i].context);
    tri_free(simulated);
}

const struct tri_driver tri_simulated_driver = {
    .start = start, .stop = stop, .free = free_driven,
    .submit = submit, .inject = inject, .take_any = take_any, .interrupt = interrupt,
    .is_quiet = is_quiet, .wait_quiet = wait_quiet,
};
