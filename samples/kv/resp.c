/* SPDX-License-Identifier: BSD-2-Clause */

/* See resp.h for the states and the rules. */

#include "resp.h"

#include <limits.h>
#include <stdio.h>

#include "memory.h"
#include "number.h"
#include "words.h"

#define ARGS_KEPT 1024u  /* a larger table is given back after its command */

enum line {
    LINE_WHOLE,
    LINE_PART,
    LINE_TOO_LONG,
};

static enum kv_resp_found broken(struct kv_resp *resp, const char *error)
{
    snprintf(resp->error, sizeof resp->error, "Protocol error: %s", error);
    resp->state = KV_RESP_BROKEN;
    return KV_RESP_ERROR;
}

static bool add_arg(struct kv_resp *resp, uint32_t at, uint32_t size)
{
    if (resp->count == resp->capacity) {
        uint32_t capacity = resp->capacity == 0 ? 16 : resp->capacity * 2;
        struct kv_arg *args = kv_resize(resp->args, capacity * sizeof *args);

        if (args == NULL)
            return false;
        resp->args = args;
        resp->capacity = capacity;
    }
    resp->args[resp->count++] = (struct kv_arg){ at, size };
    return true;
}

static void begin(struct kv_resp *resp)
{
    resp->count = 0;
    resp->start = resp->at;
    if (resp->capacity > ARGS_KEPT)
        kv_resp_release(resp);
}

/* ---- header lines ---- */

/* The number after the header's first byte, where it stands whole and in its usual form. */
static bool usual_number(const char *data, size_t size, size_t at, int64_t *ret_number,
                         uint32_t *ret_behind)
{
    size_t i = at + 1;
    size_t end = size - at > 11 ? at + 11 : size;
    int64_t number = 0;

    for (; i < end && (unsigned char)(data[i] - '0') <= 9; i++)
        number = number * 10 + (data[i] - '0');
    if (i + 1 >= size || data[i] != '\r' || i == at + 1 || data[at + 1] == '0')
        return false;
    *ret_number = number;
    *ret_behind = (uint32_t)(i + 2);
    return true;
}

/* Any header line: its number, or INT64_MIN for what is none. */
static enum line header_line(const struct kv_resp *resp, const char *data, size_t size,
                             int64_t *ret_number, uint32_t *ret_behind)
{
    size_t waiting = size - resp->at;
    size_t looked_at = waiting < KV_RESP_LINE_MAX ? waiting : KV_RESP_LINE_MAX;
    const char *line = data + resp->at;
    const char *end;

    if (usual_number(data, size, resp->at, ret_number, ret_behind))
        return LINE_WHOLE;
    end = memchr(line, '\r', looked_at);
    if (end == NULL)
        return waiting >= KV_RESP_LINE_MAX ? LINE_TOO_LONG : LINE_PART;
    if (end + 1 == data + size)
        return LINE_PART;
    if (end == line || !kv_number_parse(line + 1, (size_t)(end - line) - 1, ret_number))
        *ret_number = INT64_MIN;
    *ret_behind = (uint32_t)(end + 2 - data);
    return LINE_WHOLE;
}

/* Goes on to LENGTH, or back to START for an empty array. */
static enum kv_resp_found read_array(struct kv_resp *resp, const char *data, size_t size)
{
    int64_t length;
    enum line line = header_line(resp, data, size, &length, &resp->at);

    if (line == LINE_TOO_LONG)
        return broken(resp, "too big mbulk count string");
    if (line == LINE_PART)
        return KV_RESP_MORE;
    if (length == INT64_MIN || length > KV_RESP_ARGS_MAX)
        return broken(resp, "invalid multibulk length");
    resp->awaited = length > 0 ? (uint32_t)length : 0;
    resp->state = length > 0 ? KV_RESP_LENGTH : KV_RESP_START;
    return KV_RESP_COMMAND;
}

static enum kv_resp_found read_length(struct kv_resp *resp, const char *data, size_t size)
{
    uint32_t line_at = resp->at;
    int64_t length;
    enum line line = header_line(resp, data, size, &length, &resp->at);

    if (line == LINE_TOO_LONG)
        return broken(resp, "too big bulk count string");
    if (line == LINE_PART)
        return KV_RESP_MORE;
    if (data[line_at] != '$') {
        char text[32];

        snprintf(text, sizeof text, "expected '$', got '%c'", data[line_at]);
        return broken(resp, text);
    }
    if (length < 0 || length > KV_RESP_BULK_MAX)
        return broken(resp, "invalid bulk length");
    resp->body = (uint32_t)length;
    resp->state = KV_RESP_BODY;
    return KV_RESP_COMMAND;
}

static enum kv_resp_found read_body(struct kv_resp *resp, size_t size)
{
    if (size - resp->at < (size_t)resp->body + 2)
        return KV_RESP_MORE;
    if (!add_arg(resp, resp->at, resp->body))
        return broken(resp, "out of memory");
    resp->at += resp->body + 2;  /* redis does not look at the two bytes behind it either */
    resp->awaited--;
    resp->state = resp->awaited > 0 ? KV_RESP_LENGTH : KV_RESP_START;
    return KV_RESP_COMMAND;
}

/* ---- inline commands ---- */

static enum kv_resp_found read_inline(struct kv_resp *resp, char *data, size_t size)
{
    size_t waiting = size - resp->at;
    size_t looked_at = waiting < KV_RESP_LINE_MAX ? waiting : KV_RESP_LINE_MAX;
    const char *end = memchr(data + resp->at, '\n', looked_at);
    uint32_t at = resp->at;
    int word;

    if (end == NULL)
        return waiting >= KV_RESP_LINE_MAX ? broken(resp, "too big inline request") : KV_RESP_MORE;
    resp->at = (uint32_t)(end + 1 - data);
    do {
        struct kv_arg arg;

        word = kv_words_next(data, (uint32_t)(end - data), &at, &arg);
        if (word < 0)
            return broken(resp, "unbalanced quotes in request");
        if (word > 0 && !add_arg(resp, arg.at, arg.size))
            return broken(resp, "out of memory");
    } while (word > 0);
    resp->state = KV_RESP_START;
    return KV_RESP_COMMAND;
}

/* ---- the machine ---- */

static enum kv_resp_found step(struct kv_resp *resp, char *data, size_t size)
{
    switch (resp->state) {
    case KV_RESP_START:
        begin(resp);
        if (resp->at == size)
            return KV_RESP_MORE;
        resp->state = data[resp->at] == '*' ? KV_RESP_ARRAY : KV_RESP_INLINE;
        return KV_RESP_COMMAND;
    case KV_RESP_INLINE:
        return read_inline(resp, data, size);
    case KV_RESP_ARRAY:
        return read_array(resp, data, size);
    case KV_RESP_LENGTH:
        return resp->at < size ? read_length(resp, data, size) : KV_RESP_MORE;
    case KV_RESP_BODY:
        return read_body(resp, size);
    case KV_RESP_BROKEN:
        break;
    }
    return KV_RESP_ERROR;
}

enum kv_resp_found kv_resp_next(struct kv_resp *resp, char *data, size_t size)
{
    enum kv_resp_found found;

    /* A step answers COMMAND for "go on": one was completed when it leads back to START. */
    do
        found = step(resp, data, size);
    while (found == KV_RESP_COMMAND && (resp->state != KV_RESP_START || resp->count == 0));
    return found;
}

void kv_resp_shift(struct kv_resp *resp, uint32_t by)
{
    resp->at -= by;
    resp->start -= resp->start < by ? resp->start : by;
    for (uint32_t i = 0; resp->state != KV_RESP_START && i < resp->count; i++)
        resp->args[i].at -= by;
}

size_t kv_resp_wanted(const struct kv_resp *resp, size_t size)
{
    size_t there = size - resp->at;

    if (resp->state == KV_RESP_BODY && there < (size_t)resp->body + 2)
        return (size_t)resp->body + 2 - there;
    return 1;
}

void kv_resp_release(struct kv_resp *resp)
{
    kv_free(resp->args);
    resp->args = NULL;
    resp->count = 0;
    resp->capacity = 0;
}
