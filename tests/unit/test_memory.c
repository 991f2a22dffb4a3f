/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <stdint.h>

#include "base/memory.h"

Test(memory, blocks_are_aligned_and_cleared_where_asked)
{
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        char *block = tri_alloc_aligned(alignment, 100);
        cr_assert_not_null(block);
        cr_assert_eq((uintptr_t)block % alignment, 0);
        memset(block, 1, 100);
        tri_free(block);
    }
    char *cleared = tri_alloc_zeroed(5000);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(cleared[i], 0);
    tri_free(cleared);
}

Test(memory, nothing_is_something_that_can_be_freed)
{
    void *none = tri_alloc(0);

    cr_assert_not_null(none);
    tri_free(none);
    tri_free(NULL);
}

Test(memory, an_absurd_size_is_refused)
{
    cr_assert_null(tri_alloc(SIZE_MAX));
    cr_assert_null(tri_alloc_zeroed(SIZE_MAX - 7));
    cr_assert_null(tri_alloc_aligned(64, SIZE_MAX));
}

struct tally {
    int allocs;
    int frees;
    int left;  /* until one fails */
};

static void *counted_alloc(void *context, size_t alignment, size_t size)
{
    struct tally *tally = context;

    if (tally->left-- == 0)
        return NULL;
    tally->allocs++;
    return aligned_alloc(alignment, size);
}

static void counted_free(void *context, void *block)
{
    struct tally *tally = context;

    tally->frees++;
    free(block);
}

Test(memory, a_hook_sees_everything_and_may_refuse)
{
    struct tally tally = { .left = 2 };
    struct tri_memory_hook hook = { counted_alloc, counted_free, &tally };

    tri_memory_hook_set(&hook);
    void *first = tri_alloc(10);
    void *second = tri_alloc_zeroed(10);
    void *third = tri_alloc(10);
    tri_free(first);
    tri_free(second);
    tri_free(third);
    tri_memory_hook_set(NULL);
    cr_assert_null(third);
    cr_assert_eq(tally.allocs, 2);
    cr_assert_eq(tally.frees, 2);

    void *usual = tri_alloc(10);
    cr_assert_not_null(usual);
    tri_free(usual);
    cr_assert_eq(tally.frees, 2);
}
