/* SPDX-License-Identifier: BSD-2-Clause */

#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>

static long successes_left = -1;

static bool must_fail(void)
{
    if (successes_left < 0)
        return false;
    if (successes_left == 0)
        return true;
    successes_left--;
    return false;
}

void *kv_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size);
}

void *kv_alloc_zeroed(size_t size)
{
    return must_fail() ? NULL : calloc(1, size);
}

void *kv_resize(void *block, size_t size)
{
    return must_fail() ? NULL : realloc(block, size);
}

void kv_free(void *block)
{
    free(block);
}

void kv_memory_fail_after(long successes)
{
    successes_left = successes;
}
