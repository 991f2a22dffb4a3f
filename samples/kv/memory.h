/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_MEMORY_H
#define KV_MEMORY_H

/* The service's one door to the allocator: what a client sends decides sizes, so every caller
 * checks for NULL, and a test makes the n-th allocation from now fail to see that it does. */

#include <stddef.h>

/* Zero is never asked for. `kv_resize` of NULL allocates; on failure the old block stands. */
void *kv_alloc(size_t size);
void *kv_alloc_zeroed(size_t size);
void *kv_resize(void *block, size_t size);
void kv_free(void *block);

/* For tests: the allocation after `successes` more fails, and all that follow it; -1: none does. */
void kv_memory_fail_after(long successes);

#endif
