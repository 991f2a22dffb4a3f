/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_TRAFFIC_H
#define TROUPE_KV_DEMO_TRAFFIC_H

/*
 * redis-benchmark as background traffic, one run after the other.
 *
 * redis-benchmark ends at the first error it is answered with, and its figures with it. So a run is
 * sized by the one before to take a small part of the time between two crashes; one that is cut
 * short is counted, and the next one begins.
 */

#include <stdbool.h>
#include <stdint.h>

#include "child.h"

#define TRAFFIC_PATH_MAX 512u

struct traffic {
    char program[TRAFFIC_PATH_MAX];
    char output[TRAFFIC_PATH_MAX];  /* of the run under way */
    uint16_t port;
    uint64_t requests;    /* of a run, for each of its two tests */
    uint64_t started_ns;  /* 0: none under way */
    uint64_t next_ns;     /* not before: a run that fails at once must not be a storm */
    uint64_t operations;  /* of all runs that came to their end */
    uint64_t runs;
    uint64_t cut_short;
    double set_rate;      /* per second; of the last run */
    double get_rate;
    bool stopped;
    struct child child;
};

/* Where redis-benchmark lies: as given, or in PATH. */
bool traffic_find(struct traffic *traffic, const char *name);

/* Begins the next run when the last is over; does nothing while `serving` is false. */
void traffic_step(struct traffic *traffic, bool serving);

void traffic_stop(struct traffic *traffic);

/* "SET: 12345.67 requests per second": the figure behind the last such name, 0 if there is none. */
double traffic_rate_in(const char *output, const char *name);

#endif
