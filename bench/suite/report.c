/* SPDX-License-Identifier: BSD-2-Clause */

/* Prints a workload's figures as a line of text or of JSON. */

#include "harness.h"

#include <inttypes.h>
#include <stdio.h>

void bench_print_header(void)
{
    printf("%-15s %7s %10s %10s  %-9s %10s %8s %8s  %s\n", "name", "workers", "ns/op", "best", "op",
           "peak MB", "wakes", "steals", "parameters");
}

static void print_parameters(const struct bench *bench, const char *format)
{
    for (int i = 0; i < BENCH_PARAMETERS_MAX && bench->parameters[i].name != NULL; i++)
        printf(format, bench->parameters[i].name, bench->parameters[i].value);
}

void bench_print_text(const struct bench *bench, uint32_t workers,
                      const struct bench_summary *summary)
{
    printf("%-15s %7" PRIu32 " %10.2f %10.2f  %-9s %10.1f %8" PRIu64 " %8" PRIu64 " ", bench->name,
           workers, summary->median.ns_per_op, summary->ns_best, bench->operation,
           (double)summary->median.peak_bytes / 1e6, summary->median.wakes,
           summary->median.steals);
    print_parameters(bench, " %s=%" PRIu64);
    if (bench->actors != 0)
        printf(" bytes_per_actor=%.1f", summary->median.bytes_per_actor);
    putchar('\n');
    fflush(stdout);
}

void bench_print_json(const struct bench *bench, uint32_t workers,
                      const struct bench_summary *summary)
{
    printf("{\"name\":\"%s\",\"workers\":%" PRIu32 ",\"ns_per_op\":%.2f,\"ns_best\":%.2f,"
           "\"peak_bytes\":%" PRIu64 ",\"wakes\":%" PRIu64 ",\"steals\":%" PRIu64,
           bench->name, workers, summary->median.ns_per_op, summary->ns_best,
           summary->median.peak_bytes, summary->median.wakes, summary->median.steals);
    if (bench->actors != 0)
        printf(",\"bytes_per_actor\":%.1f", summary->median.bytes_per_actor);
    printf(",\"operation\":\"%s\",\"operations\":%" PRIu64 ",\"runs\":%" PRIu32, bench->operation,
           bench->operations, summary->runs);
    print_parameters(bench, ",\"%s\":%" PRIu64);
    printf("}\n");
    fflush(stdout);
}
