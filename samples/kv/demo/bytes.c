/* SPDX-License-Identifier: BSD-2-Clause */

#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *demo_alloc(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(EXIT_FAILURE);
    }
    return memory;
}

struct text text_of(const char *string)
{
    return (struct text){ string, strlen(string) };
}

struct text text_copy(struct text text)
{
    char *data = demo_alloc(text.size);

    if (text.size > 0)
        memcpy(data, text.data, text.size);
    return (struct text){ data, text.size };
}

static void slide_to_front(struct bytes *bytes)
{
    char *front = bytes->data - bytes->consumed;

    if (bytes->consumed == 0)
        return;
    memmove(front, bytes->data, bytes->size);
    bytes->data = front;
    bytes->consumed = 0;
}

char *bytes_reserve(struct bytes *bytes, size_t size)
{
    if (bytes->consumed + bytes->size + size <= bytes->room)
        return bytes->data + bytes->size;
    if (bytes->data != NULL)
        slide_to_front(bytes);
    if (bytes->size + size > bytes->room) {
        size_t room = (bytes->size + size) * 2;
        char *data = realloc(bytes->data, room);
        if (data == NULL) {
            fprintf(stderr, "out of memory\n");
            exit(EXIT_FAILURE);
        }
        bytes->data = data;
        bytes->room = room;
    }
    return bytes->data + bytes->size;
}

void bytes_grew(struct bytes *bytes, size_t size)
{
    bytes->size += size;
}

void bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(bytes_reserve(bytes, size), data, size);
    bytes_grew(bytes, size);
}

void bytes_append_text(struct bytes *bytes, const char *string)
{
    bytes_append(bytes, string, strlen(string));
}

void bytes_consume(struct bytes *bytes, size_t size)
{
    if (size == 0)
        return;
    bytes->data += size;
    bytes->size -= size;
    bytes->consumed += size;
    if (bytes->size == 0)
        slide_to_front(bytes);
}

void bytes_clear(struct bytes *bytes)
{
    bytes_consume(bytes, bytes->size);
}

void bytes_free(struct bytes *bytes)
{
    if (bytes->data != NULL)
        free(bytes->data - bytes->consumed);
    *bytes = (struct bytes){ .data = NULL };
}
