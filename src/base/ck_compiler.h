/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CK_COMPILER_H
#define TRI_BASE_CK_COMPILER_H

/* Included by base/ck.h alone, which says what is here: the same functions as atomics of the
 * compiler, each of exactly the order in its name, for a sanitizer that cannot see assembly. */

#include <stdbool.h>
#include <stdint.h>

/* A sanitizer does not model fences: all of them are exchanges on this word, in base/fence.c. */
extern uint32_t tri_fence_word;

/* word_type: what the address of a word is passed as; type: the value. */
#define TRI_CK_WORDS(size, type, word_type)                                                        \
    static inline type tri_load_relaxed_##size(const word_type *word)                              \
    {                                                                                              \
        return __atomic_load_n((type const *)word, __ATOMIC_RELAXED);                              \
    }                                                                                              \
    static inline type tri_load_acquire_##size(const word_type *word)                              \
    {                                                                                              \
        return __atomic_load_n((type const *)word, __ATOMIC_ACQUIRE);                              \
    }                                                                                              \
    static inline void tri_store_relaxed_##size(word_type *word, type value)                       \
    {                                                                                              \
        __atomic_store_n((type *)word, value, __ATOMIC_RELAXED);                                   \
    }                                                                                              \
    static inline void tri_store_release_##size(word_type *word, type value)                       \
    {                                                                                              \
        __atomic_store_n((type *)word, value, __ATOMIC_RELEASE);                                   \
    }                                                                                              \
    static inline bool tri_cas_relaxed_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        return __atomic_compare_exchange_n((type *)word, seen, value, false, __ATOMIC_RELAXED,     \
                                           __ATOMIC_RELAXED);                                      \
    }                                                                                              \
    static inline bool tri_cas_acq_rel_##size(word_type *word, type *seen, type value)             \
    {                                                                                              \
        return __atomic_compare_exchange_n((type *)word, seen, value, false, __ATOMIC_ACQ_REL,     \
                                           __ATOMIC_ACQUIRE);                                      \
    }                                                                                              \
    static inline type tri_exchange_acq_rel_##size(word_type *word, type value)                    \
    {                                                                                              \
        return __atomic_exchange_n((type *)word, value, __ATOMIC_ACQ_REL);                         \
    }

#define TRI_CK_NUMBERS(size, type)                                                                 \
    static inline type tri_fetch_add_relaxed_##size(type *word, type n)                            \
    {                                                                                              \
        return __atomic_fetch_add(word, n, __ATOMIC_RELAXED);                                      \
    }                                                                                              \
    static inline type tri_fetch_add_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        return __atomic_fetch_add(word, n, __ATOMIC_ACQ_REL);                                      \
    }                                                                                              \
    static inline type tri_fetch_sub_acq_rel_##size(type *word, type n)                            \
    {                                                                                              \
        return __atomic_fetch_sub(word, n, __ATOMIC_ACQ_REL);                                      \
    }                                                                                              \
    static inline void tri_and_acq_rel_##size(type *word, type mask)                               \
    {                                                                                              \
        (void)__atomic_fetch_and(word, mask, __ATOMIC_ACQ_REL);                                    \
    }                                                                                              \
    static inline void tri_or_acq_rel_##size(type *word, type bits)                                \
    {                                                                                              \
        (void)__atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL);                                     \
    }

static inline void tri_add_own_64(uint64_t *word, uint64_t n)
{
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
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
    (void)__atomic_exchange_n(&tri_fence_word, 1, __ATOMIC_SEQ_CST);
}

static inline void tri_fence_compiler(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void tri_cpu_relax(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#else
    tri_fence_compiler();
#endif
}

#endif
