/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_REPLY_H
#define KV_REPLY_H

/* Writes RESP2 replies. */

#include "buffer.h"

#define KV_REPLY(out, literal) kv_buffer_add((out), (literal), sizeof(literal) - 1)

static inline void kv_reply_ok(struct kv_buffer *out)
{
    KV_REPLY(out, "+OK\r\n");
}

static inline void kv_reply_null(struct kv_buffer *out)
{
    KV_REPLY(out, "$-1\r\n");
}

void kv_reply_number(struct kv_buffer *out, int64_t number);
void kv_reply_bulk(struct kv_buffer *out, struct kv_slice bulk);
void kv_reply_bulk_number(struct kv_buffer *out, int64_t number);
void kv_reply_array(struct kv_buffer *out, size_t length);

/* "-" format CR LF. A line break inside becomes a space, at the end it goes: a client's
 * bytes may stand there. */
void kv_reply_error(struct kv_buffer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is for the connection and not for the client: bytes as they lie in memory, behind a sign
 * that no error begins with. */
static inline void kv_reply_raw(struct kv_buffer *out, const void *data, size_t size)
{
    KV_REPLY(out, "=");
    kv_buffer_add(out, data, size);
}

/* The bytes behind the sign. */
static inline struct kv_slice kv_raw_of(struct kv_slice reply)
{
    return (struct kv_slice){ reply.data + 1, reply.size > 0 ? reply.size - 1 : 0 };
}

/* Errors that many commands have in common. */
void kv_reply_syntax_error(struct kv_buffer *out);
void kv_reply_not_a_number(struct kv_buffer *out);
void kv_reply_arity_error(struct kv_buffer *out, const char *command);

#endif
