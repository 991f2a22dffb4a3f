/* SPDX-License-Identifier: BSD-2-Clause */

#include "here.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "copy.h"
#include "number.h"
#include "reply.h"
#include "session.h"

#define UNUSED __attribute__((unused))

/* ---- subcommands ---- */

/* In lower case, for errors. */
static void lower_name(struct kv_slice name, char text[32])
{
    size_t i;

    for (i = 0; i < name.size && i < 31; i++)
        text[i] = (char)tolower((unsigned char)name.data[i]);
    text[i] = '\0';
}

static bool accepts(const struct kv_subcommand *sub, uint32_t count)
{
    return sub->arity >= 0 ? count == (uint32_t)sub->arity : count >= (uint32_t)-sub->arity;
}

void kv_here_sub(struct kv_session *session, const struct kv_subcommand *table,
                 const struct kv_slice *args, uint32_t count)
{
    const struct kv_subcommand *sub = table;
    char command[32];
    char full[64];

    lower_name(args[0], command);
    while (sub->name != NULL && !kv_slice_is_word(args[1], sub->name))
        sub++;
    session->container = session->command;
    session->subcommand = sub->name;
    if (sub->name == NULL) {
        for (char *c = command; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        kv_reply_error(&session->local, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                       (int)(args[1].size < 128 ? args[1].size : 128), args[1].data, command);
    } else if (!accepts(sub, count)) {
        snprintf(full, sizeof full, "%s|%s", command, sub->name);
        kv_reply_arity_error(&session->local, full);
    } else {
        sub->run(session, args, count);
    }
}

/* ---- the connection ---- */

void kv_here_ping(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    if (count > 2)
        kv_reply_arity_error(&session->local, "ping");
    else if (count == 2)
        kv_reply_bulk(&session->local, args[1]);
    else
        KV_REPLY(&session->local, "+PONG\r\n");
}

void kv_here_echo(struct kv_session *session, const struct kv_slice *args, UNUSED uint32_t count)
{
    kv_reply_bulk(&session->local, args[1]);
}

void kv_here_quit(struct kv_session *session, UNUSED const struct kv_slice *args,
                  UNUSED uint32_t count)
{
    kv_reply_ok(&session->local);
    session->closing = true;
}

void kv_here_select(struct kv_session *session, const struct kv_slice *args, UNUSED uint32_t count)
{
    if (kv_read_database(args[1], &session->local, &session->database))
        kv_reply_ok(&session->local);
}

void kv_here_time(struct kv_session *session, UNUSED const struct kv_slice *args,
                  UNUSED uint32_t count)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    kv_reply_array(&session->local, 2);
    kv_reply_bulk_number(&session->local, now.tv_sec);
    kv_reply_bulk_number(&session->local, now.tv_nsec / 1000);
}

bool kv_here_set_name(struct kv_session *session, struct kv_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '!' || name.data[i] > '~') {
            KV_REPLY(&session->local, "-ERR Client names cannot contain spaces, newlines or "
                                      "special characters.\r\n");
            return false;
        }
    }
    if (name.size >= sizeof session->name) {
        kv_reply_error(&session->local, "ERR Client names have at most %zu characters",
                       sizeof session->name - 1);
        return false;
    }
    memcpy(session->name, name.data, name.size);
    session->name[name.size] = '\0';
    return true;
}

/* There are no users but the default one, who needs no password. */
static bool hello_options(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    for (uint32_t i = 2; i < count; i++) {
        uint32_t more = count - 1 - i;

        if (more >= 2 && kv_slice_is_word(args[i], "auth")) {
            if (!kv_slice_equal(args[i + 1], KV_SLICE("default"))) {
                KV_REPLY(&session->local, "-WRONGPASS invalid username-password pair or user is "
                                          "disabled.\r\n");
                return false;
            }
            i += 2;
        } else if (more >= 1 && kv_slice_is_word(args[i], "setname")) {
            if (!kv_here_set_name(session, args[++i]))
                return false;
        } else {
            kv_reply_error(&session->local, "ERR Syntax error in HELLO option '%.*s'",
                           (int)(args[i].size < 64 ? args[i].size : 64), args[i].data);
            return false;
        }
    }
    return true;
}

/* The second version of the protocol is all there is. */
void kv_here_hello(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    struct kv_buffer *out = &session->local;
    int64_t version = 2;

    if (count > 1 && !kv_number_parse(args[1].data, args[1].size, &version)) {
        KV_REPLY(out, "-ERR Protocol version is not an integer or out of range\r\n");
        return;
    }
    if (version != 2) {
        KV_REPLY(out, "-NOPROTO unsupported protocol version\r\n");
        return;
    }
    if (!hello_options(session, args, count))
        return;
    kv_reply_array(out, 14);
    kv_reply_bulk(out, KV_SLICE("server"));
    kv_reply_bulk(out, KV_SLICE("redis"));
    kv_reply_bulk(out, KV_SLICE("version"));
    kv_reply_bulk(out, KV_SLICE("7.0.15"));
    kv_reply_bulk(out, KV_SLICE("proto"));
    kv_reply_number(out, 2);
    kv_reply_bulk(out, KV_SLICE("id"));
    kv_reply_number(out, (int64_t)session->id);
    kv_reply_bulk(out, KV_SLICE("mode"));
    kv_reply_bulk(out, KV_SLICE("standalone"));
    kv_reply_bulk(out, KV_SLICE("role"));
    kv_reply_bulk(out, KV_SLICE("master"));
    kv_reply_bulk(out, KV_SLICE("modules"));
    kv_reply_array(out, 0);
}

void kv_here_reset(struct kv_session *session, UNUSED const struct kv_slice *args,
                   UNUSED uint32_t count)
{
    session->database = 0;
    session->name[0] = '\0';
    session->silent = session->mute = false;
    KV_REPLY(&session->local, "+RESET\r\n");
}

/* ---- acting on the service, when the round is over ---- */

void kv_here_crash(struct kv_session *session, const struct kv_slice *args, UNUSED uint32_t count)
{
    int64_t shard;

    if (!kv_number_parse(args[1].data, args[1].size, &shard)) {
        kv_reply_not_a_number(&session->local);
    } else if (shard < 0 || shard >= session->settings->shards) {
        kv_reply_error(&session->local, "ERR there are shards 0 to %u",
                       session->settings->shards - 1);
    } else {
        session->crash = (uint32_t)shard;
        kv_reply_ok(&session->local);
    }
}

/* The end of the connection is the reply. */
void kv_here_shutdown(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (!kv_slice_is_word(args[i], "nosave") && !kv_slice_is_word(args[i], "save") &&
            !kv_slice_is_word(args[i], "now") && !kv_slice_is_word(args[i], "force")) {
            kv_reply_syntax_error(&session->local);
            return;
        }
    }
    session->shutdown = true;
    session->closing = true;
}
