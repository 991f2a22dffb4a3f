/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CK_NATIVE_H
#define TRI_BASE_CK_NATIVE_H

/* Included by base/ck.h alone, which says what is here. On x86 the acquire and release fences only
 * hold the compiler back, and a read-modify-write is a full barrier. */

#include <ck_pr.h>
#include <stdbool.h>
#include <stdint.h>

/* After a read-modify-write. On x86 that is a barrier by itself, for the compiler too; an empty
 * assembler statement would only make it forget the flags that tell whether a CAS has swapped. */
#ifdef __x86_64__
#define TRI_CK_ACQUIRED() ((void)0)
#else
#define TRI_CK_ACQUIRED() ck_pr_fence_acquire()
#endif

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
        TRI_CK_ACQUIRED();                                                                         \
        return swapped;                                                                            \
    }                                                                                              \
    static inline type tri_exchange_acq_rel_##size(word_type *word, type value)                    \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        type old = ck_pr_fas_##size(word, value);                                                  \
        TRI_CK_ACQUIRED();                                                                         \
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
        TRI_CK_ACQUIRED();                                                                         \
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
        TRI_CK_ACQUIRED();                                                                         \
    }                                                                                              \
    static inline void tri_or_acq_rel_##size(type *word, type bits)                                \
    {                                                                                              \
        ck_pr_fence_release();                                                                     \
        ck_pr_or_##size(word, bits);                                                               \
        TRI_CK_ACQUIRED();                                                                         \
    }

/* One instruction, which no other processor waits for. */
static inline void tri_add_own_64(uint64_t *word, uint64_t n)
{
#ifdef __x86_64__
    __asm__("addq %1, %0" : "+m"(*word) : "er"(n) : "cc");
#else
    ck_pr_store_64(word, ck_pr_load_64(word) + n);
#endif
}

TRI_CK_WORDS(32, uint32_t, uint32_t)
TRI_CK_WORDS(64, uint64_t, uint64_t)
TRI_CK_WORDS(ptr, void *, void)
TRI_CK_NUMBERS(32, uint32_t)
TRI_CK_NUMBERS(64, uint64_t)

#undef TRI_CK_WORDS
#undef TRI_CK_NUMBERS
#undef TRI_CK_ACQUIRED

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
