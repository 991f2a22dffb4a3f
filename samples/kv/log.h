/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_LOG_H
#define KV_LOG_H

/*
 * The append-only log's format: how a shard's writes become bytes, and bytes writes again.
 *
 *     file   = header, record, record, …
 *     header = "TROUPEKV", version 4, shard 4, shards 4, zero 4, salt 8, crc32c 4      36 bytes
 *     record = size 4, payload's crc32c 4, crc32c of the salt and these eight 4, payload
 *     payload = operation, operation, …                                 at least one
 *     operation = kind 1, database 1, key's size 4, value's size 4, time 8 if the kind has one,
 *                 key, value                        all numbers little-endian
 *
 * A record is what one batch of commands has written: it is replayed whole or not at all, so an
 * MSET's share of a shard is not torn apart. What stands in an operation is the effect, not the
 * command: times are absolute, INCR logs the sum. Replaying needs no clock: a key whose time has
 * passed is logged as deleted when the shard removes it.
 *
 * What a bad record means, at place p of the file:
 *   - no good record follows: TORN. It is what was being written when the machine or the process
 *     died: cut short, filled with zeroes, or written in part. It was never acknowledged; the
 *     reader says how many bytes are to be cut off.
 *   - a good record follows: DAMAGED. The file has changed after it was written. Nothing is cut
 *     off, nothing is guessed: the shard refuses to start and names p.
 * The last record, when its bytes have changed, cannot be told from a torn one and is cut off.
 * The salt is random for each service and unknown to clients: no value can be made that looks
 * like a record. The size has a checksum of its own, so a changed size leads nowhere.
 *
 * Partners: store.c writes operations; journal.c puts records into the file; replay.c reads them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#define KV_LOG_HEADER        36u
#define KV_LOG_RECORD_HEADER 12u
#define KV_LOG_DATABASES     16u

enum kv_log_kind {
    KV_LOG_SET = 1,  /* the value, no time */
    KV_LOG_SET_EXPIRING,
    KV_LOG_APPEND,
    KV_LOG_EXPIRE,   /* the time of a key that is there; KV_NEVER: none any more */
    KV_LOG_DELETE,
    KV_LOG_FLUSH,    /* the database; no key */
};

struct kv_log_operation {
    enum kv_log_kind kind;
    uint8_t database;
    struct kv_slice key;
    struct kv_slice value;
    int64_t expires;
};

/* What a file must begin with to be this shard's. */
struct kv_log_identity {
    uint32_t shard;
    uint32_t shards;
    uint64_t salt;
};

void kv_log_write_header(struct kv_buffer *out, const struct kv_log_identity *identity);

/* 0; -EILSEQ, no header, or a damaged one; -EPROTO, another version; -EXDEV, another's log. */
int kv_log_check_header(const char *header, const struct kv_log_identity *identity);

/* Opens a record at the end of the buffer; what is added until the commit is its payload. A record
 * without a payload is taken back by the commit, which then answers false. */
size_t kv_log_begin(struct kv_buffer *out);
void kv_log_add(struct kv_buffer *out, const struct kv_log_operation *operation);
bool kv_log_commit(struct kv_buffer *out, size_t begun, uint64_t salt);

/* The payload's size that a record's header claims; 0: it is no header. */
uint32_t kv_log_record_size(const char *header, uint64_t salt);
bool kv_log_payload_is_good(const char *header, const char *payload, uint32_t size);

/* Takes one operation off the front of a payload; false: there is none that makes sense. */
bool kv_log_take(struct kv_slice *payload, struct kv_log_operation *ret_operation);

#endif
