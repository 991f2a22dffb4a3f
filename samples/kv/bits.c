/* SPDX-License-Identifier: BSD-2-Clause */

/* SETBIT and GETBIT: the bit 0 is the highest of the first byte. */

#include "call.h"
#include "number.h"
#include "reply.h"
#include "resp.h"

static bool read_offset(struct kv_call *call, uint64_t *ret_offset)
{
    int64_t offset;

    if (!kv_number_parse(call->args[2].data, call->args[2].size, &offset) || offset < 0 ||
        offset >> 3 >= KV_RESP_BULK_MAX) {
        KV_REPLY(call->out, "-ERR bit offset is not an integer or out of range\r\n");
        return false;
    }
    *ret_offset = (uint64_t)offset;
    return true;
}

/* The byte with the bit; 0 behind the value's end. */
static unsigned char byte_at(const struct kv_entry *entry, uint64_t offset)
{
    if (entry == NULL || offset >> 3 >= entry->value_size)
        return 0;
    return (unsigned char)kv_entry_value(entry).data[offset >> 3];
}

static unsigned mask_of(uint64_t offset)
{
    return 0x80u >> (offset & 7);
}

void kv_run_getbit(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    uint64_t offset;

    if (read_offset(call, &offset))
        kv_reply_number(call->out, (byte_at(kv_store_read(call->store, &place), offset) &
                                    mask_of(offset)) != 0);
}

void kv_run_setbit(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    const struct kv_entry *entry;
    uint64_t offset;
    int64_t on;
    unsigned old;
    bool there;

    if (!read_offset(call, &offset))
        return;
    if (!kv_number_parse(call->args[3].data, call->args[3].size, &on) || (on != 0 && on != 1)) {
        KV_REPLY(call->out, "-ERR bit is not an integer or out of range\r\n");
        return;
    }
    entry = kv_store_find(call->store, &place);
    old = byte_at(entry, offset);
    there = entry != NULL && offset >> 3 < entry->value_size;
    if (!there || ((old & mask_of(offset)) != 0) != on) {
        char byte = (char)(old ^ (((old & mask_of(offset)) != 0) != on ? mask_of(offset) : 0));

        if (!kv_call_overlay(call, &place, (size_t)(offset >> 3), (struct kv_slice){ &byte, 1 }))
            return;
    }
    kv_reply_number(call->out, (old & mask_of(offset)) != 0);
}
