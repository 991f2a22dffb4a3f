/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CK_H
#define TRI_BASE_CK_H

/*
 * The explorer's replacement of src/base/ck.h: the same functions, each a point at which another
 * thread may go on. A store waits in its thread's store buffer until the explorer writes it out or
 * the thread does a read-modify-write or passes a full fence: what x86 promises (TSO), no more; or,
 * with --weak, in the orders that the names say, and there are more of those than in the product: a
 * mutant may have half of an order.
 */

#include <stdbool.h>
#include <stdint.h>

#include "explorer.h"

#define TRI_CK_LOAD(name, order, size, type, word_type)                                            \
    static inline type tri_load_##name##_##size(const word_type *word)                             \
    {                                                                                              \
        type value;                                                                                \
        explorer_load(word, &value, sizeof(value), order);                                         \
        return value;                                                                              \
    }

#define TRI_CK_STORE(name, order, size, type, word_type)                                           \
    static inline void tri_store_##name##_##size(word_type *word, type value)                      \
    {                                                                                              \
        explorer_store(word, &value, sizeof(value), order);                                        \
    }

#define TRI_CK_SWAPS(name, order, size, type, word_type)                                           \
    static inline type tri_exchange_##name##_##size(word_type *word, type value)                   \
    {                                                                                              \
        explorer_modify("exchange", word);                                                         \
        type old = *(type *)word;                                                                  \
        explorer_modified(word, &value, sizeof(value), order);                                     \
        *(type *)word = value;                                                                     \
        return old;                                                                                \
    }                                                                                              \
    static inline bool tri_cas_##name##_##size(word_type *word, type *seen, type value)            \
    {                                                                                              \
        explorer_modify("cas", word);                                                              \
        bool same = *(type *)word == *seen;                                                        \
        *seen = *(type *)word;                                                                     \
        explorer_modified(word, same ? &value : seen, sizeof(value), order);                       \
        if (same)                                                                                  \
            *(type *)word = value;                                                                 \
        return same;                                                                               \
    }

#define TRI_CK_NUMBERS(name, order, size, type)                                                    \
    static inline type tri_fetch_add_##name##_##size(type *word, type n)                           \
    {                                                                                              \
        explorer_modify("add", word);                                                              \
        type old = *word, sum = old + n;                                                           \
        explorer_modified(word, &sum, sizeof(sum), order);                                         \
        *word = sum;                                                                               \
        return old;                                                                                \
    }                                                                                              \
    static inline type tri_fetch_sub_##name##_##size(type *word, type n)                           \
    {                                                                                              \
        return tri_fetch_add_##name##_##size(word, (type)0 - n);                                   \
    }                                                                                              \
    static inline void tri_and_##name##_##size(type *word, type mask)                              \
    {                                                                                              \
        explorer_modify("and", word);                                                              \
        type value = *word & mask;                                                                 \
        explorer_modified(word, &value, sizeof(value), order);                                     \
        *word = value;                                                                             \
    }                                                                                              \
    static inline void tri_or_##name##_##size(type *word, type bits)                               \
    {                                                                                              \
        explorer_modify("or", word);                                                               \
        type value = *word | bits;                                                                 \
        explorer_modified(word, &value, sizeof(value), order);                                     \
        *word = value;                                                                             \
    }

#define TRI_CK_WORDS(size, type, word_type)                                                        \
    TRI_CK_LOAD(relaxed, ORDER_RELAXED, size, type, word_type)                                     \
    TRI_CK_LOAD(acquire, ORDER_ACQUIRE, size, type, word_type)                                     \
    TRI_CK_STORE(relaxed, ORDER_RELAXED, size, type, word_type)                                    \
    TRI_CK_STORE(release, ORDER_RELEASE, size, type, word_type)                                    \
    TRI_CK_SWAPS(relaxed, ORDER_RELAXED, size, type, word_type)                                    \
    TRI_CK_SWAPS(acquire, ORDER_ACQUIRE, size, type, word_type)                                    \
    TRI_CK_SWAPS(release, ORDER_RELEASE, size, type, word_type)                                    \
    TRI_CK_SWAPS(acq_rel, ORDER_ACQ_REL, size, type, word_type)

#define TRI_CK_ALL_NUMBERS(size, type)                                                             \
    TRI_CK_NUMBERS(relaxed, ORDER_RELAXED, size, type)                                             \
    TRI_CK_NUMBERS(acquire, ORDER_ACQUIRE, size, type)                                             \
    TRI_CK_NUMBERS(release, ORDER_RELEASE, size, type)                                             \
    TRI_CK_NUMBERS(acq_rel, ORDER_ACQ_REL, size, type)

TRI_CK_WORDS(32, uint32_t, uint32_t)
TRI_CK_WORDS(64, uint64_t, uint64_t)
TRI_CK_WORDS(ptr, void *, void)
TRI_CK_ALL_NUMBERS(32, uint32_t)
TRI_CK_ALL_NUMBERS(64, uint64_t)

static inline void tri_add_own_64(uint64_t *word, uint64_t n)
{
    tri_store_relaxed_64(word, tri_load_relaxed_64(word) + n);
}

#undef TRI_CK_WORDS
#undef TRI_CK_ALL_NUMBERS
#undef TRI_CK_NUMBERS
#undef TRI_CK_SWAPS
#undef TRI_CK_STORE
#undef TRI_CK_LOAD

static inline void tri_fence_full(void)
{
    explorer_modify("fence", NULL);
}

static inline void tri_fence_compiler(void)
{
}

static inline void tri_cpu_relax(void)
{
    explorer_relax();
}

#endif
