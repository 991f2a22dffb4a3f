/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c base/pool.c */

/*
 * Magazines and the depot: threads get and put blocks, one gives back what another got, one ends
 * and leaves its cache, memory for magazines runs out.
 *
 * What is demanded: a block is had by one thread at a time, and in the end none is lost.
 */

#include "explorer.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/pool.h"

enum {
    THREADS = 3,
    BLOCKS_MAX = TRI_POOL_CHUNK_BYTES / 32,
    GETS_MAX = 8,
    MAGAZINES_MAX = 8,
    MAGAZINE_BYTES = 64,
};

struct setup {
    int threads;
    int gets;          /* of each; in the end all are put back */
    int rounds;
    int magazines;     /* that there is memory for */
    bool passes_on;    /* each puts what the one before it got */
    bool is_stocked;   /* there are three full magazines at the start */
    bool ends;         /* each gives its cache back in the end */
};

static const struct setup *setup;
static _Alignas(TRI_POOL_CHUNK_BYTES) char chunk_bytes[TRI_POOL_CHUNK_BYTES];
static _Alignas(64) char magazines[MAGAZINES_MAX][MAGAZINE_BYTES];
static int magazines_made, chunks_made;
static struct tri_pool_cache caches[THREADS];
static bool is_had[BLOCKS_MAX];
static void *got[THREADS][GETS_MAX];
static int got_count[THREADS], put_count[THREADS];

/* ---- in place of base and of the kernel ---- */

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    (void)address, (void)size, (void)protection, (void)flags, (void)file, (void)offset;
    return chunks_made++ == 0 ? chunk_bytes : MAP_FAILED;
}

int munmap(void *address, size_t size)
{
    (void)address, (void)size;
    return 0;
}

int madvise(void *address, size_t size, int advice)
{
    (void)address, (void)size, (void)advice;
    return 0;
}

bool tri_memory_is_refused(void)
{
    return false;
}

void *tri_alloc(size_t size)
{
    EXPECT(size <= MAGAZINE_BYTES);
    if (magazines_made == setup->magazines)
        return NULL;
    return magazines[magazines_made++];
}

/* ---- threads ---- */

static bool *had(const void *block)
{
    size_t at = (size_t)((const char *)block - chunk_bytes);

    EXPECT(at % 32 == 0 && at / 32 < BLOCKS_MAX);
    return &is_had[at / 32];
}

static void get(int me)
{
    void *block = tri_pool_cache_get(&caches[me], TRI_POOL_32);

    EXPECT(block != NULL);
    EXPECT(!*had(block));
    *had(block) = true;
    explorer_touch(block);
    memset(block, 0x55, 32); /* whoever linked it must have done with that */
    explorer_hand_over(); /* a message took it there */
    got[me][got_count[me]++] = block;
}

static bool has_more(void *context)
{
    int from = *(const int *)context;

    return got_count[from] > put_count[from];
}

static void put(int me)
{
    int from = setup->passes_on ? (me + 1) % setup->threads : me;

    explorer_wait(has_more, &from);
    void *block = got[from][put_count[from]++];
    EXPECT(*had(block));
    explorer_touch(block);
    *had(block) = false;
    tri_pool_cache_put(&caches[me], TRI_POOL_32, block);
}

static void thread(int me)
{
    for (int round = 0; round < setup->rounds; round++) {
        for (int i = 0; i < setup->gets; i++)
            get(me);
        for (int i = 0; i < setup->gets; i++)
            put(me);
    }
    if (setup->ends)
        tri_pool_cache_empty(&caches[me], TRI_POOL_32);
}

/* ---- one schedule ---- */

static void stock(void)
{
    void *blocks[3 * TRI_MAGAZINE_BLOCKS];

    for (size_t i = 0; i < TRI_COUNT_OF(blocks); i++)
        blocks[i] = tri_pool_cache_get(&caches[0], TRI_POOL_32);
    for (size_t i = 0; i < TRI_COUNT_OF(blocks); i++)
        tri_pool_cache_put(&caches[0], TRI_POOL_32, blocks[i]);
    tri_pool_cache_empty(&caches[0], TRI_POOL_32);
}

static void start(const void *chosen)
{
    setup = chosen;
    if (setup->is_stocked)
        stock();
    for (int i = 0; i < setup->threads; i++)
        explorer_thread(thread, i);
}

/* Nothing was lost: what all leave and what was never used is the whole chunk, each block once. */
static void check(void)
{
    for (int i = 0; i < setup->threads; i++)
        tri_pool_cache_empty(&caches[i], TRI_POOL_32);
    for (int i = 0; i < BLOCKS_MAX; i++) {
        void *block = tri_pool_cache_get(&caches[0], TRI_POOL_32);
        EXPECT(block != NULL);
        if (block == NULL)
            return;
        EXPECT(!*had(block));
        *had(block) = true;
    }
    EXPECT(tri_pool_cache_get(&caches[0], TRI_POOL_32) == NULL);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "depot/" name_, .start = start, .check = check,                                      \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 2, .searched = 300000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("two", .threads = 2, .gets = 4, .rounds = 2, .magazines = 8),
    MODEL("pass-on", .threads = 2, .gets = 4, .rounds = 2, .magazines = 8, .passes_on = true),
    MODEL("poor", .threads = 2, .gets = 4, .rounds = 2, .magazines = 1, .passes_on = true),
    MODEL("end", .threads = 2, .gets = 4, .rounds = 1, .magazines = 8, .ends = true,
          .passes_on = true),
    MODEL("stocked", .threads = 2, .gets = 4, .rounds = 1, .magazines = 8, .is_stocked = true),
    MODEL("three", .threads = 3, .gets = 4, .rounds = 1, .magazines = 8, .passes_on = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
