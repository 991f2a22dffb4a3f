/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_BITS_H
#define TRI_BASE_BITS_H

/* Small things about addresses, sizes and branches. */

#include <stddef.h>
#include <stdint.h>

/* What two threads must not share unless they mean to. Every supported processor has it. */
#define TRI_CACHE_LINE 64

#define TRI_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define TRI_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Keeps a rare path out of the one that is measured. */
#define TRI_COLD __attribute__((noinline, cold))

/* The structure of `type` whose `member` stands at `address`. */
#define TRI_CONTAINER_OF(address, type, member)                                                    \
    ((type *)(void *)((char *)(address) - offsetof(type, member)))

#define TRI_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline size_t tri_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t tri_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* `alignment` is a power of two. */
static inline size_t tri_align_up(size_t size, size_t alignment)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

#endif
