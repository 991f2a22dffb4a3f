/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_CALL_H
#define KV_CALL_H

/* A command as the shard runs it: what it is given, and where its reply goes. Each writes exactly
 * one reply. The command's name is args[0], its first key args[1], if it has one. */

#include "store.h"

struct kv_call {
    struct kv_store *store;
    struct kv_buffer *out;
    const struct kv_slice *args;
    uint32_t count;
    uint64_t hash;       /* of the first key */
    uint8_t database;
    const char *name;    /* in lower case, for errors */
};

static inline struct kv_place kv_call_place(const struct kv_call *call)
{
    return (struct kv_place){ call->args[1], call->hash, call->database };
}

static inline struct kv_place kv_call_place_at(const struct kv_call *call, uint32_t i)
{
    struct kv_slice key = call->args[i];

    return (struct kv_place){
        key, i == 1 ? call->hash : kv_hash(&call->store->hash_key, key.data, key.size),
        call->database,
    };
}

void kv_call_out_of_memory(struct kv_call *call);

/* The argument as a number; replies with the error otherwise. */
bool kv_call_number(struct kv_call *call, uint32_t arg, int64_t *ret_number);

/* A time given in `unit` milliseconds, from now on when `relative`, as milliseconds since 1970;
 * replies with redis' error otherwise. */
bool kv_call_time(struct kv_call *call, int64_t given, int64_t unit, bool relative,
                  int64_t *ret_when);

/* strings.c: puts the bytes, at least one, over the value's from `offset` on, behind zeros where
 * there are none. The value's new size; 0: no memory, which is replied. */
size_t kv_call_overlay(struct kv_call *call, const struct kv_place *place, size_t offset,
                       struct kv_slice more);

/* strings.c */
void kv_run_get(struct kv_call *call);
void kv_run_getdel(struct kv_call *call);
void kv_run_getex(struct kv_call *call);
void kv_run_getset(struct kv_call *call);
void kv_run_set(struct kv_call *call);
void kv_run_setnx(struct kv_call *call);
void kv_run_setex(struct kv_call *call);
void kv_run_psetex(struct kv_call *call);
void kv_run_mset(struct kv_call *call);
void kv_run_append(struct kv_call *call);
void kv_run_strlen(struct kv_call *call);
void kv_run_getrange(struct kv_call *call);
void kv_run_setrange(struct kv_call *call);
void kv_run_incr(struct kv_call *call);
void kv_run_decr(struct kv_call *call);
void kv_run_incrby(struct kv_call *call);
void kv_run_decrby(struct kv_call *call);

/* floats.c */
void kv_run_incrbyfloat(struct kv_call *call);

/* bits.c */
void kv_run_getbit(struct kv_call *call);
void kv_run_setbit(struct kv_call *call);

/* pair.c */
void kv_run_rename(struct kv_call *call);
void kv_run_renamenx(struct kv_call *call);
void kv_run_copy(struct kv_call *call);
void kv_run_msetnx(struct kv_call *call);
void kv_run_look(struct kv_call *call);
void kv_run_fetch(struct kv_call *call);
void kv_run_drop_same(struct kv_call *call);

/* inspect.c */
void kv_run_object_encoding(struct kv_call *call);
void kv_run_object_freq(struct kv_call *call);
void kv_run_object_idletime(struct kv_call *call);
void kv_run_object_refcount(struct kv_call *call);

/* keys.c */
void kv_run_del(struct kv_call *call);
void kv_run_exists(struct kv_call *call);
void kv_run_touch(struct kv_call *call);
void kv_run_move(struct kv_call *call);
void kv_run_randomkey(struct kv_call *call);
void kv_run_type(struct kv_call *call);
void kv_run_dbsize(struct kv_call *call);
void kv_run_keys(struct kv_call *call);
void kv_run_scan(struct kv_call *call);
void kv_run_flushall(struct kv_call *call);
void kv_run_flushdb(struct kv_call *call);
void kv_run_bgrewriteaof(struct kv_call *call);

/* expiry.c */
void kv_run_expire(struct kv_call *call);
void kv_run_pexpire(struct kv_call *call);
void kv_run_expireat(struct kv_call *call);
void kv_run_pexpireat(struct kv_call *call);
void kv_run_ttl(struct kv_call *call);
void kv_run_pttl(struct kv_call *call);
void kv_run_expiretime(struct kv_call *call);
void kv_run_pexpiretime(struct kv_call *call);
void kv_run_persist(struct kv_call *call);
void kv_run_active_expire(struct kv_call *call);

/* figures.c */
void kv_run_info(struct kv_call *call);

#endif
