/* SPDX-License-Identifier: BSD-2-Clause */

/* See poller.h for the state machine. */

#include "sched/poller.h"

#include <sched.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/ck.h"

enum { ABSENT, FREE, HELD, LEAVING };

bool tri_poll_role_is_free(const struct tri_poll_role *role)
{
    return tri_load_relaxed_32(&role->word) == FREE;
}

const struct tri_poller *tri_poll_role_take(struct tri_poll_role *role)
{
    uint32_t seen = FREE;

    /* acquire: the poller, and what its last holder did; pairs with the release below and in
     * set. */
    if (!tri_poll_role_is_free(role) || !tri_cas_acq_rel_32(&role->word, &seen, HELD))
        return NULL;
    return tri_load_relaxed_ptr(&role->poller);
}

void tri_poll_role_release(struct tri_poll_role *role)
{
    uint32_t seen = HELD;

    /* release: what was done in the poller; pairs with the acquire in take and unset. */
    while (!tri_cas_acq_rel_32(&role->word, &seen, seen == LEAVING ? ABSENT : FREE))
        tri_assert(seen == LEAVING);
}

static void give_way(void)
{
    tri_cpu_relax();
    sched_yield();
}

/* Lets the holder, if there is one, be the last, and gets it out. */
static void unset(struct tri_poll_role *role)
{
    uint32_t seen = tri_load_relaxed_32(&role->word);

    while (seen != ABSENT) {
        /* acquire: what the last holder did; pairs with the release in release. */
        if (tri_cas_acq_rel_32(&role->word, &seen, seen == HELD ? LEAVING : ABSENT))
            break;
    }
    if (seen == HELD)
        tri_poll_role_wake(role);
    /* acquire: what the last holder did; pairs with the release in release. */
    while (tri_load_acquire_32(&role->word) != ABSENT)
        give_way();
    tri_store_relaxed_ptr(&role->poller, NULL);
    tri_fence_full();  /* a waker sees no poller, or is counted: pairs with the one in wake */
    /* acquire: the waker's last use of the poller; pairs with the release in wake. */
    while (tri_load_acquire_32(&role->wakers) != 0)
        give_way();
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
