/* SPDX-License-Identifier: BSD-2-Clause */

/* The loop: waking, timeouts, commands from other threads while it is polled; signals. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/ck.h"
#include "io/ops.h"
#include "io/uv.h"
#include "support/io.h"
#include "support/test.h"

static struct io_bench bench;

static void setup(void)
{
    io_bench_open(&bench, &tri_uv_ops);
}

static void teardown(void)
{
    io_bench_close(&bench);
}

TestSuite(io_uv, .init = setup, .fini = teardown, .timeout = 60);

Test(io_uv, a_poll_ends_in_time)
{
    tr_time before = tri_clock_system();

    io_bench_poll(&bench, TR_MS(30));
    tr_time taken = tri_clock_system() - before;
    cr_assert_geq(taken, TR_MS(29));
    io_bench_poll(&bench, 0);
    io_bench_poll(&bench, TR_US(1));
}

static void *wake(void *unused)
{
    (void)unused;
    bench.ops->wake(bench.implementation);
    return NULL;
}

Test(io_uv, a_poll_is_woken)
{
    bench.ops->wake(bench.implementation);
    io_bench_poll(&bench, TR_FOREVER); /* woken before: does not wait */

    for (unsigned i = 0; i < 100; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, wake, NULL), 0);
        io_bench_poll(&bench, TR_FOREVER);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }
}

/* ---- commands from other threads ---- */

static uint32_t polling_ends;

static void *poll_always(void *unused)
{
    (void)unused;
    while (tri_load_acquire_32(&polling_ends) == 0)
        bench.ops->poll(bench.implementation, TR_FOREVER);
    return NULL;
}

static void *open_and_close(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 300; i++) {
        struct tri_io_target target = { { 1 }, { UINT64_C(1) << 24 }, 1 };
        struct tri_io_object *signal = NULL;

        cr_assert_eq(bench.ops->signal(bench.implementation, &target, SIGURG, &signal), 0);
        bench.ops->close(signal);
    }
    return NULL;
}

static void run_threads(bool with_poller)
{
    pthread_t poller, threads[3];

    polling_ends = 0;
    if (with_poller)
        cr_assert_eq(pthread_create(&poller, NULL, poll_always, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    if (with_poller) {
        tri_store_release_32(&polling_ends, 1);
        bench.ops->wake(bench.implementation);
        cr_assert_eq(pthread_join(poller, NULL), 0);
    }
}

Test(io_uv, commands_while_somebody_polls)
{
    run_threads(true);
}

Test(io_uv, commands_while_nobody_polls)
{
    run_threads(false);
    io_bench_settle(&bench);
}

/* Each command is waited for by its effect: one that is not carried out is a wake-up lost. */
Test(io_uv, no_command_is_left_lying)
{
    pthread_t poller;

    polling_ends = 0;
    cr_assert_eq(pthread_create(&poller, NULL, poll_always, NULL), 0);
    for (unsigned i = 0; i < 200; i++) {
        struct tri_io_target target = { { 1 }, { UINT64_C(1) << 24 }, 1 };
        struct tri_io_object *listener = NULL;
        tr_address address;
        char end;

        cr_assert_eq(bench.ops->listen(bench.implementation, &target, &(tr_listen_options){ 0 },
                                       &listener), 0);
        cr_assert_eq(bench.ops->address(listener, false, &address), 0);
        int peer = io_peer_connect(address.port);
        bench.ops->close(listener);
        struct pollfd waiting = { .fd = peer, .events = POLLIN };
        cr_assert_eq(poll(&waiting, 1, 10000), 1, "the listener's end resets the peer");
        (void)!recv(peer, &end, 1, 0);
        close(peer);
    }
    tri_store_release_32(&polling_ends, 1);
    bench.ops->wake(bench.implementation);
    cr_assert_eq(pthread_join(poller, NULL), 0);
}

/* ---- signals ---- */

Test(io_uv, signals_are_events)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *first = NULL, *second = NULL;

    cr_assert_eq(bench.ops->signal(bench.implementation, &target, SIGUSR1, &first), 0);
    cr_assert_eq(bench.ops->signal(bench.implementation, &target, SIGUSR2, &second), 0);
    io_bench_poll(&bench, 0);
    cr_assert_eq(kill(getpid(), SIGUSR1), 0);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_SIGNAL);
    cr_assert_not_null(event);
    cr_assert_eq(event->number, SIGUSR1);
    bench.failures = 2;
    cr_assert_eq(kill(getpid(), SIGUSR2), 0);
    event = io_bench_wait(&bench, TRI_IO_SIGNAL);
    cr_assert_not_null(event);
    cr_assert_eq(event->number, SIGUSR2);
    bench.ops->close(first);
    bench.ops->close(second);
}

Test(io_uv, some_signals_are_not_to_be_had)
{
    static const int numbers[] = { 0, -1, 1000, SIGKILL, SIGSTOP, SIGSEGV, SIGFPE };
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *object = NULL;

    for (unsigned i = 0; i < TRI_COUNT_OF(numbers); i++)
        cr_assert_eq(bench.ops->signal(bench.implementation, &target, numbers[i], &object),
                     -EINVAL);
    cr_assert_null(object);
}
