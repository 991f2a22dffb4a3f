/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_HISTOGRAM_H
#define TROUPE_KV_DEMO_HISTOGRAM_H

/*
 * Durations, counted in buckets a sixteenth of their size wide: a percentile is within 6 %.
 *
 * Why. A run has millions of them, of a microsecond to seconds: keeping each, to sort them, costs
 * memory without bound, and a sample of them loses the slow ones that a p99 is about.
 */

#include <stdint.h>

#define HISTOGRAM_STEPS   16u
#define HISTOGRAM_BUCKETS (61u * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    uint64_t largest;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that `percent` of all are not above; 0 when there is none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

#endif
