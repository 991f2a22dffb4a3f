/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Commands on two keys or more of which one shard has all, where each is done as a whole; and the
 * steps that the connection makes when the keys lie in several (steps.c).
 */

#include "call.h"
#include "copy.h"
#include "number.h"
#include "reply.h"

bool kv_read_database(struct kv_slice text, struct kv_buffer *out, uint8_t *ret_database)
{
    int64_t database;

    if (!kv_number_parse(text.data, text.size, &database)) {
        kv_reply_not_a_number(out);
    } else if (database < INT32_MIN || database > INT32_MAX) {
        KV_REPLY(out, "-ERR value is out of range, value must between "
                      "-2147483648 and 2147483647\r\n");
    } else if (database < 0 || database >= KV_LOG_DATABASES) {
        KV_REPLY(out, "-ERR DB index is out of range\r\n");
    } else {
        *ret_database = (uint8_t)database;
        return true;
    }
    return false;
}

/* ---- RENAME and COPY ---- */

static bool put(struct kv_call *call, const struct kv_entry *entry, const struct kv_place *to)
{
    if (kv_store_set(call->store, to, kv_entry_value(entry), entry->expires) != NULL)
        return true;
    kv_call_out_of_memory(call);
    return false;
}

/* What NX and not answer when all is well. */
static void reply_done(struct kv_call *call, bool nx)
{
    if (nx)
        KV_REPLY(call->out, ":1\r\n");
    else
        kv_reply_ok(call->out);
}

static void rename_key(struct kv_call *call, bool nx)
{
    struct kv_place from = kv_call_place(call);
    struct kv_place to = kv_call_place_at(call, 2);
    struct kv_entry *entry = kv_store_find(call->store, &from);
    bool same = kv_slice_equal(from.key, to.key);

    if (entry == NULL) {
        KV_REPLY(call->out, "-ERR no such key\r\n");
    } else if (nx && (same || kv_store_find(call->store, &to) != NULL)) {
        KV_REPLY(call->out, ":0\r\n");
    } else if (same) {
        kv_reply_ok(call->out);
    } else if (put(call, entry, &to)) {
        kv_store_delete(call->store, from.database, entry);
        reply_done(call, nx);
    }
}

void kv_run_rename(struct kv_call *call)
{
    rename_key(call, false);
}

void kv_run_renamenx(struct kv_call *call)
{
    rename_key(call, true);
}

bool kv_copy_read(const struct kv_slice *args, uint32_t count, struct kv_buffer *out,
                  struct kv_copy *copy)
{
    uint8_t from = copy->database;

    for (uint32_t i = 3; i < count; i++) {
        if (kv_slice_is_word(args[i], "replace")) {
            copy->replace = true;
        } else if (kv_slice_is_word(args[i], "db") && i + 1 < count) {
            if (!kv_read_database(args[++i], out, &copy->database))
                return false;
        } else {
            kv_reply_syntax_error(out);
            return false;
        }
    }
    if (copy->database != from || !kv_slice_equal(args[1], args[2]))
        return true;
    KV_REPLY(out, "-ERR source and destination objects are the same\r\n");
    return false;
}

void kv_run_copy(struct kv_call *call)
{
    struct kv_copy copy = { .database = call->database };
    struct kv_place from = kv_call_place(call);
    struct kv_place to = kv_call_place_at(call, 2);
    const struct kv_entry *entry;

    if (!kv_copy_read(call->args, call->count, call->out, &copy))
        return;
    to.database = copy.database;
    entry = kv_store_read(call->store, &from);
    if (entry == NULL || (!copy.replace && kv_store_find(call->store, &to) != NULL))
        KV_REPLY(call->out, ":0\r\n");
    else if (put(call, entry, &to))
        KV_REPLY(call->out, ":1\r\n");
}

/* ---- MSETNX ---- */

static int64_t count_there(struct kv_call *call)
{
    int64_t found = 0;

    for (uint32_t i = 1; i + 1 < call->count; i += 2) {
        struct kv_place place = kv_call_place_at(call, i);

        found += kv_store_find(call->store, &place) != NULL;
    }
    return found;
}

void kv_run_msetnx(struct kv_call *call)
{
    size_t replied = call->out->size;

    if (count_there(call) > 0) {
        KV_REPLY(call->out, ":0\r\n");
        return;
    }
    kv_run_mset(call);
    if (call->out->size > replied && call->out->data[replied] == '+') {
        call->out->size = replied;
        KV_REPLY(call->out, ":1\r\n");
    }
}

/* ---- steps ---- */

/* How many of the keys are there, of an MSETNX's share. */
void kv_run_look(struct kv_call *call)
{
    kv_reply_number(call->out, count_there(call));
}

/* The keys as they lie in memory: see copy.h. */
void kv_run_fetch(struct kv_call *call)
{
    for (uint32_t i = 1; i < call->count; i++) {
        struct kv_place place = kv_call_place_at(call, i);
        const struct kv_entry *entry = kv_store_read(call->store, &place);
        struct kv_fetched fetched = { .expires = KV_NEVER };

        if (entry != NULL)
            fetched = (struct kv_fetched){ entry->expires, entry->value_size, 1 };
        if (i == 1)
            kv_reply_raw(call->out, &fetched, sizeof fetched);
        else
            kv_buffer_add(call->out, &fetched, sizeof fetched);
        if (entry != NULL)
            kv_buffer_add_slice(call->out, kv_entry_value(entry));
    }
}

/* Deletes the key if it is still what was fetched. 0: it is not; 1: it is gone. */
void kv_run_drop_same(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct kv_entry *entry = kv_store_find(call->store, &place);
    struct kv_slice was = call->args[2];
    struct kv_fetched fetched;

    memcpy(&fetched, was.data, sizeof fetched);
    was = (struct kv_slice){ was.data + sizeof fetched, was.size - sizeof fetched };
    if (entry != NULL && (entry->expires != fetched.expires ||
                          !kv_slice_equal(kv_entry_value(entry), was))) {
        KV_REPLY(call->out, ":0\r\n");
        return;
    }
    if (entry != NULL)
        kv_store_delete(call->store, place.database, entry);
    KV_REPLY(call->out, ":1\r\n");
}
