/* SPDX-License-Identifier: BSD-2-Clause */

#include "hash.h"

#include <string.h>

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotated(uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static inline void round_of(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotated(s->v1, 13) ^ s->v0;
    s->v3 = rotated(s->v3, 16) ^ s->v2;
    s->v0 = rotated(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotated(s->v1, 17) ^ s->v2;
    s->v3 = rotated(s->v3, 21) ^ s->v0;
    s->v2 = rotated(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    for (unsigned i = 0; i < rounds; i++)
        round_of(s);
    s->v0 ^= word;
}

/* Little-endian, as the paper has it; on this processor a plain load. */
static inline uint64_t word_at(const unsigned char *bytes)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

/* The bytes after the last whole word, with the length above them. */
static inline uint64_t last_word(const unsigned char *bytes, size_t size)
{
    uint64_t word = (uint64_t)size << 56;

    for (size_t i = 0; i < (size & 7); i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static inline uint64_t siphash(const struct kv_hash_key *key, const void *data, size_t size,
                               unsigned rounds)
{
    const unsigned char *bytes = data;
    size_t whole = size & ~(size_t)7;
    struct state s = {
        key->low ^ UINT64_C(0x736f6d6570736575), key->high ^ UINT64_C(0x646f72616e646f6d),
        key->low ^ UINT64_C(0x6c7967656e657261), key->high ^ UINT64_C(0x7465646279746573),
    };

    for (size_t at = 0; at < whole; at += 8)
        absorb(&s, word_at(bytes + at), rounds);
    absorb(&s, last_word(bytes + whole, size), rounds);
    s.v2 ^= 0xff;
    for (unsigned i = 0; i < rounds + 2; i++)
        round_of(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t kv_hash(const struct kv_hash_key *key, const void *data, size_t size)
{
    return siphash(key, data, size, 1);
}

uint64_t kv_hash_rounds(const struct kv_hash_key *key, const void *data, size_t size,
                        unsigned rounds)
{
    return siphash(key, data, size, rounds);
}
