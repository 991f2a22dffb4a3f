/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_RESTART_H
#define TRI_ACTORS_RESTART_H

/*
 * When a child may be restarted: how often within a sliding window, and after how long a wait.
 *
 * Why. A window that slides, as OTP's, forgives a crash exactly `within` after it happened; one
 * that is cut into intervals lets twice as many through at a border. Full jitter (a wait between
 * nothing and the whole backoff: AWS architecture blog) spreads the restarts of children that
 * crashed together.
 *
 * Partners: actors/supervisor.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/types.h>

#include "base/limits.h"
#include "base/random.h"

/* The times of the latest restarts, as many as the window forgives. */
struct tri_intensity {
    /* set once */
    uint32_t max; /* above TRI_RESTARTS_MAX: no limit */
    tr_time within;
    tr_time *times; /* a ring of `max` */

    /* its supervisor */
    uint32_t count;
    uint32_t oldest;
};

/* Errors: -ENOMEM. */
int tri_intensity_init(struct tri_intensity *intensity, uint32_t max, tr_time within);
void tri_intensity_fini(struct tri_intensity *intensity);

/* Forgets what was. */
void tri_intensity_reset(struct tri_intensity *intensity);

/* Counts a restart at `now`, which never goes back; false when it is one too many. */
bool tri_intensity_allows(struct tri_intensity *intensity, tr_time now);

/* How long to wait before the restart that follows `row` others: at random up to `min`, doubled for
 * each of them, but never above `max`. */
tr_time tri_backoff(struct tri_random *random, tr_time min, tr_time max, uint32_t row);

#endif
