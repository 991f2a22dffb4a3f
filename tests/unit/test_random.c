/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include "base/random.h"

/* The first numbers of the authors' own splitmix64 from the seed 1234567. */
Test(random, seeds_spread_as_published)
{
    uint64_t seed = 1234567;

    cr_assert_eq(tri_random_spread(&seed), UINT64_C(6457827717110365317));
    cr_assert_eq(tri_random_spread(&seed), UINT64_C(3203168211198807973));
    cr_assert_eq(tri_random_spread(&seed), UINT64_C(9817491932198370423));
}

/* The first numbers of xoshiro256** from the state 1, 2, 3, 4. */
Test(random, numbers_follow_as_published)
{
    struct tri_random random = { { 1, 2, 3, 4 } };

    cr_assert_eq(tri_random_next(&random), UINT64_C(11520));
    cr_assert_eq(tri_random_next(&random), UINT64_C(0));
    cr_assert_eq(tri_random_next(&random), UINT64_C(1509978240));
    cr_assert_eq(tri_random_next(&random), UINT64_C(1215971899390074240));
}

Test(random, a_seed_repeats_and_another_differs)
{
    struct tri_random first;
    struct tri_random again;
    struct tri_random other;
    int equal = 0;

    tri_random_seed(&first, 0);
    tri_random_seed(&again, 0);
    tri_random_seed(&other, 1);
    for (int i = 0; i < 1000; i++) {
        uint64_t number = tri_random_next(&first);
        cr_assert_eq(tri_random_next(&again), number);
        equal += tri_random_next(&other) == number;
    }
    cr_assert_eq(equal, 0);
}

Test(random, draws_stay_below_and_reach_all)
{
    struct tri_random random;
    int drawn[7] = { 0 };

    tri_random_seed(&random, 7);
    cr_assert_eq(tri_random_below(&random, 0), 0);
    cr_assert_eq(tri_random_below(&random, 1), 0);
    for (int i = 0; i < 7000; i++) {
        uint32_t number = tri_random_below(&random, 7);
        cr_assert_lt(number, 7);
        drawn[number]++;
    }
    for (int i = 0; i < 7; i++)
        cr_assert(drawn[i] > 800 && drawn[i] < 1200);
}
