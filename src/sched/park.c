/* SPDX-License-Identifier: BSD-2-Clause */

/* See park.h for the state machine and its rules. */

#include "sched/park.h"

#include <errno.h>

#include "base/assert.h"
#include "base/ck.h"
#include "base/futex.h"

enum { EMPTY, WAITING, POLLING, TOKEN };

/* Leaves the place empty; true if a token was there. */
static bool clear(struct tri_park *park)
{
    /* acquire: what the giver did before; pairs with the release in give. */
    return tri_exchange_acq_rel_32(&park->word, EMPTY) == TOKEN;
}

/* Says how the thread sleeps; false if a token was there, which is taken. */
static bool begin(struct tri_park *park, uint32_t state)
{
    uint32_t seen = EMPTY;

    if (tri_cas_acq_rel_32(&park->word, &seen, state))
        return true;
    tri_assert(seen == TOKEN);
    clear(park);
    return false;
}

bool tri_park_sleep(struct tri_park *park, tr_time deadline)
{
    if (!begin(park, WAITING))
        return true;
    while (tri_load_relaxed_32(&park->word) == WAITING) {
        if (tri_futex_wait(&park->word, WAITING, deadline) == -ETIMEDOUT)
            break;
    }
    return clear(park);
}

bool tri_park_begin_poll(struct tri_park *park)
{
    return begin(park, POLLING);
}

bool tri_park_end_poll(struct tri_park *park)
{
    return clear(park);
}

enum tri_given tri_park_give(struct tri_park *park)
{
    /* release: what the giver did before; pairs with the acquire in clear. */
    switch (tri_exchange_acq_rel_32(&park->word, TOKEN)) {
    case WAITING:
        tri_futex_wake(&park->word, 1);
        return TRI_GIVEN_WAKE;
    case POLLING:
        return TRI_GIVEN_POLLING;
    default:
        return TRI_GIVEN_NOTHING;
    }
}
