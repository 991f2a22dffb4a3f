/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include "base/clock.h"

Test(clock, it_never_goes_back)
{
    int64_t before = tri_clock_now();

    for (int i = 0; i < 100000; i++) {
        int64_t now = tri_clock_now();
        cr_assert_geq(now, before);
        before = now;
    }
    cr_assert_gt(before, 0);
}

static int64_t read_virtual(void *context)
{
    return *(int64_t *)context;
}

Test(clock, another_one_can_be_put_in_its_place)
{
    int64_t time = 42;
    struct tri_clock virtual = { read_virtual, &time };

    tri_clock_set(&virtual);
    cr_assert_eq(tri_clock_now(), 42);
    time = 5 * TRI_NS_PER_S;
    cr_assert_eq(tri_clock_now(), INT64_C(5000000000));
    cr_assert_neq(tri_clock_system(), time);
    tri_clock_set(NULL);
    int64_t before = tri_clock_system();
    cr_assert_geq(tri_clock_now(), before);
}

Test(clock, the_calendar_goes_with_the_clock_in_place)
{
    int64_t time = 42;
    struct tri_clock virtual = { read_virtual, &time };

    cr_assert_gt(tri_clock_unix(), INT64_C(1700000000) * TRI_NS_PER_S);
    tri_clock_set(&virtual);
    int64_t before = tri_clock_unix();
    time += 7;
    cr_assert_eq(tri_clock_unix() - before, 7);
    tri_clock_set(NULL);
}
