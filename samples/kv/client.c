/* SPDX-License-Identifier: BSD-2-Clause */

/* See client.h. Which options there are, in which order they are checked, and the texts of errors
 * are those of Redis 7.0. */

#include "client.h"

#include <errno.h>
#include <stdio.h>

#include "command.h"
#include "here.h"
#include "number.h"
#include "reply.h"
#include "session.h"

#define UNUSED __attribute__((unused))

/* ---- the connection itself ---- */

static void client_id(struct kv_session *session, UNUSED const struct kv_slice *args,
                      UNUSED uint32_t count)
{
    kv_reply_number(&session->local, (int64_t)session->id);
}

static void client_getname(struct kv_session *session, UNUSED const struct kv_slice *args,
                           UNUSED uint32_t count)
{
    if (session->name[0] == '\0')
        kv_reply_null(&session->local);
    else
        kv_reply_bulk(&session->local, (struct kv_slice){ session->name, strlen(session->name) });
}

static void client_setname(struct kv_session *session, const struct kv_slice *args,
                           UNUSED uint32_t count)
{
    if (kv_here_set_name(session, args[2]))
        kv_reply_ok(&session->local);
}

/* ON is answered; OFF and SKIP are not, nor is what they say is not to be. */
static void client_reply(struct kv_session *session, const struct kv_slice *args,
                         UNUSED uint32_t count)
{
    if (kv_slice_is_word(args[2], "on")) {
        session->silent = session->mute = false;
        kv_reply_ok(&session->local);
    } else if (kv_slice_is_word(args[2], "off")) {
        session->silent = true;
    } else if (kv_slice_is_word(args[2], "skip")) {
        session->skip = true;
    } else {
        kv_reply_syntax_error(&session->local);
    }
}

/* Nothing is ever evicted. */
static void client_switch(struct kv_session *session, const struct kv_slice *args,
                          UNUSED uint32_t count)
{
    if (kv_slice_is_word(args[2], "on") || kv_slice_is_word(args[2], "off"))
        kv_reply_ok(&session->local);
    else
        kv_reply_syntax_error(&session->local);
}

/* What makes no difference here is accepted: clients send it unasked. */
static void client_accepted(struct kv_session *session, UNUSED const struct kv_slice *args,
                            UNUSED uint32_t count)
{
    kv_reply_ok(&session->local);
}

/* ---- wishes ---- */

static struct kv_wish *begin_wish(struct kv_session *session)
{
    struct kv_wish *wish = &session->wish;

    kv_buffer_clear(&wish->ids, 0);
    *wish = (struct kv_wish){ .ids = wish->ids, .read = session->input.size,
                              .mute = session->mute, .filter.asker = session->id };
    return wish;
}

static void client_info(struct kv_session *session, UNUSED const struct kv_slice *args,
                        UNUSED uint32_t count)
{
    begin_wish(session)->kind = KV_WISH_INFO;
}

static void add_id(struct kv_wish *wish, int64_t id)
{
    wish->by_id = true;
    kv_buffer_add(&wish->ids, &id, sizeof id);
}

/* All clients are normal ones: of other types there is nobody, which is an empty list of ids. */
static bool read_type(struct kv_session *session, struct kv_slice type)
{
    if (kv_slice_is_word(type, "normal"))
        return true;
    if (kv_slice_is_word(type, "master") || kv_slice_is_word(type, "slave") ||
        kv_slice_is_word(type, "replica") || kv_slice_is_word(type, "pubsub")) {
        session->wish.by_id = true;
        return true;
    }
    kv_reply_error(&session->local, "ERR Unknown client type '%.*s'",
                   (int)(type.size < 128 ? type.size : 128), type.data);
    return false;
}

static bool read_ids(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t id;

        if (!kv_number_parse(args[i].data, args[i].size, &id)) {
            KV_REPLY(&session->local, "-ERR Invalid client ID\r\n");
            return false;
        }
        add_id(&session->wish, id);
    }
    return true;
}

static void client_list(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    struct kv_wish *wish = begin_wish(session);

    if (count == 4 && kv_slice_is_word(args[2], "type")) {
        if (!read_type(session, args[3]))
            return;
    } else if (count > 3 && kv_slice_is_word(args[2], "id")) {
        if (!read_ids(session, args + 3, count - 3))
            return;
    } else if (count != 2) {
        kv_reply_syntax_error(&session->local);
        return;
    }
    wish->kind = KV_WISH_LIST;
}

/* An address that is longer than any is nobody's. */
static bool read_address(struct kv_wish *wish, char to[KV_ADDRESS_MAX], struct kv_slice address)
{
    if (address.size == 0 || address.size >= KV_ADDRESS_MAX) {
        wish->by_id = true;
        return true;
    }
    memcpy(to, address.data, address.size);
    to[address.size] = '\0';
    return true;
}

/* There are no users but one. */
static bool read_user(struct kv_session *session, struct kv_slice user)
{
    if (kv_slice_equal(user, KV_SLICE("default")))
        return true;
    kv_reply_error(&session->local, "ERR No such user '%.*s'",
                   (int)(user.size < 128 ? user.size : 128), user.data);
    return false;
}

static bool read_skip_me(struct kv_session *session, struct kv_slice value)
{
    session->wish.filter.skip_asker = kv_slice_is_word(value, "yes");
    if (session->wish.filter.skip_asker || kv_slice_is_word(value, "no"))
        return true;
    kv_reply_syntax_error(&session->local);
    return false;
}

static bool read_kill_id(struct kv_session *session, struct kv_slice text, int64_t *ret_id)
{
    if (kv_number_parse(text.data, text.size, ret_id) && *ret_id > 0)
        return true;
    KV_REPLY(&session->local, "-ERR client-id should be greater than 0\r\n");
    return false;
}

/* One option of KILL and its value; false: the error is in the reply. */
static bool read_kill_option(struct kv_session *session, struct kv_slice option,
                             struct kv_slice value, int64_t *id)
{
    struct kv_wish *wish = &session->wish;

    if (kv_slice_is_word(option, "id"))
        return read_kill_id(session, value, id);
    if (kv_slice_is_word(option, "type"))
        return read_type(session, value);
    if (kv_slice_is_word(option, "user"))
        return read_user(session, value);
    if (kv_slice_is_word(option, "skipme"))
        return read_skip_me(session, value);
    if (kv_slice_is_word(option, "addr"))
        return read_address(wish, wish->filter.peer, value);
    if (kv_slice_is_word(option, "laddr"))
        return read_address(wish, wish->filter.local, value);
    kv_reply_syntax_error(&session->local);
    return false;
}

static void client_kill(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    struct kv_wish *wish = begin_wish(session);
    int64_t id = 0;

    wish->filter.kill = true;
    if (count == 3) {
        read_address(wish, wish->filter.peer, args[2]);
        wish->kind = KV_WISH_KILL_ADDRESS;
        return;
    }
    wish->filter.skip_asker = true;
    for (uint32_t i = 2; i + 1 < count; i += 2)
        if (!read_kill_option(session, args[i], args[i + 1], &id))
            return;
    if (count % 2 != 0) {
        kv_reply_syntax_error(&session->local);
        return;
    }
    if (id != 0 && !wish->by_id)
        add_id(wish, id);
    wish->kind = KV_WISH_KILL;
}

void kv_here_client(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "id", 2, client_id },
        { "getname", 2, client_getname },
        { "setname", 3, client_setname },
        { "setinfo", 4, client_accepted },
        { "no-evict", 3, client_switch },
        { "no-touch", 3, client_switch },
        { "reply", 3, client_reply },
        { "info", 2, client_info },
        { "list", -2, client_list },
        { "kill", -3, client_kill },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}

/* ---- serving them ---- */

void kv_address_write(char text[KV_ADDRESS_MAX], const tr_address *address)
{
    bool has_colons = strchr(address->host, ':') != NULL;

    snprintf(text, KV_ADDRESS_MAX, has_colons ? "[%s]:%u" : "%s:%u", address->host, address->port);
}

/* What there is none of here is 0, as for a client of redis that uses none of it. */
void kv_client_describe(const struct kv_session *session, const struct kv_client_facts *facts,
                        struct kv_buffer *out)
{
    const struct kv_buffer *input = &session->input;
    size_t read = session->wish.kind != KV_WISH_NONE ? session->wish.read : input->size;
    const char *sub = session->container == session->command ? session->subcommand : NULL;
    char text[640];
    int size = snprintf(
        text, sizeof text,
        "id=%llu addr=%s laddr=%s fd=-1 name=%s age=%llu idle=%llu flags=N db=%u sub=0 psub=0 "
        "ssub=0 multi=-1 qbuf=%zu qbuf-free=%zu argv-mem=0 multi-mem=0 rbs=%zu rbp=%zu obl=0 oll=0 "
        "omem=0 tot-mem=%zu events=r cmd=%s%s%s user=default redir=-1 resp=2\n",
        (unsigned long long)session->id, facts->peer, facts->local, session->name,
        (unsigned long long)facts->age, (unsigned long long)facts->idle, session->database, read,
        input->capacity > read ? input->capacity - read : 0, session->output.capacity,
        session->output.size, sizeof *session + input->capacity + session->output.capacity,
        session->command == NULL ? "NULL" : session->command->name, sub == NULL ? "" : "|",
        sub == NULL ? "" : sub);

    kv_buffer_add(out, text, (size_t)size);
}

bool kv_client_matches(const struct kv_session *session, const struct kv_client_facts *facts,
                       const struct kv_filter *filter)
{
    if (filter->skip_asker && filter->asker == session->id)
        return false;
    if (filter->peer[0] != '\0' && strcmp(filter->peer, facts->peer) != 0)
        return false;
    return filter->local[0] == '\0' || strcmp(filter->local, facts->local) == 0;
}

static void end_wish(struct kv_session *session)
{
    session->wish.kind = KV_WISH_NONE;
    kv_buffer_release(&session->wish.ids);
}

void kv_client_reply(struct kv_session *session, struct kv_slice lines, uint64_t killed)
{
    struct kv_buffer *out = &session->output;

    if (session->wish.mute)
        ;
    else if (!session->wish.filter.kill)
        kv_reply_bulk(out, lines);
    else if (session->wish.kind == KV_WISH_KILL)
        kv_reply_number(out, (int64_t)killed);
    else if (killed > 0)
        kv_reply_ok(out);
    else
        KV_REPLY(out, "-ERR No such client\r\n");
    end_wish(session);
}

void kv_client_reply_failed(struct kv_session *session, int error)
{
    if (!session->wish.mute)
        kv_reply_error(&session->output, "ERR the clients cannot be asked: error %d", -error);
    end_wish(session);
}
