/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_FUZZ_FUZZ_H
#define TROUPE_TESTS_FUZZ_FUZZ_H

/* What the targets share. A target is a file with LLVMFuzzerTestOneInput, for libFuzzer or for
 * runner.c, whichever is linked. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. */
#define FUZZ_CHECK(holds)                                                                          \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy that ends where its block ends, so that a sanitizer sees what reads beyond. */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = calloc(1, size > 0 ? size : 1);

    FUZZ_CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* Mixes bytes into a sum, so that two ways of reading can be compared. */
static inline void fuzz_mix(uint64_t *sum, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    *sum = (*sum ^ size) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < size; i++)
        *sum = (*sum ^ at[i]) * UINT64_C(0x100000001b3);
}

#endif
