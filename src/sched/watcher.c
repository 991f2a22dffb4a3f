/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The watcher: a thread that looks after workers that cannot look after themselves.
 *
 *     ┌────────┐  all workers parked for some ticks:   ┌────────┐
 *     │ awake  │  announce, heavy fence, look again    │ asleep │
 *     │ 1 ms   │ ────────────────────────────────────► │        │
 *     └────────┘ ◄──────────────────────────────────── └────────┘
 *                   rouse: a worker that leaves its sleep
 *
 * At each tick it advances the coarse clock. A worker that is in the same turn as at the tick
 * before is stuck: its timers are fired here, its queue and its slot are given to a worker that
 * sleeps, and if it goes on for 100 ms and so many ticks it is reported, once for each turn. The
 * ticks are what makes it one handler: each tells the actor, between two messages, that its turn
 * has lasted long enough. Where the watcher itself did not run, a turn may have been long, and each
 * of its messages short. Work that lies in the injector while somebody sleeps, and a poller that
 * nobody minds while somebody could, wake somebody too.
 *
 * Why. A worker that holds on to its work (sched.h, rule 1) is right as long as its turns are
 * short. Letting each parked worker look round every millisecond was rejected: as many wake-ups as
 * workers. It lingers for a few ticks, since waking it costs the first worker of a burst 9 us;
 * after a long sleep it lingers for one only, so that one timer a second does not cost ten ticks.
 *
 * Partners: seek.c rouses it and steals what it hands on.
 */

#include "sched/inside.h"

#define TICK TR_MS(TRI_WATCHER_TICK_MS)

static void fire_timers_of(struct tri_sched *sched, struct tri_worker *worker, tr_time now)
{
    const struct tri_sched_options *options = &sched->options;

    for (unsigned fired = 0; fired < TRI_TIMERS_AT_ONCE; fired++) {
        if (tri_timers_earliest(&worker->timers) > now || tri_sched_is_stopping(sched))
            return;
        struct tri_timer *timer = tri_timers_expire(&worker->timers, now);
        if (timer != NULL)
            options->timer_due(options->context, NULL, timer);
    }
}

static void report(struct tri_sched *sched, struct tri_worker *worker, tr_time now)
{
    struct tri_watched *watched = &sched->watcher.watched[worker->id];
    tr_time lasts = now - watched->seen.since;

    if (watched->was_reported || lasts < TR_MS(TRI_STUCK_AFTER_MS)
        || watched->ticks < TRI_STUCK_AFTER_TICKS)
        return;
    watched->was_reported = true;
    if (sched->options.stuck != NULL)
        sched->options.stuck(sched->options.context, worker, lasts);
}

/* Whether the worker is in the turn in which it was at the tick before. */
static bool is_stuck(struct tri_sched *sched, struct tri_worker *worker, tr_time now)
{
    struct tri_watched *watched = &sched->watcher.watched[worker->id];
    uint64_t turn = tri_load_relaxed_64(&worker->turns);

    if (tri_load_relaxed_32(&worker->is_running) && watched->seen.turn == turn) {
        watched->ticks++;
        return true;
    }
    *watched = (struct tri_watched){ .seen = { .turn = turn, .since = now } };
    return false;
}

/* Sees to one worker; true if it has something that somebody else should run. */
static bool see_to(struct tri_sched *sched, struct tri_worker *worker, tr_time now)
{
    if (!is_stuck(sched, worker, now))
        return false;
    tri_store_relaxed_64(&worker->stuck_in, sched->watcher.watched[worker->id].seen.turn);
    fire_timers_of(sched, worker, now);
    report(sched, worker, now);
    return tri_run_queue_length(&worker->queue) > 0 || tri_lifo_slot_has_task(&worker->lifo);
}

/* A poller that nobody has minded since the last tick. */
static bool is_poller_alone(struct tri_sched *sched)
{
    bool was_free = sched->watcher.role_was_free;

    sched->watcher.role_was_free = tri_poll_role_is_free(&sched->poll_role);
    return was_free && sched->watcher.role_was_free;
}

static void tick(struct tri_sched *sched)
{
    tr_time now = tri_sched_clock_advance(sched);
    bool needs_help = is_poller_alone(sched);

    for (uint32_t i = 0; i < sched->worker_count; i++)
        needs_help = see_to(sched, sched->workers[i], now) || needs_help;
    if (needs_help || tri_injector_length(&sched->injector) > 0)
        tri_sched_wake_for_new_work(sched);
}

static bool are_all_parked(const struct tri_sched *sched)
{
    uint64_t counts = tri_load_relaxed_64(&sched->idle.counts);

    return tri_idle_parked_of(counts) == sched->worker_count;
}

static void sleep_till_roused(struct tri_sched *sched)
{
    struct tri_watcher *watcher = &sched->watcher;

    tri_store_relaxed_32(&watcher->is_asleep, 1);
    tri_fence_heavy();  /* a worker that wakes up sees this, or is seen: pairs with rouse */
    if (!are_all_parked(sched) || tri_sched_is_stopping(sched)) {
        tri_store_relaxed_32(&watcher->is_asleep, 0);
        return;
    }
    watcher->slept_since = tri_clock_now();
    tri_park_sleep(&watcher->park, TR_FOREVER);
    bool was_long = tri_clock_now() - watcher->slept_since > TICK * 8 * TRI_WATCHER_LINGER;
    watcher->linger = was_long ? 1 : TRI_WATCHER_LINGER;
}

void tri_watcher_rouse(struct tri_sched *sched)
{
    struct tri_watcher *watcher = &sched->watcher;

    tri_fence_light();  /* this worker is not parked any more: pairs with sleep_till_roused */
    if (TRI_LIKELY(tri_load_relaxed_32(&watcher->is_asleep) == 0))
        return;
    uint32_t seen = 1;
    if (tri_cas_acq_rel_32(&watcher->is_asleep, &seen, 0))
        tri_park_give(&watcher->park);
}

void tri_watcher_loop(struct tri_sched *sched)
{
    struct tri_watcher *watcher = &sched->watcher;

    while (!tri_sched_is_stopping(sched)) {
        if (!are_all_parked(sched)) {
            watcher->ticks_left = watcher->linger;
        } else if (watcher->ticks_left == 0) {
            sleep_till_roused(sched);
            continue;
        } else {
            watcher->ticks_left--;
        }
        tri_park_sleep(&watcher->park, tri_clock_now() + TICK);
        tick(sched);
    }
}
