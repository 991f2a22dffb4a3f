/* SPDX-License-Identifier: BSD-2-Clause */

/* Connections of the simulated network: what comes through, in which pieces, and how they end. */

#include <errno.h>
#include <stdlib.h>

#include "io/simulated.h"
#include "support/sim_io.h"
#include "support/test.h"

#define SEEDS 100u

static struct io_bench bench;

static struct tri_io_object *connect_to(const char *host, uint16_t port)
{
    struct tri_io_target target = io_bench_target(&bench);
    const struct tri_io_peer peer = { host, port };
    struct tri_io_object *connection;

    cr_assert_eq(bench.ops->connect(bench.implementation, &target, &peer, &connection), 0);
    return connection;
}

static int outcome_of_connecting(const char *host, uint16_t port)
{
    struct tri_io_object *connection = connect_to(host, port);
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_CONNECTED);

    cr_assert_not_null(event);
    bench.ops->close(connection);
    return event->error;
}

static int listen_at(const char *host, uint16_t port, bool shared)
{
    struct tri_io_target target = io_bench_target(&bench);
    const tr_listen_options options = { .host = host, .port = port, .shared = shared };
    struct tri_io_object *listener;

    return bench.ops->listen(bench.implementation, &target, &options, &listener);
}

Test(io_sim_stream, who_listens_is_found)
{
    sim_bench_open(&bench, 1, "");
    cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), -ECONNREFUSED);
    cr_assert_eq(outcome_of_connecting("example.org", 7), -ENOENT);
    cr_assert_eq(listen_at("127.0.0.1", 7, false), 0);
    cr_assert_eq(listen_at("127.0.0.1", 7, false), -EADDRINUSE);
    cr_assert_eq(listen_at("0.0.0.0", 7, false), -EADDRINUSE);
    cr_assert_eq(listen_at("::1", 7, false), 0);
    cr_assert_eq(listen_at("192.0.2.1", 8, false), -EADDRNOTAVAIL);
    cr_assert_eq(listen_at("nobody", 8, false), -EINVAL);
    cr_assert_eq(listen_at("::", 9, true), 0);
    cr_assert_eq(listen_at("::", 9, true), 0);
    cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), 0);
    cr_assert_eq(outcome_of_connecting("localhost", 7), 0);
    cr_assert_eq(outcome_of_connecting("127.0.0.9", 9), 0);
    cr_assert_eq(outcome_of_connecting("::1", 9), 0);
    sim_bench_close(&bench);
}

Test(io_sim_stream, addresses_are_told)
{
    struct tri_io_object *accepted;
    tr_address here, there;

    sim_bench_open(&bench, 1, "");
    struct tri_io_object *connected = sim_bench_pair(&bench, &accepted);
    cr_assert_eq(bench.ops->address(connected, false, &here), 0);
    cr_assert_eq(bench.ops->address(accepted, true, &there), 0);
    cr_assert_str_eq(here.host, "127.0.0.1");
    cr_assert_str_eq(there.host, "127.0.0.1");
    cr_assert_eq(here.port, there.port);
    bench.ops->close(connected);
    bench.ops->close(accepted);
    sim_bench_close(&bench);
}

Test(io_sim_stream, a_full_backlog_makes_wait_and_gives_up)
{
    sim_bench_open(&bench, 1, "");
    struct tri_io_target target = io_bench_target(&bench);
    const tr_listen_options options = { .port = 7, .backlog = 1 };
    struct tri_io_object *listener;

    cr_assert_eq(bench.ops->listen(bench.implementation, &target, &options, &listener), 0);
    cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), 0);
    cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), 0);
    struct tri_io_object *third = connect_to("127.0.0.1", 7);
    io_bench_poll(&bench, TR_SEC(1));
    cr_assert_eq(bench.count, 2);
    cr_assert_eq(bench.ops->grant(listener, 2), 0);
    io_bench_poll(&bench, TR_SEC(5));
    cr_assert_eq(bench.count, 5); /* two were accepted, the third is connected */
    struct tri_io_object *fourth = connect_to("127.0.0.1", 7);
    struct tri_io_object *fifth = connect_to("127.0.0.1", 7);
    io_bench_poll(&bench, TR_SEC(100));
    cr_assert_eq(bench.events[bench.count - 1].error, -ETIMEDOUT);
    bench.ops->close(third);
    bench.ops->close(fourth);
    bench.ops->close(fifth);
    bench.ops->close(listener);
    sim_bench_close(&bench);
}

/* ---- bytes ---- */

static unsigned char pattern(uint64_t at)
{
    return (unsigned char)(at * 131 + at / 977);
}

static int write_pattern(struct tri_io_object *connection, uint64_t from, size_t size)
{
    unsigned char *data = malloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = pattern(from + i);
    int queued = bench.ops->write(connection, data, size, NULL);
    free(data);
    return queued;
}

/* Checks all data that has come since the last call; how many bytes. */
static size_t check_data(uint64_t from)
{
    size_t size = 0;

    while (bench.seen < bench.count) {
        const struct tri_io_event *event = &bench.events[bench.seen++];
        for (size_t i = 0; event->kind == TRI_IO_DATA && i < event->bytes->size; i++)
            cr_assert_eq(event->bytes->data[i], pattern(from + size++));
    }
    return size;
}

/* Whatever the sizes and the credit, the bytes come whole and in order, then the end, once. */
static uint64_t send_a_lot(unsigned seed, const char *options)
{
    struct tri_io_object *reader;

    sim_bench_open(&bench, seed, options);
    struct tri_io_object *writer = sim_bench_pair(&bench, &reader);
    uint64_t written = 0, read = 0;
    for (unsigned i = 0; i < 30; i++) {
        size_t size = 1 + (seed * 7919 + i * 104729) % 30000;
        if (write_pattern(writer, written, size) >= 0)
            written += size;
        cr_assert_eq(bench.ops->grant(reader, i % 3), 0);
        io_bench_poll(&bench, TR_US(50));
        read += check_data(read);
    }
    cr_assert_eq(bench.ops->write_end(writer), 0);
    cr_assert_eq(bench.ops->write(writer, "x", 1, NULL), -EPIPE);
    cr_assert_eq(bench.ops->grant(reader, 100000), 0);
    for (unsigned i = 0; i < 1000 && read < written; i++) {
        io_bench_poll(&bench, TR_SEC(1));
        read += check_data(read);
        if (bench.count > IO_BENCH_EVENTS / 2) {
            for (unsigned j = 0; j < bench.count; j++)
                tr_bytes_drop(bench.events[j].bytes);
            bench.count = bench.seen = 0;
        }
    }
    cr_assert_eq(read, written);
    io_bench_poll(&bench, TR_SEC(60));
    cr_assert_eq(bench.events[bench.count - 1].kind, TRI_IO_EOF);
    cr_assert_eq(bench.events[bench.count - 1].error, 0);
    bench.ops->close(writer);
    bench.ops->close(reader);
    return sim_bench_close(&bench);
}

Test(io_sim_stream, bytes_come_whole_and_in_order)
{
    for (unsigned seed = 0; seed < SEEDS; seed++)
        send_a_lot(seed, "");
}

Test(io_sim_stream, and_do_so_through_a_bad_network)
{
    for (unsigned seed = 0; seed < SEEDS / 4; seed++)
        send_a_lot(seed, "net.short=0.01,net.delay=0.05,net.full=0.3");
}

Test(io_sim_stream, one_seed_gives_one_hash)
{
    uint64_t different = 0;

    for (unsigned seed = 0; seed < 10; seed++) {
        uint64_t hash = send_a_lot(seed, "net.delay=0.05");
        cr_assert_eq(send_a_lot(seed, "net.delay=0.05"), hash);
        different += hash != send_a_lot(seed + 1, "net.delay=0.05");
    }
    cr_assert_eq(different, 10);
}

Test(io_sim_stream, nothing_comes_without_credit)
{
    struct tri_io_object *reader;

    sim_bench_open(&bench, 1, "");
    struct tri_io_object *writer = sim_bench_pair(&bench, &reader);
    unsigned before = bench.count;
    cr_assert_eq(bench.ops->write(writer, "word", 4, NULL), 0);
    bench.ops->close(writer);
    io_bench_poll(&bench, TR_SEC(1));
    cr_assert_eq(bench.count, before);
    cr_assert(bench.ops->is_at_rest(reader));
    cr_assert_eq(bench.ops->grant(reader, 1u << 30), 0);
    cr_assert_eq(bench.ops->grant(reader, 1), -ERANGE);
    cr_assert_not(bench.ops->is_at_rest(reader));
    cr_assert_not_null(io_bench_wait(&bench, TRI_IO_DATA));
    cr_assert_eq(io_bench_wait(&bench, TRI_IO_EOF)->error, 0);
    bench.ops->close(reader);
    sim_bench_close(&bench);
}

/* Refused from 1 MiB on, told once when it has gone. */
Test(io_sim_stream, a_writer_is_held_back)
{
    struct tri_io_object *reader;
    uint64_t written = 0, read = 0;
    int queued;

    sim_bench_open(&bench, 3, "");
    struct tri_io_object *writer = sim_bench_pair(&bench, &reader);
    while ((queued = write_pattern(writer, written, 3000)) >= 0)
        written += 3000;
    cr_assert_eq(queued, -ENOBUFS);
    cr_assert_geq(written, TRI_WRITE_QUEUE_MAX);
    cr_assert_not(bench.ops->is_at_rest(writer));
    unsigned told = 0;
    for (unsigned i = 0; i < 100000 && told == 0; i++) {
        cr_assert_eq(bench.ops->grant(reader, 1), 0);
        io_bench_poll(&bench, TR_MS(1));
        for (unsigned j = bench.seen; j < bench.count; j++)
            told += bench.events[j].kind == TRI_IO_WRITTEN;
        read += check_data(read);
        for (unsigned j = 0; j < bench.count; j++)
            tr_bytes_drop(bench.events[j].bytes);
        bench.count = bench.seen = 0;
    }
    cr_assert_eq(told, 1);
    cr_assert_gt(read, 0);
    cr_assert_geq(write_pattern(writer, written, 1), 0);
    bench.ops->close(writer);
    bench.ops->close(reader);
    sim_bench_close(&bench);
}

/* ---- ends ---- */

Test(io_sim_stream, writing_to_one_that_has_gone_fails_in_the_end)
{
    struct tri_io_object *other;

    sim_bench_open(&bench, 1, "");
    struct tri_io_object *writer = sim_bench_pair(&bench, &other);
    bench.ops->close(other);
    cr_assert_eq(bench.ops->write(writer, "a", 1, NULL), 0);
    io_bench_poll(&bench, TR_SEC(1));
    int err = bench.ops->write(writer, "b", 1, NULL);
    cr_assert(err == -ECONNRESET || err == -EPIPE);
    cr_assert_eq(bench.ops->grant(writer, 1), 0);
    cr_assert_eq(io_bench_wait(&bench, TRI_IO_EOF)->error, err);
    bench.ops->close(writer);
    sim_bench_close(&bench);
}

Test(io_sim_stream, leaving_with_unread_bytes_resets)
{
    struct tri_io_object *other;

    sim_bench_open(&bench, 1, "");
    struct tri_io_object *writer = sim_bench_pair(&bench, &other);
    cr_assert_eq(bench.ops->write(writer, "a", 1, NULL), 0);
    io_bench_poll(&bench, TR_SEC(1));
    bench.ops->close(other);
    cr_assert_eq(bench.ops->grant(writer, 1), 0);
    cr_assert_eq(io_bench_wait(&bench, TRI_IO_EOF)->error, -ECONNRESET);
    bench.ops->close(writer);
    sim_bench_close(&bench);
}

Test(io_sim_stream, a_closed_one_sends_what_is_queued_for_a_while)
{
    for (unsigned patient = 0; patient < 2; patient++) {
        struct tri_io_object *reader;
        uint64_t read = 0;

        sim_bench_open(&bench, 5, "");
        struct tri_io_object *writer = sim_bench_pair(&bench, &reader);
        cr_assert_gt(write_pattern(writer, 0, 900000), 0);
        bench.ops->close(writer);
        if (patient == 0)
            io_bench_poll(&bench, TRI_LINGER_MS * TR_MS(2));
        cr_assert_eq(bench.ops->grant(reader, 100000), 0);
        for (unsigned i = 0; i < 100; i++) {
            io_bench_poll(&bench, TR_MS(10));
            read += check_data(read);
        }
        cr_assert_eq(bench.events[bench.count - 1].kind, TRI_IO_EOF);
        cr_assert(patient == 0 ? read < 900000 : read == 900000);
        bench.ops->close(reader);
        sim_bench_close(&bench);
    }
}

/* A break is told once, by an end with an error; writes fail from then on. */
Test(io_sim_stream, breaks_are_told)
{
    unsigned broken = 0, halved = 0, refused = 0;

    for (unsigned seed = 0; seed < 3 * SEEDS; seed++) {
        sim_bench_open(&bench, seed, "net.break=0.05,net.half_close=0.05");
        struct tri_io_object *other;
        struct tri_io_object *writer = sim_bench_pair(&bench, &other);
        int err = 0;
        cr_assert_eq(bench.ops->grant(other, 1000), 0);
        for (unsigned i = 0; i < 20 && err >= 0; i++) {
            err = bench.ops->write(writer, "words", 5, NULL);
            io_bench_poll(&bench, TR_MS(1));
        }
        if (err < 0) {
            const struct tri_io_event *end = io_bench_wait(&bench, TRI_IO_EOF);
            cr_assert_not_null(end);
            broken += end->error == -ECONNRESET;
            halved += end->error == 0 && err == -EPIPE;
        }
        bench.ops->close(writer);
        bench.ops->close(other);
        sim_bench_close(&bench);

        sim_bench_open(&bench, seed, "net.refuse=0.2");
        cr_assert_eq(listen_at("127.0.0.1", 7, false), 0);
        refused += outcome_of_connecting("127.0.0.1", 7) == -ECONNREFUSED;
        sim_bench_close(&bench);
    }
    cr_assert(broken > 0 && halved > 0 && refused > 0);
}

Test(io_sim_stream, data_that_cannot_be_delivered_ends_it)
{
    struct tri_io_object *reader;

    sim_bench_open(&bench, 1, "");
    struct tri_io_object *writer = sim_bench_pair(&bench, &reader);
    cr_assert_eq(bench.ops->grant(reader, 2), 0);
    cr_assert_eq(bench.ops->write(writer, "lost", 4, NULL), 0);
    bench.failures = 2;
    cr_assert_eq(io_bench_wait(&bench, TRI_IO_EOF)->error, -ENOMEM);
    cr_assert_eq(bench.ops->write(reader, "x", 1, NULL), -ENOMEM);
    bench.ops->close(reader);
    bench.ops->close(writer);
    sim_bench_close(&bench);
}

/* The other end hears of it; the listener is free for the next start. */
Test(io_sim_stream, a_crash_of_the_machine_breaks_what_it_accepted)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        sim_bench_open(&bench, seed, "");
        struct tri_io_target target = io_bench_target(&bench);
        struct tri_io_object *listener, *accepted;
        struct tri_io_object *client = sim_bench_pair(&bench, &accepted);
        cr_assert_eq(bench.ops->listen(bench.implementation, &target,
                                       &(tr_listen_options){ .port = 7 }, &listener), 0);
        cr_assert_eq(bench.ops->write(accepted, "perhaps", 7, NULL), 0);
        cr_assert_eq(bench.ops->grant(client, 10), 0);
        cr_assert_eq(bench.ops->grant(accepted, 10), 0);
        tri_simio_machine_crash(true);
        cr_assert_eq(bench.ops->write(accepted, "never", 5, NULL), 0);
        cr_assert_eq(bench.ops->write(client, "never", 5, NULL), 0);
        cr_assert_eq(io_bench_wait(&bench, TRI_IO_EOF)->error, -ECONNRESET);
        cr_assert(check_data(0) == 0);
        cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), -ETIMEDOUT);
        tri_simio_machine_start();
        cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), -ECONNREFUSED);
        cr_assert_eq(listen_at("127.0.0.1", 7, false), 0);
        cr_assert_eq(outcome_of_connecting("127.0.0.1", 7), 0);
        bench.ops->close(accepted);
        bench.ops->close(client);
        bench.ops->close(listener);
        sim_bench_close(&bench);
    }
}
