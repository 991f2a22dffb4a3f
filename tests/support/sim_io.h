/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_SIM_IO_H
#define TROUPE_TESTS_SUPPORT_SIM_IO_H

/*
 * The simulated table of operations on a bench (support/io.h), in a simulation of its own.
 *
 *     for (unsigned seed = 0; seed < 100; seed++) {
 *         sim_bench_open(&bench, seed, "net.short=0.5");
 *         … as with any table …
 *         sim_bench_close(&bench);
 *     }
 */

#include "io/simulated.h"
#include "sim/inside.h"
#include "support/io.h"

TR_UNUSED static void sim_bench_open(struct io_bench *bench, unsigned seed, const char *options)
{
    struct tri_sim_options parsed;
    char text[256], error[128];

    snprintf(text, sizeof(text), "%u%s%s", seed, options[0] != '\0' ? "," : "", options);
    cr_assert(tri_sim_options_parse(text, &parsed, error), "%s", error);
    tri_sim_begin(&parsed);
    io_bench_open(bench, &tri_simio_ops);
}

/* The hash of all that has happened. */
TR_UNUSED static uint64_t sim_bench_close(struct io_bench *bench)
{
    io_bench_close(bench);
    uint64_t hash = tri_sim_hash();
    tri_simio_forget();
    tri_sim_end();
    return hash;
}

/* Both ends of a new connection: the one that connected, and the one that was accepted. */
TR_UNUSED static struct tri_io_object *sim_bench_pair(struct io_bench *bench,
                                                      struct tri_io_object **ret_accepted)
{
    uint16_t port;
    struct tri_io_object *listener = io_bench_listen(bench, &port);
    const struct tri_io_peer peer = { "127.0.0.1", port };
    struct tri_io_target target = io_bench_target(bench);
    struct tri_io_object *connected;

    cr_assert_eq(bench->ops->connect(bench->implementation, &target, &peer, &connected), 0);
    const struct tri_io_event *event = io_bench_wait(bench, TRI_IO_CONNECTED);
    cr_assert_not_null(event);
    cr_assert_eq(event->error, 0);
    bench->seen = 0;
    event = io_bench_wait(bench, TRI_IO_ACCEPTED);
    cr_assert_not_null(event);
    *ret_accepted = event->accepted;
    (*ret_accepted)->target = io_bench_target(bench);
    bench->ops->close(listener);
    bench->seen = bench->count;
    return connected;
}

#endif
