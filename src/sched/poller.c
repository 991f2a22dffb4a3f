/* SPDX-License-Identifier: BSD-2-Clause */

/* See poller.h for the state machine. */

#include "sched/poller.h"

#include <sched.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/ck.h"

enum { ABSENT, FREE, HELD };

bool tri_poll_role_is_free(const struct tri_poll_role *role)
{
    return tri_load_relaxed_32(&role->word) == FREE;
}

const struct tri_poller *tri_poll_role_take(struct tri_poll_role *role)
{
    uint32_t seen = FREE;

    /* acquire: the poller, and what its last holder did; pairs with the release below. */
    if (!tri_poll_role_is_free(role) || !tri_cas_acq_rel_32(&role->word, &seen, HELD))
        return NULL;
    return tri_load_relaxed_ptr(&role->poller);
}

void tri_poll_role_release(struct tri_poll_role *role)
{
    tri_assert(tri_load_relaxed_32(&role->word) == HELD);
    /* release: what was done in the poller; pairs with the acquire in take and unset. */
    tri_store_release_32(&role->word, FREE);
}

/* Gets the holder out, as often as it takes, then waits for those who were about to do the same. */
static void unset(struct tri_poll_role *role)
{
    uint32_t seen = FREE;

    /* acquire: what the last holder did; pairs with the release in release. */
    while (!tri_cas_acq_rel_32(&role->word, &seen, ABSENT)) {
        if (seen == ABSENT)
            return;
        tri_poll_role_wake(role);
        sched_yield();
        seen = FREE;
    }
    tri_store_relaxed_ptr(&role->poller, NULL);
    tri_fence_full();  /* a waker sees no poller, or is counted: pairs with the one in wake */
    /* acquire: the waker's last use of the poller; pairs with the release in wake. */
    while (tri_load_acquire_32(&role->wakers) != 0)
        sched_yield();
}

void tri_poll_role_set(struct tri_poll_role *role, const struct tri_poller *poller)
{
    unset(role);
    if (poller == NULL)
        return;
    tri_store_relaxed_ptr(&role->poller, (void *)(uintptr_t)poller);
    /* release: the poller; pairs with the acquire in take. */
    tri_store_release_32(&role->word, FREE);
}

void tri_poll_role_wake(struct tri_poll_role *role)
{
    tri_fetch_add_acq_rel_32(&role->wakers, 1);
    tri_fence_full();  /* counted before it looks: pairs with the one in unset */
    const struct tri_poller *poller = tri_load_relaxed_ptr(&role->poller);
    if (poller != NULL)
        poller->wake(poller->context);
    /* release: the last use of the poller; pairs with the acquire in unset. */
    tri_fetch_sub_acq_rel_32(&role->wakers, 1);
}
