/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* See pool.h for what this is and its rules. Here are the slow paths: everything that a magazine
 * at hand does not settle. Each takes the depot's lock at most once per magazine. */

#include "base/pool.h"

#include <stdalign.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/ck.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/spin.h"

struct tri_magazine {
    struct tri_magazine *next;
    size_t count;  /* up to date only while the magazine is not loaded */
    void *blocks[TRI_MAGAZINE_BLOCKS];
};

/* What lies in free memory itself: a loose block's link, or the unused rest of a span. */
struct rest {
    struct rest *next;
    char *end;
};

/* Written under the lock only; whether a list is empty may be looked at from outside. */
struct depot {
    alignas(TRI_CACHE_LINE) struct tri_spin lock;
    struct tri_magazine *full;   /* at least one block each */
    struct tri_magazine *empty;
    struct rest *loose;          /* single blocks */
    struct rest *spans;          /* left by threads that ended */
};

static struct depot depots[TRI_POOL_CLASSES];

/* The chunk that spans are cut from, for all classes. */
static struct {
    struct tri_spin lock;
    char *rest;
    char *end;
    bool had_one;
} chunk;

_Static_assert(sizeof(struct rest) <= 32, "a rest fits the smallest block");

#ifdef TRI_POOL_POISONS
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>

void tri_pool_poison(const void *block, unsigned size_class)
{
    ASAN_POISON_MEMORY_REGION(block, tri_pool_block_size(size_class));
}

void tri_pool_unpoison(const void *block, unsigned size_class)
{
    ASAN_UNPOISON_MEMORY_REGION(block, tri_pool_block_size(size_class));
}

/* What blocks in use point to is no leak; it is not looked for in mapped memory unless told. */
static void tell_leak_sanitizer(const char *mapped)
{
    __lsan_register_root_region(mapped, TRI_POOL_CHUNK_BYTES);
}
#else
static void tell_leak_sanitizer(const char *mapped)
{
    (void)mapped;
}
#endif

/* ---- memory never handed out yet ---- */

/* Maps a chunk on the boundary of a huge page. */
static char *map_chunk(void)
{
    size_t size = TRI_POOL_CHUNK_BYTES;
    char *mapped = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapped == MAP_FAILED)
        return NULL;
    char *aligned = mapped + (-(uintptr_t)mapped & (size - 1));
    if (aligned != mapped)
        munmap(mapped, (size_t)(aligned - mapped));
    munmap(aligned + size, (size_t)(mapped + size - aligned));
    tell_leak_sanitizer(aligned);
    return aligned;
}

/* A span's worth of new memory, or NULL. */
static char *cut_span(void)
{
    char *span = NULL;

    tri_spin_lock(&chunk.lock);
    if (chunk.rest == chunk.end) {
        char *mapped = map_chunk();
        if (mapped != NULL) {
            /* The first chunk stays in small pages: a little program keeps little memory. */
            if (chunk.had_one)
                madvise(mapped, TRI_POOL_CHUNK_BYTES, MADV_HUGEPAGE);
            chunk.had_one = true;
            chunk.rest = mapped;
            chunk.end = mapped + TRI_POOL_CHUNK_BYTES;
        }
    }
    if (chunk.rest != chunk.end) {
        span = chunk.rest;
        chunk.rest += TRI_POOL_SPAN_BYTES;
    }
    tri_spin_unlock(&chunk.lock);
    return span;
}

static void *cut_block(struct tri_pool_cache *cache, unsigned size_class)
{
    if (cache->fresh == cache->fresh_end) {
        cache->fresh = cut_span();
        cache->fresh_end = cache->fresh == NULL ? NULL : cache->fresh + TRI_POOL_SPAN_BYTES;
    }
    if (cache->fresh == NULL)
        return NULL;

    void *block = cache->fresh;
    cache->fresh += tri_pool_block_size(size_class);
    return block;
}

/* ---- magazines ---- */

/* The loaded magazine with its count brought up to date, or NULL. */
static struct tri_magazine *unload(struct tri_pool_cache *cache)
{
    if (cache->bottom == NULL)
        return NULL;

    struct tri_magazine *magazine = TRI_CONTAINER_OF(cache->bottom, struct tri_magazine, blocks);
    magazine->count = (size_t)(cache->top - cache->bottom);
    cache->top = cache->bottom = cache->end = NULL;
    return magazine;
}

static void load(struct tri_pool_cache *cache, struct tri_magazine *magazine)
{
    cache->bottom = magazine->blocks;
    cache->top = magazine->blocks + magazine->count;
    cache->end = magazine->blocks + TRI_MAGAZINE_BLOCKS;
}

static void swap_with_spare(struct tri_pool_cache *cache)
{
    struct tri_magazine *unloaded = unload(cache);

    load(cache, cache->spare);
    cache->spare = unloaded;
}

static struct tri_magazine *pop_magazine(struct tri_magazine **list)
{
    struct tri_magazine *magazine = tri_load_relaxed_ptr(list);

    if (magazine != NULL)
        tri_store_relaxed_ptr(list, magazine->next);
    return magazine;
}

static void push_magazine(struct tri_magazine **list, struct tri_magazine *magazine)
{
    if (magazine == NULL)
        return;
    magazine->next = tri_load_relaxed_ptr(list);
    tri_store_relaxed_ptr(list, magazine);
}

/* Whether a list looks empty from outside the lock: what comes later is found later. */
static bool looks_empty(const void *list)
{
    return tri_load_relaxed_ptr(list) == NULL;
}

/* Leaves an empty magazine, or none, and takes a full one; NULL when the depot has none. */
static struct tri_magazine *trade_for_full(struct depot *depot, struct tri_magazine *empty)
{
    if (looks_empty(&depot->full))
        return NULL;
    tri_spin_lock(&depot->lock);
    struct tri_magazine *full = pop_magazine(&depot->full);
    if (full != NULL)
        push_magazine(&depot->empty, empty);
    tri_spin_unlock(&depot->lock);
    return full;
}

/* Takes an empty magazine, a new one where the depot has none, and leaves a full one, or none, if
 * that worked. */
static struct tri_magazine *trade_for_empty(struct depot *depot, struct tri_magazine *full)
{
    tri_spin_lock(&depot->lock);
    struct tri_magazine *empty = pop_magazine(&depot->empty);
    if (empty != NULL)
        push_magazine(&depot->full, full);
    tri_spin_unlock(&depot->lock);
    if (empty != NULL)
        return empty;

    empty = tri_alloc(sizeof(*empty));
    if (empty == NULL)
        return NULL;
    empty->count = 0;
    tri_spin_lock(&depot->lock);
    push_magazine(&depot->full, full);
    tri_spin_unlock(&depot->lock);
    return empty;
}

/* ---- loose blocks, and spans that an ended thread left ---- */

static void leave_rest(struct depot *depot, struct rest **list, struct rest *rest)
{
    tri_spin_lock(&depot->lock);
    rest->next = tri_load_relaxed_ptr(list);
    tri_store_relaxed_ptr(list, rest);
    tri_spin_unlock(&depot->lock);
}

static struct rest *take_rest(struct depot *depot, struct rest **list)
{
    if (looks_empty(list))
        return NULL;
    tri_spin_lock(&depot->lock);
    struct rest *rest = tri_load_relaxed_ptr(list);
    if (rest != NULL)
        tri_store_relaxed_ptr(list, rest->next);
    tri_spin_unlock(&depot->lock);
    return rest;
}

void tri_pool_put_loose(unsigned size_class, void *block)
{
    struct depot *depot = &depots[size_class];

    tri_pool_unpoison(block, size_class);
    leave_rest(depot, &depot->loose, block);
}

static void take_left_span(struct depot *depot, struct tri_pool_cache *cache)
{
    struct rest *span = take_rest(depot, &depot->spans);

    if (span != NULL) {
        cache->fresh = (char *)span;
        cache->fresh_end = span->end;
    }
}

static void leave_span(struct depot *depot, struct tri_pool_cache *cache)
{
    struct rest *span = (struct rest *)(void *)cache->fresh;

    if (cache->fresh == cache->fresh_end)
        return;
    span->end = cache->fresh_end;
    leave_rest(depot, &depot->spans, span);
    cache->fresh = cache->fresh_end = NULL;
}

/* ---- what the fast paths call ---- */

TRI_COLD void *tri_pool_get_slow(struct tri_pool_cache *cache, unsigned size_class)
{
    struct depot *depot = &depots[size_class];

    tri_assert(size_class < TRI_POOL_CLASSES);
    if (tri_memory_is_refused())
        return NULL;
    if (cache->spare != NULL && cache->spare->count > 0) {
        swap_with_spare(cache);
        return tri_pool_cache_get(cache, size_class);
    }
    struct tri_magazine *full = trade_for_full(depot, cache->spare);
    if (full != NULL) {
        cache->spare = full;
        swap_with_spare(cache);
        return tri_pool_cache_get(cache, size_class);
    }
    void *loose = take_rest(depot, &depot->loose);
    if (loose != NULL)
        return loose;
    if (cache->fresh == cache->fresh_end)
        take_left_span(depot, cache);
    return cut_block(cache, size_class);
}

TRI_COLD void tri_pool_put_slow(struct tri_pool_cache *cache, unsigned size_class, void *block)
{
    tri_assert(size_class < TRI_POOL_CLASSES);
    if (cache->spare == NULL || cache->spare->count > 0) {
        struct tri_magazine *empty = trade_for_empty(&depots[size_class], cache->spare);
        if (empty == NULL) {
            tri_pool_put_loose(size_class, block);
            return;
        }
        cache->spare = empty;
    }
    swap_with_spare(cache);
    *cache->top++ = block;
}

void tri_pool_cache_empty(struct tri_pool_cache *cache, unsigned size_class)
{
    struct depot *depot = &depots[size_class];
    struct tri_magazine *both[] = { unload(cache), cache->spare };

    cache->spare = NULL;
    tri_spin_lock(&depot->lock);
    for (size_t i = 0; i < TRI_COUNT_OF(both); i++) {
        if (both[i] != NULL)
            push_magazine(both[i]->count > 0 ? &depot->full : &depot->empty, both[i]);
    }
    tri_spin_unlock(&depot->lock);
    leave_span(depot, cache);
}
