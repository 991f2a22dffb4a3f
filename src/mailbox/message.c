/* SPDX-License-Identifier: BSD-2-Clause */

#include "mailbox/message.h"

#include "base/assert.h"
#include "base/memory.h"
#include "base/thread.h"

static struct tri_message *with_envelope(struct tri_message *message, size_t payload_size)
{
    message->flags = TRI_MESSAGE_EXTENDED;
    *tri_message_envelope(message) = (struct tri_envelope){
        .deadline = INT64_MAX,
        .size = (uint32_t)payload_size,
    };
    return message;
}

static TRI_COLD struct tri_message *new_large(size_t payload_size)
{
    if (payload_size > TRI_MESSAGE_PAYLOAD_MAX)
        return NULL;

    struct tri_message *message =
        tri_alloc_aligned(TRI_CACHE_LINE, TRI_MESSAGE_EXTENDED_AT + payload_size);
    if (message == NULL)
        return NULL;
    message->size_class = TRI_MESSAGE_LARGE;
    return with_envelope(message, payload_size);
}

struct tri_message *tri_message_new(struct tri_thread *thread, size_t payload_size, bool extended)
{
    size_t at = extended ? TRI_MESSAGE_EXTENDED_AT : TRI_MESSAGE_PLAIN_AT;

    /* Compared before adding: an absurd size must not wrap. */
    if (TRI_UNLIKELY(payload_size > TRI_MESSAGE_PLAIN_MAX || at + payload_size > 256))
        return new_large(payload_size);

    unsigned size_class = tri_pool_class_of(at + payload_size);
    struct tri_message *message = tri_pool_get(thread, size_class);
    if (TRI_UNLIKELY(message == NULL))
        return NULL;
    message->flags = 0;
    message->size_class = (uint8_t)size_class;
    return extended ? with_envelope(message, payload_size) : message;
}

static TRI_COLD void free_slow(struct tri_message *message)
{
    if (message->size_class == TRI_MESSAGE_LARGE) {
        tri_free(message);
        return;
    }
    struct tri_thread *thread = tri_thread_self();
    if (thread != NULL)
        tri_pool_put(thread, message->size_class, message);
    else
        tri_pool_put_loose(message->size_class, message);
}

void tri_message_free(struct tri_message *message)
{
    struct tri_thread *thread = tri_thread_current;

    tri_assert(message->size_class <= TRI_MESSAGE_LARGE);
    if (TRI_LIKELY(thread != NULL && message->size_class != TRI_MESSAGE_LARGE))
        tri_pool_put(thread, message->size_class, message);
    else
        free_slow(message);
}

size_t tri_message_payload_size(const struct tri_message *message)
{
    if (message->flags & TRI_MESSAGE_EXTENDED)
        return tri_message_envelope(message)->size;
    return tri_pool_block_size(message->size_class) - TRI_MESSAGE_PLAIN_AT;
}
