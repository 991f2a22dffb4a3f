/* SPDX-License-Identifier: BSD-2-Clause */

/* See outcome.h. */

#include "actors/outcome.h"

#include <errno.h>
#include <stddef.h>

#include "base/ck.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/memory.h"

struct tri_outcome *tri_outcome_new(void)
{
    struct tri_outcome *outcome = tri_alloc_zeroed(sizeof *outcome);

    if (outcome != NULL)
        outcome->holders = 2;
    return outcome;
}

static void give_up(struct tri_outcome *outcome)
{
    /* acquire, release: the other one's last use comes before the freeing. */
    if (tri_fetch_sub_acq_rel_32(&outcome->holders, 1) == 1)
        tri_free(outcome);
}

void tri_outcome_tell(struct tri_outcome *outcome, int error, tr_ref ref)
{
    if (outcome == NULL)
        return;
    outcome->error = error;
    outcome->ref = ref;
    /* release: publishes the result; pairs with the acquire in tri_outcome_wait. */
    tri_store_release_32(&outcome->told, 1);
    tri_futex_wake(&outcome->told, 1);
    give_up(outcome);
}

int tri_outcome_wait(struct tri_outcome *outcome, tr_time deadline, tr_ref *ret_ref)
{
    int error = -ETIMEDOUT;

    /* acquire: the result; pairs with the release in tri_outcome_tell. */
    while (!tri_load_acquire_32(&outcome->told) && tri_clock_now() < deadline)
        (void)tri_futex_wait(&outcome->told, 0, deadline);
    if (tri_load_acquire_32(&outcome->told)) {
        error = outcome->error;
        *ret_ref = outcome->ref;
    }
    give_up(outcome);
    return error;
}
