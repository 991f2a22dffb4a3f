/* SPDX-License-Identifier: BSD-2-Clause */

#include "histogram.h"

/* Values below 16 have a bucket each; from there on each power of two has sixteen. */
static unsigned bucket_of(uint64_t value)
{
    unsigned power = 0;

    while (value >> power >= 2 * HISTOGRAM_STEPS)
        power++;
    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    return power * HISTOGRAM_STEPS + (unsigned)(value >> power);
}

/* The largest value in a bucket: a percentile is never said to be better than it was. */
static uint64_t top_of(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    unsigned power = bucket / HISTOGRAM_STEPS - 1;
    uint64_t step = bucket - power * HISTOGRAM_STEPS;
    return ((step + 1) << power) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
    if (value > histogram->largest)
        histogram->largest = value;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    double wanted = (double)histogram->count * percent / 100;
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return top_of(i) < histogram->largest ? top_of(i) : histogram->largest;
    }
    return histogram->largest;
}
