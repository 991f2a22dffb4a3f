/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <pthread.h>

#include "base/ck.h"
#include "base/fence.h"

enum { ROUNDS = 20000 };

static uint32_t light_word;
static uint32_t heavy_word;
static uint32_t light_saw;
static uint32_t round_of_light;
static uint32_t round_of_heavy;

static void meet(uint32_t *mine, const uint32_t *other, uint32_t round)
{
    tri_store_release_32(mine, round);
    while (tri_load_acquire_32(other) < round)
        tri_cpu_relax();
}

static void *light_side(void *context)
{
    (void)context;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        meet(&round_of_light, &round_of_heavy, 2 * round - 1);
        tri_store_relaxed_32(&light_word, round);
        tri_fence_light();
        uint32_t saw = tri_load_relaxed_32(&heavy_word);
        tri_store_relaxed_32(&light_saw, saw);
        meet(&round_of_light, &round_of_heavy, 2 * round);
    }
    return NULL;
}

/* Each side writes its word and reads the other's: at least one must see the other's write. */
Test(fence, one_of_the_two_sees_the_other)
{
    pthread_t light;

    tri_fence_init();
    tri_fence_init();
    cr_assert_eq(pthread_create(&light, NULL, light_side, NULL), 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        meet(&round_of_heavy, &round_of_light, 2 * round - 1);
        tri_store_relaxed_32(&heavy_word, round);
        tri_fence_heavy();
        uint32_t heavy_saw = tri_load_relaxed_32(&light_word);
        meet(&round_of_heavy, &round_of_light, 2 * round);
        cr_assert(heavy_saw == round || tri_load_relaxed_32(&light_saw) == round, "round %u",
                  round);
    }
    pthread_join(light, NULL);
}

/* Before tri_fence_init, and where the kernel has no membarrier, both halves are full fences. */
Test(fence, both_halves_work_without_the_kernel)
{
    cr_assert_not(tri_fence_is_asymmetric);
    tri_fence_light();
    tri_fence_heavy();
}
