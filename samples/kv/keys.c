/* SPDX-License-Identifier: BSD-2-Clause */

/* The commands on keys as such, and on whole databases. */

#include "call.h"
#include "copy.h"
#include "glob.h"
#include "number.h"
#include "reply.h"

/* ---- single keys ---- */

void kv_run_del(struct kv_call *call)
{
    int64_t deleted = 0;

    for (uint32_t i = 1; i < call->count; i++) {
        struct kv_place place = kv_call_place_at(call, i);
        struct kv_entry *entry = kv_store_find(call->store, &place);

        if (entry == NULL)
            continue;
        kv_store_delete(call->store, place.database, entry);
        deleted++;
    }
    kv_reply_number(call->out, deleted);
}

void kv_run_exists(struct kv_call *call)
{
    int64_t found = 0;

    for (uint32_t i = 1; i < call->count; i++) {
        struct kv_place place = kv_call_place_at(call, i);

        found += kv_store_peek(call->store, &place) != NULL;
    }
    kv_reply_number(call->out, found);
}

void kv_run_touch(struct kv_call *call)
{
    int64_t found = 0;

    for (uint32_t i = 1; i < call->count; i++) {
        struct kv_place place = kv_call_place_at(call, i);

        found += kv_store_read(call->store, &place) != NULL;
    }
    kv_reply_number(call->out, found);
}

/* A key lies in the same shard in every database. */
void kv_run_move(struct kv_call *call)
{
    struct kv_place from = kv_call_place(call);
    struct kv_place to = from;
    struct kv_entry *entry;

    if (!kv_read_database(call->args[2], call->out, &to.database))
        return;
    if (to.database == from.database) {
        KV_REPLY(call->out, "-ERR source and destination objects are the same\r\n");
        return;
    }
    entry = kv_store_find(call->store, &from);
    if (entry == NULL || kv_store_find(call->store, &to) != NULL) {
        KV_REPLY(call->out, ":0\r\n");
    } else if (kv_store_set(call->store, &to, kv_entry_value(entry), entry->expires) == NULL) {
        kv_call_out_of_memory(call);
    } else {
        kv_store_delete(call->store, from.database, entry);
        KV_REPLY(call->out, ":1\r\n");
    }
}

void kv_run_type(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);

    if (kv_store_find(call->store, &place) != NULL)
        KV_REPLY(call->out, "+string\r\n");
    else
        KV_REPLY(call->out, "+none\r\n");
}

/* ---- databases ---- */

void kv_run_dbsize(struct kv_call *call)
{
    kv_reply_number(call->out, (int64_t)kv_keyspace_count(&call->store->spaces[call->database]));
}

/* How many keys there are to choose from, as it lies in memory, and the choice: see compose.c. */
void kv_run_randomkey(struct kv_call *call)
{
    const struct kv_entry *entry = kv_store_random(call->store, call->database);
    uint64_t keys = kv_keyspace_count(&call->store->spaces[call->database]);

    kv_reply_raw(call->out, &keys, sizeof keys);
    if (entry == NULL)
        kv_reply_null(call->out);
    else
        kv_reply_bulk(call->out, kv_entry_key(entry));
}

/* [ASYNC | SYNC]: accepted, and all the same here. */
static bool flush_is_well_formed(struct kv_call *call)
{
    if (call->count == 1 || (call->count == 2 && (kv_slice_is_word(call->args[1], "async") ||
                                                  kv_slice_is_word(call->args[1], "sync"))))
        return true;
    kv_reply_syntax_error(call->out);
    return false;
}

void kv_run_flushall(struct kv_call *call)
{
    if (!flush_is_well_formed(call))
        return;
    for (uint8_t i = 0; i < KV_LOG_DATABASES; i++)
        kv_store_flush(call->store, i);
    kv_reply_ok(call->out);
}

void kv_run_flushdb(struct kv_call *call)
{
    if (!flush_is_well_formed(call))
        return;
    kv_store_flush(call->store, call->database);
    kv_reply_ok(call->out);
}

void kv_run_bgrewriteaof(struct kv_call *call)
{
    call->store->compaction_wanted = true;
    KV_REPLY(call->out, "+Background append only file rewriting started\r\n");
}

/* ---- KEYS and SCAN ---- */

struct search {
    struct kv_call *call;
    struct kv_slice pattern;
    bool strings;         /* TYPE names the only type there is, or none is asked for */
    int64_t count;        /* SCAN: about how many keys are wanted */
    int64_t found;
};

static void search_entry(void *context, struct kv_entry *entry)
{
    struct search *search = context;
    struct kv_call *call = search->call;

    if (!search->strings || !kv_glob(search->pattern, kv_entry_key(entry)))
        return;
    if (kv_store_expired(call->store, call->database, entry))
        return;
    kv_reply_bulk(&call->store->scratch, kv_entry_key(entry));
    search->found++;
}

static void reply_found(struct search *search)
{
    struct kv_buffer *scratch = &search->call->store->scratch;
    struct kv_buffer *out = search->call->out;

    kv_reply_array(out, (size_t)search->found);
    kv_buffer_add(out, scratch->data, scratch->size);
    out->failed |= scratch->failed;
    kv_buffer_clear(scratch, 64 * 1024);
}

void kv_run_keys(struct kv_call *call)
{
    struct search search = { .call = call, .pattern = call->args[1], .strings = true };
    struct kv_keyspace *space = &call->store->spaces[call->database];
    uint64_t cursor = 0;

    do
        cursor = kv_keyspace_scan(space, cursor, search_entry, &search);
    while (cursor != 0);
    reply_found(&search);
}

static bool read_scan_options(struct kv_call *call, struct search *search)
{
    for (uint32_t i = 2; i < call->count; i += 2) {
        struct kv_slice word = call->args[i];
        bool paired = i + 1 < call->count;

        if (paired && kv_slice_is_word(word, "count")) {
            if (!kv_call_number(call, i + 1, &search->count))
                return false;
            if (search->count >= 1)
                continue;
        } else if (paired && kv_slice_is_word(word, "match")) {
            search->pattern = call->args[i + 1];
            continue;
        } else if (paired && kv_slice_is_word(word, "type")) {
            search->strings = kv_slice_is_word(call->args[i + 1], "string");
            continue;
        }
        kv_reply_syntax_error(call->out);
        return false;
    }
    return true;
}

/* A client's cursor is the bucket's times the number of shards, plus the shard: the connection
 * sends it where it belongs, and a shard that is through passes on to the next one's start. */
static uint64_t cursor_for_client(const struct kv_store *store, uint64_t cursor)
{
    if (cursor != 0)
        return cursor * store->shards + store->shard;
    return store->shard + 1 < store->shards ? store->shard + 1 : 0;
}

void kv_run_scan(struct kv_call *call)
{
    struct search search = {
        .call = call, .pattern = KV_SLICE("*"), .strings = true, .count = 10,
    };
    struct kv_keyspace *space = &call->store->spaces[call->database];
    uint64_t cursor = call->hash / call->store->shards;
    int64_t buckets;

    if (!read_scan_options(call, &search))
        return;
    /* As redis does: a sparse table is not searched for ever to find the keys wanted. */
    buckets = search.count > INT64_MAX / 10 ? INT64_MAX : search.count * 10;
    do
        cursor = kv_keyspace_scan(space, cursor, search_entry, &search);
    while (cursor != 0 && --buckets > 0 && search.found < search.count);
    KV_REPLY(call->out, "*2\r\n");
    kv_reply_bulk_number(call->out, (int64_t)cursor_for_client(call->store, cursor));
    reply_found(&search);
}
