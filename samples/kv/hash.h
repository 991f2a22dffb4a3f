/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_HASH_H
#define KV_HASH_H

/*
 * SipHash, a hash whose collisions cannot be made without knowing its key (Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF", 2012), with one round per word and three at the end.
 *
 * Why. Clients choose the keys: with a hash they can compute they would put a million of them into
 * one bucket. One hash per key serves twice: its upper half picks the shard, its lower half the
 * bucket, so shards do not end up with tables of which only every n-th bucket is used.
 */

#include <stddef.h>
#include <stdint.h>

struct kv_hash_key {
    uint64_t low;
    uint64_t high;
};

uint64_t kv_hash(const struct kv_hash_key *key, const void *data, size_t size);

/* The same with another number of rounds, to be held against the paper's test vectors for (2,
 * 4). */
uint64_t kv_hash_rounds(const struct kv_hash_key *key, const void *data, size_t size,
                        unsigned rounds);

/* 0 to shards - 1 */
static inline uint32_t kv_hash_shard(uint64_t hash, uint32_t shards)
{
    return (uint32_t)(((hash >> 32) * shards) >> 32);
}

#endif
