/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/timer_wheel.h"

#include "base/random.h"
#include "support/test.h"

static struct tri_timer_wheel wheel;
static struct tri_timer timers[2000];

static void start(struct tri_timer *timer, tr_time deadline)
{
    timer->deadline = deadline;
    tri_timer_wheel_add(&wheel, timer);
}

/* Expires again and again until the wheel says that there is nothing for now. */
static struct tri_timer *expire(tr_time now)
{
    struct tri_timer *timer;

    do {
        timer = tri_timer_wheel_expire(&wheel, now);
    } while (timer == NULL && tri_timer_wheel_next(&wheel) <= now);
    return timer;
}

Test(timer_wheel, is_empty_at_first)
{
    tri_timer_wheel_init(&wheel, TR_SEC(7));
    cr_assert_null(expire(TR_SEC(100)));
    cr_assert_eq(tri_timer_wheel_next(&wheel), TR_FOREVER);
}

Test(timer_wheel, fires_not_before_the_deadline)
{
    tri_timer_wheel_init(&wheel, TR_MS(10));
    start(&timers[0], TR_MS(12) + 1);
    cr_assert_eq(tri_timer_wheel_next(&wheel), TR_MS(13));
    cr_assert_null(expire(TR_MS(12) + 1));
    cr_assert_null(expire(TR_MS(13) - 1));
    cr_assert_eq(expire(TR_MS(13)), &timers[0]);
    cr_assert_null(expire(TR_MS(13)));
    cr_assert_eq(wheel.count, 0u);
}

Test(timer_wheel, a_deadline_that_has_passed_is_due_at_once)
{
    tri_timer_wheel_init(&wheel, TR_MS(10));
    start(&timers[0], TR_MS(9));
    start(&timers[1], -5);
    start(&timers[2], TR_MS(10));
    cr_assert_leq(tri_timer_wheel_next(&wheel), TR_MS(10));
    for (int i = 0; i < 3; i++)
        cr_assert_eq(expire(TR_MS(10)), &timers[i]);
}

Test(timer_wheel, takes_the_latest_deadlines_there_are)
{
    tri_timer_wheel_init(&wheel, TR_SEC(1));
    start(&timers[0], TR_FOREVER);
    start(&timers[1], TR_FOREVER - 1);
    start(&timers[2], TR_SEC(3600) * 24 * 365 * 100);
    cr_assert_null(expire(TR_SEC(3600) * 24 * 365 * 99));
    cr_assert_eq(expire(TR_SEC(3600) * 24 * 365 * 100 + TR_MS(1)), &timers[2]);
    cr_assert_eq(tri_timer_wheel_next(&wheel), TR_FOREVER);
    cr_assert_null(expire(TR_FOREVER - TR_SEC(1)));
    tri_timer_wheel_remove(&wheel, &timers[0]);
    tri_timer_wheel_remove(&wheel, &timers[1]);
    cr_assert_eq(wheel.count, 0u);
}

Test(timer_wheel, removes_wherever_a_timer_stands)
{
    tri_timer_wheel_init(&wheel, 0);
    for (int i = 0; i < 200; i++)
        start(&timers[i], TR_MS(i * i * 7));
    expire(TR_MS(150000));
    for (int i = 1; i < 200; i++)
        if (timers[i].state == TRI_TIMER_WAITING)
            tri_timer_wheel_remove(&wheel, &timers[i]);
    cr_assert_eq(wheel.count, 0u);
    cr_assert_null(expire(TR_SEC(3600)));
    cr_assert_eq(tri_timer_wheel_next(&wheel), TR_FOREVER);
}

Test(timer_wheel, a_removed_timer_can_be_started_again)
{
    tri_timer_wheel_init(&wheel, 0);
    for (int i = 1; i < 10; i++) {
        start(&timers[0], TR_SEC(i));
        tri_timer_wheel_remove(&wheel, &timers[0]);
    }
    start(&timers[0], TR_MS(3));
    cr_assert_eq(expire(TR_MS(3)), &timers[0]);
}

Test(timer_wheel, says_exactly_when_the_next_one_is_due)
{
    static const tr_time delays[] = { TR_MS(1), TR_MS(63), TR_MS(64), TR_MS(65), TR_SEC(1),
                                      TR_SEC(10), TR_SEC(3600), TR_SEC(86400) * 30 };

    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        tri_timer_wheel_init(&wheel, TR_MS(12345));
        memset(timers, 0, sizeof timers);
        start(&timers[0], TR_MS(12345) + delays[i]);
        start(&timers[1], TR_MS(12345) + 2 * delays[i]);
        cr_assert_eq(tri_timer_wheel_next(&wheel), TR_MS(12345) + delays[i]);
        cr_assert_null(expire(TR_MS(12345) + delays[i] - 1));
        cr_assert_eq(expire(TR_MS(12345) + delays[i]), &timers[0]);
    }
}

Test(timer_wheel, moves_a_bounded_number_at_a_time)
{
    enum { MANY = 100000 };
    struct tri_timer *many = calloc(MANY, sizeof *many);

    tri_timer_wheel_init(&wheel, 0);
    for (int i = 0; i < MANY; i++)
        start(&many[i], TR_MS(TRI_TIMER_SLOTS * TRI_TIMER_SLOTS) + TR_MS(1 + i % 2));
    tr_time reached = TR_MS(TRI_TIMER_SLOTS * TRI_TIMER_SLOTS);
    cr_assert_leq(tri_timer_wheel_next(&wheel), reached + TR_MS(1));
    cr_assert_null(tri_timer_wheel_expire(&wheel, reached));
    cr_assert_leq(tri_timer_wheel_next(&wheel), reached, "there is more to move");
    cr_assert_not(tri_list_is_empty(&wheel.moving));
    for (int i = 0; i < MANY; i++)
        cr_assert_not_null(expire(TR_SEC(10000)));
    cr_assert_null(expire(TR_SEC(10000)));
    free(many);
}

/* Against the plainest timer there is: all in an array. */

static tr_time some_delay(struct tri_random *random)
{
    return (tr_time)(tri_random_next(random) >> (20 + tri_random_below(random, 30)));
}

static tr_time earliest_tick(void)
{
    tr_time earliest = TR_FOREVER;

    for (int i = 0; i < 2000; i++) {
        tr_time due = (timers[i].deadline + TR_MS(1) - 1) / TR_MS(1) * TR_MS(1);
        if (timers[i].state == TRI_TIMER_WAITING && due < earliest)
            earliest = due;
    }
    return earliest;
}

Test(timer_wheel, agrees_with_a_plain_array)
{
    struct tri_random random;
    tr_time now = TR_SEC(1);

    tri_random_seed(&random, 42);
    tri_timer_wheel_init(&wheel, now);
    for (int step = 0; step < 20000; step++) {
        struct tri_timer *timer = &timers[tri_random_below(&random, 200)];
        if (timer->state == TRI_TIMER_IDLE)
            start(timer, now + some_delay(&random));
        else
            tri_timer_wheel_remove(&wheel, timer);
        if (step % 10 != 0)
            continue;
        cr_assert_leq(tri_timer_wheel_next(&wheel), earliest_tick());
        now += some_delay(&random) / 16;
        for (struct tri_timer *due; (due = expire(now)) != NULL;)
            cr_assert_leq(due->deadline, now);
        cr_assert_gt(earliest_tick(), now, "at %d", step);
    }
}
