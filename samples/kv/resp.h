/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_RESP_H
#define KV_RESP_H

/*
 * Finds the commands in what a client sends: RESP2 arrays of bulk strings, and inline commands.
 *
 * Why. Half of a small command's cost is reading it, so it is read once and where it lies: the
 * parser keeps offsets into the connection's buffer and copies nothing. What a client claims is
 * never believed: neither an array's length nor a string's leads to an allocation; only arguments
 * that have arrived take memory.
 *
 * The parser can stop at any byte and go on when there are more:
 *
 *               first byte is *                        length <= 0: nothing to do
 *     ┌───────┐ ─────────────────► ┌───────┐ ─────────────────────────────────────────► START
 *     │ START │                    │ ARRAY │ ──────────► ┌────────┐ ──────────► ┌──────┐
 *     └───────┘                    └───────┘   length    │ LENGTH │   $length   │ BODY │
 *         │     ┌────────┐                               └────────┘ ◄────────── └──────┘
 *         └───► │ INLINE │ ── a line: COMMAND, START        more to come          │
 *               └────────┘                                                        └ last: COMMAND,
 *                                                                                   START
 *     any state: something wrong: BROKEN, for good
 *
 * Rules
 *   1. Offsets count from the buffer's first byte. When the owner moves the contents down, it says
 *      so by kv_resp_shift; only bytes before kv_resp_kept may go.
 *   2. The buffer between kv_resp_kept and its end does not change, except by the parser: an
 *      inline command with quotes is unquoted in place.
 *   3. What is accepted, and each error's text, is as in redis 7.0 (networking.c), apart from two
 *      things: an array has at most KV_RESP_ARGS_MAX elements (redis 6's limit), and a line
 *      that is too long is refused however it arrives, not only when it comes in pieces.
 *
 * Partners: connection.c feeds it; session.c runs what it finds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#define KV_RESP_ARGS_MAX (1024 * 1024)
#define KV_RESP_LINE_MAX (64 * 1024)
#define KV_RESP_BULK_MAX (512 * 1024 * 1024)

/* What a connection may have in its buffer: redis' client-query-buffer-limit. Offsets rely on
 * it. */
#define KV_RESP_BUFFER_MAX (1024 * 1024 * 1024)

struct kv_arg {
    uint32_t at;
    uint32_t size;
};

enum kv_resp_state {
    KV_RESP_START,
    KV_RESP_INLINE,
    KV_RESP_ARRAY,
    KV_RESP_LENGTH,
    KV_RESP_BODY,
    KV_RESP_BROKEN,
};

enum kv_resp_found {
    KV_RESP_MORE,     /* all complete commands were handed out */
    KV_RESP_COMMAND,  /* `args` and `count`, until the next call */
    KV_RESP_ERROR,    /* `error` says what; the connection is to be closed after the reply */
};

struct kv_resp {
    enum kv_resp_state state;
    uint32_t at;            /* next byte to look at */
    uint32_t start;         /* first byte of the command in work */
    uint32_t awaited;       /* elements still to come */
    uint32_t body;          /* BODY: how long it is */
    uint32_t count;
    uint32_t capacity;
    struct kv_arg *args;
    char error[64];         /* without the leading -ERR */
};

enum kv_resp_found kv_resp_next(struct kv_resp *resp, char *data, size_t size);

/* The first byte that is still needed. */
static inline uint32_t kv_resp_kept(const struct kv_resp *resp)
{
    return resp->state == KV_RESP_START ? resp->at : resp->start;
}

/* The buffer's contents have moved down by `by`. */
void kv_resp_shift(struct kv_resp *resp, uint32_t by);

/* How many bytes more are certain to be needed, at least 1: how far to read ahead. */
size_t kv_resp_wanted(const struct kv_resp *resp, size_t size);

void kv_resp_release(struct kv_resp *resp);

#endif
