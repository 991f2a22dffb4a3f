/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/lifo_slot.h"

#include <pthread.h>

#include "support/test.h"

static struct tri_lifo_slot slot;
static struct tri_task a, b;

Test(lifo_slot, is_filled_once)
{
    cr_assert(tri_lifo_slot_is_empty(&slot));
    cr_assert(tri_lifo_slot_fill(&slot, &a));
    cr_assert_not(tri_lifo_slot_fill(&slot, &b));
    cr_assert_eq(tri_lifo_slot_take(&slot), &a);
    cr_assert_null(tri_lifo_slot_take(&slot));
}

Test(lifo_slot, gives_back_what_it_displaces)
{
    cr_assert_null(tri_lifo_slot_swap(&slot, &a));
    cr_assert_eq(tri_lifo_slot_swap(&slot, &b), &a);
    cr_assert_eq(tri_lifo_slot_take(&slot), &b);
}

Test(lifo_slot, can_be_stolen_from)
{
    tri_fence_init();
    cr_assert_null(tri_lifo_slot_steal(&slot));
    cr_assert(tri_lifo_slot_fill(&slot, &a));
    cr_assert(tri_lifo_slot_has_task(&slot));
    cr_assert_eq(tri_lifo_slot_steal(&slot), &a);
    cr_assert_not(tri_lifo_slot_has_task(&slot));
    cr_assert_null(tri_lifo_slot_steal(&slot), "before its owner came by");
    cr_assert_not(tri_lifo_slot_fill(&slot, &b), "only a swap finds out");
    cr_assert_null(tri_lifo_slot_swap(&slot, &b));
    cr_assert(tri_lifo_slot_has_task(&slot));
}

Test(lifo_slot, takes_what_was_stolen_from_it_again)
{
    tri_fence_init();
    cr_assert(tri_lifo_slot_fill(&slot, &a));
    cr_assert_eq(tri_lifo_slot_steal(&slot), &a);
    cr_assert_null(tri_lifo_slot_swap(&slot, &a));
    cr_assert_eq(tri_lifo_slot_take(&slot), &a);
    cr_assert_null(tri_lifo_slot_take(&slot));
}

Test(lifo_slot, is_empty_to_its_owner_when_it_was_robbed)
{
    tri_fence_init();
    cr_assert(tri_lifo_slot_fill(&slot, &a));
    cr_assert_eq(tri_lifo_slot_steal(&slot), &a);
    cr_assert_null(tri_lifo_slot_take(&slot));
    cr_assert(tri_lifo_slot_fill(&slot, &b));
    cr_assert_eq(tri_lifo_slot_steal(&slot), &b);
}

/* The owner fills and takes, two thieves steal: each task is had once. */

enum { ROUNDS = 20000 };

static struct counted {
    struct tri_task task;
    uint32_t had;
} counted[ROUNDS];
static uint32_t is_over;

static void have(struct tri_task *task)
{
    if (task != NULL)
        tri_fetch_add_relaxed_32(&TRI_CONTAINER_OF(task, struct counted, task)->had, 1);
}

static void *thief(void *unused)
{
    /* acquire: pairs with the release at the end of the test. */
    while (!tri_load_acquire_32(&is_over))
        have(tri_lifo_slot_steal(&slot));
    return unused;
}

Test(lifo_slot, loses_and_doubles_nothing_among_thieves)
{
    pthread_t threads[2];

    tri_fence_init();
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, thief, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (!tri_lifo_slot_fill(&slot, &counted[i].task))
            have(tri_lifo_slot_swap(&slot, &counted[i].task));
        if (i % 3 == 0)
            have(tri_lifo_slot_take(&slot));
    }
    tri_store_release_32(&is_over, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    have(tri_lifo_slot_take(&slot));
    for (int i = 0; i < ROUNDS; i++)
        cr_assert_eq(counted[i].had, 1u);
}
