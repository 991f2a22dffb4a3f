/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_MODEL_WEAK_H
#define TROUPE_TESTS_MODEL_WEAK_H

/* What memory.c asks of weak.c. */

#include "inside.h"

void weak_begin(void);
uint64_t weak_load(const void *address, size_t size, enum explorer_order order);
void weak_store(void *address, uint64_t value, size_t size, enum explorer_order order);

/* The word, read and about to be changed to `value`: memory is written by the caller. */
void weak_modify(const void *address, uint64_t value, size_t size, enum explorer_order order);

void weak_fence(void);
void weak_fence_all(void);

#endif
