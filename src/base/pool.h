/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_POOL_H
#define TRI_BASE_POOL_H

/*
 * Blocks of four sizes for what is made and dropped with every message.
 *
 * What. A thread keeps free blocks in magazines, arrays of addresses: one loaded, one spare. Full
 * and empty magazines are exchanged with a depot that all threads share, one per size.
 *
 *      thread                                    depot
 *     ┌──────────────────────┐   full  ───────► ┌───────────────────┐
 *     │ loaded  ▓▓▓▓▓▓░░░░░░ │   ◄───────  full │ full, empty       │
 *     │ spare   ▓▓▓▓▓▓▓▓▓▓▓▓ │   empty ───────► │ loose blocks      │
 *     │ fresh   ────────►    │   ◄─────── spans │ rest of the chunk │
 *     └──────────────────────┘                  └───────────────────┘
 *
 * Why. A message is made by one thread and dropped by another. A list of free blocks that runs
 * through the blocks would read a line at each get that another core wrote last (200 ns); a
 * magazine's addresses are read 8 to a line, and the dropping thread never touches the block.
 * Blocks need no owner and no header. (Free lists per owner with remote returns were measured at
 * the same price and cost a word in every message.)
 *
 * Rules
 *   1. A cache belongs to its thread alone: base/thread.c gives it back when the thread ends.
 *   2. put() cannot fail. Where no empty magazine can be had, the block goes to the depot's loose
 *      ones, linked through itself.
 *   3. Chunks are kept for ever: a stale message address may be looked at, never unmapped.
 *
 * Free blocks are poisoned under AddressSanitizer.
 *
 * Partners: base/thread.h holds the caches.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"

enum tri_pool_class {
    TRI_POOL_32,
    TRI_POOL_64,
    TRI_POOL_128,
    TRI_POOL_256,
    TRI_POOL_CLASSES,
};

/* Zeroed, a cache is empty and ready. */
struct tri_pool_cache {
    void **top;     /* above the loaded magazine's newest block */
    void **bottom;  /* its place for the first one */
    void **end;     /* behind its place for the last one */
    struct tri_magazine *spare;
    char *fresh;  /* memory never handed out yet */
    char *fresh_end;
} __attribute__((aligned(64))); /* one is found by a shift */

struct tri_thread;

#if defined(__SANITIZE_ADDRESS__)
#define TRI_POOL_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRI_POOL_POISONS 1
#endif
#endif

#ifdef TRI_POOL_POISONS
void tri_pool_poison(const void *block, unsigned size_class);
void tri_pool_unpoison(const void *block, unsigned size_class);
#else
static inline void tri_pool_poison(const void *block, unsigned size_class)
{
    (void)block;
    (void)size_class;
}
static inline void tri_pool_unpoison(const void *block, unsigned size_class)
{
    (void)block;
    (void)size_class;
}
#endif

static inline size_t tri_pool_block_size(unsigned size_class)
{
    return (size_t)32 << size_class;
}

/* The smallest class for `size` bytes, TRI_POOL_CLASSES when there is none. */
static inline unsigned tri_pool_class_of(size_t size)
{
    if (size <= 64)
        return size > 32;
    return size <= 128 ? TRI_POOL_128 : size <= 256 ? TRI_POOL_256 : TRI_POOL_CLASSES;
}

void *tri_pool_get_slow(struct tri_pool_cache *cache, unsigned size_class);
void tri_pool_put_slow(struct tri_pool_cache *cache, unsigned size_class, void *block);

/* Puts a block back from a thread for whose cache there was no memory. */
void tri_pool_put_loose(unsigned size_class, void *block);

/* Gives everything a cache holds to the depot and leaves it empty. */
void tri_pool_cache_empty(struct tri_pool_cache *cache, unsigned size_class);

/* Whether the loaded magazine has no block: the next get is a slow one. */
static inline bool tri_pool_cache_is_empty(const struct tri_pool_cache *cache)
{
    return cache->top == cache->bottom;
}

/* A block, not cleared, of a cache that is not empty. */
static inline void *tri_pool_cache_take(struct tri_pool_cache *cache, unsigned size_class)
{
    void *block = *--cache->top;

    tri_pool_unpoison(block, size_class);
    return block;
}

/* A block of `size_class`, not cleared, or NULL without memory. */
static inline void *tri_pool_cache_get(struct tri_pool_cache *cache, unsigned size_class)
{
    return TRI_UNLIKELY(tri_pool_cache_is_empty(cache)) ? tri_pool_get_slow(cache, size_class)
                                                        : tri_pool_cache_take(cache, size_class);
}

static inline void tri_pool_cache_put(struct tri_pool_cache *cache, unsigned size_class,
                                      void *block)
{
    tri_pool_poison(block, size_class);
    if (TRI_UNLIKELY(cache->top == cache->end)) {
        tri_pool_put_slow(cache, size_class, block);
        return;
    }
    *cache->top++ = block;
}

#endif
