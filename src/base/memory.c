/* SPDX-License-Identifier: BSD-2-Clause */

#include "base/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"

static void *libc_alloc(void *context, size_t alignment, size_t size)
{
    (void)context;
    if (alignment <= alignof(max_align_t))
        return malloc(size);
    return aligned_alloc(alignment, size);
}

static void libc_free(void *context, void *block)
{
    (void)context;
    free(block);
}

static const struct tri_memory_hook libc = { libc_alloc, libc_free, NULL };
static struct tri_memory_hook used = { libc_alloc, libc_free, NULL };

static bool (*refuses)(void);

void tri_memory_refuse_set(bool (*refuses_now)(void))
{
    refuses = refuses_now;
}

bool tri_memory_is_refused(void)
{
    return TRI_UNLIKELY(refuses != NULL) && refuses();
}

void tri_memory_hook_set(const struct tri_memory_hook *hook)
{
    used = hook != NULL ? *hook : libc;
}

void *tri_alloc_aligned(size_t alignment, size_t size)
{
    tri_assert(alignment > 0 && (alignment & (alignment - 1)) == 0);
    if (size > SIZE_MAX / 2 || tri_memory_is_refused())
        return NULL;
    /* aligned_alloc wants a multiple; malloc(0) may answer NULL, which would read as a failure. */
    return used.alloc(used.context, alignment, tri_align_up(tri_max(size, 1), alignment));
}

void *tri_alloc(size_t size)
{
    return tri_alloc_aligned(alignof(max_align_t), size);
}

void *tri_alloc_zeroed(size_t size)
{
    void *block = tri_alloc(size);

    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void tri_free(void *block)
{
    if (block != NULL)
        used.free(used.context, block);
}
