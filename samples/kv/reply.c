/* SPDX-License-Identifier: BSD-2-Clause */

#include "reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "number.h"

#define HEADER_MAX (1 + KV_NUMBER_MAX + 2)

/* A type's byte, a number, CR LF. */
static size_t write_header(char *room, char type, int64_t number)
{
    size_t size;

    room[0] = type;
    if (number >= 0 && number <= 9) {
        room[1] = (char)('0' + number);
        size = 2;
    } else {
        size = 1 + kv_number_write(room + 1, number);
    }
    room[size] = '\r';
    room[size + 1] = '\n';
    return size + 2;
}

static void add_header(struct kv_buffer *out, char type, int64_t number)
{
    char *room = kv_buffer_room(out, HEADER_MAX);

    if (room != NULL)
        out->size += write_header(room, type, number);
}

void kv_reply_number(struct kv_buffer *out, int64_t number)
{
    add_header(out, ':', number);
}

void kv_reply_array(struct kv_buffer *out, size_t length)
{
    add_header(out, '*', (int64_t)length);
}

void kv_reply_bulk(struct kv_buffer *out, struct kv_slice bulk)
{
    char *room = kv_buffer_room(out, HEADER_MAX + bulk.size + 2);
    size_t header;

    if (room == NULL)
        return;
    header = write_header(room, '$', (int64_t)bulk.size);
    if (bulk.size > 0)
        memcpy(room + header, bulk.data, bulk.size);
    room[header + bulk.size] = '\r';
    room[header + bulk.size + 1] = '\n';
    out->size += header + bulk.size + 2;
}

void kv_reply_bulk_number(struct kv_buffer *out, int64_t number)
{
    char text[KV_NUMBER_MAX];

    kv_reply_bulk(out, (struct kv_slice){ text, kv_number_write(text, number) });
}

void kv_reply_error(struct kv_buffer *out, const char *format, ...)
{
    char text[512];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || size >= (int)sizeof text)
        size = (int)sizeof text - 1;
    while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == '\n'))
        size--;
    for (int i = 0; i < size; i++)
        if (text[i] == '\r' || text[i] == '\n')
            text[i] = ' ';
    KV_REPLY(out, "-");
    kv_buffer_add(out, text, (size_t)size);
    KV_REPLY(out, "\r\n");
}

void kv_reply_syntax_error(struct kv_buffer *out)
{
    KV_REPLY(out, "-ERR syntax error\r\n");
}

void kv_reply_not_a_number(struct kv_buffer *out)
{
    KV_REPLY(out, "-ERR value is not an integer or out of range\r\n");
}

void kv_reply_arity_error(struct kv_buffer *out, const char *command)
{
    kv_reply_error(out, "ERR wrong number of arguments for '%s' command", command);
}
