/* SPDX-License-Identifier: BSD-2-Clause */

#include "resp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES (64u * 1024)
#define BULK_MAX_BYTES (512ll * 1024 * 1024)
#define ARRAY_MAX      (16ll * 1024 * 1024)
#define DEPTH_MAX      8u

/* The length of the line at the front, its end included; 0: not all there; -EPROTO: too long. */
static long line_size(const char *data, size_t size)
{
    const char *end = memchr(data, '\n', size < LINE_MAX_BYTES ? size : LINE_MAX_BYTES);

    if (end == NULL)
        return size < LINE_MAX_BYTES ? 0 : -EPROTO;
    if (end == data || end[-1] != '\r')
        return -EPROTO;
    return end - data + 1;
}

/* strtoll would take blanks, a plus sign, and nothing at all. */
static bool integer_of(struct text text, int64_t *ret_integer)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t value = 0;

    if (text.size == (negative ? 1u : 0u) || text.size > 20)
        return false;
    for (size_t i = negative ? 1 : 0; i < text.size; i++) {
        unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *ret_integer = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static long parse_bulk(const char *data, size_t size, long line, struct resp_reply *reply)
{
    if (reply->integer == -1) {
        reply->kind = RESP_NIL;
        return line;
    }
    if (reply->integer < 0 || reply->integer > BULK_MAX_BYTES)
        return -EPROTO;
    reply->kind = RESP_BULK;
    size_t length = (size_t)reply->integer;
    if (size < (size_t)line + length + 2)
        return 0;
    if (memcmp(data + line + length, "\r\n", 2) != 0)
        return -EPROTO;
    reply->text = (struct text){ data + line, length };
    return line + (long)length + 2;
}

static long parse(const char *data, size_t size, unsigned depth, struct resp_reply *ret_reply);

static long parse_array(const char *data, size_t size, unsigned depth, struct resp_reply *reply)
{
    long line = line_size(data, size);
    long taken = line;

    if (reply->integer == -1) {
        reply->kind = RESP_NIL;
        return line;
    }
    if (reply->integer < 0 || reply->integer > ARRAY_MAX || depth == DEPTH_MAX)
        return -EPROTO;
    reply->kind = RESP_ARRAY;
    for (int64_t i = 0; i < reply->integer; i++) {
        struct resp_reply element;
        long step = parse(data + taken, size - (size_t)taken, depth + 1, &element);
        if (step <= 0)
            return step;
        taken += step;
    }
    reply->text = (struct text){ data + line, (size_t)(taken - line) };
    return taken;
}

static long parse(const char *data, size_t size, unsigned depth, struct resp_reply *ret_reply)
{
    struct resp_reply reply = { .kind = RESP_STATUS };
    long line = size == 0 ? 0 : line_size(data, size);

    if (line <= 0)
        return line;
    if (line < 3)
        return -EPROTO;
    reply.text = (struct text){ data + 1, (size_t)line - 3 };
    if (data[0] == '+' || data[0] == '-') {
        reply.kind = data[0] == '+' ? RESP_STATUS : RESP_ERROR;
        *ret_reply = reply;
        return line;
    }
    if (strchr(":$*", data[0]) == NULL || !integer_of(reply.text, &reply.integer))
        return -EPROTO;
    if (data[0] == ':')
        reply.kind = RESP_INTEGER;
    else if (data[0] == '$')
        line = parse_bulk(data, size, line, &reply);
    else
        line = parse_array(data, size, depth, &reply);
    if (line > 0)
        *ret_reply = reply;
    return line;
}

long resp_parse(const char *data, size_t size, struct resp_reply *ret_reply)
{
    return parse(data, size, 0, ret_reply);
}

void resp_command(struct bytes *bytes, const struct text *words, size_t count)
{
    char head[32];
    int length = snprintf(head, sizeof head, "*%zu\r\n", count);

    bytes_append(bytes, head, (size_t)length);
    for (size_t i = 0; i < count; i++) {
        length = snprintf(head, sizeof head, "$%zu\r\n", words[i].size);
        bytes_append(bytes, head, (size_t)length);
        bytes_append(bytes, words[i].data, words[i].size);
        bytes_append(bytes, "\r\n", 2);
    }
}
