/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_STORE_H
#define KV_STORE_H

/*
 * What a shard holds: its part of the sixteen databases, and the record of what it has changed.
 *
 * Why. Every change goes through one of six functions here, each of which makes it and writes it
 * down as one of the log's operations: a command cannot do one and forget the other, and replaying
 * a log is calling the same functions with the writing turned off.
 *
 * Rules
 *   1. `now` is set once per batch: all of its commands see the same time.
 *   2. A key whose time has passed is removed when it is met, and its removal is written down: no
 *      later operation finds in the log a key that its command did not find.
 *   3. A change that fails for lack of memory has not happened and is not written down. `record`
 *      failing is the caller's to notice (its `failed`): memory is then ahead of the log, and the
 *      shard must not go on.
 *
 * Partners: strings.c and keys.c are the commands; replay.c calls kv_store_apply; shard.c owns it.
 */

#include "hash.h"
#include "keyspace.h"
#include "log.h"

struct kv_store {
    /* set once */
    struct kv_hash_key hash_key;
    uint32_t shard;
    uint32_t shards;

    struct kv_keyspace spaces[KV_LOG_DATABASES];
    uint64_t expire_cursors[KV_LOG_DATABASES];
    struct kv_buffer *record;   /* the open record; NULL: nothing is written down */
    struct kv_buffer scratch;   /* for a command, while it runs */
    struct kv_buffer arguments; /* the same: slices, when they are many */
    bool compaction_wanted;     /* BGREWRITEAOF */
    bool passive;               /* keys are not removed unasked: DEBUG SET-ACTIVE-EXPIRE 0 */
    uint64_t chance;            /* the state of a generator that RANDOMKEY draws from */
    int64_t now;                /* milliseconds since 1970 */
    uint64_t expired;
    uint64_t hits;
    uint64_t misses;
};

/* A key with its hash and its database: what every command begins with. */
struct kv_place {
    struct kv_slice key;
    uint64_t hash;
    uint8_t database;
};

/* The key's entry, or NULL. A peek is counted as a hit or a miss; a read also ends the time that
 * the key has lain idle. */
struct kv_entry *kv_store_find(struct kv_store *store, const struct kv_place *place);
struct kv_entry *kv_store_peek(struct kv_store *store, const struct kv_place *place);
struct kv_entry *kv_store_read(struct kv_store *store, const struct kv_place *place);

/* About how long ago the key was last read or set. */
int64_t kv_store_idle_seconds(const struct kv_store *store, const struct kv_entry *entry);

/* Any entry of the database, each about as likely as another; NULL: it is empty. */
struct kv_entry *kv_store_random(struct kv_store *store, uint8_t database);

/* The entry after the change, or NULL: no memory. */
struct kv_entry *kv_store_set(struct kv_store *store, const struct kv_place *place,
                              struct kv_slice value, int64_t expires);
struct kv_entry *kv_store_append(struct kv_store *store, const struct kv_place *place,
                                 struct kv_entry *entry, struct kv_slice more);

void kv_store_expire(struct kv_store *store, const struct kv_place *place, struct kv_entry *entry,
                     int64_t when);
void kv_store_delete(struct kv_store *store, uint8_t database, struct kv_entry *entry);
void kv_store_flush(struct kv_store *store, uint8_t database);

/* Removes an entry whose time has passed; true: it has. A scan's visitor may call it. */
bool kv_store_expired(struct kv_store *store, uint8_t database, struct kv_entry *entry);

/* Looks into up to `buckets` buckets of the databases with keys that expire; returns how many keys
 * it has removed. */
uint64_t kv_store_sweep(struct kv_store *store, uint32_t buckets);

/* Whether any key has a time. */
bool kv_store_expires(const struct kv_store *store);

/* Replays one operation: a kv_apply. */
int kv_store_apply(void *store, const struct kv_log_operation *operation);

uint64_t kv_store_bytes(const struct kv_store *store);
void kv_store_release(struct kv_store *store);

#endif
