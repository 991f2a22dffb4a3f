/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/ck.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/thread.h"

enum { MANY = 10000 };

static void *blocks[MANY];

static int by_address(const void *a, const void *b)
{
    void *const *first = a;
    void *const *second = b;

    return *first < *second ? -1 : *first > *second;
}

static void get_many(unsigned size_class, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i] = tri_pool_get(tri_thread_self(), size_class);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], (int)i, tri_pool_block_size(size_class));
    }
}

static void put_many(unsigned size_class, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tri_pool_put(tri_thread_self(), size_class, blocks[i]);
}

static void expect_apart(unsigned size_class, size_t count)
{
    size_t size = tri_pool_block_size(size_class);

    qsort(blocks, count, sizeof(blocks[0]), by_address);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq((uintptr_t)blocks[i] % (size < 64 ? size : 64), 0);
        if (i > 0)
            cr_assert_geq((uintptr_t)blocks[i] - (uintptr_t)blocks[i - 1], size);
    }
}

Test(pool, the_class_of_a_size)
{
    cr_assert_eq(tri_pool_class_of(0), TRI_POOL_32);
    for (size_t size = 1; size <= 300; size++) {
        unsigned size_class = tri_pool_class_of(size);
        if (size > 256) {
            cr_assert_eq(size_class, TRI_POOL_CLASSES);
            continue;
        }
        cr_assert_geq(tri_pool_block_size(size_class), size);
        cr_assert(size_class == 0 || tri_pool_block_size(size_class - 1) < size);
    }
}

Test(pool, blocks_are_aligned_and_apart)
{
    for (unsigned size_class = 0; size_class < TRI_POOL_CLASSES; size_class++) {
        get_many(size_class, MANY);
        expect_apart(size_class, MANY);
        put_many(size_class, MANY);
    }
}

Test(pool, the_newest_free_block_is_given_first)
{
    void *block = tri_pool_get(tri_thread_self(), TRI_POOL_64);

    tri_pool_put(tri_thread_self(), TRI_POOL_64, block);
    cr_assert_eq(tri_pool_get(tri_thread_self(), TRI_POOL_64), block);
}

/* What was put back is given out again before new memory is taken: the same blocks, in any order,
 * for any number of them around the size of a magazine. */
Test(pool, nothing_is_lost_around_a_magazine)
{
    static void *before[MANY];

    for (size_t count = 1; count < 5 * TRI_MAGAZINE_BLOCKS; count++) {
        get_many(TRI_POOL_128, count);
        memcpy(before, blocks, count * sizeof(blocks[0]));
        put_many(TRI_POOL_128, count);
        get_many(TRI_POOL_128, count);
        qsort(before, count, sizeof(before[0]), by_address);
        qsort(blocks, count, sizeof(blocks[0]), by_address);
        size_t same = 0;
        for (size_t i = 0, j = 0; i < count && j < count;) {
            int order = by_address(&before[i], &blocks[j]);
            same += order == 0;
            i += order <= 0;
            j += order >= 0;
        }
        cr_assert_eq(same, count);
        put_many(TRI_POOL_128, count);
    }
}

/* ---- no memory ---- */

static int allowed;

static void *alloc_some(void *context, size_t alignment, size_t size)
{
    (void)context;
    return allowed-- > 0 ? aligned_alloc(alignment, size) : NULL;
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

static const struct tri_memory_hook limited = { alloc_some, release, NULL };

/* Without memory for magazines blocks go to the depot's loose ones, and come back from there. */
Test(pool, put_never_fails_and_loses_nothing)
{
    for (allowed = 0; allowed < 8; allowed++) {
        int kept = allowed;
        get_many(TRI_POOL_256, MANY / 10);
        tri_memory_hook_set(&limited);
        put_many(TRI_POOL_256, MANY / 10);
        tri_memory_hook_set(NULL);
        allowed = kept;
    }
    get_many(TRI_POOL_256, MANY / 10);
    expect_apart(TRI_POOL_256, MANY / 10);
}

static void *has_no_record(void *context)
{
    (void)context;
    return tri_thread_self();
}

Test(pool, a_thread_without_memory_has_no_record)
{
    pthread_t thread;
    void *record;

    allowed = 0;
    tri_memory_hook_set(&limited);
    cr_assert_eq(pthread_create(&thread, NULL, has_no_record, NULL), 0);
    pthread_join(thread, &record);
    tri_memory_hook_set(NULL);
    cr_assert_null(record);
}

#if !defined(TRI_POOL_POISONS) && !defined(TRI_CK_COMPILER)
/* The system gives no more memory: NULL, and as soon as it does again, blocks. (A sanitizer's own
 * memory is not to be had under such a limit.) */
Test(pool, no_more_chunks)
{
    struct rlimit usual;
    size_t most = 4 * TRI_POOL_CHUNK_BYTES / 256;

    cr_assert_eq(getrlimit(RLIMIT_AS, &usual), 0);
    struct rlimit none = { 1 << 20, usual.rlim_max };
    (void)tri_pool_get(tri_thread_self(), TRI_POOL_256);
    cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
    size_t given = 0;
    while (given < most && tri_pool_get(tri_thread_self(), TRI_POOL_256) != NULL)
        given++;
    void *refused = tri_pool_get(tri_thread_self(), TRI_POOL_256);
    cr_assert_eq(setrlimit(RLIMIT_AS, &usual), 0);
    cr_assert_lt(given, most);
    cr_assert_null(refused);
    cr_assert_not_null(tri_pool_get(tri_thread_self(), TRI_POOL_256));
}
#endif

/* ---- threads ---- */

static void *put_and_end(void *context)
{
    size_t count = *(size_t *)context;

    put_many(TRI_POOL_64, count);
    return NULL;
}

/* A thread that ends leaves its blocks to the others. */
Test(pool, an_ended_threads_blocks_are_given_out_again)
{
    size_t count = 3 * TRI_MAGAZINE_BLOCKS + 1;
    pthread_t thread;

    get_many(TRI_POOL_64, count);
    qsort(blocks, count, sizeof(blocks[0]), by_address);
    void *lowest = blocks[0];
    void *highest = blocks[count - 1];
    cr_assert_eq(pthread_create(&thread, NULL, put_and_end, &count), 0);
    pthread_join(thread, NULL);
    get_many(TRI_POOL_64, count);
    for (size_t i = 0; i < count; i++)
        cr_assert(blocks[i] >= lowest && blocks[i] <= highest);
    put_many(TRI_POOL_64, count);
}

enum { HANDS = 4, ROUNDS = 20000, PLACES = 512 };

static void *table[PLACES];

/* Each thread swaps blocks of its own into shared places and puts back what it found there. A
 * block that two own at once would show another's mark. */
static void *juggle(void *context)
{
    struct tri_random random;
    uint64_t mark = (uint64_t)(uintptr_t)context;

    tri_random_seed(&random, mark);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t *mine = tri_pool_get(tri_thread_self(), TRI_POOL_64);
        cr_assert_not_null(mine);
        for (int k = 0; k < 8; k++)
            mine[k] = mark + (uint64_t)i;
        /* release, acquire: the block's contents, from hand to hand. */
        uint64_t *found = tri_exchange_acq_rel_ptr(&table[tri_random_below(&random, PLACES)], mine);
        if (found == NULL)
            continue;
        for (int k = 1; k < 8; k++)
            cr_assert_eq(found[k], found[0]);
        memset(found, 0, 64);
        tri_pool_put(tri_thread_self(), TRI_POOL_64, found);
    }
    return NULL;
}

Test(pool, blocks_wander_between_threads)
{
    pthread_t hands[HANDS];

    for (uintptr_t i = 0; i < HANDS; i++)
        cr_assert_eq(pthread_create(&hands[i], NULL, juggle, (void *)((i + 1) << 32)), 0);
    for (int i = 0; i < HANDS; i++)
        pthread_join(hands[i], NULL);
    for (int i = 0; i < PLACES; i++) {
        if (table[i] != NULL)
            tri_pool_put(tri_thread_self(), TRI_POOL_64, table[i]);
    }
}
