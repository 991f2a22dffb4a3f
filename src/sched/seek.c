/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A worker that has nothing to run: searches, pauses, sleeps.
 *
 *                  ┌───────────────────────────────────────────────┐
 *                  ▼                                               │ woken, or time is up
 *     pause ──► search for 20 us ──► announce, heavy fence, ──► sleep: on the futex,
 *     (rule 3)     │                 look once more             or in the poller if it is free
 *                  ▼                   │
 *             a task, last searcher: wakes another if there is more
 *
 * A worker that was woken and finds nothing goes back to the pause, not to sleep.
 *
 * Why. A sleeping processor takes 25 us to run again and costs its waker 9: so a worker searches
 * about as long before it sleeps. While it searches nobody is woken, and what it finds it must be
 * worth finding: a thief whose loot ran out within 20 us, or that was woken in vain, pauses longer
 * each time, up to 1 ms.
 * (Without that, two workers that share 100 chatting actors take 20 times as long as one.)
 *
 * While everybody else sleeps there is nothing to search for, and it sleeps at once.
 *
 * Rules
 *   1. A worker that has announced itself takes no task and fires no timer before it has withdrawn:
 *      whoever counts the parked ones can rely on their having nothing in hand (quiet.c).
 *   2. The poller's role is taken before the last look and given back after waking. Whoever did
 *      not get it looks again: a poller may have been set since, by somebody who saw a searcher.
 *
 * Partners: idle.h has the protocol and its proof, park.h the sleep.
 */

#include "base/assert.h"
#include "sched/inside.h"

/* ---- searching ---- */

/* Rule 2 of the scheduler: whether the victim is in the turn that it was in some time ago. */
static bool is_stuck(struct tri_worker *worker, const struct tri_worker *victim, tr_time now)
{
    struct tri_seen *seen = &worker->seen[victim->id];
    uint64_t turn = tri_load_relaxed_64(&victim->turns);

    if (tri_load_relaxed_64(&victim->stuck_in) == turn && turn != 0)
        return true;
    if (seen->turn != turn) {
        *seen = (struct tri_seen){ .turn = turn, .since = now };
        return false;
    }
    return now - seen->since >= TR_US(TRI_LONE_STEAL_US);
}

/* Whether the victim has more than it can run itself: two tasks, or one that it is stuck before. */
static bool has_loot(struct tri_worker *worker, const struct tri_worker *victim, tr_time now)
{
    uint32_t tasks = tri_run_queue_length(&victim->queue) + tri_lifo_slot_has_task(&victim->lifo);

    return tasks >= 2 || (tasks == 1 && is_stuck(worker, victim, now));
}

/* Takes half of the victim's queue, or what it is stuck before from its slot. */
static struct tri_task *raid(struct tri_worker *worker, struct tri_worker *victim, tr_time now)
{
    if (!has_loot(worker, victim, now))
        return NULL;
    uint32_t count = tri_run_queue_steal(&victim->queue, &worker->queue);
    struct tri_task *task = tri_run_queue_take(&worker->queue);
    if (task == NULL && is_stuck(worker, victim, now)) {
        task = tri_lifo_slot_steal(&victim->lifo);
        count = 1;
    }
    if (task == NULL)
        return NULL;
    tri_count(&worker->counters.steals, 1);
    tri_count(&worker->counters.stolen, count);
    worker->loot_since = now;
    return task;
}

static struct tri_task *steal(struct tri_worker *worker, tr_time now)
{
    struct tri_sched *sched = worker->sched;
    struct tri_task *task = NULL;

    for (uint32_t i = 0; i < sched->worker_count && task == NULL; i++) {
        uint32_t id = (worker->next_victim + i) % sched->worker_count;
        if (id == worker->id)
            continue;
        task = raid(worker, sched->workers[id], now);
        if (task != NULL)
            worker->next_victim = id;
    }
    return task;
}

/* Looks once wherever work may be. */
static struct tri_task *look(struct tri_worker *worker, tr_time now)
{
    tri_worker_fire_timers(worker, now);
    tri_worker_take_injected(worker, TRI_STEAL_MAX);
    struct tri_task *task = tri_worker_own_task(worker);
    return task != NULL ? task : steal(worker, now);
}

/* Whether there is nobody left whose work could be stolen, or nobody who minds the poller. */
static bool has_reason_to_sleep(const struct tri_sched *sched)
{
    uint64_t counts = tri_load_relaxed_64(&sched->idle.counts);
    uint32_t idle = tri_idle_parked_of(counts) + tri_idle_searching_of(counts);

    return idle >= sched->worker_count || tri_poll_role_is_free(&sched->poll_role);
}

static struct tri_task *search(struct tri_worker *worker)
{
    tr_time now = tri_sched_clock_advance(worker->sched);
    tr_time until = now + TR_US(TRI_SEARCH_US);
    struct tri_task *task;

    while ((task = look(worker, now)) == NULL) {
        if (now >= until || has_reason_to_sleep(worker->sched)
            || tri_sched_is_stopping(worker->sched))
            return NULL;
        for (int i = 0; i < TRI_SEARCH_SPINS; i++)
            tri_cpu_relax();
        now = tri_clock_now();
    }
    return task;
}

/* ---- sleeping ---- */

static void announce(struct tri_worker *worker, enum tri_announced as)
{
    tri_assert(worker->is_searching);
    worker->announced = as;
    if (as == TRI_PARKED) {
        worker->is_searching = false;
        tri_idle_announce(worker->idle, worker->id);
    } else {
        tri_idle_nap(worker->idle, worker->id);
    }
    tri_fence_heavy();  /* pairs with the light and full ones before each choice of whom to wake */
}

/* Ends what was announced; false if somebody else has ended it. */
static bool withdraw(struct tri_worker *worker)
{
    return worker->announced == TRI_PARKED ? tri_idle_withdraw(worker->idle, worker->id)
                                           : tri_idle_nap_ends(worker->idle, worker->id);
}

/* Sleeping is over, for whatever reason. */
static void wake_up(struct tri_worker *worker, bool was_given_token)
{
    if (!was_given_token && !withdraw(worker))
        was_given_token = tri_park_sleep(&worker->park, TR_FOREVER);  /* it is on its way */
    if (was_given_token) {
        worker->is_searching = true;
        worker->was_woken = true;
        tri_count(&worker->counters.wakes, 1);
    }
    worker->announced = TRI_AWAKE;
    tri_sched_clock_advance(worker->sched);
    tri_watcher_rouse(worker->sched);
}

void tri_worker_awake_slow(struct tri_worker *worker)
{
    bool was_given_token = worker->is_polling && tri_park_end_poll(&worker->park);

    worker->is_polling = false;
    wake_up(worker, was_given_token);
}

static tr_time time_left(tr_time deadline)
{
    if (deadline == TR_FOREVER)
        return TR_FOREVER;
    tr_time now = tri_clock_now();
    return deadline > now ? deadline - now : 0;
}

/* The poller's callbacks may have ended the sleep already, from inside. */
static void sleep_in(const struct tri_poller *poller, struct tri_worker *worker, tr_time deadline)
{
    if (!tri_park_begin_poll(&worker->park)) {
        wake_up(worker, true);
        return;
    }
    worker->is_polling = true;
    tri_count(&worker->counters.polls, 1);
    poller->poll(poller->context, time_left(deadline));
    tri_worker_awake(worker);
    worker->polled_at = tri_worker_now(worker);
}

/* Sleeps until woken, or until the deadline or a timer of its own. */
static void sleep_until(struct tri_worker *worker, const struct tri_poller *poller,
                        tr_time deadline)
{
    tr_time next_timer = tri_timers_next(&worker->timers);

    if (next_timer < deadline)
        deadline = next_timer;
    tri_quiet_note(worker->sched);
    if (poller != NULL)
        sleep_in(poller, worker, deadline);
    else
        wake_up(worker, tri_park_sleep(&worker->park, deadline));
}

static bool is_loot_in_sight(struct tri_worker *worker, tr_time now)
{
    const struct tri_sched *sched = worker->sched;

    for (uint32_t i = 0; i < sched->worker_count; i++) {
        if (i != worker->id && has_loot(worker, sched->workers[i], now))
            return true;
    }
    return false;
}

/* The last look before a sleep; a napper has seen enough of the others. It takes nothing: rule
 * 1. */
static bool is_work_in_sight(struct tri_worker *worker)
{
    tr_time now = tri_clock_now();

    return tri_timers_earliest(&worker->timers) <= now
        || tri_injector_length(&worker->sched->injector) > 0
        || tri_sched_is_stopping(worker->sched)
        || (worker->announced == TRI_PARKED && is_loot_in_sight(worker, now));
}

static void doze(struct tri_worker *worker, enum tri_announced as, tr_time deadline)
{
    struct tri_poll_role *role = &worker->sched->poll_role;
    const struct tri_poller *poller = tri_poll_role_take(role);

    announce(worker, as);
    if (is_work_in_sight(worker) || (poller == NULL && tri_poll_role_is_free(role)))
        tri_worker_awake(worker);
    else
        sleep_until(worker, poller, deadline);
    if (poller != NULL)
        tri_poll_role_release(role);
}

static void park(struct tri_worker *worker)
{
    tri_count(&worker->counters.parks, 1);
    doze(worker, TRI_PARKED, TR_FOREVER);
}

/* ---- pausing ---- */

/* Rule 3 of the scheduler: how long to leave the others alone, by how long the last loot lasted. */
static tr_time pause_after(struct tri_worker *worker, tr_time now)
{
    tr_time lasted = now - worker->loot_since;

    if (worker->loot_since == 0)
        return 0;
    worker->loot_since = 0;
    if (lasted > TR_US(TRI_LOOT_RICH_US))
        worker->pause = 0;
    else if (lasted >= TR_US(TRI_LOOT_POOR_US))
        worker->pause /= 2;
    else if (worker->pause < TR_US(TRI_THIEF_PAUSE_MIN_US))
        worker->pause = TR_US(TRI_THIEF_PAUSE_MIN_US);
    else if (worker->pause < TR_US(TRI_THIEF_PAUSE_MAX_US))
        worker->pause *= 2;
    return worker->pause;
}

static void spin_until(const struct tri_worker *worker, tr_time deadline)
{
    const struct tri_injector *injector = &worker->sched->injector;

    while (tri_injector_length(injector) == 0 && tri_clock_now() < deadline) {
        for (int i = 0; i < TRI_SEARCH_SPINS; i++)
            tri_cpu_relax();
    }
}

static void pause_between_thefts(struct tri_worker *worker)
{
    tr_time now = tri_clock_now();
    tr_time pause = pause_after(worker, now);

    if (pause > TR_US(TRI_THIEF_SPIN_US)) {
        tri_count(&worker->counters.naps, 1);
        doze(worker, TRI_NAPPING, now + pause);
    } else if (pause > 0) {
        spin_until(worker, now + pause);
    }
}

/* ---- all of it ---- */

static void begin_search(struct tri_worker *worker)
{
    if (worker->is_searching)
        return;  /* whoever woke it counts it already */
    worker->is_searching = true;
    tri_idle_search(worker->idle);
}

static bool is_more_visible(const struct tri_sched *sched)
{
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        if (tri_run_queue_length(&sched->workers[i]->queue) >= 2)
            return true;
    }
    return false;
}

static void end_search(struct tri_worker *worker)
{
    if (!worker->is_searching)
        return;
    worker->is_searching = false;
    if (!tri_idle_found(worker->idle) || tri_sched_is_stopping(worker->sched))
        return;
    if (tri_injector_length(&worker->sched->injector) > 0)
        tri_sched_wake_for_new_work(worker->sched);
    else if (tri_idle_wants_work(worker->idle) && is_more_visible(worker->sched))
        tri_worker_look_for_help(worker);
}

/* A wake whose reason was gone before the worker ran is loot that lasted no time. The worker pauses
 * for it, and counts as searching meanwhile: who has a surplus for a moment, again and again, does
 * not pay for a wake each time. */
static bool was_woken_in_vain(struct tri_worker *worker)
{
    bool was_woken = worker->was_woken;

    worker->was_woken = false;
    if (!was_woken || has_reason_to_sleep(worker->sched))
        return false;
    worker->loot_since = tri_clock_now();
    return true;
}

struct tri_task *tri_worker_seek(struct tri_worker *worker)
{
    struct tri_task *task;

    tri_store_relaxed_32(&worker->is_running, 0);
    do {
        begin_search(worker);
        pause_between_thefts(worker);
        task = search(worker);
        if (task == NULL && !was_woken_in_vain(worker))
            park(worker);
    } while (task == NULL && !tri_sched_is_stopping(worker->sched));
    worker->was_woken = false;
    end_search(worker);
    tri_store_relaxed_32(&worker->is_running, 1);
    return task;
}
