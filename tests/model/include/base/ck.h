/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CK_H
#define TRI_BASE_CK_H

/*
 * The explorer's replacement of src/base/ck.h: the same functions, each a point at which another
 * thread may go on. A store waits in its thread's store buffer until the explorer writes it out or
 * the thread does a read-modify-write or passes a full fence: what x86 promises (TSO), no more.
 */

#include <stdbool.h>
#include <stdint.h>

#include "explorer.h"

#define TRI_CK_WORDS(size, type, word_type)                                                        \
    static inline type tri_load_relaxed_##size(const word_type *word)                              \
    {                                                                                              \
        type value;                                                                                \
        explorer_load(word, &value, sizeof(value));                                                \
        return value;                                                                              \
    }                                                                                              \
    static inline type tri_load_acquire_##size(const word_type *word)                              \
    {                                                                                              \
        return tri_load_relaxed_##size(word);                                                      \
    }                                                                                              \
    static inline void tri_store_relaxed_##size(word_type *word, type value)                       \
    {                                                                                              \
        explorer_store(word, &value, sizeof(value));                                               \
    }                                                                                              \
    static inline void tri_store_release_##size(word_type *word, type value)                       \
    {                                                                                              \
        explorer_store(word, &value, sizeof(value));                                               \
    }                                                                                              \
    static inline type tri_exchange_acq_rel_##size(word_type *word, type value)                    \
    {                                                                                              \
        explorer_modify("exchange", word);                                                         \
        type old = *(type *)word;                                                                  \
        *(type *)word = value;                                                                     \
        return old;                                                                                \
    }                                                                                              \
    static inline bool tri_cas_acq_rel_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        explorer_modify("cas", word);                                                              \
        bool same = *(type *)word == *seen;                                                        \
        *seen = *(type *)word;                                                                     \
        if (same)                                                                                  \
            *(type *)word = value;                                                                 \
        return same;                                                                               \
    }                                                                                              \
    static inline bool tri_cas_relaxed_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        return tri_cas_acq_rel_##size(word, seen, value);                                          \
    }

#define TRI_CK_NUMBERS(size, type)                                                                 \
    static inline type tri_fetch_add_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        explorer_modify("add", word);                                                              \
        type old = *word;                                                                          \
        *word = old + n;                                                                           \
        return old;                                                                                \
    }                                                                                              \
    static inline type tri_fetch_add_relaxed_##size(type *word, type n)                            \
    {                                                                                              \
        return tri_fetch_add_acq_rel_##size(word, n);                                              \
    }                                                                                              \
    static inline type tri_fetch_sub_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        return tri_fetch_add_acq_rel_##size(word, (type)0 - n);                                    \
    }                                                                                              \
    static inline void tri_and_acq_rel_##size(type *word, type mask)                               \
    {                                                                                              \
        explorer_modify("and", word);                                                              \
        *word &= mask;                                                                             \
    }                                                                                              \
    static inline void tri_or_acq_rel_##size(type *word, type bits)                                \
    {                                                                                              \
        explorer_modify("or", word);                                                               \
        *word |= bits;                                                                             \
    }

TRI_CK_WORDS(32, uint32_t, uint32_t)
TRI_CK_WORDS(64, uint64_t, uint64_t)
TRI_CK_WORDS(ptr, void *, void)
TRI_CK_NUMBERS(32, uint32_t)
TRI_CK_NUMBERS(64, uint64_t)

static inline void tri_add_own_64(uint64_t *word, uint64_t n)
{
    tri_store_relaxed_64(word, tri_load_relaxed_64(word) + n);
}

#undef TRI_CK_WORDS
#undef TRI_CK_NUMBERS

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
