/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/system.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <troupe/troupe.h>

#include "actors/deliver.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/test.h"
#include "support/waiting.h"

struct sys_count { int by; };
struct sys_block { int unused; };
struct sys_spawn { int unused; };
struct sys_stop { int unused; };
struct sys_fork { int unused; };
struct sys_crash { int unused; };
struct counter { int total; };

#define SYS_MESSAGES(M)                                                                            \
    M(sys_count) M(sys_block) M(sys_spawn) M(sys_stop) M(sys_fork) M(sys_crash)
TR_PROTOCOL(sys, 1, SYS_MESSAGES);

static tr_system *sys;
static uint32_t handled, stopped, blocked, may_go_on;
static uint32_t answer; /* an error, positive, plus 1 */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static char last_line[256];
static uint32_t lines;

static void keep_line(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)level;
    pthread_mutex_lock(&writing);
    strncpy(last_line, text, sizeof last_line - 1);
    pthread_mutex_unlock(&writing);
    tri_fetch_add_acq_rel_32(&lines, 1);
}

TR_ON(counter, sys_count, self, me, msg)
{
    (void)self;
    me->total += msg->by;
    tri_fetch_add_acq_rel_32(&handled, 1);
    return TR_OK;
}

TR_ON(counter, sys_block, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    tri_fetch_add_acq_rel_32(&blocked, 1);
    while (!tri_load_acquire_32(&may_go_on))
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    return TR_OK;
}

TR_ON(counter, sys_stop, self, me, msg)
{
    (void)me;
    (void)msg;
    tri_store_release_32(&answer,
                         (uint32_t)(1 - tr_system_stop(tr_system_of(self), TR_SEC(1))));
    return TR_OK;
}

TR_ON(counter, sys_crash, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    return -EIO;
}

TR_ON(counter, sys_fork, self, me, msg)
{
    (void)me;
    (void)msg;
    pid_t child = fork();
    int status;

    if (child == 0) {
        bool refused = tr_send(self, tr_none(), sys_count, .by = 1) == -ESHUTDOWN
                       && tr_defer(self, free, NULL) == -ESHUTDOWN
                       && tr_ref_error(tr_me(self)) == -ESHUTDOWN;
        _exit(refused ? 0 : 1);
    }
    waitpid(child, &status, 0);
    tri_store_release_32(&answer, WIFEXITED(status) ? 1 + (uint32_t)WEXITSTATUS(status) : 99);
    return TR_OK;
}

static void counter_stop(tr_self *self, void *me, const tr_reason *reason)
{
    (void)self;
    (void)me;
    if (reason->kind == TR_SHUTDOWN)
        tri_fetch_add_acq_rel_32(&stopped, 1);
}

static const tr_actor_type counter_actor = {
    TR_STATE(counter), .stop = counter_stop,
    .on = TR_TABLE(TR_HANDLES(counter, sys_count), TR_HANDLES(counter, sys_block),
                   TR_HANDLES(counter, sys_stop), TR_HANDLES(counter, sys_fork),
                   TR_HANDLES(counter, sys_crash)),
};

/* Makes another one when it starts, and again: never comes to an end by itself. */
struct breeder { int unused; };

static int breed(tr_self *self, void *me);

static const tr_actor_type breeder_actor = {
    TR_STATE(breeder), .start = breed,
};

static int breed(tr_self *self, void *me)
{
    (void)me;
    (void)tr_ref_error(tr_spawn(self, breeder, .unused = 0));
    return TR_STOP;
}

static void open_workers(uint32_t workers)
{
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = workers, .log = keep_line }, &sys), 0);
}

static void open_two(void)
{
    open_workers(2);
}

TestSuite(system, .init = open_two, .timeout = 60);
TestSuite(system_bare, .timeout = 60);

/* ---- start ---------------------------------------------------------------------------------- */

Test(system_bare, takes_no_config)
{
    cr_assert_eq(tr_system_open(NULL, &sys), 0);
    cr_assert_eq(tr_system_stop(sys, 0), 0);
    sys = tr_system_start(NULL);
    cr_assert_not_null(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(1)), 0);
}

Test(system_bare, refuses_absurd_configs)
{
    const tr_config crowd = { .workers = TRI_WORKERS_MAX + 1, .log = keep_line };

    cr_assert_eq(tr_system_open(&crowd, &sys), -EINVAL);
    cr_assert_eq(tr_system_open(&(tr_config){ .stop_within = -1 }, &sys), -EINVAL);
    cr_assert_eq(tr_system_open(NULL, NULL), -EINVAL);
    cr_assert_null(sys);
    cr_assert_null(tr_system_start(&crowd));
    cr_assert_eq(lines, 1, "the error goes to the log");
}

Test(system_bare, so_many_live_at_a_time)
{
    static tr_system *many[TRI_SYSTEMS_MAX];

    for (uint32_t i = 0; i < TRI_SYSTEMS_MAX; i++)
        cr_assert_eq(tr_system_open(&(tr_config){ .workers = 1 }, &many[i]), 0);
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 1 }, &sys), -ENOSPC);
    for (uint32_t i = 0; i < TRI_SYSTEMS_MAX; i++)
        cr_assert_eq(tr_system_stop(many[i], TR_SEC(5)), 0);
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 1 }, &sys), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

Test(system_bare, two_do_not_know_each_other)
{
    tr_system *other;

    open_two();
    cr_assert_eq(tr_system_open(NULL, &other), 0);
    tr_ref here = tr_spawn(sys, counter, .total = 0);
    cr_assert_eq(tr_send(other, here, sys_count, .by = 1), -EINVAL);
    cr_assert_eq(tr_stop(other, here), -ESRCH);
    cr_assert_eq(tr_system_stop(other, TR_SEC(5)), 0);
    cr_assert_eq(tr_send(sys, here, sys_count, .by = 1), 0);
    WAIT_FOR(tri_load_acquire_32(&handled) == 1);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

static uint32_t allocations_left;

static void *sparing(void *context, size_t alignment, size_t size)
{
    uint32_t left = tri_load_relaxed_32(&allocations_left);

    (void)context;
    do {
        if (left == 0)
            return NULL;
    } while (!tri_cas_relaxed_32(&allocations_left, &left, left - 1));
    return alignment > alignof(max_align_t) ? aligned_alloc(alignment, size) : malloc(size);
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

Test(system_bare, a_start_without_memory_leaves_nothing)
{
    const struct tri_memory_hook hook = { sparing, release, NULL };
    int error = -ENOMEM;
    uint32_t tries = 0;

    tri_memory_hook_set(&hook);
    for (; error == -ENOMEM && tries < 200; tries++) {
        tri_store_relaxed_32(&allocations_left, tries);
        error = tr_system_open(&(tr_config){ .workers = 2 }, &sys);
    }
    cr_assert_eq(error, 0);
    cr_assert_gt(tries, 5);
    tri_store_relaxed_32(&allocations_left, UINT32_MAX);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

/* ---- stop ----------------------------------------------------------------------------------- */

Test(system, what_is_queued_is_handled_before_it_stops)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);

    for (int i = 0; i < 500; i++)
        while (tr_send(sys, ref, sys_count, .by = 1) == -ENOBUFS)
            continue;
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    cr_assert_eq(handled, 500);
    cr_assert_eq(stopped, 1);
}

Test(system, after_the_stop_every_verb_says_so)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);
    tr_stats stats;

    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
    cr_assert_eq(tr_send(sys, ref, sys_count, .by = 1), -ESHUTDOWN);
    cr_assert_eq(tr_ref_error(tr_spawn(sys, counter, .total = 0)), -ESHUTDOWN);
    cr_assert_eq(tr_stop(sys, ref), -ESHUTDOWN);
    cr_assert_eq(tr_kill(sys, ref), -ESHUTDOWN);
    cr_assert_eq(tr_name(sys, ref, "a"), -ESHUTDOWN);
    cr_assert_eq(tr_ref_error(tr_lookup(sys, "a")), -ESHUTDOWN);
    cr_assert_eq(tr_system_stats(sys, &stats), -ESHUTDOWN);
    cr_assert_eq(tr_system_shutdown(sys), -ESHUTDOWN);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &(tr_supervisor){ .within = 0 })), -ESHUTDOWN);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), -ESHUTDOWN);
}

Test(system, a_stop_without_a_system_or_with_a_bad_time_is_refused)
{
    cr_assert_eq(tr_system_stop(NULL, TR_SEC(1)), -EINVAL);
    cr_assert_eq(tr_system_stop(sys, -1), -EINVAL);
    cr_assert_eq(tr_system_stop(sys, TR_FOREVER), 0);
}

Test(system, no_actor_can_stop_it)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);

    tr_send(sys, ref, sys_stop, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&answer) != 0);
    cr_assert_eq(answer - 1, EDEADLK);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

Test(system, who_overstays_is_killed_and_named)
{
    tr_ref ref = tr_spawn_with(sys, &(tr_spawn_options){ .name = "slow" }, counter, .total = 0);
    tr_time begin;

    tr_send(sys, ref, sys_block, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&blocked));
    begin = tri_clock_now();
    cr_assert_eq(tr_system_stop(sys, TR_MS(50)), -ETIMEDOUT);
    cr_assert_lt(tri_clock_now() - begin, TR_SEC(10), "a handler that hangs does not hang it");
    cr_assert_gt(tri_load_acquire_32(&lines), 0);
    cr_assert_eq(tr_send(sys, ref, sys_count, .by = 1), -ESHUTDOWN);
    tri_store_release_32(&may_go_on, 1);
    _exit(0); /* the worker is left to itself: so are its parts */
}

static void *let_go(void *unused)
{
    (void)unused;
    WAIT_FOR(tri_load_acquire_32(&lines) > 0);
    tri_store_release_32(&may_go_on, 1);
    return NULL;
}

Test(system, who_comes_back_late_is_cleaned_up_all_the_same)
{
    pthread_t thread;
    tr_ref ref = tr_spawn_with(sys, &(tr_spawn_options){ .name = "late" }, counter, .total = 0);

    tr_send(sys, ref, sys_block, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&blocked));
    pthread_create(&thread, NULL, let_go, NULL);
    cr_assert_eq(tr_system_stop(sys, TR_MS(20)), -ETIMEDOUT);
    pthread_join(thread, NULL);
    cr_assert_eq(tri_load_acquire_32(&stopped), 0, "it was killed");
}

Test(system, who_never_ends_breeding_is_ended)
{
    for (int i = 0; i < 8; i++)
        (void)tr_ref_error(tr_spawn(sys, breeder, .unused = 0));
    int error = tr_system_stop(sys, TR_MS(100));
    cr_assert(error == 0 || error == -ETIMEDOUT, "it may catch all of them in between");
}

/* A line of them moves between two slots, and a look at all slots may find it in neither. */
Test(system_bare, who_hides_from_the_looks_is_ended)
{
    for (int i = 0; i < 50; i++) {
        open_workers(2);
        for (int line = 0; line < 8; line++)
            (void)tr_ref_error(tr_spawn(sys, breeder, .unused = 0));
        int error = tr_system_stop(sys, TR_MS(10));
        cr_assert(error == 0 || error == -ETIMEDOUT);
    }
}

Test(system, nothing_waits_for_what_is_suspended)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);

    cr_assert_eq(tr_suspend(sys, ref), 0);
    tr_send(sys, ref, sys_count, .by = 1);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    cr_assert_eq(handled, 0);
    cr_assert_eq(stopped, 1);
}

Test(system, a_stop_at_once_kills)
{
    for (int i = 0; i < 100; i++)
        cr_assert_eq(tr_ref_error(tr_spawn(sys, counter, .total = 0)), 0);
    int error = tr_system_stop(sys, 0);
    cr_assert(error == 0 || error == -ETIMEDOUT);
}

Test(system_bare, starts_and_stops_a_hundred_times)
{
    for (int i = 0; i < 100; i++) {
        open_workers(1 + (uint32_t)i % 4);
        tr_ref ref = tr_spawn(sys, counter, .total = 0);
        cr_assert_eq(tr_send(sys, ref, sys_count, .by = 1), 0);
        cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
        cr_assert_eq(tri_load_acquire_32(&handled), (uint32_t)i + 1);
    }
}

/* ---- the gate, from many sides -------------------------------------------------------------- */

static tr_ref target;

static void *knock(void *unused)
{
    uintptr_t accepted = 0;
    int error;

    (void)unused;
    do {
        error = tr_send(sys, target, sys_count, .by = 1);
        accepted += error == 0;
        (void)tr_lookup(sys, "nobody");
    } while (error != -ESHUTDOWN);
    return (void *)accepted;
}

Test(system, a_stop_under_fire_loses_nothing)
{
    pthread_t threads[3];
    uintptr_t accepted = 0;
    void *result;

    target = tr_spawn(sys, counter, .total = 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, knock, NULL);
    WAIT_FOR(tri_load_acquire_32(&handled) > 1000);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        accepted += (uintptr_t)result;
    }
    cr_assert_eq(handled, accepted);
}

/* ---- forks ---------------------------------------------------------------------------------- */

Test(system, a_child_of_fork_gets_nothing_and_the_parent_goes_on)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);
    pid_t child = fork();
    int status;

    if (child == 0) {
        tr_system *other;
        bool refused = tr_send(sys, ref, sys_count, .by = 1) == -ESHUTDOWN
                       && tr_system_stop(sys, TR_SEC(1)) == -ESHUTDOWN
                       && tr_system_open(NULL, &other) == -ESHUTDOWN;
        _exit(refused ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert_eq(tr_send(sys, ref, sys_count, .by = 1), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
    cr_assert_eq(handled, 1);
}

Test(system, so_does_a_fork_inside_a_handler)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);

    tr_send(sys, ref, sys_fork, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&answer) != 0);
    cr_assert_eq(answer, 1);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

/* ---- counters ------------------------------------------------------------------------------- */

Test(system, counts_what_happens)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0), busy = tr_spawn(sys, counter, .total = 0);
    tr_stats all, one;

    cr_assert_eq(tr_send(sys, busy, sys_block, .unused = 0), 0);
    WAIT_FOR(tri_load_acquire_32(&blocked) == 1);
    cr_assert_eq(tr_send(sys, busy, sys_count, .by = 1), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tr_send(sys, ref, sys_count, .by = 1), 0);
    cr_assert_eq(tr_send(sys, tr_none(), sys_count, .by = 1), -ESRCH);
    cr_assert_eq(tr_send(sys, ref, sys_crash, .unused = 0), 0);
    WAIT_FOR(tr_type_stats(sys, &counter_actor, &one) == 0 && one.ended == 1);
    cr_assert_eq(one.accepted, 6);
    cr_assert_eq(one.handled, 3);
    cr_assert_eq(one.crashed, 1);
    cr_assert_eq(one.queued, 2, "the one in hand, and the one behind it");
    cr_assert_eq(one.rejected, 0);
    cr_assert_eq(one.spawned, 2);
    cr_assert_eq(one.alive, 1);
    cr_assert_eq(one.turns, 0);
    cr_assert_eq(tr_system_stats(sys, &all), 0);
    cr_assert_eq(all.attempted, 7);
    cr_assert_eq(all.rejected, 1);
    cr_assert_gt(all.turns, 0);
    tri_store_release_32(&may_go_on, 1);
    cr_assert_eq(tr_type_stats(sys, &breeder_actor, &one), 0, "never made: all zeroes");
    cr_assert_eq(one.spawned, 0);
    cr_assert_eq(tr_type_stats(sys, NULL, &one), -EINVAL);
    cr_assert_eq(tr_system_stats(sys, NULL), -EINVAL);
    cr_assert_eq(tr_system_stats(NULL, &all), -EINVAL);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}

/* ---- what is tied to it --------------------------------------------------------------------- */

static uint32_t told_before, told_after;

static void before_stop(void *data)
{
    cr_assert_eq(data, &told_before);
    cr_assert_eq(tri_load_acquire_32(&stopped), 1, "its actors have ended");
    told_before++;
}

static void after_stop(void *data)
{
    (void)data;
    cr_assert_eq(told_before, 1);
    told_after++;
}

Test(system, what_is_tied_to_it_hears_of_the_stop)
{
    (void)tr_ref_error(tr_spawn(sys, counter, .total = 0));
    cr_assert_null(tri_system_attached(sys));
    cr_assert_eq(tri_system_attach(sys, &told_before, before_stop, after_stop), 0);
    cr_assert_eq(tri_system_attach(sys, &told_before, before_stop, after_stop), -EEXIST);
    cr_assert_eq(tri_system_attached(sys), &told_before);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
    cr_assert_eq(told_after, 1);
    cr_assert_eq(tri_system_attach(sys, &told_before, before_stop, after_stop), -ESHUTDOWN);
}

/* ---- a turn that lasts ---------------------------------------------------------------------- */

Test(system, a_handler_that_takes_long_is_reported)
{
    tr_ref ref = tr_spawn(sys, counter, .total = 0);

    tr_send(sys, ref, sys_block, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&lines) > 0);
    tri_store_release_32(&may_go_on, 1);
    cr_assert_not_null(strstr(last_line, "counter"));
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
}
