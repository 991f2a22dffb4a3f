/* SPDX-License-Identifier: BSD-2-Clause */

/* The commands on keys' times, and the reading of times that others share. */

#include "call.h"
#include "number.h"
#include "reply.h"

void kv_call_out_of_memory(struct kv_call *call)
{
    KV_REPLY(call->out, "-OOM out of memory, the command was not run\r\n");
}

bool kv_call_number(struct kv_call *call, uint32_t arg, int64_t *ret_number)
{
    if (kv_number_parse(call->args[arg].data, call->args[arg].size, ret_number))
        return true;
    kv_reply_not_a_number(call->out);
    return false;
}

bool kv_call_time(struct kv_call *call, int64_t given, int64_t unit, bool relative,
                  int64_t *ret_when)
{
    int64_t when;

    if (__builtin_mul_overflow(given, unit, &when) ||
        __builtin_add_overflow(when, relative ? call->store->now : 0, &when)) {
        kv_reply_error(call->out, "ERR invalid expire time in '%s' command", call->name);
        return false;
    }
    *ret_when = when < KV_NEVER ? when : KV_NEVER - 1;
    return true;
}

/* ---- EXPIRE and its kin ---- */

struct conditions {
    bool none;     /* NX: only a key without a time */
    bool some;     /* XX: only one with a time */
    bool later;    /* GT */
    bool earlier;  /* LT */
};

static bool read_conditions(struct kv_call *call, struct conditions *ret_conditions)
{
    struct conditions c = { 0 };

    for (uint32_t i = 3; i < call->count; i++) {
        struct kv_slice word = call->args[i];

        if (kv_slice_is_word(word, "nx")) {
            c.none = true;
        } else if (kv_slice_is_word(word, "xx")) {
            c.some = true;
        } else if (kv_slice_is_word(word, "gt")) {
            c.later = true;
        } else if (kv_slice_is_word(word, "lt")) {
            c.earlier = true;
        } else {
            kv_reply_error(call->out, "ERR Unsupported option %.*s",
                           (int)(word.size < 128 ? word.size : 128), word.data);
            return false;
        }
    }
    if (c.none && (c.some || c.later || c.earlier)) {
        KV_REPLY(call->out, "-ERR NX and XX, GT or LT options at the same time are not "
                             "compatible\r\n");
        return false;
    }
    if (c.later && c.earlier) {
        KV_REPLY(call->out, "-ERR GT and LT options at the same time are not compatible\r\n");
        return false;
    }
    *ret_conditions = c;
    return true;
}

/* KV_NEVER is later than any time, so no time at all needs no case of its own. */
static bool conditions_hold(const struct conditions *c, int64_t old, int64_t when)
{
    return !(c->none && old != KV_NEVER) && !(c->some && old == KV_NEVER) &&
           !(c->later && when <= old) && !(c->earlier && when >= old);
}

static void expire(struct kv_call *call, int64_t unit, bool relative)
{
    struct kv_place place = kv_call_place(call);
    struct conditions conditions;
    struct kv_entry *entry;
    int64_t given;
    int64_t when;

    if (!read_conditions(call, &conditions) || !kv_call_number(call, 2, &given) ||
        !kv_call_time(call, given, unit, relative, &when))
        return;
    entry = kv_store_find(call->store, &place);
    if (entry == NULL || !conditions_hold(&conditions, entry->expires, when)) {
        KV_REPLY(call->out, ":0\r\n");
        return;
    }
    if (when <= call->store->now)
        kv_store_delete(call->store, place.database, entry);
    else
        kv_store_expire(call->store, &place, entry, when);
    KV_REPLY(call->out, ":1\r\n");
}

void kv_run_expire(struct kv_call *call)
{
    expire(call, 1000, true);
}

void kv_run_pexpire(struct kv_call *call)
{
    expire(call, 1, true);
}

void kv_run_expireat(struct kv_call *call)
{
    expire(call, 1000, false);
}

void kv_run_pexpireat(struct kv_call *call)
{
    expire(call, 1, false);
}

void kv_run_persist(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    struct kv_entry *entry = kv_store_find(call->store, &place);

    if (entry == NULL || entry->expires == KV_NEVER) {
        KV_REPLY(call->out, ":0\r\n");
        return;
    }
    kv_store_expire(call->store, &place, entry, KV_NEVER);
    KV_REPLY(call->out, ":1\r\n");
}

/* ---- TTL and its kin ---- */

/* Replies -2 without the key, -1 without a time, else the time since `since` in units, rounded. */
static void reply_time(struct kv_call *call, int64_t unit, int64_t since)
{
    struct kv_place place = kv_call_place(call);
    const struct kv_entry *entry = kv_store_peek(call->store, &place);
    int64_t left;

    if (entry == NULL) {
        KV_REPLY(call->out, ":-2\r\n");
    } else if (entry->expires == KV_NEVER) {
        KV_REPLY(call->out, ":-1\r\n");
    } else {
        left = entry->expires - since;
        kv_reply_number(call->out, left / unit + (unit > 1 && left % unit >= unit / 2));
    }
}

void kv_run_ttl(struct kv_call *call)
{
    reply_time(call, 1000, call->store->now);
}

void kv_run_pttl(struct kv_call *call)
{
    reply_time(call, 1, call->store->now);
}

void kv_run_expiretime(struct kv_call *call)
{
    reply_time(call, 1000, 0);
}

void kv_run_pexpiretime(struct kv_call *call)
{
    reply_time(call, 1, 0);
}

/* ---- DEBUG SET-ACTIVE-EXPIRE ---- */

/* Whether keys whose time has passed are removed before anyone asks for them. */
void kv_run_active_expire(struct kv_call *call)
{
    struct kv_slice word = call->args[2];

    call->store->passive = word.size == 1 && word.data[0] == '0';
    kv_reply_ok(call->out);
}
