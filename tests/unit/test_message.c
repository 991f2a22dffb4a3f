/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <pthread.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/thread.h"
#include "mailbox/message.h"

static void *refuse(void *context, size_t alignment, size_t size)
{
    (void)context;
    (void)alignment;
    (void)size;
    return NULL;
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

static const struct tri_memory_hook no_memory = { refuse, release, NULL };

/* Every size around each class: aligned, of the class it fits, and its bytes its own. */
Test(message, sizes_and_their_classes)
{
    struct {
        size_t payload;
        bool extended;
        uint8_t size_class;
    } cases[] = {
        { 0, false, TRI_POOL_32 },      { 8, false, TRI_POOL_32 },
        { 9, false, TRI_POOL_64 },      { 40, false, TRI_POOL_64 },
        { 41, false, TRI_POOL_128 },    { 104, false, TRI_POOL_128 },
        { 105, false, TRI_POOL_256 },   { 232, false, TRI_POOL_256 },
        { 233, false, TRI_MESSAGE_LARGE }, { 0, true, TRI_POOL_64 },
        { 1, true, TRI_POOL_128 },      { 64, true, TRI_POOL_128 },
        { 65, true, TRI_POOL_256 },     { 192, true, TRI_POOL_256 },
        { 193, true, TRI_MESSAGE_LARGE }, { 5000, false, TRI_MESSAGE_LARGE },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tri_message *message =
            tri_message_new(tri_thread_self(), cases[i].payload, cases[i].extended);
        cr_assert_not_null(message);
        cr_assert_eq((uintptr_t)message % 16, 0);
        cr_assert_eq(message->size_class, cases[i].size_class, "payload %zu", cases[i].payload);
        cr_assert_geq(tri_message_payload_size(message), cases[i].payload);
        memset(tri_message_payload(message), 0xAB, cases[i].payload);
        tri_message_free(message);
    }
}

Test(message, a_plain_message_has_no_flags_and_its_payload_behind_the_header)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 40, false);

    cr_assert_eq(message->flags, 0);
    cr_assert_eq((char *)tri_message_payload(message) - (char *)message, 24);
    cr_assert_eq(tri_message_payload_size(message), 40);
    tri_message_free(message);
}

Test(message, an_envelope_begins_without_a_deadline)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 10, true);
    struct tri_envelope *envelope = tri_message_envelope(message);

    cr_assert_eq(message->flags, TRI_MESSAGE_EXTENDED);
    cr_assert_eq((char *)tri_message_payload(message) - (char *)message, 64);
    cr_assert_eq(envelope->deadline, INT64_MAX);
    cr_assert_eq(envelope->size, 10);
    cr_assert_eq(envelope->asker, 0);
    cr_assert_eq(envelope->token, 0);
    cr_assert_eq(envelope->attempt, 0);
    tri_message_free(message);
}

Test(message, what_is_too_large_is_refused)
{
    cr_assert_null(tri_message_new(tri_thread_self(), TRI_MESSAGE_PAYLOAD_MAX + 1, false));
    cr_assert_null(tri_message_new(tri_thread_self(), SIZE_MAX, false));
    cr_assert_null(tri_message_new(tri_thread_self(), SIZE_MAX - 63, true));

    struct tri_message *largest =
        tri_message_new(tri_thread_self(), TRI_MESSAGE_PAYLOAD_MAX, false);
    cr_assert_not_null(largest);
    cr_assert_eq(tri_message_payload_size(largest), TRI_MESSAGE_PAYLOAD_MAX);
    tri_message_free(largest);
}

Test(message, no_memory_for_a_large_one)
{
    struct tri_thread *thread = tri_thread_self();

    tri_memory_hook_set(&no_memory);
    cr_assert_null(tri_message_new(thread, 5000, false));
    tri_memory_hook_set(NULL);
}

static void *free_elsewhere(void *message)
{
    tri_message_free(message);
    return NULL;
}

static void free_on_another_thread(struct tri_message *message)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, free_elsewhere, message), 0);
    pthread_join(thread, NULL);
}

Test(message, any_thread_frees)
{
    for (size_t size = 0; size < 600; size += 50)
        free_on_another_thread(tri_message_new(tri_thread_self(), size, false));
}

/* A thread whose record cannot be made drops a message all the same, and nothing is lost: the
 * block is the next one that is given out where no magazine is at hand. */
Test(message, a_thread_without_a_record_frees)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 40, false);

    tri_memory_hook_set(&no_memory);
    free_on_another_thread(message);
    tri_memory_hook_set(NULL);
    cr_assert_eq((void *)tri_message_new(tri_thread_self(), 40, false), (void *)message);
}
