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
