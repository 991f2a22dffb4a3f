/* SPDX-License-Identifier: BSD-2-Clause */

/* OBJECT, whose subcommands the shards run, and the few things of DEBUG that make sense here. */

#include "command.h"
#include "here.h"
#include "reply.h"
#include "session.h"

#define UNUSED __attribute__((unused))

/* ---- OBJECT ---- */

static void object_encoding(struct kv_session *session, UNUSED const struct kv_slice *args,
                            UNUSED uint32_t count)
{
    session->instead = kv_command_hidden(KV_HIDDEN_ENCODING);
}

static void object_freq(struct kv_session *session, UNUSED const struct kv_slice *args,
                        UNUSED uint32_t count)
{
    session->instead = kv_command_hidden(KV_HIDDEN_FREQ);
}

static void object_idletime(struct kv_session *session, UNUSED const struct kv_slice *args,
                            UNUSED uint32_t count)
{
    session->instead = kv_command_hidden(KV_HIDDEN_IDLETIME);
}

static void object_refcount(struct kv_session *session, UNUSED const struct kv_slice *args,
                            UNUSED uint32_t count)
{
    session->instead = kv_command_hidden(KV_HIDDEN_REFCOUNT);
}

void kv_here_object(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "encoding", 3, object_encoding },
        { "freq", 3, object_freq },
        { "idletime", 3, object_idletime },
        { "refcount", 3, object_refcount },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}

/* ---- DEBUG ---- */

static void debug_set_active_expire(struct kv_session *session, UNUSED const struct kv_slice *args,
                                    UNUSED uint32_t count)
{
    session->instead = kv_command_hidden(KV_HIDDEN_ACTIVE_EXPIRE);
}

/* Every shard begins again from its log, when all that this client has asked for is in it. */
static void debug_loadaof(struct kv_session *session, UNUSED const struct kv_slice *args,
                          UNUSED uint32_t count)
{
    if (!session->settings->appendonly) {
        KV_REPLY(&session->local, "-ERR there are no logs to load\r\n");
        return;
    }
    session->crash = KV_CRASH_ALL;
    kv_reply_ok(&session->local);
}

void kv_here_debug(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "set-active-expire", 3, debug_set_active_expire },
        { "loadaof", 2, debug_loadaof },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}
