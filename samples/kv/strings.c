/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The commands on values.
 *
 * Rules
 *   1. The order of the checks is redis': which error comes when several things are wrong is what
 *      clients' tests look at.
 *   2. An old value that is to be replied is written before the change that moves it.
 *
 * Partners: command.c has them in its table; store.c makes the changes.
 */

#include <stdint.h>

#include "call.h"
#include "number.h"
#include "reply.h"
#include "resp.h"

/* ---- reading ---- */

static void reply_value(struct kv_call *call, const struct kv_entry *entry)
{
    if (entry == NULL)
        kv_reply_null(call->out);
    else
        kv_reply_bulk(call->out, kv_entry_value(entry));
}

void kv_run_get(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);

    reply_value(call, kv_store_read(call->store, &place));
}

void kv_run_strlen(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    const struct kv_entry *entry = kv_store_read(call->store, &place);

    kv_reply_number(call->out, entry == NULL ? 0 : entry->value_size);
}

void kv_run_getdel(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct kv_entry *entry = kv_store_read(call->store, &place);

    reply_value(call, entry);
    if (entry != NULL)
        kv_store_delete(call->store, place.database, entry);
}

/* ---- options of SET and GETEX ---- */

struct options {
    bool absent;     /* NX */
    bool present;    /* XX */
    bool get;
    bool keep;       /* KEEPTTL */
    bool persist;
    int64_t expires; /* KV_NEVER: not given */
    const struct time_option *time;
    uint32_t time_arg;
};

struct time_option {
    const char *word;
    int64_t unit;
    bool relative;
};

static const struct time_option time_options[] = {
    { "ex", 1000, true },
    { "px", 1, true },
    { "exat", 1000, false },
    { "pxat", 1, false },
};

static const struct time_option *time_option(struct kv_slice word)
{
    for (size_t i = 0; i < sizeof time_options / sizeof time_options[0]; i++)
        if (kv_slice_is_word(word, time_options[i].word))
            return &time_options[i];
    return NULL;
}

/* A word of SET that stands alone, if it may stand here. */
static bool set_word(struct kv_slice word, bool timed, struct options *options)
{
    if (kv_slice_is_word(word, "nx") && !options->present)
        return options->absent = true;
    if (kv_slice_is_word(word, "xx") && !options->absent)
        return options->present = true;
    if (kv_slice_is_word(word, "get"))
        return options->get = true;
    if (kv_slice_is_word(word, "keepttl") && !timed)
        return options->keep = true;
    return false;
}

static bool getex_word(struct kv_slice word, bool timed, struct options *options)
{
    if (!kv_slice_is_word(word, "persist") || timed)
        return false;
    return options->persist = true;
}

/* Reads the options from `arg` on; false: the error is in the reply. The time's value is looked at
 * later, by read_time, as redis does. */
static bool read_options(struct kv_call *call, uint32_t arg,
                         bool (*single)(struct kv_slice, bool, struct options *),
                         struct options *ret_options)
{
    struct options options = { .expires = KV_NEVER };

    for (; arg < call->count; arg++) {
        const struct time_option *found = time_option(call->args[arg]);
        bool fits = options.time == NULL || options.time == found;

        if (found != NULL && fits && !options.keep && !options.persist && arg + 1 < call->count) {
            options.time = found;
            options.time_arg = ++arg;
        } else if (found != NULL || !single(call->args[arg], options.time != NULL, &options)) {
            kv_reply_syntax_error(call->out);
            return false;
        }
    }
    *ret_options = options;
    return true;
}

static bool read_time(struct kv_call *call, struct options *options)
{
    int64_t given;

    if (options->time == NULL)
        return true;
    if (!kv_call_number(call, options->time_arg, &given))
        return false;
    if (given <= 0) {
        kv_reply_error(call->out, "ERR invalid expire time in '%s' command", call->name);
        return false;
    }
    return kv_call_time(call, given, options->time->unit, options->time->relative,
                        &options->expires);
}

void kv_run_getex(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct options options;
    struct kv_entry *entry;

    if (!read_options(call, 2, getex_word, &options))
        return;
    entry = kv_store_read(call->store, &place);
    if (entry != NULL && !read_time(call, &options))
        return;
    reply_value(call, entry);
    if (entry == NULL)
        return;
    if (options.expires != KV_NEVER && options.expires <= call->store->now)
        kv_store_delete(call->store, place.database, entry);
    else if (options.expires != KV_NEVER)
        kv_store_expire(call->store, &place, entry, options.expires);
    else if (options.persist && entry->expires != KV_NEVER)
        kv_store_expire(call->store, &place, entry, KV_NEVER);
}

/* ---- writing ---- */

static bool set(struct kv_call *call, const struct kv_place *place, struct kv_slice value,
                int64_t expires)
{
    if (kv_store_set(call->store, place, value, expires) != NULL)
        return true;
    kv_call_out_of_memory(call);
    return false;
}

static void set_with_options(struct kv_call *call, const struct kv_place *place)
{
    size_t replied = call->out->size;
    struct options options;
    struct kv_entry *old;

    if (!read_options(call, 3, set_word, &options) || !read_time(call, &options))
        return;
    old = options.get ? kv_store_read(call->store, place) : kv_store_find(call->store, place);
    if (options.get)
        reply_value(call, old);
    if ((options.absent && old != NULL) || (options.present && old == NULL)) {
        if (!options.get)
            kv_reply_null(call->out);
        return;
    }
    if (options.keep && old != NULL)
        options.expires = old->expires;
    if (kv_store_set(call->store, place, call->args[2], options.expires) == NULL) {
        call->out->size = replied;
        kv_call_out_of_memory(call);
    } else if (!options.get) {
        kv_reply_ok(call->out);
    }
}

void kv_run_set(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);

    if (call->count > 3)
        set_with_options(call, &place);
    else if (set(call, &place, call->args[2], KV_NEVER))
        kv_reply_ok(call->out);
}

void kv_run_setnx(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);

    if (kv_store_find(call->store, &place) != NULL)
        KV_REPLY(call->out, ":0\r\n");
    else if (set(call, &place, call->args[2], KV_NEVER))
        KV_REPLY(call->out, ":1\r\n");
}

static void set_expiring(struct kv_call *call, int64_t unit)
{
    struct kv_place place = kv_call_place(call);
    int64_t given;
    int64_t when;

    if (!kv_call_number(call, 2, &given))
        return;
    if (given <= 0)
        kv_reply_error(call->out, "ERR invalid expire time in '%s' command", call->name);
    else if (kv_call_time(call, given, unit, true, &when) &&
             set(call, &place, call->args[3], when))
        kv_reply_ok(call->out);
}

void kv_run_setex(struct kv_call *call)
{
    set_expiring(call, 1000);
}

void kv_run_psetex(struct kv_call *call)
{
    set_expiring(call, 1);
}

void kv_run_getset(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    size_t replied = call->out->size;

    reply_value(call, kv_store_read(call->store, &place));
    if (kv_store_set(call->store, &place, call->args[2], KV_NEVER) != NULL)
        return;
    call->out->size = replied;
    kv_call_out_of_memory(call);
}

/* This shard's keys and values of an MSET. */
void kv_run_mset(struct kv_call *call)
{
    for (uint32_t i = 1; i + 1 < call->count; i += 2) {
        struct kv_place place = kv_call_place_at(call, i);

        if (!set(call, &place, call->args[i + 1], KV_NEVER))
            return;
    }
    kv_reply_ok(call->out);
}

void kv_run_append(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct kv_slice more = call->args[2];
    struct kv_entry *entry = kv_store_find(call->store, &place);

    if (entry == NULL) {
        entry = kv_store_set(call->store, &place, more, KV_NEVER);
    } else if (entry->value_size + more.size > KV_RESP_BULK_MAX) {
        KV_REPLY(call->out, "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
        return;
    } else if (more.size > 0) {
        entry = kv_store_append(call->store, &place, entry, more);
    }
    if (entry == NULL)
        kv_call_out_of_memory(call);
    else
        kv_reply_number(call->out, entry->value_size);
}

/* ---- parts ---- */

/* A place counted from the end, if it is negative. */
static int64_t from_start(int64_t index, int64_t size)
{
    if (index >= 0)
        return index;
    return index + size > 0 ? index + size : 0;
}

void kv_run_getrange(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct kv_slice value = KV_SLICE("");
    const struct kv_entry *entry;
    int64_t start;
    int64_t end;

    if (!kv_call_number(call, 2, &start) || !kv_call_number(call, 3, &end))
        return;
    entry = kv_store_read(call->store, &place);
    if (entry != NULL)
        value = kv_entry_value(entry);
    if (start < 0 && end < 0 && start > end) {
        kv_reply_bulk(call->out, KV_SLICE(""));
        return;
    }
    start = from_start(start, (int64_t)value.size);
    end = from_start(end, (int64_t)value.size);
    if (end >= (int64_t)value.size)
        end = (int64_t)value.size - 1;
    if (start > end)
        value.size = 0;
    else
        value = (struct kv_slice){ value.data + start, (size_t)(end - start + 1) };
    kv_reply_bulk(call->out, value);
}

/* The old value, zeros up to the offset, and what is to stand there, in the store's scratch. */
static struct kv_slice overlaid(struct kv_call *call, const struct kv_entry *entry, size_t offset,
                                struct kv_slice more)
{
    struct kv_slice old = entry == NULL ? KV_SLICE("") : kv_entry_value(entry);
    size_t end = offset + more.size;
    size_t size = old.size > end ? old.size : end;
    char *room = kv_buffer_room(&call->store->scratch, size);

    if (room == NULL)
        return (struct kv_slice){ NULL, 0 };
    if (old.size > 0)
        memcpy(room, old.data, old.size);
    if (offset > old.size)
        memset(room + old.size, 0, offset - old.size);
    memcpy(room + offset, more.data, more.size);
    return (struct kv_slice){ room, size };
}

size_t kv_call_overlay(struct kv_call *call, const struct kv_place *place, size_t offset,
                       struct kv_slice more)
{
    struct kv_entry *entry = kv_store_find(call->store, place);
    struct kv_slice value = overlaid(call, entry, offset, more);

    if (value.data == NULL)
        kv_call_out_of_memory(call);
    else if (!set(call, place, value, entry == NULL ? KV_NEVER : entry->expires))
        value.size = 0;
    kv_buffer_clear(&call->store->scratch, 64 * 1024);
    return value.size;
}

void kv_run_setrange(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    const struct kv_entry *entry;
    int64_t offset;
    size_t size;

    if (!kv_call_number(call, 2, &offset))
        return;
    if (offset < 0) {
        KV_REPLY(call->out, "-ERR offset is out of range\r\n");
        return;
    }
    entry = kv_store_find(call->store, &place);
    if (call->args[3].size == 0)
        kv_reply_number(call->out, entry == NULL ? 0 : entry->value_size);
    else if ((uint64_t)offset + call->args[3].size > KV_RESP_BULK_MAX)
        KV_REPLY(call->out, "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
    else if ((size = kv_call_overlay(call, &place, (size_t)offset, call->args[3])) > 0)
        kv_reply_number(call->out, (int64_t)size);
}

/* ---- counting ---- */

static void add(struct kv_call *call, int64_t more)
{
    struct kv_place place = kv_call_place(call);
    struct kv_entry *entry = kv_store_find(call->store, &place);
    struct kv_slice old = entry == NULL ? KV_SLICE("0") : kv_entry_value(entry);
    char text[KV_NUMBER_MAX];
    int64_t number;

    if (!kv_number_parse(old.data, old.size, &number)) {
        kv_reply_not_a_number(call->out);
        return;
    }
    if (__builtin_add_overflow(number, more, &number)) {
        KV_REPLY(call->out, "-ERR increment or decrement would overflow\r\n");
        return;
    }
    if (set(call, &place, (struct kv_slice){ text, kv_number_write(text, number) },
            entry == NULL ? KV_NEVER : entry->expires))
        kv_reply_number(call->out, number);
}

void kv_run_incr(struct kv_call *call)
{
    add(call, 1);
}

void kv_run_decr(struct kv_call *call)
{
    add(call, -1);
}

void kv_run_incrby(struct kv_call *call)
{
    int64_t more;

    if (kv_call_number(call, 2, &more))
        add(call, more);
}

void kv_run_decrby(struct kv_call *call)
{
    int64_t less;

    if (!kv_call_number(call, 2, &less))
        return;
    if (less == INT64_MIN)
        KV_REPLY(call->out, "-ERR decrement would overflow\r\n");
    else
        add(call, -less);
}
