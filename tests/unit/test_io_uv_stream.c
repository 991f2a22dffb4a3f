/* SPDX-License-Identifier: BSD-2-Clause */

/* Connections on the table of operations: credit, writes and their queue, both kinds of end. */

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/memory.h"
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

TestSuite(io_uv_stream, .init = setup, .fini = teardown, .timeout = 60);

/* Fills a connection's kernel buffers and queue, whose peer does not read; how much it took. */
static size_t fill(struct tri_io_object *connection)
{
    static const char block[4096];
    size_t total = 0;

    for (;;) {
        int queued = bench.ops->write(connection, block, sizeof(block), NULL);
        if (queued == -ENOBUFS)
            return total;
        cr_assert_geq(queued, 0);
        total += sizeof(block);
    }
}

static void discard(int peer, size_t size)
{
    char block[65536];

    while (size > 0) {
        size_t part = size < sizeof(block) ? size : sizeof(block);
        cr_assert(io_peer_read(&bench, peer, block, part));
        size -= part;
    }
}

Test(io_uv_stream, reads_and_writes)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    char answer[4];

    cr_assert_eq(bench.ops->grant(connection, 1), 0);
    cr_assert_eq(send(peer, "ping", 4, 0), 4);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_DATA);
    cr_assert_not_null(event);
    cr_assert_eq(event->bytes->size, 4);
    cr_assert_arr_eq(event->bytes->data, "ping", 4);
    cr_assert(tr_io_equal(event->target.io, connection->target.io));
    cr_assert_eq(event->target.incarnation, 7);

    cr_assert_eq(bench.ops->write(connection, "pong", 4, NULL), 0);
    cr_assert(io_peer_read(&bench, peer, answer, 4));
    cr_assert_arr_eq(answer, "pong", 4);
    bench.ops->close(connection);
    cr_assert_not(io_peer_read(&bench, peer, answer, 1));
    close(peer);
}

Test(io_uv_stream, nothing_is_read_without_credit)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    cr_assert_eq(send(peer, "one", 3, 0), 3);
    io_bench_settle(&bench);
    unsigned before = bench.count;
    cr_assert_eq(bench.ops->grant(connection, 1), 0);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_DATA));
    cr_assert_eq(bench.count, before + 1);

    /* The credit is used up: the next ones wait, and come as one. */
    cr_assert_eq(send(peer, "two", 3, 0), 3);
    io_bench_settle(&bench);
    cr_assert_eq(send(peer, "three", 5, 0), 5);
    io_bench_settle(&bench);
    cr_assert_eq(bench.count, before + 1);
    cr_assert_eq(bench.ops->grant(connection, 2), 0);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_DATA);
    cr_assert_not_null(event);
    cr_assert_eq(event->bytes->size, 8);

    /* One credit is left over. */
    cr_assert_eq(send(peer, "four", 4, 0), 4);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_DATA));
    cr_assert(bench.ops->is_at_rest(connection));
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, large_reads_keep_their_order)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    static unsigned char sent[300000];
    size_t got = 0;

    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (unsigned char)(i * 7 >> 3);
    cr_assert_eq(bench.ops->grant(connection, 100000), 0);
    cr_assert_eq(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    for (size_t at = 0; got < sizeof(sent);) {
        ssize_t part = at < sizeof(sent) ? send(peer, sent + at, sizeof(sent) - at, 0) : 0;
        at += part > 0 ? (size_t)part : 0;
        const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_DATA);
        cr_assert_not_null(event);
        cr_assert_leq(event->bytes->size, TRI_READ_BYTES);
        cr_assert_arr_eq(event->bytes->data, sent + got, event->bytes->size);
        got += event->bytes->size;
    }
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, credit_has_a_limit)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    cr_assert_eq(bench.ops->grant(connection, 0), 0);
    cr_assert_eq(bench.ops->grant(connection, TRI_CREDITS_MAX + 1), -ERANGE);
    cr_assert_eq(bench.ops->grant(connection, UINT32_MAX), -ERANGE);
    cr_assert_eq(bench.ops->grant(connection, TRI_CREDITS_MAX), 0);
    cr_assert_eq(bench.ops->grant(connection, 1), -ERANGE);
    cr_assert_not(bench.ops->is_at_rest(connection));
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, a_slow_peer_fills_the_queue_and_no_more)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    size_t total = fill(connection);
    char byte = 'x';

    /* It stays refused until what is queued has gone, which is told once. */
    cr_assert_eq(bench.ops->write(connection, &byte, 1, NULL), -ENOBUFS);
    cr_assert_not(bench.ops->is_at_rest(connection));
    unsigned before = bench.count;
    discard(peer, total);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_WRITTEN);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);
    io_bench_settle(&bench);
    cr_assert_eq(bench.count, before + 1);

    cr_assert_eq(bench.ops->write(connection, &byte, 1, NULL), 0);
    discard(peer, 1);
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, shared_bytes_are_queued_without_a_copy)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    size_t size = 8 << 20;
    tr_bytes *bytes = tr_bytes_new(size);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes->data[i] = (unsigned char)(i >> 12);
    cr_assert_gt(bench.ops->write(connection, bytes->data, size, bytes), 0);
    unsigned char *got = malloc(size);
    cr_assert(io_peer_read(&bench, peer, got, size));
    cr_assert_arr_eq(got, bytes->data, size);
    tr_bytes_drop(bytes);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_WRITTEN));
    free(got);
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, half_closed_by_the_peer)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    char answer[4];

    cr_assert_eq(bench.ops->grant(connection, 2), 0);
    cr_assert_eq(send(peer, "last", 4, 0), 4);
    cr_assert_eq(shutdown(peer, SHUT_WR), 0);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_DATA));
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_EOF);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);

    cr_assert_eq(bench.ops->write(connection, "late", 4, NULL), 0);
    cr_assert(io_peer_read(&bench, peer, answer, 4));
    cr_assert_eq(bench.ops->grant(connection, 5), 0);
    unsigned before = bench.count;
    io_bench_settle(&bench);
    cr_assert_eq(bench.count, before, "nothing follows the end");
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, half_closed_by_us)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    size_t total = fill(connection);
    char end;

    cr_assert_eq(bench.ops->write_end(connection), 0);
    cr_assert_eq(bench.ops->write_end(connection), -EPIPE);
    cr_assert_eq(bench.ops->write(connection, "x", 1, NULL), -EPIPE);
    discard(peer, total);
    cr_assert_not(io_peer_read(&bench, peer, &end, 1));

    /* The peer may still send. */
    cr_assert_eq(bench.ops->grant(connection, 1), 0);
    cr_assert_eq(send(peer, "on", 2, 0), 2);
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_DATA));
    bench.ops->close(connection);
    close(peer);
}

Test(io_uv_stream, write_end_at_once)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    char end;

    cr_assert_eq(bench.ops->write_end(connection), 0);
    cr_assert_not(io_peer_read(&bench, peer, &end, 1));
    bench.ops->close(connection);
    close(peer);
}

static void reset(int peer)
{
    struct linger hard = { 1, 0 };

    cr_assert_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
    close(peer);
}

Test(io_uv_stream, reset_by_the_peer)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    cr_assert_eq(bench.ops->grant(connection, 1), 0);
    reset(peer);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_EOF);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, -ECONNRESET);
    cr_assert_lt(bench.ops->write(connection, "x", 1, NULL), 0);
    tr_address address;
    cr_assert_eq(bench.ops->address(connection, true, &address), -ENOTCONN);
    bench.ops->close(connection);
}

Test(io_uv_stream, reset_while_bytes_are_queued)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    fill(connection);
    reset(peer);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_WRITTEN);
    cr_assert_not_null(event);
    cr_assert_lt(event->error, 0);
    cr_assert_lt(bench.ops->write(connection, "x", 1, NULL), 0);
    bench.ops->close(connection);
    io_bench_settle(&bench);
}

Test(io_uv_stream, closing_sends_what_is_queued)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    size_t total = fill(connection);
    char end;

    bench.ops->close(connection);
    unsigned before = bench.count;
    discard(peer, total);
    cr_assert_not(io_peer_read(&bench, peer, &end, 1));
    cr_assert_eq(bench.count, before, "no events after the close");
    close(peer);
}

Test(io_uv_stream, stopping_does_not_wait_for_a_slow_peer)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    fill(connection);
    bench.ops->close(connection);
    io_bench_poll(&bench, 0);
    tr_time before = tri_clock_system();
    bench.ops->stop(bench.implementation);
    cr_assert_lt(tri_clock_system() - before, TR_SEC(2));
    close(peer);
    io_bench_open(&bench, &tri_uv_ops); /* for the teardown */
}

/* ---- memory ---- */

static unsigned allocations_left;

static void *failing_alloc(void *context, size_t alignment, size_t size)
{
    (void)context;
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return aligned_alloc(alignment, tri_align_up(size, alignment));
}

static void plain_free(void *context, void *block)
{
    (void)context;
    free(block);
}

Test(io_uv_stream, queueing_without_memory_tears_nothing_more)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);
    struct tri_memory_hook hook = { failing_alloc, plain_free, NULL };
    static char large[16 << 20];

    tri_memory_hook_set(&hook);
    allocations_left = 0;
    cr_assert_eq(bench.ops->write(connection, large, sizeof(large), NULL), -ENOMEM);
    allocations_left = UINT32_MAX;
    cr_assert_eq(bench.ops->write(connection, "x", 1, NULL), -EPIPE);
    bench.ops->close(connection);
    io_bench_settle(&bench);
    tri_memory_hook_set(NULL);
    close(peer);
}

Test(io_uv_stream, an_event_that_cannot_be_told_is_told_later)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    cr_assert_eq(bench.ops->grant(connection, 1), 0);
    bench.failures = 3;
    close(peer);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_EOF);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);
    cr_assert_eq(bench.failures, 0);
    bench.ops->close(connection);
}

Test(io_uv_stream, data_that_cannot_be_told_ends_the_connection)
{
    int peer;
    struct tri_io_object *connection = io_bench_pair(&bench, &peer);

    cr_assert_eq(bench.ops->grant(connection, 2), 0);
    bench.failures = 2;
    cr_assert_eq(send(peer, "lost", 4, 0), 4);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_EOF);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, -ENOMEM);
    cr_assert_eq(bench.ops->write(connection, "x", 1, NULL), -ENOMEM);
    bench.ops->close(connection);
    close(peer);
}
