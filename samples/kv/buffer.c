/* SPDX-License-Identifier: BSD-2-Clause */

#include "buffer.h"

#include "memory.h"

#define SMALLEST 256u

/* By half again: doubling a buffer of hundreds of megabytes would take twice what it needs. */
static size_t grown(size_t capacity, size_t needed)
{
    size_t next = capacity < SMALLEST ? SMALLEST : capacity + capacity / 2;

    return next < needed ? needed : next;
}

char *kv_buffer_grow(struct kv_buffer *buffer, size_t more)
{
    char *data;
    size_t capacity;

    if (buffer->failed || more > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4) {
        buffer->failed = true;
        return NULL;
    }
    capacity = grown(buffer->capacity, buffer->size + more);
    data = kv_resize(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return NULL;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->size;
}

void kv_buffer_release(struct kv_buffer *buffer)
{
    kv_free(buffer->data);
    *buffer = (struct kv_buffer){ 0 };
}

void kv_buffer_clear(struct kv_buffer *buffer, size_t keep)
{
    if (buffer->capacity > keep)
        kv_buffer_release(buffer);
    buffer->size = 0;
    buffer->failed = false;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
}

bool kv_slice_is_word(struct kv_slice slice, const char *word)
{
    size_t i;

    for (i = 0; i < slice.size; i++)
        if (word[i] == '\0' || lower(slice.data[i]) != word[i])
            return false;
    return word[i] == '\0';
}
