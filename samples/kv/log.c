/* SPDX-License-Identifier: BSD-2-Clause */

/* See log.h for the format. */

#include "log.h"

#include <errno.h>

#include "crc32c.h"

#define MAGIC "TROUPEKV"
#define VERSION 1u
#define OPERATION_HEADER 10u

/* ---- numbers ---- */

static char *put_32(char *at, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char)(number >> (8 * i));
    return at + 4;
}

static char *put_64(char *at, uint64_t number)
{
    return put_32(put_32(at, (uint32_t)number), (uint32_t)(number >> 32));
}

static uint32_t get_32(const char *at)
{
    uint32_t number = 0;

    for (unsigned i = 0; i < 4; i++)
        number |= (uint32_t)(unsigned char)at[i] << (8 * i);
    return number;
}

static uint64_t get_64(const char *at)
{
    return get_32(at) | (uint64_t)get_32(at + 4) << 32;
}

/* ---- the file's header ---- */

void kv_log_write_header(struct kv_buffer *out, const struct kv_log_identity *identity)
{
    char *start = kv_buffer_room(out, KV_LOG_HEADER);
    char *at;

    if (start == NULL)
        return;
    memcpy(start, MAGIC, 8);
    at = put_32(start + 8, VERSION);
    at = put_32(at, identity->shard);
    at = put_32(at, identity->shards);
    at = put_32(at, 0);
    at = put_64(at, identity->salt);
    put_32(at, kv_crc32c(0, start, KV_LOG_HEADER - 4));
    out->size += KV_LOG_HEADER;
}

int kv_log_check_header(const char *header, const struct kv_log_identity *identity)
{
    if (memcmp(header, MAGIC, 8) != 0)
        return -EILSEQ;
    if (get_32(header + KV_LOG_HEADER - 4) != kv_crc32c(0, header, KV_LOG_HEADER - 4))
        return -EILSEQ;
    if (get_32(header + 8) != VERSION)
        return -EPROTO;
    if (get_32(header + 12) != identity->shard || get_32(header + 16) != identity->shards ||
        get_64(header + 24) != identity->salt)
        return -EXDEV;
    return 0;
}

/* ---- records ---- */

static uint32_t header_sum(const char *header, uint64_t salt)
{
    char salted[8];

    put_64(salted, salt);
    return kv_crc32c(kv_crc32c(0, salted, sizeof salted), header, 8);
}

size_t kv_log_begin(struct kv_buffer *out)
{
    size_t begun = out->size;

    if (kv_buffer_room(out, KV_LOG_RECORD_HEADER) != NULL)
        out->size += KV_LOG_RECORD_HEADER;
    return begun;
}

void kv_log_add(struct kv_buffer *out, const struct kv_log_operation *operation)
{
    bool timed = operation->kind == KV_LOG_SET_EXPIRING || operation->kind == KV_LOG_EXPIRE;
    size_t size = OPERATION_HEADER + 8 + operation->key.size + operation->value.size;
    char *at = kv_buffer_room(out, size);

    if (at == NULL)
        return;
    *at++ = (char)operation->kind;
    *at++ = (char)operation->database;
    at = put_32(at, (uint32_t)operation->key.size);
    at = put_32(at, (uint32_t)operation->value.size);
    if (timed)
        at = put_64(at, (uint64_t)operation->expires);
    out->size += size - (timed ? 0 : 8);
    if (operation->key.size > 0)
        memcpy(at, operation->key.data, operation->key.size);
    if (operation->value.size > 0)
        memcpy(at + operation->key.size, operation->value.data, operation->value.size);
}

bool kv_log_commit(struct kv_buffer *out, size_t begun, uint64_t salt)
{
    size_t payload = begun + KV_LOG_RECORD_HEADER;
    char *header;

    if (out->failed || out->size - payload > UINT32_MAX)
        return false;
    if (out->size == payload) {
        out->size = begun;
        return false;
    }
    header = out->data + begun;
    put_32(header, (uint32_t)(out->size - payload));
    put_32(header + 4, kv_crc32c(0, out->data + payload, out->size - payload));
    put_32(header + 8, header_sum(header, salt));
    return true;
}

uint32_t kv_log_record_size(const char *header, uint64_t salt)
{
    return get_32(header + 8) == header_sum(header, salt) ? get_32(header) : 0;
}

bool kv_log_payload_is_good(const char *header, const char *payload, uint32_t size)
{
    return get_32(header + 4) == kv_crc32c(0, payload, size);
}

bool kv_log_take(struct kv_slice *payload, struct kv_log_operation *ret_operation)
{
    struct kv_log_operation found = { .expires = INT64_MAX };
    const char *at = payload->data;
    size_t left = payload->size;
    bool timed;

    if (left < OPERATION_HEADER)
        return false;
    found.kind = (enum kv_log_kind)(unsigned char)at[0];
    found.database = (uint8_t)at[1];
    found.key.size = get_32(at + 2);
    found.value.size = get_32(at + 6);
    timed = found.kind == KV_LOG_SET_EXPIRING || found.kind == KV_LOG_EXPIRE;
    at += OPERATION_HEADER;
    left -= OPERATION_HEADER;
    if (found.kind < KV_LOG_SET || found.kind > KV_LOG_FLUSH ||
        found.database >= KV_LOG_DATABASES ||
        left < (timed ? 8 : 0) + found.key.size + found.value.size)
        return false;
    if (timed) {
        found.expires = (int64_t)get_64(at);
        at += 8;
    }
    found.key.data = at;
    found.value.data = at + found.key.size;
    payload->size = (size_t)(payload->data + payload->size - found.value.data) - found.value.size;
    payload->data = found.value.data + found.value.size;
    *ret_operation = found;
    return true;
}
