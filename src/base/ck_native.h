/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CK_NATIVE_H
#define TRI_BASE_CK_NATIVE_H

/* Included by base/ck.h alone, which says what is here. On x86 the acquire and release fences only
 * hold the compiler back, and a read-modify-write is a full barrier. */

#include <ck_pr.h>
#include <stdbool.h>
#include <stdint.h>

/* word_type: what the address of a word is passed as; type: the value. */
#define TRI_CK_WORDS(size, type, word_type)                                                        \
    static inline type tri_load_relaxed_##size(const word_type *word)                              \
    {                                                                                              \
        return ck_pr_load_##size((type const *)word);                                              \
    }                                                                                              \
    static inline type tri_load_acquire_##size(const word_type *word)                              \
    {                                                                                              \
        type value = ck_pr_load_##size((type const *)word);                                        \
        ck_pr_fence_acquire();                                                                     \
        return value;                                                                              \
    }                                                                                              \
    static inline void tri_store_relaxed_##size(word_type *word, type value)                       \
    {                                                                                              \
        ck_pr_store_##size((type *)word, value);                                                   \
    }                                                                                              \
    static inline void tri_store_release_##size(word_type *word, type value)                       \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        ck_pr_store_##size((type *)word, value);                                                   \
    }                                                                                              \
    static inline bool tri_cas_relaxed_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        return ck_pr_cas_##size##_value(word, *seen, value, seen);                                 \
    }                                                                                              \
    static inline bool tri_cas_acq_rel_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        bool swapped = ck_pr_cas_##size##_value(word, *seen, value, seen);                         \
        ck_pr_fence_acquire();                                                                     \
        return swapped;                                                                            \
    }                                                                                              \
    static inline type tri_exchange_acq_rel_##size(word_type *word, type value)                    \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        type old = ck_pr_fas_##size(word, value);                                                  \
        ck_pr_fence_acquire();                                                                     \
        return old;                                                                                \
    }

#define TRI_CK_NUMBERS(size, type)                                                                 \
    static inline type tri_fetch_add_relaxed_##size(type *word, type n)                            \
    {                                                                                              \
        return ck_pr_faa_##size(word, n);                                                          \
    }                                                                                              \
    static inline type tri_fetch_add_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        type old = ck_pr_faa_##size(word, n);                                                      \
        ck_pr_fence_acquire();                                                                     \
        return old;                                                                                \
    }                                                                                              \
    static inline type tri_fetch_sub_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        return tri_fetch_add_acq_rel_##size(word, (type)0 - n);                                    \
    }                                                                                              \
    static inline void tri_and_acq_rel_##size(type *word, type mask)                               \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        ck_pr_and_##size(word, mask);                                                              \
        ck_pr_fence_acquire();                                                                     \
    }                                                                                              \
    static inline void tri_or_acq_rel_##size(type *word, type bits)                                \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        ck_pr_or_##size(word, bits);                                                               \
        ck_pr_fence_acquire();                                                                     \
    }

TRI_CK_WORDS(32, uint32_t, uint32_t)
TRI_CK_WORDS(64, uint64_t, uint64_t)
TRI_CK_WORDS(ptr, void *, void)
TRI_CK_NUMBERS(32, uint32_t)
TRI_CK_NUMBERS(64, uint64_t)

#undef TRI_CK_WORDS
#undef TRI_CK_NUMBERS

static inline void tri_fence_full(void)
{
#ifdef __x86_64__
    /* Any locked instruction is a full barrier, at a quarter of what mfence costs. */
    uint32_t own = 0;
    ck_pr_fas_32(&own, 1);
    ck_pr_barrier();
#else
    ck_pr_fence_memory();
#endif
}

static inline void tri_fence_compiler(void)
{
    ck_pr_barrier();
}

static inline void tri_cpu_relax(void)
{
    ck_pr_stall();
}

#endif
