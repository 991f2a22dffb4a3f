/* SPDX-License-Identifier: BSD-2-Clause */

/* The atomics' values, by one thread, and that an addition by many loses nothing. That each has
 * the order in its name is what the sanitizer builds and the explorer are for. */

#include "support/test.h"

#include <pthread.h>

#include "base/ck.h"

Test(ck, words_of_both_sizes)
{
    uint32_t small = 1;
    uint64_t large = 1;

    tri_store_relaxed_32(&small, UINT32_MAX);
    tri_store_release_64(&large, UINT64_MAX);
    cr_assert_eq(tri_load_relaxed_32(&small), UINT32_MAX);
    cr_assert_eq(tri_load_acquire_64(&large), UINT64_MAX);
    cr_assert_eq(tri_exchange_acq_rel_32(&small, 5), UINT32_MAX);
    cr_assert_eq(tri_exchange_acq_rel_64(&large, 5), UINT64_MAX);
    cr_assert_eq(tri_fetch_add_relaxed_32(&small, 2), 5);
    cr_assert_eq(tri_fetch_add_acq_rel_64(&large, 2), 5);
    cr_assert_eq(tri_fetch_sub_acq_rel_32(&small, 1), 7);
    cr_assert_eq(tri_fetch_sub_acq_rel_64(&large, 8), 7);
    cr_assert_eq(small, 6);
    cr_assert_eq(large, UINT64_MAX);
    tri_or_acq_rel_32(&small, 9);
    tri_and_acq_rel_64(&large, 0xF0);
    cr_assert_eq(small, 15);
    cr_assert_eq(large, 0xF0);
    tri_and_acq_rel_32(&small, 3);
    tri_or_acq_rel_64(&large, 1);
    cr_assert_eq(small, 3);
    cr_assert_eq(large, 0xF1);
}

Test(ck, a_swap_that_fails_says_what_stands_there)
{
    uint64_t word = 3;
    uint64_t seen = 2;

    cr_assert_not(tri_cas_acq_rel_64(&word, &seen, 9));
    cr_assert_eq(seen, 3);
    cr_assert_eq(word, 3);
    cr_assert(tri_cas_acq_rel_64(&word, &seen, 9));
    cr_assert_eq(word, 9);
    seen = 9;
    cr_assert(tri_cas_relaxed_64(&word, &seen, 10));
    cr_assert_eq(word, 10);
}

Test(ck, pointers_of_any_type)
{
    int numbers[2] = { 1, 2 };
    int *pointer = &numbers[0];
    void *seen = NULL;

    cr_assert_eq(tri_load_acquire_ptr(&pointer), (void *)&numbers[0]);
    tri_store_release_ptr(&pointer, &numbers[1]);
    cr_assert_not(tri_cas_acq_rel_ptr(&pointer, &seen, NULL));
    cr_assert_eq(seen, (void *)&numbers[1]);
    cr_assert(tri_cas_acq_rel_ptr(&pointer, &seen, &numbers[0]));
    cr_assert_eq(tri_exchange_acq_rel_ptr(&pointer, NULL), (void *)&numbers[0]);
    cr_assert_null(pointer);
}

enum { THREADS = 4, EACH = 50000 };

static uint64_t sum;
static uint32_t swapped;

static void *add(void *context)
{
    (void)context;
    for (int i = 0; i < EACH; i++) {
        tri_fetch_add_relaxed_64(&sum, 1);
        uint32_t seen = tri_load_relaxed_32(&swapped);
        while (!tri_cas_relaxed_32(&swapped, &seen, seen + 1))
            tri_cpu_relax();
    }
    return NULL;
}

Test(ck, additions_by_many_threads_lose_nothing)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, add, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(sum, (uint64_t)THREADS * EACH);
    cr_assert_eq(swapped, (uint32_t)THREADS * EACH);
}
