/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_IO_H
#define TROUPE_TESTS_SUPPORT_IO_H

/*
 * A table of operations on a test's bench: the test polls, and keeps the events.
 *
 *     struct io_bench bench;
 *     io_bench_open(&bench, &tri_uv_ops);
 *     … operations …
 *     const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_DATA);
 *     io_bench_close(&bench);
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/ops.h"
#include "support/test.h"

#define IO_BENCH_EVENTS 4096
#define IO_BENCH_WAIT   TR_SEC(10)

struct io_bench {
    const struct tri_io_ops *ops;
    void *implementation;
    struct tri_io_event events[IO_BENCH_EVENTS];
    unsigned count;    /* events that came */
    unsigned seen;     /* events that io_bench_wait has given out or passed over */
    unsigned failures; /* so many events to come are refused for lack of memory */
    uint64_t last_token;
};

static int io_bench_complete(void *context, const struct tri_io_event *event)
{
    struct io_bench *bench = context;

    if (bench->failures > 0) {
        bench->failures--;
        return -12; /* -ENOMEM */
    }
    cr_assert_lt(bench->count, IO_BENCH_EVENTS);
    bench->events[bench->count++] = *event;
    return 0;
}

TR_UNUSED static void io_bench_open(struct io_bench *bench, const struct tri_io_ops *ops)
{
    struct tri_io_sink sink = { bench, io_bench_complete };

    memset(bench, 0, sizeof(*bench));
    bench->ops = ops;
    cr_assert_eq(ops->start(&sink, &bench->implementation), 0);
}

TR_UNUSED static void io_bench_close(struct io_bench *bench)
{
    bench->ops->stop(bench->implementation);
    for (unsigned i = 0; i < bench->count; i++)
        tr_bytes_drop(bench->events[i].bytes);
}

TR_UNUSED static void io_bench_poll(struct io_bench *bench, tr_time timeout)
{
    bench->ops->poll(bench->implementation, timeout);
}

/* The next event of that kind, passing over others; NULL after ten seconds. */
TR_UNUSED static const struct tri_io_event *io_bench_wait(struct io_bench *bench,
                                                          enum tri_io_event_kind kind)
{
    tr_time deadline = tri_clock_system() + IO_BENCH_WAIT;

    for (;;) {
        while (bench->seen < bench->count) {
            const struct tri_io_event *event = &bench->events[bench->seen++];
            if (event->kind == kind)
                return event;
        }
        if (tri_clock_system() > deadline)
            return NULL;
        io_bench_poll(bench, TR_MS(5));
    }
}

/* Polls until nothing has come for three polls in a row. */
TR_UNUSED static void io_bench_settle(struct io_bench *bench)
{
    for (unsigned quiet = 0; quiet < 3; quiet++) {
        unsigned before = bench->count;
        io_bench_poll(bench, TR_MS(5));
        if (bench->count != before)
            quiet = 0;
    }
}

TR_UNUSED static struct tri_io_target io_bench_target(struct io_bench *bench)
{
    struct tri_io_target target = { { 1 }, { ++bench->last_token << 24 | 1 }, 7 };
    return target;
}

/* A listener on a free port of the loopback, with one credit. */
TR_UNUSED static struct tri_io_object *io_bench_listen(struct io_bench *bench, uint16_t *ret_port)
{
    struct tri_io_target target = io_bench_target(bench);
    struct tri_io_object *listener;
    tr_address address;

    cr_assert_eq(bench->ops->listen(bench->implementation, &target, &(tr_listen_options){ 0 },
                                    &listener), 0);
    cr_assert_eq(bench->ops->address(listener, false, &address), 0);
    cr_assert_eq(bench->ops->grant(listener, 1), 0);
    *ret_port = address.port;
    return listener;
}

static int io_peer_try(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(peer, 0);
    if (connect(peer, (struct sockaddr *)&address, sizeof(address)) == 0)
        return peer;
    close(peer);
    return -1;
}

/* A plain blocking socket connected to a port of the loopback. */
TR_UNUSED static int io_peer_connect(uint16_t port)
{
    int peer = io_peer_try(port);

    cr_assert_geq(peer, 0);
    return peer;
}

/* The same where the listener may be away for a moment. */
TR_UNUSED static int io_peer_connect_again(uint16_t port)
{
    tr_time deadline = tri_clock_system() + IO_BENCH_WAIT;
    int peer;

    while ((peer = io_peer_try(port)) < 0)
        cr_assert_lt(tri_clock_system(), deadline, "nobody listens");
    return peer;
}

/* Both ends of a new connection: the peer's socket and our object. */
TR_UNUSED static struct tri_io_object *io_bench_pair(struct io_bench *bench, int *ret_peer)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(bench, &port);

    *ret_peer = io_peer_connect(port);
    const struct tri_io_event *event = io_bench_wait(bench, TRI_IO_ACCEPTED);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);
    struct tri_io_object *connection = event->accepted;
    connection->target = io_bench_target(bench);
    bench->ops->close(listener);
    return connection;
}

/* Reads exactly `size` bytes from a plain socket while the bench goes on; false: it has ended. */
TR_UNUSED static bool io_peer_read(struct io_bench *bench, int peer, void *to, size_t size)
{
    tr_time deadline = tri_clock_system() + IO_BENCH_WAIT;
    unsigned char *at = to;

    while (size > 0) {
        cr_assert_lt(tri_clock_system(), deadline, "the peer waits in vain");
        ssize_t got = recv(peer, at, size, MSG_DONTWAIT);
        if (got == 0)
            return false;
        if (got < 0) {
            io_bench_poll(bench, TR_MS(1));
            continue;
        }
        at += got;
        size -= (size_t)got;
    }
    return true;
}

#endif
