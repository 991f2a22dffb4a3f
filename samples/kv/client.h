/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_CLIENT_H
#define KV_CLIENT_H

/*
 * CLIENT: what a connection says of itself, and what it wants of all clients.
 *
 * Why. Who else is there, a session cannot know: CLIENT LIST and KILL become a wish, which ends the
 * round. When all commands before it have been answered the connection has the wish served, by
 * clients.c, and writes the reply.
 *
 * Partners: session.h holds a wish; connection.c serves it; clients.c asks the others.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/io.h>

#include "buffer.h"

struct kv_session;
struct kv_settings;

#define KV_ADDRESS_MAX 56  /* "[host]:port" */

enum kv_wish_kind {
    KV_WISH_NONE,
    KV_WISH_INFO,
    KV_WISH_LIST,
    KV_WISH_KILL,
    KV_WISH_KILL_ADDRESS,  /* the old form: the reply is OK or an error */
};

/* Whom a wish is about: all those who are all of this. */
struct kv_filter {
    uint64_t asker;
    bool kill;
    bool skip_asker;
    char peer[KV_ADDRESS_MAX];   /* "": any */
    char local[KV_ADDRESS_MAX];
};

struct kv_wish {
    uint8_t kind;
    bool by_id;                  /* only those in `ids`, in that order */
    bool mute;
    size_t read;                 /* bytes of the commands it was read with */
    struct kv_filter filter;
    struct kv_buffer ids;        /* of uint64_t */
};

/* What a session does not know of itself. */
struct kv_client_facts {
    char peer[KV_ADDRESS_MAX];
    char local[KV_ADDRESS_MAX];
    uint64_t age, idle;          /* seconds */
};

/* clients.c: how many there are; 0 before the service runs. */
uint64_t kv_clients_count(const struct kv_settings *settings);

void kv_address_write(char text[KV_ADDRESS_MAX], const tr_address *address);

/* One line, as CLIENT LIST has it. */
void kv_client_describe(const struct kv_session *session, const struct kv_client_facts *facts,
                        struct kv_buffer *out);

bool kv_client_matches(const struct kv_session *session, const struct kv_client_facts *facts,
                       const struct kv_filter *filter);

/* The reply to the session's wish, into its output; `lines` or `killed` as the wish is. */
void kv_client_reply(struct kv_session *session, struct kv_slice lines, uint64_t killed);

/* The same when nobody could be asked. */
void kv_client_reply_failed(struct kv_session *session, int error);

#endif
