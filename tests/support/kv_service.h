/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_KV_SERVICE_H
#define TROUPE_TESTS_SUPPORT_KV_SERVICE_H

/* The key-value service without runtime, sockets and files: one client's session and the shards'
 * stores, driven by hand. What a test writes is what a client would send, and see. */

#include <stdio.h>

#include "kv/log.h"
#include "kv/memory.h"
#include "kv/session.h"
#include "support/test.h"

#define SERVICE_SHARDS_MAX 8

struct service {
    struct kv_settings settings;
    struct kv_session session;
    struct kv_store stores[SERVICE_SHARDS_MAX];
    struct kv_buffer records[SERVICE_SHARDS_MAX]; /* what each shard has written down */
    const char *refusal;
};

__attribute__((unused)) static void service_start(struct service *service, uint32_t shards)
{
    memset(service, 0, sizeof *service);
    service->settings = (struct kv_settings){
        .bind = "127.0.0.1", .dir = ".", .port = 1, .shards = shards, .workers = 1,
        .hash_key = { 1, 2 }, .run_id = "0123456789012345678901234567890123456789",
    };
    for (uint32_t i = 0; i < shards; i++) {
        service->stores[i] = (struct kv_store){
            .hash_key = service->settings.hash_key, .shard = i, .shards = shards,
            .record = &service->records[i], .now = 1000000,
        };
    }
    kv_session_start(&service->session, &service->settings, 7);
}

__attribute__((unused)) static void service_stop(struct service *service)
{
    kv_session_release(&service->session);
    for (uint32_t i = 0; i < service->settings.shards; i++) {
        kv_store_release(&service->stores[i]);
        kv_buffer_release(&service->records[i]);
    }
}

/* One round after another until nothing is complete any more. */
__attribute__((unused)) static void service_run(struct service *service)
{
    struct kv_session *session = &service->session;
    uint64_t mask;

    while ((mask = kv_session_parse(session)) != 0) {
        for (uint64_t left = mask; left != 0; left &= left - 1) {
            uint32_t shard = (uint32_t)__builtin_ctzll(left);
            struct kv_work *work = kv_session_take(session, shard);

            kv_work_run(work, &service->stores[shard], service->refusal);
            kv_session_answered(session, work);
        }
    }
}

__attribute__((unused)) static void service_send(struct service *service, const void *bytes,
                                                 size_t size)
{
    cr_assert(kv_session_feed(&service->session, bytes, size));
    service_run(service);
}

/* What has been replied since the last call, as a string good until the next one. */
__attribute__((unused)) static const char *service_replies(struct service *service)
{
    static char *text;
    struct kv_buffer *output = &service->session.output;

    free(text);
    text = malloc(output->size + 1);
    if (output->size > 0)
        memcpy(text, output->data, output->size);
    text[output->size] = '\0';
    output->size = 0;
    return text;
}

/* Sends an inline command and returns the reply, line breaks as spaces. */
__attribute__((unused)) static const char *service_say(struct service *service, const char *line)
{
    char *reply;

    service_send(service, line, strlen(line));
    service_send(service, "\r\n", 2);
    reply = (char *)(uintptr_t)service_replies(service);
    for (char *c = reply; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : ' ';
    for (char *from = reply, *to = reply;; from++) {
        if (*from != '\r')
            *to++ = *from;
        if (*from == '\0')
            break;
    }
    return reply;
}

#define EXPECT(service, line, reply)                                                           \
    do {                                                                                       \
        const char *got_ = service_say((service), (line));                                     \
        cr_assert(strcmp(got_, (reply)) == 0, "%s: got %s, not %s", (line), got_, (reply));    \
    } while (0)

__attribute__((unused)) static void service_pass_time(struct service *service, int64_t ms)
{
    for (uint32_t i = 0; i < service->settings.shards; i++)
        service->stores[i].now += ms;
}

#endif
