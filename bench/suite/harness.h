/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_BENCH_HARNESS_H
#define TROUPE_BENCH_HARNESS_H

/*
 * What a workload is, and what it may call; how it is run and measured.
 *
 * Why. Each run has a process of its own, made by fork from a parent that has never started a
 * system: no run finds memory that the one before has warmed, peaks of memory are its own, and a
 * run that crashes or hangs is reported, not mourned. The first run of a workload is thrown away:
 * it warms the machine (clock rate, memory that the host had taken back), not the program.
 *
 * Rules
 *   1. A workload counts: it ends in bench_fail when a verb is refused or a count is wrong.
 *   2. The clock runs from bench_start, right before the message that sets all going, until
 *      bench_finish, called by the handler that sees the last message. Spawning a fixed cast is not
 *      measured, starting and stopping the system neither.
 *   3. A workload sends less than a mailbox holds before it waits for word from the receiver.
 *   4. All state is static: one run is one process.
 *
 * Partners: suite/NAME.c are the workloads, report.c prints, main.c reads the command line.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/troupe.h>

#define BENCH_PARAMETERS_MAX 4

struct bench_parameter {
    const char *name;
    uint64_t value;
};

struct bench {
    const char *name;
    const char *about;
    const char *operation;     /* what ns_per_op is the time of */
    uint64_t operations;
    uint64_t actors;           /* divides the growth of memory; 0: not of interest */
    struct bench_parameter parameters[BENCH_PARAMETERS_MAX];
    void (*run)(tr_system *sys);
};

/* One run, or the medians of several. */
struct bench_sample {
    double ns_per_op;
    double bytes_per_actor;
    uint64_t peak_bytes;
    uint64_t wakes;
    uint64_t steals;
};

struct bench_summary {
    struct bench_sample median;  /* of each figure by itself */
    double ns_best;
    uint32_t runs;
};

extern const struct bench bench_ping_pong, bench_ring, bench_counting, bench_fan_in,
    bench_spawn_and_stop, bench_idle_memory, bench_skynet, bench_chameneos, bench_big, bench_ask;

/* ---- for workloads ---- */

void bench_start(void);

/* Threads: any. Called once in a run. */
void bench_finish(void);

/* Says what is wrong and ends the run. Threads: any. */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For what a verb returned: nothing may be refused. */
static inline void bench_must(int error)
{
    if (__builtin_expect(error != 0, 0))
        bench_fail("a verb was refused: %s", tr_strerror(error));
}

static inline tr_ref bench_must_spawn(tr_ref actor)
{
    bench_must(tr_ref_error(actor));
    return actor;
}

/* ---- for main ---- */

/* Runs a workload once to warm up and then `runs` times. False: a run failed, and has said why. */
bool bench_measure(const struct bench *bench, uint32_t workers, uint32_t runs,
                   struct bench_summary *ret_summary);

/* One line; `header` stands above the first one of a text. */
void bench_print_header(void);
void bench_print_text(const struct bench *bench, uint32_t workers,
                      const struct bench_summary *summary);
void bench_print_json(const struct bench *bench, uint32_t workers,
                      const struct bench_summary *summary);

#endif
