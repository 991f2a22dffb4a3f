/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/run_queue.h"

#include <pthread.h>

#include "support/test.h"

static struct tri_run_queue queue, other;
static struct tri_task tasks[2 * TRI_RUN_QUEUE_LENGTH];

static void fill(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert(tri_run_queue_push(&queue, &tasks[i]));
}

Test(run_queue, gives_the_oldest_first)
{
    cr_assert_null(tri_run_queue_take(&queue));
    fill(3);
    cr_assert_eq(tri_run_queue_length(&queue), 3u);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tri_run_queue_take(&queue), &tasks[i]);
    cr_assert_null(tri_run_queue_take(&queue));
}

Test(run_queue, is_bounded_and_wraps)
{
    for (int round = 0; round < 5; round++) {
        fill(TRI_RUN_QUEUE_LENGTH);
        cr_assert_not(tri_run_queue_push(&queue, &tasks[0]));
        for (uint32_t i = 0; i < TRI_RUN_QUEUE_LENGTH; i++)
            cr_assert_eq(tri_run_queue_take(&queue), &tasks[i]);
    }
}

Test(run_queue, a_thief_takes_half_rounded_up)
{
    cr_assert_eq(tri_run_queue_steal(&queue, &other), 0u);
    fill(3);
    cr_assert_eq(tri_run_queue_steal(&queue, &other), 2u);
    cr_assert_eq(tri_run_queue_take(&other), &tasks[0]);
    cr_assert_eq(tri_run_queue_take(&other), &tasks[1]);
    cr_assert_eq(tri_run_queue_steal(&queue, &other), 1u);
    cr_assert_eq(tri_run_queue_take(&other), &tasks[2]);
    cr_assert_null(tri_run_queue_take(&queue));
}

Test(run_queue, a_thief_takes_no_more_than_the_limit)
{
    fill(TRI_RUN_QUEUE_LENGTH);
    cr_assert_eq(tri_run_queue_steal(&queue, &other), TRI_STEAL_MAX);
    cr_assert_eq(tri_run_queue_length(&queue), TRI_RUN_QUEUE_LENGTH - TRI_STEAL_MAX);
}

Test(run_queue, gives_a_list)
{
    struct tri_task *first = NULL, *last = NULL;

    cr_assert_eq(tri_run_queue_take_list(&queue, 2, &first, &last), 0u);
    cr_assert_null(first);
    fill(3);
    cr_assert_eq(tri_run_queue_take_list(&queue, 2, &first, &last), 2u);
    cr_assert_eq(first, &tasks[0]);
    cr_assert_eq(first->next, &tasks[1]);
    cr_assert_eq(last, &tasks[1]);
    cr_assert_null(last->next);
    cr_assert_eq(tri_run_queue_take_list(&queue, 9, &first, &last), 1u);
    cr_assert_eq(first, &tasks[2]);
    cr_assert_eq(last, &tasks[2]);
}

/* Thieves and the owner share 200 000 tasks: each is taken once. */

enum { THIEVES = 3, TASKS = 200000 };

static struct counted {
    struct tri_task task;
    uint32_t taken;
} counted[TASKS];
static struct tri_run_queue loot[THIEVES];
static uint32_t is_over;

static uint32_t use_up(struct tri_run_queue *from)
{
    uint32_t count = 0;

    for (struct tri_task *task; (task = tri_run_queue_take(from)) != NULL; count++)
        tri_fetch_add_relaxed_32(&TRI_CONTAINER_OF(task, struct counted, task)->taken, 1);
    return count;
}

static void *thief(void *mine)
{
    /* acquire: the last push; pairs with the release at the end of the test. */
    while (!tri_load_acquire_32(&is_over)) {
        tri_run_queue_steal(&queue, mine);
        use_up(mine);
    }
    return NULL;
}

Test(run_queue, loses_and_doubles_nothing_among_thieves)
{
    pthread_t threads[THIEVES];

    for (int i = 0; i < THIEVES; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, thief, &loot[i]), 0);
    for (int i = 0; i < TASKS; i++) {
        while (!tri_run_queue_push(&queue, &counted[i].task))
            use_up(&queue);
    }
    use_up(&queue);
    tri_store_release_32(&is_over, 1);
    for (int i = 0; i < THIEVES; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < TASKS; i++)
        cr_assert_eq(counted[i].taken, 1u);
}
