/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * OBJECT: what there is to be said about how a value is kept. There is one way of keeping values
 * here; clients are told what redis would have made of the same bytes. The connection has looked at
 * the subcommand: the key is the second argument.
 */

#include "call.h"
#include "number.h"
#include "reply.h"

#define SHARED_NUMBERS 10000  /* redis has one object for each number below */
#define EMBEDDED_MAX   44u

static const struct kv_entry *find(struct kv_call *call)
{
    struct kv_place place = { call->args[2], call->hash, call->database };
    const struct kv_entry *entry = kv_store_find(call->store, &place);

    if (entry == NULL)
        kv_reply_null(call->out);
    return entry;
}

static bool is_number(const struct kv_entry *entry, int64_t *ret_number)
{
    struct kv_slice value = kv_entry_value(entry);

    return kv_number_parse(value.data, value.size, ret_number);
}

void kv_run_object_encoding(struct kv_call *call)
{
    const struct kv_entry *entry = find(call);
    int64_t number;

    if (entry == NULL)
        return;
    if (is_number(entry, &number))
        kv_reply_bulk(call->out, KV_SLICE("int"));
    else if (entry->value_size <= EMBEDDED_MAX)
        kv_reply_bulk(call->out, KV_SLICE("embstr"));
    else
        kv_reply_bulk(call->out, KV_SLICE("raw"));
}

void kv_run_object_refcount(struct kv_call *call)
{
    const struct kv_entry *entry = find(call);
    int64_t number;

    if (entry == NULL)
        return;
    if (is_number(entry, &number) && number >= 0 && number < SHARED_NUMBERS)
        kv_reply_number(call->out, INT32_MAX);
    else
        kv_reply_number(call->out, 1);
}

void kv_run_object_idletime(struct kv_call *call)
{
    const struct kv_entry *entry = find(call);

    if (entry != NULL)
        kv_reply_number(call->out, kv_store_idle_seconds(call->store, entry));
}

void kv_run_object_freq(struct kv_call *call)
{
    if (find(call) != NULL)
        KV_REPLY(call->out,
                 "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
                 "Please note that when switching between policies at runtime LRU and LFU data "
                 "will take some time to adjust.\r\n");
}
