/* SPDX-License-Identifier: BSD-2-Clause */

/* Listeners and connecting, on the table of operations. */

#include <errno.h>
#include <sys/resource.h>

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

TestSuite(io_uv_listen, .init = setup, .fini = teardown, .timeout = 60);

static int listen_on(const char *host, uint16_t port, struct tri_io_object **ret_listener)
{
    struct tri_io_target target = io_bench_target(&bench);

    return bench.ops->listen(bench.implementation, &target,
                             &(tr_listen_options){ .host = host, .port = port }, ret_listener);
}

static struct tri_io_object *connect_to(const char *host, uint16_t port)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_peer peer = { host, port };
    struct tri_io_object *connection = NULL;

    cr_assert_eq(bench.ops->connect(bench.implementation, &target, &peer, &connection), 0);
    return connection;
}

Test(io_uv_listen, errors_are_told_at_once)
{
    struct tri_io_object *first, *second;
    tr_address address;

    cr_assert_eq(listen_on("localhost", 0, &first), -EINVAL);
    cr_assert_eq(listen_on("300.1.1.1", 0, &first), -EINVAL);
    cr_assert_eq(listen_on("192.0.2.1", 0, &first), -EADDRNOTAVAIL);
    cr_assert_eq(listen_on(NULL, 0, &first), 0);
    cr_assert_eq(bench.ops->address(first, false, &address), 0);
    cr_assert_str_eq(address.host, "127.0.0.1");
    cr_assert_neq(address.port, 0);
    cr_assert_eq(bench.ops->address(first, true, &address), -ENOTCONN);
    cr_assert_eq(listen_on("127.0.0.1", address.port, &second), -EADDRINUSE);
    bench.ops->close(first);
}

Test(io_uv_listen, accepts_as_many_as_there_is_credit_for)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);
    int peers[4];

    for (unsigned i = 0; i < 4; i++)
        peers[i] = io_peer_connect(port);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_ACCEPTED));
    io_bench_settle(&bench);
    cr_assert_eq(bench.count, 1);
    cr_assert_eq(bench.ops->grant(listener, 2), 0);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_ACCEPTED));
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_ACCEPTED));
    io_bench_settle(&bench);
    cr_assert_eq(bench.count, 3);
    cr_assert_eq(bench.ops->grant(listener, 5), 0);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_ACCEPTED));

    bench.ops->close(listener);
    for (unsigned i = 0; i < 4; i++) {
        bench.ops->close(bench.events[i].accepted);
        close(peers[i]);
    }
    io_bench_settle(&bench);
}

Test(io_uv_listen, without_descriptors_it_neither_spins_nor_gives_up)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);
    struct rlimit limit, old;
    char end;

    io_bench_poll(&bench, 0);
    int peer = io_peer_connect(port);
    int another = io_peer_connect(port);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)another + 1;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_not(io_peer_read(&bench, peer, &end, 1), "it was closed");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);

    int third = io_peer_connect(port);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_ACCEPTED);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);
    bench.ops->close(event->accepted);
    bench.ops->close(listener);
    close(peer);
    close(another);
    close(third);
}

Test(io_uv_listen, an_accepted_one_that_cannot_be_told_is_closed)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);
    char end;

    bench.failures = 1;
    int peer = io_peer_connect(port);
    cr_assert_not(io_peer_read(&bench, peer, &end, 1));
    int another = io_peer_connect(port); /* its credit was not used up */
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_ACCEPTED);
    cr_assert_not_null(event);
    bench.ops->close(event->accepted);
    bench.ops->close(listener);
    close(peer);
    close(another);
}

Test(io_uv_listen, connects_in_figures_and_by_name)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost" };
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);

    cr_assert_eq(bench.ops->grant(listener, 10), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct tri_io_object *connection = connect_to(hosts[i], port);
        tr_address address;

        cr_assert_eq(bench.ops->write(connection, "early", 5, NULL), -ENOTCONN);
        cr_assert_not(bench.ops->is_at_rest(connection));
        cr_assert_eq(bench.ops->grant(connection, 1), 0, "reading may be asked for before");
        bench.seen = 0;
        const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_CONNECTED);
        cr_assert_not_null(event);
        cr_assert_eq(event->error, 0);
        bench.seen = 0;
        event = io_bench_wait(&bench, TRI_IO_ACCEPTED);
        cr_assert_not_null(event);
        struct tri_io_object *accepted = event->accepted;
        cr_assert_eq(bench.ops->address(connection, true, &address), 0);
        cr_assert_eq(address.port, port);
        cr_assert_eq(bench.ops->write(accepted, "hello", 5, NULL), 0);
        event = io_bench_wait(&bench, TRI_IO_DATA);
        cr_assert_not_null(event);
        cr_assert_arr_eq(event->bytes->data, "hello", 5);
        tr_bytes_drop(event->bytes);
        bench.ops->close(connection);
        bench.ops->close(accepted);
        bench.count = bench.seen = 0;
    }
    bench.ops->close(listener);
}

Test(io_uv_listen, ipv6_where_there_is_any)
{
    struct tri_io_object *listener;
    tr_address address;
    int err = listen_on("::1", 0, &listener);

    if (err < 0)
        return;
    cr_assert_eq(bench.ops->address(listener, false, &address), 0);
    cr_assert_str_eq(address.host, "::1");
    bench.ops->close(listener);
}

Test(io_uv_listen, connecting_may_fail)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);

    bench.ops->close(listener);
    io_bench_settle(&bench);
    struct tri_io_object *refused = connect_to("127.0.0.1", port);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_CONNECTED);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, -ECONNREFUSED);
    cr_assert_eq(bench.ops->write(refused, "x", 1, NULL), -ENOTCONN);
    bench.ops->close(refused);

    struct tri_io_object *by_name = connect_to("localhost", port);
    event = io_bench_wait(&bench, TRI_IO_CONNECTED);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, -ECONNREFUSED);
    bench.ops->close(by_name);

    struct tri_io_object *unknown = connect_to("no.such.host.invalid", port);
    event = io_bench_wait(&bench, TRI_IO_CONNECTED);
    cr_assert_not_null(event);
    cr_assert_lt(event->error, 0);
    bench.ops->close(unknown);
}

Test(io_uv_listen, closing_while_connecting)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(&bench, &port);

    bench.ops->close(connect_to("127.0.0.1", port));
    bench.ops->close(connect_to("localhost", port));
    bench.ops->close(connect_to("no.such.host.invalid", port));
    struct tri_io_object *connection = connect_to("localhost", port);
    io_bench_poll(&bench, 0);
    bench.ops->close(connection);
    (void)connect_to("localhost", port); /* still under way when all stops */
    bench.ops->close(listener);
    for (unsigned i = 0; i < bench.count; i++)
        cr_assert_neq(bench.events[i].kind, TRI_IO_CONNECTED);
}
