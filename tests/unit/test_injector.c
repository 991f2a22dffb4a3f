/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/injector.h"

#include <pthread.h>

#include "support/test.h"

static struct tri_injector injector;
static struct tri_task tasks[8];

Test(injector, gives_the_oldest_first)
{
    cr_assert_null(tri_injector_take(&injector, 1));
    tri_injector_add(&injector, &tasks[0], &tasks[0], 1);
    tasks[1].next = &tasks[2];
    tri_injector_add(&injector, &tasks[1], &tasks[2], 2);
    cr_assert_eq(tri_injector_length(&injector), 3u);

    struct tri_task *taken = tri_injector_take(&injector, 2);
    cr_assert_eq(taken, &tasks[0]);
    cr_assert_eq(taken->next, &tasks[1]);
    cr_assert_null(tasks[1].next);
    cr_assert_eq(tri_injector_take(&injector, 2), &tasks[2]);
    cr_assert_eq(tri_injector_length(&injector), 0u);
    cr_assert_null(tri_injector_take(&injector, 2));
}

Test(injector, takes_nothing_when_asked_for_nothing)
{
    tri_injector_add(&injector, &tasks[0], &tasks[0], 1);
    cr_assert_null(tri_injector_take(&injector, 0));
    cr_assert_eq(tri_injector_take(&injector, 100), &tasks[0]);
}

Test(injector, goes_on_after_it_was_empty)
{
    for (int i = 0; i < 3; i++) {
        tri_injector_add(&injector, &tasks[i], &tasks[i], 1);
        cr_assert_eq(tri_injector_take(&injector, 1), &tasks[i]);
    }
}

Test(injector, gives_what_spilled_last_first)
{
    injector.takes = 1; /* the turn of what has aged is far */
    tasks[0].next = &tasks[1];
    tasks[2].next = &tasks[3];
    tri_injector_spill(&injector, &tasks[0], &tasks[1], 2);
    tri_injector_spill(&injector, &tasks[2], &tasks[3], 2);
    cr_assert_eq(tri_injector_length(&injector), 4u);
    cr_assert_eq(tri_injector_take(&injector, 1), &tasks[2]);
    cr_assert_eq(tri_injector_take(&injector, 2), &tasks[3]);
    cr_assert_eq(tasks[3].next, &tasks[0]);
    cr_assert_null(tasks[0].next);
    cr_assert_eq(tri_injector_take(&injector, 2), &tasks[1]);
    cr_assert_eq(tri_injector_length(&injector), 0u);
}

/* How many takes until `old` comes, while a newer one spills before each of them. */
static int takes_until(const struct tri_task *old)
{
    struct tri_task *newer = &tasks[1];
    int takes = 1;

    for (;; takes++) {
        tri_injector_spill(&injector, newer, newer, 1);
        struct tri_task *taken = tri_injector_take(&injector, 1);
        if (taken == old || takes == 100)
            break;
        newer = taken;
    }
    while (tri_injector_take(&injector, 1) != NULL)
        continue;
    return takes;
}

Test(injector, lets_nothing_that_spilled_wait_for_ever)
{
    for (uint32_t phase = 0; phase < 8; phase++) {
        injector.takes = phase;
        tri_injector_spill(&injector, &tasks[0], &tasks[0], 1);
        cr_assert_leq(takes_until(&tasks[0]), 16);
    }
}

Test(injector, lets_nothing_from_outside_wait_for_what_spills)
{
    for (uint32_t phase = 0; phase < 8; phase++) {
        injector.takes = phase;
        tri_injector_add(&injector, &tasks[0], &tasks[0], 1);
        cr_assert_leq(takes_until(&tasks[0]), 2);
    }
}

/* Four threads add, one takes: all arrive, in the order of each. */

enum { ADDERS = 4, EACH = 5000 };

static struct numbered {
    struct tri_task task;
    int adder;
    int number;
} numbered[ADDERS][EACH];

static void *adder(void *mine)
{
    struct numbered *tasks_of_mine = mine;

    for (int i = 0; i < EACH; i++)
        tri_injector_add(&injector, &tasks_of_mine[i].task, &tasks_of_mine[i].task, 1);
    return NULL;
}

Test(injector, keeps_the_order_of_each_thread)
{
    pthread_t threads[ADDERS];
    int next[ADDERS] = { 0 };

    for (int i = 0; i < ADDERS; i++) {
        for (int j = 0; j < EACH; j++)
            numbered[i][j] = (struct numbered){ .adder = i, .number = j };
        cr_assert_eq(pthread_create(&threads[i], NULL, adder, numbered[i]), 0);
    }
    for (int taken = 0; taken < ADDERS * EACH;) {
        struct tri_task *task = tri_injector_take(&injector, 7);
        for (; task != NULL; task = task->next, taken++) {
            struct numbered *one = TRI_CONTAINER_OF(task, struct numbered, task);
            cr_assert_eq(one->number, next[one->adder]++);
        }
    }
    for (int i = 0; i < ADDERS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(tri_injector_length(&injector), 0u);
}
