/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_FUTEX_H
#define TRI_BASE_FUTEX_H

/* Sleeping on a word until it changes: the kernel's futex, private to the process. */

#include <stdint.h>

/* Sleeps while `*word` is `expected`, until woken, sometimes for no reason, or until `deadline` on
 * the system's monotonic clock (INT64_MAX: for ever). Errors: -ETIMEDOUT. */
int tri_futex_wait(const uint32_t *word, uint32_t expected, int64_t deadline);

/* Puts another wait in place of the kernel's, which then wakes nobody; NULL brings that back.
 * Threads: before any other uses the library. */
typedef int tri_futex_wait_fn(const uint32_t *word, uint32_t expected, int64_t deadline);
void tri_futex_wait_set(tri_futex_wait_fn *wait);

/* Wakes up to `count` of those who sleep on the word. */
void tri_futex_wake(const uint32_t *word, uint32_t count);

#endif
