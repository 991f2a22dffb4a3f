/* SPDX-License-Identifier: BSD-2-Clause */

/* What the service tells about itself: CONFIG and COMMAND. */

#include <ctype.h>
#include <stdio.h>

#include "command.h"
#include "glob.h"
#include "here.h"
#include "reply.h"
#include "session.h"

#define UNUSED __attribute__((unused))

static struct kv_slice slice_of(const char *text)
{
    return (struct kv_slice){ text, strlen(text) };
}

/* ---- CONFIG ---- */

static const char *const fsync_names[] = {
    [KV_FSYNC_NO] = "no", [KV_FSYNC_EVERYSEC] = "everysec", [KV_FSYNC_ALWAYS] = "always",
};

struct parameters {
    struct kv_session *session;
    const struct kv_slice *patterns;
    uint32_t count;
    struct kv_buffer found;
    size_t fields;
};

/* The names are in lower case, a pattern may be in any. */
static bool matches(struct kv_slice pattern, const char *name)
{
    char lower[64];

    if (pattern.size > sizeof lower)
        return false;
    for (size_t i = 0; i < pattern.size; i++)
        lower[i] = (char)tolower((unsigned char)pattern.data[i]);
    return kv_glob((struct kv_slice){ lower, pattern.size }, slice_of(name));
}

static void parameter(struct parameters *p, const char *name, const char *value)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (!matches(p->patterns[i], name))
            continue;
        kv_reply_bulk(&p->found, slice_of(name));
        kv_reply_bulk(&p->found, slice_of(value));
        p->fields += 2;
        return;
    }
}

static void number_parameter(struct parameters *p, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    parameter(p, name, text);
}

static void config_get(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    const struct kv_settings *settings = session->settings;
    struct parameters p = { .session = session, .patterns = args + 2, .count = count - 2 };

    parameter(&p, "appendfsync", fsync_names[settings->fsync]);
    parameter(&p, "appendonly", settings->appendonly ? "yes" : "no");
    parameter(&p, "bind", settings->bind);
    number_parameter(&p, "databases", KV_LOG_DATABASES);
    parameter(&p, "dir", settings->dir);
    number_parameter(&p, "maxmemory", 0);
    parameter(&p, "maxmemory-policy", "noeviction");
    number_parameter(&p, "port", settings->port);
    number_parameter(&p, "proto-max-bulk-len", KV_RESP_BULK_MAX);
    parameter(&p, "save", "");
    number_parameter(&p, "shards", settings->shards);
    number_parameter(&p, "workers", settings->workers);
    kv_reply_array(&session->local, p.fields);
    kv_buffer_add(&session->local, p.found.data, p.found.size);
    session->local.failed |= p.found.failed;
    kv_buffer_release(&p.found);
}

static void config_resetstat(struct kv_session *session, UNUSED const struct kv_slice *args,
                             UNUSED uint32_t count)
{
    kv_reply_ok(&session->local);
}

void kv_here_config(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "get", -3, config_get },
        { "resetstat", 2, config_resetstat },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}

/* ---- COMMAND ---- */

/* As redis describes a command: ten fields, of which the last four are empty here. */
static void describe(struct kv_buffer *out, const struct kv_command *command)
{
    kv_reply_array(out, 10);
    kv_reply_bulk(out, slice_of(command->name));
    kv_reply_number(out, command->arity);
    kv_reply_array(out, 1);
    if (command->writes)
        KV_REPLY(out, "+write\r\n");
    else
        KV_REPLY(out, "+readonly\r\n");
    kv_reply_number(out, command->first_key);
    kv_reply_number(out, command->last_key);
    kv_reply_number(out, command->step);
    for (unsigned i = 0; i < 4; i++)
        kv_reply_array(out, 0);
}

static void describe_all(struct kv_session *session)
{
    kv_reply_array(&session->local, kv_command_count());
    for (uint32_t i = 0; i < kv_command_count(); i++)
        describe(&session->local, kv_command_at((uint8_t)i));
}

static void command_count(struct kv_session *session, UNUSED const struct kv_slice *args,
                          UNUSED uint32_t count)
{
    kv_reply_number(&session->local, kv_command_count());
}

static void command_info(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    if (count == 2) {
        describe_all(session);
        return;
    }
    kv_reply_array(&session->local, count - 2);
    for (uint32_t i = 2; i < count; i++) {
        const struct kv_command *command = kv_command_find(args[i]);

        if (command != NULL)
            describe(&session->local, command);
        else
            KV_REPLY(&session->local, "*-1\r\n");
    }
}

static void command_list(struct kv_session *session, UNUSED const struct kv_slice *args,
                         UNUSED uint32_t count)
{
    kv_reply_array(&session->local, kv_command_count());
    for (uint32_t i = 0; i < kv_command_count(); i++)
        kv_reply_bulk(&session->local, slice_of(kv_command_at((uint8_t)i)->name));
}

/* There are none to tell; clients that ask for them at their start go on without. */
static void command_docs(struct kv_session *session, UNUSED const struct kv_slice *args,
                         UNUSED uint32_t count)
{
    kv_reply_array(&session->local, 0);
}

void kv_here_command(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "count", 2, command_count },
        { "info", -2, command_info },
        { "list", -2, command_list },
        { "docs", -2, command_docs },
        { NULL, 0, NULL },
    };

    if (count == 1)
        describe_all(session);
    else
        kv_here_sub(session, table, args, count);
}

/* ---- FUNCTION ---- */

static void function_flush(struct kv_session *session, UNUSED const struct kv_slice *args,
                           UNUSED uint32_t count)
{
    kv_reply_ok(&session->local);
}

/* There are no functions; flushing them is what test suites begin with. */
void kv_here_function(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    static const struct kv_subcommand table[] = {
        { "flush", -2, function_flush },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}
