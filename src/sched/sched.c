/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Start and stop of the scheduler, and what belongs to it as a whole.
 *
 *     ┌────────┐ threads made ┌──────────┐ all have said yes ┌─────────┐ stop ┌─────────┐ free
 *     │ (none) │ ───────────► │ starting │ ────────────────► │ running │ ───► │ stopped │ ────►
 *     └────────┘              └──────────┘                   └─────────┘      └─────────┘
 *          ▲    undone: one has said no, or could not be made │
 *          └──────────────────────────────────────────────────┘
 *
 * No worker runs a task before all have started: whatever fails, nothing has happened yet.
 */

#include "sched/sched.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/futex.h"
#include "base/memory.h"
#include "base/thread.h"
#include "sched/cpus.h"
#include "sched/inside.h"

#define DRIVEN_WORKERS TRI_LIMIT(4u, 2u)

/* ---- forks ---- */

static uint32_t forks;  /* written by a child alone, before it has a second thread */
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    forks++;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

bool tri_sched_is_forked(const struct tri_sched *sched)
{
    return sched->forks != forks;
}

/* ---- the whole's services ---- */

tr_time tri_sched_clock_advance(struct tri_sched *sched)
{
    uint64_t *coarse = &sched->clock.now;
    uint64_t now = (uint64_t)tri_clock_now();
    uint64_t seen = tri_load_relaxed_64(coarse);

    /* Written rarely, for all workers read it at each turn; relaxed: only a number. */
    while (now >= seen + (uint64_t)TR_MS(TRI_WATCHER_TICK_MS) / 2) {
        if (tri_cas_relaxed_64(coarse, &seen, now))
            break;
    }
    return (tr_time)now;
}

tr_time tri_sched_now(struct tri_sched *sched)
{
    uint64_t counts = tri_load_relaxed_64(&sched->idle.counts);

    if (tri_idle_parked_of(counts) == sched->worker_count)
        tri_sched_clock_advance(sched);
    return (tr_time)tri_load_relaxed_64(&sched->clock.now);
}

void tri_sched_wake(struct tri_sched *sched, uint32_t worker)
{
    if (tri_park_give(&sched->workers[worker]->park) == TRI_GIVEN_POLLING)
        tri_poll_role_wake(&sched->poll_role);
}

void tri_sched_wake_for_new_work(struct tri_sched *sched)
{
    uint32_t chosen = tri_idle_choose_for_new_work(&sched->idle);

    if (chosen != TRI_IDLE_NOBODY)
        tri_sched_wake(sched, chosen);
}

void tri_sched_inject(struct tri_sched *sched, struct tri_task *task)
{
    if (TRI_UNLIKELY(sched->options.driver != NULL)) {
        sched->options.driver->inject(sched, task);
        return;
    }
    tri_injector_add(&sched->injector, task, task, 1);
    tri_fence_full();  /* the task is seen by who goes to sleep or ends its search, or they are */
    tri_sched_wake_for_new_work(sched);
}

void tri_timer_start(struct tri_sched *sched, struct tri_worker *worker, struct tri_timer *timer,
                     tr_time deadline)
{
    bool is_foreign = worker == NULL;

    if (is_foreign && sched->options.driver != NULL)
        worker = sched->workers[0];
    else if (is_foreign)
        worker = sched->workers[(uintptr_t)timer / TRI_CACHE_LINE % sched->worker_count];
    timer->deadline = deadline;
    timer->worker = worker->id;
    if (!tri_timers_add(&worker->timers, timer) || !is_foreign)
        return;
    tri_fence_full();  /* the timer is seen by the worker that goes to sleep, or it is */
    if (tri_idle_choose_one(&sched->idle, worker->id))
        tri_sched_wake(sched, worker->id);
}

bool tri_timer_cancel(struct tri_sched *sched, struct tri_timer *timer)
{
    return tri_timers_remove(&sched->workers[timer->worker]->timers, timer);
}

void tri_sched_set_poller(struct tri_sched *sched, const struct tri_poller *poller)
{
    tri_poll_role_set(&sched->poll_role, poller);
    if (poller == NULL)
        return;
    tri_fence_full();  /* the poller is seen by who goes to sleep, or they are */
    tri_sched_wake_for_new_work(sched);
}

uint32_t tri_sched_worker_count(const struct tri_sched *sched)
{
    return sched->worker_count;
}

struct tri_worker *tri_sched_worker(struct tri_sched *sched, uint32_t index)
{
    tri_assert(index < sched->worker_count);
    return sched->workers[index];
}

__attribute__((noinline)) struct tri_worker *tri_worker_current(void)
{
    const struct tri_thread *thread = tri_thread_current;

    __asm__ volatile("" ::: "memory");
    return thread == NULL ? NULL : thread->worker;
}

/* ---- threads ---- */

static int prepare(struct tri_worker *worker)
{
    const struct tri_sched_options *options = &worker->sched->options;
    struct tri_thread *thread = tri_thread_self();

    if (thread == NULL)
        return -ENOMEM;
    thread->worker = worker;
    int error = options->pinned ? tri_cpus_pin(worker->id) : 0;
    if (error == 0 && options->worker_start != NULL)
        error = options->worker_start(options->context, worker);
    return error;
}

/* Says how it went and hears what all the others said. */
static bool may_go(struct tri_start *start, int error)
{
    pthread_mutex_lock(&start->lock);
    start->answers++;
    if (start->error == 0)
        start->error = error;
    pthread_cond_broadcast(&start->changed);
    while (start->decision == TRI_START_UNDECIDED)
        pthread_cond_wait(&start->changed, &start->lock);
    bool goes = start->decision == TRI_START_GO;
    pthread_mutex_unlock(&start->lock);
    return goes;
}

/* The thread does nothing more: a join will not wait. */
static void note_end(struct tri_sched *sched)
{
    /* release: all it did; pairs with the acquire in wait_for_ends. */
    tri_fetch_add_acq_rel_32(&sched->ended, 1);
    tri_futex_wake(&sched->ended, UINT32_MAX);
}

static void *worker_main(void *argument)
{
    struct tri_worker *worker = argument;
    const struct tri_sched_options *options = &worker->sched->options;
    char name[16];

    snprintf(name, sizeof name, "troupe-%u", (unsigned)worker->id);
    pthread_setname_np(pthread_self(), name);
    int error = prepare(worker);
    if (may_go(&worker->sched->start, error))
        tri_worker_loop(worker);
    if (error == 0 && options->worker_stop != NULL)
        options->worker_stop(options->context, worker);
    if (tri_thread_current != NULL)
        tri_thread_current->worker = NULL;
    note_end(worker->sched);
    return NULL;
}

static void *watcher_main(void *argument)
{
    struct tri_sched *sched = argument;

    pthread_setname_np(pthread_self(), "troupe-watch");
    if (may_go(&sched->start, 0))
        tri_watcher_loop(sched);
    note_end(sched);
    return NULL;
}

/* Signals belong to the program's own threads; faults come to whoever makes them. */
static int create(pthread_t *ret_thread, void *(*body)(void *), void *argument)
{
    sigset_t all, before;

    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(ret_thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static void join(struct tri_sched *sched, uint32_t workers)
{
    for (uint32_t i = 0; i < workers; i++)
        pthread_join(sched->workers[i]->thread, NULL);
    pthread_join(sched->watcher_thread, NULL);
}

/* ---- start ---- */

static struct tri_worker *make_worker(struct tri_sched *sched, uint32_t id)
{
    struct tri_worker *worker = tri_alloc_aligned(TRI_CACHE_LINE, sizeof(*worker));

    if (worker == NULL)
        return NULL;
    *worker = (struct tri_worker){
        .sched = sched, .clock = &sched->clock, .idle = &sched->idle,
        .id = id, .next_victim = id + 1,
    };
    worker->seen = tri_alloc_zeroed(sched->worker_count * sizeof(*worker->seen));
    if (worker->seen == NULL) {
        tri_free(worker);
        return NULL;
    }
    tri_timers_init(&worker->timers, (tr_time)sched->clock.now);
    return worker;
}

void tri_sched_free(struct tri_sched *sched)
{
    if (sched == NULL)
        return;
    if (sched->options.driver != NULL)
        sched->options.driver->free(sched);
    for (uint32_t i = 0; sched->workers != NULL && i < sched->worker_count; i++) {
        if (sched->workers[i] != NULL)
            tri_free(sched->workers[i]->seen);
        tri_free(sched->workers[i]);
    }
    tri_free(sched->watcher.watched);
    tri_free(sched->workers);
    tri_free(sched);
}

static struct tri_sched *make_sched(const struct tri_sched_options *options)
{
    struct tri_sched *sched = tri_alloc_aligned(TRI_CACHE_LINE, sizeof(*sched));

    if (sched == NULL)
        return NULL;
    *sched = (struct tri_sched){
        .options = *options,
        .worker_count = options->workers,
        .start = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .answers = 0 },
    };
    if (sched->worker_count == 0) /* a driver's runs must not depend on the machine */
        sched->worker_count = options->driver != NULL ? DRIVEN_WORKERS : tri_cpus_allowed();
    if (sched->worker_count > TRI_WORKERS_MAX)
        sched->worker_count = TRI_WORKERS_MAX;
    sched->forks = forks;
    sched->clock.now = (uint64_t)tri_clock_now();
    sched->workers = tri_alloc_zeroed(sched->worker_count * sizeof(struct tri_worker *));
    sched->watcher.watched = tri_alloc_zeroed(sched->worker_count * sizeof(struct tri_watched));
    bool is_complete = sched->workers != NULL && sched->watcher.watched != NULL;
    for (uint32_t i = 0; is_complete && i < sched->worker_count; i++) {
        sched->workers[i] = make_worker(sched, i);
        is_complete = sched->workers[i] != NULL;
    }
    if (is_complete)
        return sched;
    tri_sched_free(sched);
    return NULL;
}

/* Waits for everybody's answer and tells them the decision. */
static int decide(struct tri_start *start, uint32_t threads, int error)
{
    pthread_mutex_lock(&start->lock);
    while (start->answers < threads)
        pthread_cond_wait(&start->changed, &start->lock);
    if (error == 0)
        error = start->error;
    start->decision = error == 0 ? TRI_START_GO : TRI_START_UNDO;
    pthread_cond_broadcast(&start->changed);
    pthread_mutex_unlock(&start->lock);
    return error;
}

/* Makes the threads, and joins them again if any of them says no. */
static int start_threads(struct tri_sched *sched)
{
    int error = create(&sched->watcher_thread, watcher_main, sched);
    uint32_t made = 0;

    if (error != 0)
        return error;
    while (error == 0 && made < sched->worker_count) {
        struct tri_worker *worker = sched->workers[made];
        error = create(&worker->thread, worker_main, worker);
        made += error == 0;
    }
    error = decide(&sched->start, made + 1, error);
    if (error != 0)
        join(sched, made);
    return error;
}

int tri_sched_start(const struct tri_sched_options *options, struct tri_sched **ret_sched)
{
    if (options == NULL || options->run == NULL || options->workers > TRI_WORKERS_MAX)
        return -EINVAL;
    pthread_once(&forks_once, watch_forks);
    tri_fence_init();

    struct tri_sched *sched = make_sched(options);
    if (sched == NULL)
        return -ENOMEM;
    int error = options->driver != NULL ? options->driver->start(sched) : start_threads(sched);
    if (error != 0) {
        tri_sched_free(sched);
        return error;
    }
    *ret_sched = sched;
    return 0;
}

/* ---- stop ---- */

void tri_sched_end_loops(struct tri_sched *sched)
{
    tri_assert(!tri_sched_is_stopping(sched));
    tri_store_relaxed_32(&sched->clock.stopping, 1);
    tri_fence_full();  /* seen by who goes to sleep, or they are: pairs with the heavy ones there */
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        if (tri_idle_choose_one(&sched->idle, i))
            tri_sched_wake(sched, i);
    }
    tri_park_give(&sched->watcher.park);
}

/* Whether all threads have come to their ends by then. */
static bool wait_for_ends(struct tri_sched *sched, tr_time deadline)
{
    for (;;) {
        /* acquire: what the threads did; pairs with the release in note_end. */
        uint32_t ended = tri_load_acquire_32(&sched->ended);
        if (ended == sched->worker_count + 1)
            return true;
        if (tri_clock_system() >= deadline)
            return false;
        tri_futex_wait(&sched->ended, ended, deadline);
    }
}

/* They end, if they ever do, with nobody to join them. */
static int leave_threads(struct tri_sched *sched)
{
    for (uint32_t i = 0; i < sched->worker_count; i++)
        pthread_detach(sched->workers[i]->thread);
    pthread_detach(sched->watcher_thread);
    return -ETIMEDOUT;
}

int tri_sched_stop_within(struct tri_sched *sched, tr_time within)
{
    if (tri_sched_is_forked(sched))
        return -ESHUTDOWN;
    if (sched->options.driver != NULL) {
        sched->options.driver->stop(sched);
        return 0;
    }
    tr_time now = tri_clock_system();
    tri_sched_end_loops(sched);
    if (!wait_for_ends(sched, within < TR_FOREVER - now ? now + within : TR_FOREVER))
        return leave_threads(sched);
    join(sched, sched->worker_count);
    return 0;
}

int tri_sched_stop(struct tri_sched *sched)
{
    return tri_sched_stop_within(sched, TR_FOREVER);
}

struct tri_task *tri_sched_take_any(struct tri_sched *sched)
{
    if (sched->options.driver != NULL)
        return sched->options.driver->take_any(sched);
    struct tri_task *task = tri_injector_take(&sched->injector, 1);

    for (uint32_t i = 0; task == NULL && i < sched->worker_count; i++) {
        task = tri_lifo_slot_take(&sched->workers[i]->lifo);
        if (task == NULL)
            task = tri_run_queue_take(&sched->workers[i]->queue);
    }
    return task;
}
