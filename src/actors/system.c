/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. A system comes into being and is given back; its gate; its log.
 *
 *     ┌──────────┐ all workers run ┌──────┐  stop  ┌─────────┐ callers have left,  ┌─────────┐
 *     │ starting │ ──────────────► │ open │ ─────► │ closing │ actors have ended   │ stopped │
 *     └──────────┘                 └──────┘        └─────────┘ ──────────────────► └─────────┘
 *          └── undone: as if it had never been                                   only the shell
 *
 * Why a gate. A thread from outside may be anywhere in a verb when another one stops the system:
 * one addition on the way in and one on the way out tell the stop when the last has left. Counted
 * references to the parts were rejected: as many additions, in many more places.
 *
 * Rules
 *   1. The shell, struct tr_system itself, is never freed: a stale pointer finds a closed gate.
 *   2. A child of fork has none of the threads, and locks in it may be taken for ever: every verb
 *      looks at the fork epoch before it touches anything else.
 *
 * Partners: actors/stop.c closes; actors/stats.c reads the counters.
 */

#include "actors/system.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <troupe/error.h>
#include <troupe/timer.h>

#include "actors/deliver.h"
#include "actors/disturb.h"
#include "actors/names.h"
#include "actors/supervisor.h"
#include "actors/timed.h"
#include "actors/turn.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/memory.h"
#include "sched/simulated.h"
#include "sim/inside.h"

#define LOG_BYTES 256

uint32_t tri_fork_epoch;

/* All systems that ever were, those that live, and which indices these have. */
static pthread_mutex_t registering = PTHREAD_MUTEX_INITIALIZER;
static struct tr_system *known;
static struct tr_system *living[TRI_SYSTEMS_MAX];
static uint32_t living_count;

/* ---- forks ---------------------------------------------------------------------------------- */

/* In the child, which has one thread. If no system lived, nothing was lost. */
static void after_fork(void)
{
    if (living_count == 0)
        return;
    tri_fork_epoch++;
    tri_thread_current = NULL;
    tri_thread_running = TRI_THREAD_RUNS_NOTHING; /* whatever did is nobody's any more */
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, after_fork);
}

int tri_self_misused(const tr_self *self)
{
    if (self == NULL)
        return -EINVAL;
    return tri_fork_epoch != 0 ? -ESHUTDOWN : -EPERM;
}

/* ---- the gate ------------------------------------------------------------------------------- */

void tri_system_leave(tr_system *sys)
{
    /* release: what was done inside; pairs with the acquire in tri_system_wait_empty. */
    uint32_t before = tri_fetch_sub_acq_rel_32(&sys->gate, 1);

    if (TRI_UNLIKELY(before == (TRI_GATE_CLOSING | 1)))
        tri_futex_wake(&sys->gate, UINT32_MAX);
}

int tri_system_enter(tr_system *sys)
{
    if (TRI_UNLIKELY(sys == NULL))
        return -EINVAL;
    if (TRI_UNLIKELY(sys->fork_epoch != tri_fork_epoch))
        return -ESHUTDOWN; /* rule 2 */
    if (tri_sim_is_on())
        tri_sim_interleave();
    /* acquire: that it has started; pairs with the release in tri_system_open_gate. */
    if (TRI_LIKELY(!(tri_fetch_add_acq_rel_32(&sys->gate, 1) & TRI_GATE_CLOSING)))
        return 0;
    tri_system_leave(sys);
    return -ESHUTDOWN;
}

void tri_system_open_gate(tr_system *sys)
{
    /* release: publishes what has been started; pairs with the acquire in tri_system_enter. */
    tri_and_acq_rel_32(&sys->gate, ~TRI_GATE_CLOSING);
}

void tri_system_close_gate(tr_system *sys)
{
    tri_or_acq_rel_32(&sys->gate, TRI_GATE_CLOSING);
}

int tri_system_wait_empty(tr_system *sys, tr_time deadline)
{
    for (;;) {
        /* acquire: what the callers did; pairs with the release in tri_system_leave. */
        uint32_t gate = tri_load_acquire_32(&sys->gate);
        if ((gate & TRI_GATE_CALLERS) == 0)
            return 0;
        if (tri_clock_now() >= deadline)
            return -ETIMEDOUT;
        (void)tri_futex_wait(&sys->gate, gate, deadline);
    }
}

/* ---- what the scheduler calls --------------------------------------------------------------- */

static int worker_start(void *context, struct tri_worker *worker)
{
    tr_system *sys = context;
    tr_self *self = tri_alloc_zeroed(sizeof *self);

    if (self == NULL)
        return -ENOMEM;
    self->counts = tri_alloc_zeroed(TRI_TYPES_MAX * sizeof *self->counts);
    self->thread = tri_thread_self();
    if (self->counts == NULL || self->thread == NULL) {
        tri_free(self->counts);
        tri_free(self);
        return -ENOMEM;
    }
    self->system = sys;
    self->system_index = (uint16_t)sys->index;
    self->worker = worker;
    tri_random_seed(&self->random, sys->seed + worker->id);
    worker->context = self;
    sys->activations[worker->id] = self;
    return 0;
}

static void worker_stop(void *context, struct tri_worker *worker)
{
    (void)context;
    tri_slots_flush(worker->context);
}

/* On the watcher's thread: only words that the worker writes atomically. */
static void stuck(void *context, struct tri_worker *worker, tr_time for_how_long)
{
    tr_system *sys = context;
    tr_self *self = worker->context;
    struct tri_actor *actor = tri_load_relaxed_ptr(&self->actor);

    if (actor == NULL)
        return;
    /* acquire: the type of who lives there, and of whoever may follow; pairs with the release in
     * spawn.c. */
    (void)tri_load_acquire_32(&actor->terms);
    const struct tri_type *type = tri_load_relaxed_ptr(&actor->type);
    tri_log(sys, TR_LOG_WARNING, "an actor of type %s has been in one handler for %lld ms",
            type->public->name, (long long)(for_how_long / TR_MS(1)));
}

/* The same in every run of a simulation, whatever the process has done before: no ref is. */
static uint64_t identify(void *context, struct tri_task *task)
{
    (void)context;
    return tri_actor_of(task)->number;
}

/* ---- start and release ---------------------------------------------------------------------- */

static int check(const tr_config *config)
{
    if (config == NULL)
        return 0;
    return config->workers <= TRI_WORKERS_MAX && config->stop_within >= 0 ? 0 : -EINVAL;
}

/* Takes an index and makes the shell known. Errors: -ENOSPC. */
static int join_known(tr_system *sys)
{
    uint32_t index = 0;

    pthread_mutex_lock(&registering);
    while (index < TRI_SYSTEMS_MAX && living[index] != NULL)
        index++;
    if (index < TRI_SYSTEMS_MAX) {
        living[index] = sys;
        living_count++;
        sys->index = index + 1;
        sys->next_known = known;
        known = sys;
    }
    pthread_mutex_unlock(&registering);
    return index < TRI_SYSTEMS_MAX ? 0 : -ENOSPC;
}

bool tri_systems_live(void)
{
    pthread_mutex_lock(&registering);
    bool is_any = living_count > 0;
    pthread_mutex_unlock(&registering);
    return is_any;
}

static void leave_living(tr_system *sys)
{
    pthread_mutex_lock(&registering);
    living[sys->index - 1] = NULL;
    living_count--;
    pthread_mutex_unlock(&registering);
}

/* Of a system that never opened: nobody has its pointer. */
static void leave_known(tr_system *sys)
{
    pthread_mutex_lock(&registering);
    tr_system **place = &known;
    while (*place != sys)
        place = &(*place)->next_known;
    *place = sys->next_known;
    pthread_mutex_unlock(&registering);
    leave_living(sys);
}

static uint64_t make_seed(const tr_system *sys)
{
    uint64_t seed;

    if (tri_sim_is_on()) {
        tri_sim_random(&seed, sizeof seed);
        return seed;
    }
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)tri_clock_system() ^ (uintptr_t)sys;
    return seed;
}

static void free_parts(tr_system *sys)
{
    for (uint32_t i = 0; sys->activations != NULL && i < TRI_WORKERS_MAX; i++) {
        if (sys->activations[i] != NULL)
            tri_free(sys->activations[i]->counts);
        tri_free(sys->activations[i]);
    }
    tri_free(sys->activations);
    tri_free(sys->shared_counts);
    tri_names_free(sys->names);
    tri_suspensions_free(sys);
}

static int make_parts(tr_system *sys)
{
    sys->activations = tri_alloc_zeroed(TRI_WORKERS_MAX * sizeof(tr_self *));
    sys->shared_counts = tri_alloc_zeroed(TRI_TYPES_MAX * sizeof *sys->shared_counts);
    sys->names = tri_names_new(sys->seed);
    if (sys->activations == NULL || sys->shared_counts == NULL || sys->names == NULL)
        return -ENOMEM;
    return tri_slots_reserve();
}

static int start_parts(tr_system *sys)
{
    const struct tri_sched_options options = {
        .workers = sys->config.workers, .pinned = sys->config.pinned,
        .driver = tri_sim_is_on() ? &tri_simulated_driver : NULL,
        .run = tri_turn_run, .context = sys, .identify = identify,
        .worker_start = worker_start, .worker_stop = worker_stop,
        .timer_due = tri_timed_due, .stuck = stuck, .audit = tri_books_audit,
    };
    int error = make_parts(sys);

    if (error == 0)
        error = tri_supervisor_prepare();
    if (error == 0)
        error = tri_sched_start(&options, &sys->sched);
    if (error < 0) {
        free_parts(sys);
        return error;
    }
    sys->workers = tri_sched_worker_count(sys->sched);
    return 0;
}

static tr_system *make_shell(const tr_config *config)
{
    tr_system *sys = tri_alloc_zeroed(sizeof *sys);

    if (sys == NULL)
        return NULL;
    if (config != NULL)
        sys->config = *config;
    sys->gate = TRI_GATE_CLOSING;
    sys->seed = make_seed(sys);
    pthread_mutex_init(&sys->lock, NULL);
    tri_list_init(&sys->roots);
    tri_list_init(&sys->suspensions);
    return sys;
}

int tr_system_open(const tr_config *config, tr_system **ret_sys)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int error = ret_sys == NULL ? -EINVAL : check(config);

    if (error < 0)
        return error;
    if (tri_fork_epoch != 0)
        return -ESHUTDOWN;
    pthread_once(&once, watch_forks);

    tri_disturb_begin();
    tr_system *sys = make_shell(config);
    if (sys == NULL)
        return -ENOMEM;
    error = join_known(sys);
    if (error == 0 && (error = start_parts(sys)) < 0)
        leave_known(sys);
    if (error < 0) {
        tri_free(sys);
        return error;
    }
    tri_system_open_gate(sys);
    *ret_sys = sys;
    return 0;
}

tr_system *tr_system_start(const tr_config *config)
{
    const tr_system speaker = { .config = config != NULL ? *config : (tr_config){ .workers = 0 } };
    tr_system *sys = NULL;
    int error = tr_system_open(config, &sys);

    if (error < 0)
        tri_log(&speaker, TR_LOG_ERROR, "the system cannot start: %s (%s)", tr_strerror(error),
                tr_error_name(error));
    return sys;
}

void tri_system_release(tr_system *sys)
{
    tri_sched_free(sys->sched);
    free_parts(sys);
    sys->sched = NULL;
    sys->activations = NULL;
    sys->shared_counts = NULL;
    sys->names = NULL;
    leave_living(sys);
}

/* ---- the log -------------------------------------------------------------------------------- */

void tri_log(const tr_system *sys, tr_log_level level, const char *format, ...)
{
    char text[LOG_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (sys != NULL && sys->config.log != NULL)
        sys->config.log(sys->config.log_context, level, text);
    else if (level != TR_LOG_INFO)
        (void)fprintf(stderr, "troupe: %s\n", text);
}

/* ---- what the layers above tie to it -------------------------------------------------------- */

int tri_system_attach(tr_system *sys, void *data, void (*before_stop)(void *data),
                      void (*free_data)(void *data))
{
    int error = 0;

    pthread_mutex_lock(&sys->lock);
    if (sys->is_stopping) {
        error = -ESHUTDOWN;
    } else if (sys->attached != NULL) {
        error = -EEXIST;
    } else {
        sys->before_stop = before_stop;
        sys->free_attached = free_data;
        /* release: publishes it; pairs with the acquire in tri_system_attached. */
        tri_store_release_ptr(&sys->attached, data);
    }
    pthread_mutex_unlock(&sys->lock);
    return error;
}

void *tri_system_attached(tr_system *sys)
{
    /* acquire: pairs with the release in tri_system_attach. */
    return tri_load_acquire_ptr(&sys->attached);
}

/* ---- who and when --------------------------------------------------------------------------- */

tr_time tr_self_now(const tr_self *self)
{
    (void)self;
    return tri_clock_now();
}

tr_time tr_unix_now(void)
{
    return tri_clock_unix();
}

tr_time tr_system_now(const tr_system *sys)
{
    (void)sys;
    return tri_clock_now();
}

tr_ref tr_me(const tr_self *self)
{
    int error = tri_self_check(self);

    return error < 0 ? tri_ref_failed(error) : tri_ref_of(self->actor);
}

tr_system *tr_system_of(const tr_self *self)
{
    return tri_self_check(self) < 0 ? NULL : self->system;
}

uint32_t tr_incarnation(const tr_self *self)
{
    return tri_self_check(self) < 0 ? 0 : self->actor->incarnation;
}
