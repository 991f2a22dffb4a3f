/* SPDX-License-Identifier: BSD-2-Clause */

#include "store.h"

#include <errno.h>

static void write_down(struct kv_store *store, const struct kv_log_operation *operation)
{
    if (store->record != NULL)
        kv_log_add(store->record, operation);
}

/* ---- finding ---- */

bool kv_store_expired(struct kv_store *store, uint8_t database, struct kv_entry *entry)
{
    if (entry->expires > store->now)
        return false;
    store->expired++;
    kv_store_delete(store, database, entry);
    return true;
}

struct kv_entry *kv_store_find(struct kv_store *store, const struct kv_place *place)
{
    struct kv_keyspace *space = &store->spaces[place->database];
    struct kv_entry *entry = kv_keyspace_find(space, place->hash, place->key);

    if (entry == NULL || kv_store_expired(store, place->database, entry))
        return NULL;
    return entry;
}

/* In units of 1024 ms, which take a shift; what counts is the difference, modulo 2^32. */
static uint32_t idle_clock(const struct kv_store *store)
{
    return (uint32_t)((uint64_t)store->now >> 10);
}

int64_t kv_store_idle_seconds(const struct kv_store *store, const struct kv_entry *entry)
{
    uint32_t units = idle_clock(store) - entry->used;

    return (int64_t)units * 1024 / 1000;
}

struct kv_entry *kv_store_read(struct kv_store *store, const struct kv_place *place)
{
    struct kv_entry *entry = kv_store_peek(store, place);

    if (entry != NULL)
        entry->used = idle_clock(store);
    return entry;
}

struct kv_entry *kv_store_peek(struct kv_store *store, const struct kv_place *place)
{
    struct kv_entry *entry = kv_store_find(store, place);

    if (entry != NULL)
        store->hits++;
    else
        store->misses++;
    return entry;
}

/* splitmix64 */
static uint64_t draw(struct kv_store *store)
{
    uint64_t word = store->chance += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

struct kv_entry *kv_store_random(struct kv_store *store, uint8_t database)
{
    struct kv_entry *entry;

    do
        entry = kv_keyspace_random(&store->spaces[database], draw(store));
    while (entry != NULL && kv_store_expired(store, database, entry));
    return entry;
}

/* ---- changing ---- */

struct kv_entry *kv_store_set(struct kv_store *store, const struct kv_place *place,
                              struct kv_slice value, int64_t expires)
{
    struct kv_keyspace *space = &store->spaces[place->database];
    struct kv_entry *entry = kv_keyspace_put(space, place->hash, place->key, value);

    if (entry == NULL)
        return NULL;
    entry->used = idle_clock(store);
    if (expires != KV_NEVER)
        kv_keyspace_expire(space, entry, expires);
    write_down(store, &(struct kv_log_operation){
        .kind = expires == KV_NEVER ? KV_LOG_SET : KV_LOG_SET_EXPIRING,
        .database = place->database, .key = place->key, .value = value, .expires = expires,
    });
    return entry;
}

struct kv_entry *kv_store_append(struct kv_store *store, const struct kv_place *place,
                                 struct kv_entry *entry, struct kv_slice more)
{
    entry = kv_keyspace_append(&store->spaces[place->database], entry, more);
    if (entry != NULL)
        write_down(store, &(struct kv_log_operation){
            .kind = KV_LOG_APPEND, .database = place->database, .key = place->key, .value = more,
        });
    return entry;
}

void kv_store_expire(struct kv_store *store, const struct kv_place *place, struct kv_entry *entry,
                     int64_t when)
{
    kv_keyspace_expire(&store->spaces[place->database], entry, when);
    write_down(store, &(struct kv_log_operation){
        .kind = KV_LOG_EXPIRE, .database = place->database, .key = place->key, .expires = when,
    });
}

void kv_store_delete(struct kv_store *store, uint8_t database, struct kv_entry *entry)
{
    write_down(store, &(struct kv_log_operation){
        .kind = KV_LOG_DELETE, .database = database, .key = kv_entry_key(entry),
    });
    kv_keyspace_remove(&store->spaces[database], entry);
}

void kv_store_flush(struct kv_store *store, uint8_t database)
{
    if (kv_keyspace_count(&store->spaces[database]) == 0)
        return;
    kv_keyspace_clear(&store->spaces[database]);
    write_down(store, &(struct kv_log_operation){ .kind = KV_LOG_FLUSH, .database = database });
}

/* ---- keys whose time has passed, unasked ---- */

struct sweep {
    struct kv_store *store;
    uint8_t database;
};

static void sweep_entry(void *context, struct kv_entry *entry)
{
    struct sweep *sweep = context;

    kv_store_expired(sweep->store, sweep->database, entry);
}

uint64_t kv_store_sweep(struct kv_store *store, uint32_t buckets)
{
    uint64_t before = store->expired;

    if (store->passive)
        return 0;
    for (uint8_t i = 0; i < KV_LOG_DATABASES; i++) {
        struct sweep sweep = { store, i };
        uint32_t left = buckets;

        while (store->spaces[i].expiring > 0 && left-- > 0) {
            uint64_t *cursor = &store->expire_cursors[i];

            *cursor = kv_keyspace_scan(&store->spaces[i], *cursor, sweep_entry, &sweep);
            if (*cursor == 0)
                break;
        }
    }
    return store->expired - before;
}

bool kv_store_expires(const struct kv_store *store)
{
    for (unsigned i = 0; i < KV_LOG_DATABASES; i++)
        if (store->spaces[i].expiring > 0)
            return true;
    return false;
}

/* ---- replaying ---- */

static int apply_to_key(struct kv_store *store, const struct kv_log_operation *operation)
{
    struct kv_place place = {
        operation->key,
        kv_hash(&store->hash_key, operation->key.data, operation->key.size),
        operation->database,
    };
    struct kv_keyspace *space = &store->spaces[place.database];
    struct kv_entry *entry;

    if (operation->kind == KV_LOG_SET || operation->kind == KV_LOG_SET_EXPIRING)
        return kv_store_set(store, &place, operation->value, operation->expires) ? 0 : -ENOMEM;
    entry = kv_keyspace_find(space, place.hash, place.key);
    if (operation->kind == KV_LOG_APPEND && entry == NULL)
        return kv_store_set(store, &place, operation->value, KV_NEVER) ? 0 : -ENOMEM;
    if (operation->kind == KV_LOG_APPEND)
        return kv_store_append(store, &place, entry, operation->value) ? 0 : -ENOMEM;
    /* A log that was compacted while it was written to may name keys that come, or go, later. */
    if (entry != NULL && operation->kind == KV_LOG_EXPIRE)
        kv_store_expire(store, &place, entry, operation->expires);
    else if (entry != NULL)
        kv_store_delete(store, place.database, entry);
    return 0;
}

int kv_store_apply(void *context, const struct kv_log_operation *operation)
{
    struct kv_store *store = context;

    if (operation->kind != KV_LOG_FLUSH)
        return apply_to_key(store, operation);
    kv_store_flush(store, operation->database);
    return 0;
}

uint64_t kv_store_bytes(const struct kv_store *store)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < KV_LOG_DATABASES; i++)
        bytes += store->spaces[i].bytes;
    return bytes;
}

void kv_store_release(struct kv_store *store)
{
    for (unsigned i = 0; i < KV_LOG_DATABASES; i++)
        kv_keyspace_clear(&store->spaces[i]);
    kv_buffer_release(&store->scratch);
    kv_buffer_release(&store->arguments);
}
