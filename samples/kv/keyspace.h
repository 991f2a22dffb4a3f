/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_KEYSPACE_H
#define KV_KEYSPACE_H

/*
 * One database of one shard: a hash table from binary keys to binary values that may expire.
 *
 * Why. Chains rather than open addressing: a scan's cursor must survive the table's growth, and the
 * reverse-binary cursor that does so needs every key to stay in the bucket its hash names. An entry
 * is one block, {links, sizes, key, value}: a lookup costs two cache misses, the bucket and the
 * entry.
 *
 * The table grows, and shrinks, a bucket at a time: while it does, there are two tables, and every
 * lookup moves one bucket over; no operation ever pays for the whole.
 *
 *        ┌────────┐  too full, too empty: a second table   ┌───────────┐
 *        │ STEADY │ ─────────────────────────────────────► │ REHASHING │ ◄┐ one bucket per
 *        └────────┘ ◄───────────────────────────────────── └───────────┘ ─┘ operation
 *                        the first table is empty
 *
 * Scanning. The cursor counts with its bits reversed: it adds one at the mask's highest bit.
 * Buckets that a table of another size splits or joins share their low bits, so what has been
 * visited stays so across a change of size: a key that is there from a scan's start to its end is
 * seen, some may be seen twice.
 *
 * Rules
 *   1. Nothing here looks at the clock: an entry whose time has passed is an entry until its owner
 *      removes it.
 *   2. An entry's address is good until the next call that may move, replace or remove it.
 *   3. A scan's visitor may remove the entry it is shown and no other; the table does not move
 *      buckets meanwhile.
 *   4. A table that cannot grow for lack of memory stays as it is and works on, slower.
 *
 * Partners: store.c holds sixteen and knows the time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#define KV_NEVER INT64_MAX

struct kv_entry {
    struct kv_entry *next;
    uint64_t hash;
    int64_t expires;     /* milliseconds since 1970, KV_NEVER */
    uint32_t key_size;
    uint32_t value_size;
    uint32_t capacity;   /* bytes there are for the value */
    uint32_t used;       /* the owner's: when it was last read or set */
    char bytes[];        /* the key, then the value */
};

struct kv_table {
    struct kv_entry **buckets;
    uint64_t mask;       /* buckets minus one; 0: there are none */
    uint64_t used;       /* entries */
};

struct kv_keyspace {
    struct kv_table tables[2];  /* the second one only while rehashing */
    uint64_t moved;             /* buckets of the first that are in the second */
    uint64_t expiring;          /* entries that have a time */
    uint64_t bytes;             /* of entries and buckets */
    bool rehashing;
    bool scanning;              /* rule 3 */
};

static inline struct kv_slice kv_entry_key(const struct kv_entry *entry)
{
    return (struct kv_slice){ entry->bytes, entry->key_size };
}

static inline struct kv_slice kv_entry_value(const struct kv_entry *entry)
{
    return (struct kv_slice){ entry->bytes + entry->key_size, entry->value_size };
}

static inline uint64_t kv_keyspace_count(const struct kv_keyspace *space)
{
    return space->tables[0].used + space->tables[1].used;
}

/* NULL: there is none. */
struct kv_entry *kv_keyspace_find(struct kv_keyspace *space, uint64_t hash, struct kv_slice key);

/* Makes the key's value that, and its time. NULL: no memory, and nothing has changed. */
struct kv_entry *kv_keyspace_put(struct kv_keyspace *space, uint64_t hash, struct kv_slice key,
                                 struct kv_slice value);

/* Adds to the value. NULL: no memory, or more than 4 GiB, and nothing has changed. */
struct kv_entry *kv_keyspace_append(struct kv_keyspace *space, struct kv_entry *entry,
                                    struct kv_slice more);

void kv_keyspace_expire(struct kv_keyspace *space, struct kv_entry *entry, int64_t when);
void kv_keyspace_remove(struct kv_keyspace *space, struct kv_entry *entry);
void kv_keyspace_clear(struct kv_keyspace *space);

/* An entry that `chance` picks; NULL: there are none. */
struct kv_entry *kv_keyspace_random(struct kv_keyspace *space, uint64_t chance);

typedef void kv_visitor(void *context, struct kv_entry *entry);

/* Shows the entries of the cursor's bucket; returns the next cursor, 0 at the end. */
uint64_t kv_keyspace_scan(struct kv_keyspace *space, uint64_t cursor, kv_visitor *visit,
                          void *context);

#endif
