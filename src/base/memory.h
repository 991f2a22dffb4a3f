/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_MEMORY_H
#define TRI_BASE_MEMORY_H

/*
 * The one place where the library asks for memory and gives it back.
 *
 * Why. A test must be able to make any one of these requests fail, and a program may bring its own
 * allocator. The blocks of messages and actors come from base/pool.h, which asks here for its
 * bookkeeping and maps its chunks by itself.
 *
 * Errors: NULL when there is no memory. A size of 0 gives a block that may only be freed.
 */

#include <stdbool.h>
#include <stddef.h>

struct tri_memory_hook {
    /* `alignment` is a power of two; NULL when there is no memory */
    void *(*alloc)(void *context, size_t alignment, size_t size);
    /* never called with NULL */
    void (*free)(void *context, void *block);
    void *context;
};

/* Replaces the allocator; NULL brings libc's back. Threads: before any other uses the library. */
void tri_memory_hook_set(const struct tri_memory_hook *hook);

/* Asked before each request for memory, blocks of the pool that are not at hand included; true: it
 * fails. NULL: none does. Threads: as above. */
void tri_memory_refuse_set(bool (*refuses)(void));
bool tri_memory_is_refused(void);

void *tri_alloc(size_t size);
void *tri_alloc_zeroed(size_t size);
void *tri_alloc_aligned(size_t alignment, size_t size);

/* Takes what any of the three returned, NULL included. */
void tri_free(void *block);

#endif
