/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_BUFFER_H
#define KV_BUFFER_H

/*
 * A growing array of bytes, and a view of bytes that somebody else holds.
 *
 * Writing never reports an error: a buffer that could not grow is marked `failed` and swallows what
 * comes after, so that a command writes its reply in straight lines and its caller looks once. A
 * failed buffer's contents end at a byte that means nothing; whoever sees the mark drops it all.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct kv_slice {
    const char *data;
    size_t size;
};

#define KV_SLICE(text) ((struct kv_slice){ (text), sizeof(text) - 1 })

struct kv_buffer {
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
};

/* Makes room for `more` bytes behind the contents; NULL marks the buffer failed. */
char *kv_buffer_grow(struct kv_buffer *buffer, size_t more);

/* Empties it and gives its memory back, or keeps up to `keep` bytes of it for what comes next. */
void kv_buffer_release(struct kv_buffer *buffer);
void kv_buffer_clear(struct kv_buffer *buffer, size_t keep);

/* Where the next `more` bytes go; the caller adds to `size` what it wrote. NULL: failed. */
static inline char *kv_buffer_room(struct kv_buffer *buffer, size_t more)
{
    if (!buffer->failed && buffer->capacity - buffer->size >= more && buffer->data != NULL)
        return buffer->data + buffer->size;
    return kv_buffer_grow(buffer, more);
}

static inline void kv_buffer_add(struct kv_buffer *buffer, const void *data, size_t size)
{
    char *room = kv_buffer_room(buffer, size);

    if (room == NULL || size == 0)
        return;
    memcpy(room, data, size);
    buffer->size += size;
}

static inline void kv_buffer_add_slice(struct kv_buffer *buffer, struct kv_slice slice)
{
    kv_buffer_add(buffer, slice.data, slice.size);
}

static inline bool kv_slice_equal(struct kv_slice a, struct kv_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether the slice spells `word`, which is in lower case, in any case. */
bool kv_slice_is_word(struct kv_slice slice, const char *word);

#endif
