/* SPDX-License-Identifier: BSD-2-Clause */

/* See restart.h. */

#include "actors/restart.h"

#include <errno.h>
#include <stddef.h>

#include "base/memory.h"

static bool is_limited(const struct tri_intensity *intensity)
{
    return intensity->max <= TRI_RESTARTS_MAX;
}

int tri_intensity_init(struct tri_intensity *intensity, uint32_t max, tr_time within)
{
    *intensity = (struct tri_intensity){ .max = max, .within = within };
    if (max == 0 || !is_limited(intensity))
        return 0;
    intensity->times = tri_alloc(max * sizeof *intensity->times);
    return intensity->times != NULL ? 0 : -ENOMEM;
}

void tri_intensity_fini(struct tri_intensity *intensity)
{
    tri_free(intensity->times);
    intensity->times = NULL;
}

void tri_intensity_reset(struct tri_intensity *intensity)
{
    intensity->count = 0;
    intensity->oldest = 0;
}

bool tri_intensity_allows(struct tri_intensity *intensity, tr_time now)
{
    if (!is_limited(intensity))
        return true;
    if (intensity->max == 0)
        return false;
    if (intensity->count < intensity->max) {
        intensity->times[(intensity->oldest + intensity->count++) % intensity->max] = now;
        return true;
    }
    if (now - intensity->times[intensity->oldest] <= intensity->within)
        return false;
    intensity->times[intensity->oldest] = now;
    intensity->oldest = (intensity->oldest + 1) % intensity->max;
    return true;
}

tr_time tri_backoff(struct tri_random *random, tr_time min, tr_time max, uint32_t row)
{
    tr_time most = min;

    for (; row > 0 && most < max; row--)
        most = most <= max / 2 ? most * 2 : max;
    if (most > max)
        most = max;
    if (most <= 0)
        return 0;
    /* The remainder's bias is below 2^-20 for anything shorter than two hours. */
    return (tr_time)(tri_random_next(random) % ((uint64_t)most + 1));
}
