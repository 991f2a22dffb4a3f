/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A worker that has work: the loop of turns.
 *
 *     every turn           the slot's task while the budget lasts, else the queue's oldest
 *     every tick of the    looks around: timers that are due, the injector, the poller if nobody
 *     coarse clock, and    else is in it; a turn inherited for too long ends
 *     every 256 turns
 *
 * The coarse clock is read at each turn anyway, so that a worker with long turns looks around at
 * each tick, and one with short turns need not look at the clock itself more than once in 256.
 *
 * A turn and its successors are a chain, which has one budget. That each turn costs a message is
 * not counted turn by turn: `chain_ends` says at which turn the budget is gone.
 *
 * Partners: seek.c takes over when there is nothing to run.
 */

#include "base/assert.h"
#include "sched/inside.h"

/* Half of the queue makes room for more: a burst pays for the injector's lock once in 512. */
static TRI_COLD void overflow(struct tri_worker *worker)
{
    struct tri_task *first, *last;
    uint32_t count =
        tri_run_queue_take_list(&worker->queue, TRI_RUN_QUEUE_LENGTH / 2, &first, &last);

    if (count == 0)
        return;
    tri_injector_spill(&worker->sched->injector, first, last, count);
    tri_count(&worker->counters.overflows, count);
}

void tri_worker_enqueue(struct tri_worker *worker, struct tri_task *task)
{
    while (TRI_UNLIKELY(!tri_run_queue_push(&worker->queue, task)))
        overflow(worker);
    tri_count(&worker->counters.queued, 1);
}

__attribute__((flatten)) void tri_worker_submit_slow(struct tri_worker *worker,
                                                     struct tri_task *task)
{
    if (TRI_UNLIKELY(worker->sched->options.driver != NULL)) {
        worker->sched->options.driver->submit(worker, task);
        return;
    }
    if (worker->budget > 0)
        task = tri_lifo_slot_swap(&worker->lifo, task);
    if (task != NULL)
        tri_worker_enqueue(worker, task);
    tri_worker_surplus(worker);
}

void tri_sched_submit_last(struct tri_worker *worker, struct tri_task *task)
{
    if (TRI_UNLIKELY(worker->sched->options.driver != NULL)) {
        worker->sched->options.driver->submit(worker, task);
        return;
    }
    tri_worker_enqueue(worker, task);
    tri_worker_surplus(worker);
}

TRI_COLD void tri_worker_look_for_help(struct tri_worker *worker)
{
    if (worker->sched->options.driver != NULL) {
        worker->sched->options.driver->interrupt(worker);
        return;
    }
    tri_worker_awake(worker);
    tri_fence_light(); /* what was queued is seen by who parks: pairs with seek.c's heavy one */
    uint32_t chosen = tri_idle_choose_for_surplus(worker->idle);
    if (chosen != TRI_IDLE_NOBODY)
        tri_sched_wake(worker->sched, chosen);
}

/* Twice within one turn, it is a long one. (To begin to count anew with each turn would be a store
 * a turn.) */
TRI_COLD void tri_worker_sent_many(struct tri_worker *worker)
{
    if (worker->sent_in == worker->turns && tri_idle_wants_work(worker->idle))
        tri_worker_look_for_help(worker);
    worker->sent_in = worker->turns;
}

bool tri_worker_fire_timers(struct tri_worker *worker, tr_time now)
{
    const struct tri_sched_options *options = &worker->sched->options;

    for (unsigned fired = 0; tri_timers_earliest(&worker->timers) <= now; fired++) {
        if (fired == TRI_TIMERS_AT_ONCE)
            return true;
        struct tri_timer *timer = tri_timers_expire(&worker->timers, now);
        if (timer == NULL)
            continue;  /* the next is later, or has to be looked for again */
        tri_count(&worker->counters.timers, 1);
        options->timer_due(options->context, worker, timer);
    }
    return false;
}

bool tri_worker_take_injected(struct tri_worker *worker, uint32_t count)
{
    struct tri_sched *sched = worker->sched;
    uint64_t share = tri_injector_length(&sched->injector) / sched->worker_count + 1;
    uint32_t room = TRI_RUN_QUEUE_LENGTH - tri_run_queue_length(&worker->queue);
    struct tri_task *task;

    count = share < count ? (uint32_t)share : count;
    task = tri_injector_take(&sched->injector, count < room ? count : room);
    if (task == NULL)
        return false;
    for (struct tri_task *next; task != NULL; task = next) {
        next = task->next;
        tri_worker_enqueue(worker, task);
        tri_count(&worker->counters.injected, 1);
    }
    return true;
}

/* Looks into the poller in passing, when nobody else does. */
static void poll_in_passing(struct tri_worker *worker, tr_time now)
{
    struct tri_poll_role *role = &worker->sched->poll_role;

    if (!tri_poll_role_is_free(role) || now - worker->polled_at < TR_US(TRI_POLL_EVERY_US))
        return;
    const struct tri_poller *poller = tri_poll_role_take(role);
    if (poller == NULL)
        return;
    worker->polled_at = now;
    poller->poll(poller->context, 0);
    tri_poll_role_release(role);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the turns since the last look cost, and whether the time is up. */
static void charge(struct tri_worker *worker)
{
    uint64_t turns = worker->turns - worker->charged;

    worker->budget = worker->budget > turns ? worker->budget - (uint32_t)turns : 0;
    if (tri_worker_time_is_up(worker))
        worker->budget = 0;
}

/* From now on the chain has what is in the budget. */
static void limit_chain(struct tri_worker *worker)
{
    worker->charged = worker->turns;
    worker->chain_ends = earlier(worker->look_after, worker->turns + worker->budget);
}

static TRI_COLD void look_around(struct tri_worker *worker)
{
    tr_time now = tri_sched_clock_advance(worker->sched);

    worker->looked_at = tri_worker_now(worker);
    worker->look_after = worker->turns + TRI_INJECTOR_TURNS;
    charge(worker);
    if (tri_worker_fire_timers(worker, now))
        worker->look_after = worker->turns + 1;
    limit_chain(worker);
    (void)tri_worker_take_injected(worker, TRI_INJECTED_AT_A_LOOK);
    tri_worker_surplus(worker);
    poll_in_passing(worker, now);
}

static void begin_turn(struct tri_worker *worker)
{
    worker->budget = TRI_TURN_MESSAGES;
    limit_chain(worker);
    worker->turn_ends = tri_worker_now(worker) + TR_MS(TRI_TURN_MS);
}

/* The slot's task, while the budget lasts; else the queue's oldest with a budget of its own, and
 * what was in the slot has to queue. */
static inline struct tri_task *next_task(struct tri_worker *worker)
{
    struct tri_task *task = tri_lifo_slot_take(&worker->lifo);

    if (task != NULL) {
        if (worker->budget > 0 && worker->turns < worker->chain_ends)
            return task;
        tri_worker_enqueue(worker, task);
        tri_worker_surplus(worker);
    }
    begin_turn(worker);
    return tri_run_queue_take(&worker->queue);
}

static inline bool has_to_look(const struct tri_worker *worker)
{
    return TRI_UNLIKELY(worker->turns >= worker->look_after || tri_worker_time_moved(worker));
}

struct tri_task *tri_worker_next(struct tri_worker *worker)
{
    struct tri_task *task = has_to_look(worker) ? NULL : next_task(worker);

    if (TRI_LIKELY(task != NULL))
        tri_add_own_64(&worker->turns, 1);
    return task;
}

struct tri_task *tri_worker_own_task(struct tri_worker *worker)
{
    return next_task(worker);
}

static void run_turn(struct tri_worker *worker, struct tri_task *task)
{
    /* relaxed: thieves and the watcher only compare it. */
    tri_store_relaxed_64(&worker->turns, worker->turns + 1);
    worker->task = task;
    if (TRI_LIKELY(worker->sched->options.run(worker, task) == TRI_TURN_DONE))
        return;
    worker->budget = 0;
    tri_worker_enqueue(worker, worker->task);
    tri_worker_surplus(worker);
}

void tri_worker_loop(struct tri_worker *worker)
{
    struct tri_sched *sched = worker->sched;

    tri_store_relaxed_32(&worker->is_running, 1);
    worker->look_after = 0;
    begin_turn(worker);
    while (!tri_sched_is_stopping(sched)) {
        if (has_to_look(worker))
            look_around(worker);
        struct tri_task *task = next_task(worker);
        if (TRI_UNLIKELY(task == NULL))
            task = tri_worker_seek(worker);
        if (TRI_LIKELY(task != NULL))
            run_turn(worker, task);
    }
}
