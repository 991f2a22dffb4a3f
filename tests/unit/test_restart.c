/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/restart.h"

#include "support/test.h"

static struct tri_intensity window;

static void init(uint32_t max, tr_time within)
{
    cr_assert_eq(tri_intensity_init(&window, max, within), 0);
}

Test(intensity, forgives_none_when_zero)
{
    init(0, TR_SEC(5));
    cr_assert_not(tri_intensity_allows(&window, 1));
    tri_intensity_fini(&window);
}

Test(intensity, forgives_so_many_within_the_window)
{
    init(3, TR_SEC(5));
    for (int i = 0; i < 3; i++)
        cr_assert(tri_intensity_allows(&window, TR_SEC(i)));
    cr_assert_not(tri_intensity_allows(&window, TR_SEC(4)));
    tri_intensity_fini(&window);
}

Test(intensity, forgives_each_when_it_has_left_the_window)
{
    init(2, TR_SEC(5));
    cr_assert(tri_intensity_allows(&window, TR_SEC(1)));
    cr_assert(tri_intensity_allows(&window, TR_SEC(4)));
    cr_assert_not(tri_intensity_allows(&window, TR_SEC(6)), "exactly `within` ago still counts");
    cr_assert(tri_intensity_allows(&window, TR_SEC(6) + 1));
    cr_assert_not(tri_intensity_allows(&window, TR_SEC(9)));
    cr_assert(tri_intensity_allows(&window, TR_SEC(9) + 1));
    tri_intensity_fini(&window);
}

Test(intensity, slides_for_ever)
{
    init(4, TR_MS(30));
    for (int i = 0; i < 1000; i++)
        cr_assert(tri_intensity_allows(&window, TR_MS(10) * i), "one each 10 ms");
    tri_intensity_fini(&window);
}

Test(intensity, forgets_when_told_to)
{
    init(1, TR_SEC(5));
    cr_assert(tri_intensity_allows(&window, 1));
    tri_intensity_reset(&window);
    cr_assert(tri_intensity_allows(&window, 2));
    cr_assert_not(tri_intensity_allows(&window, 3));
    tri_intensity_fini(&window);
}

Test(intensity, has_no_limit_above_what_it_can_remember)
{
    init(TRI_RESTARTS_MAX + 1, TR_SEC(5));
    for (uint32_t i = 0; i < 3 * TRI_RESTARTS_MAX; i++)
        cr_assert(tri_intensity_allows(&window, 7));
    tri_intensity_fini(&window);
}

static struct tri_random dice;

static tr_time longest(tr_time min, tr_time max, uint32_t row)
{
    tr_time most = 0;

    for (int i = 0; i < 2000; i++) {
        tr_time drawn = tri_backoff(&dice, min, max, row);
        cr_assert_geq(drawn, 0);
        most = drawn > most ? drawn : most;
    }
    return most;
}

Test(backoff, is_nothing_without_a_minimum)
{
    tri_random_seed(&dice, 1);
    cr_assert_eq(longest(0, TR_SEC(5), 9), 0);
}

Test(backoff, doubles_up_to_the_maximum)
{
    tri_random_seed(&dice, 2);
    for (uint32_t row = 0; row < 12; row++) {
        tr_time bound = TR_MS(10) << row < TR_MS(300) ? TR_MS(10) << row : TR_MS(300);
        tr_time most = longest(TR_MS(10), TR_MS(300), row);

        cr_assert_leq(most, bound);
        cr_assert_gt(most, bound - bound / 10, "the jitter reaches its bound");
    }
}

Test(backoff, draws_from_the_whole_range)
{
    int low = 0;

    tri_random_seed(&dice, 3);
    for (int i = 0; i < 1000; i++)
        low += tri_backoff(&dice, TR_MS(100), TR_MS(100), 0) < TR_MS(50);
    cr_assert_gt(low, 400);
    cr_assert_lt(low, 600);
}

Test(backoff, stands_absurd_numbers)
{
    tri_random_seed(&dice, 4);
    cr_assert_leq(longest(TR_FOREVER / 2, TR_FOREVER - 1, UINT32_MAX), TR_FOREVER - 1);
    cr_assert_leq(longest(TR_SEC(9), TR_SEC(1), 3), TR_SEC(1), "the maximum wins");
}

Test(backoff, repeats_itself_for_a_seed)
{
    tr_time first[5];

    tri_random_seed(&dice, 5);
    for (int i = 0; i < 5; i++)
        first[i] = tri_backoff(&dice, TR_MS(10), TR_SEC(1), 4);
    tri_random_seed(&dice, 5);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(tri_backoff(&dice, TR_MS(10), TR_SEC(1), 4), first[i]);
}
