/* SPDX-License-Identifier: BSD-2-Clause */

/* What the service tells about itself: CONFIG and COMMAND. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "catalogue.h"
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

static bool is_pattern(struct kv_slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '*' || text.data[i] == '?' || text.data[i] == '[')
            return true;
    return false;
}

/* One asked for by its name is called as the client spelt it. */
static void parameter(struct parameters *p, const char *name, const char *value)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (!matches(p->patterns[i], name))
            continue;
        kv_reply_bulk(&p->found, is_pattern(p->patterns[i]) ? slice_of(name) : p->patterns[i]);
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

static void find_parameters(struct parameters *p)
{
    const struct kv_settings *settings = p->session->settings;

    parameter(p, "appendfsync", fsync_names[settings->fsync]);
    parameter(p, "appendonly", settings->appendonly ? "yes" : "no");
    parameter(p, "bind", settings->bind);
    parameter(p, "daemonize", "no");
    number_parameter(p, "databases", KV_LOG_DATABASES);
    parameter(p, "dir", settings->dir);
    number_parameter(p, "maxmemory", 0);
    parameter(p, "maxmemory-policy", "noeviction");
    number_parameter(p, "port", settings->port);
    number_parameter(p, "proto-max-bulk-len", KV_RESP_BULK_MAX);
    parameter(p, "save", "");
    number_parameter(p, "shards", settings->shards);
    number_parameter(p, "workers", settings->workers);
}

static void config_get(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    struct parameters p = { .session = session, .patterns = args + 2, .count = count - 2 };

    find_parameters(&p);
    kv_reply_array(&session->local, p.fields);
    kv_buffer_add(&session->local, p.found.data, p.found.size);
    session->local.failed |= p.found.failed;
    kv_buffer_release(&p.found);
}

/* 0: the parameter has this value; -ENOENT: there is none of that name; -EPERM: it has another. */
static int compare_parameter(struct kv_session *session, const struct kv_slice *pair)
{
    struct parameters p = { .session = session, .patterns = pair, .count = 1 };
    struct kv_buffer asked = { 0 };
    int result = -EPERM;

    find_parameters(&p);
    kv_reply_bulk(&asked, pair[0]);
    kv_reply_bulk(&asked, pair[1]);
    if (p.fields != 2 || is_pattern(pair[0]))
        result = -ENOENT;
    else if (asked.size == p.found.size && memcmp(asked.data, p.found.data, asked.size) == 0)
        result = 0;
    kv_buffer_release(&asked);
    kv_buffer_release(&p.found);
    return result;
}

/* Whether the parameter args[at] is named before. */
static bool is_repeated(const struct kv_slice *args, uint32_t at)
{
    char name[64];

    if (args[at].size >= sizeof name)
        return false;
    for (size_t i = 0; i < args[at].size; i++)
        name[i] = (char)tolower((unsigned char)args[at].data[i]);
    name[args[at].size] = '\0';
    for (uint32_t i = 2; i < at; i += 2)
        if (kv_slice_is_word(args[i], name))
            return true;
    return false;
}

/* Nothing can be changed while the service runs: only what is so already may be asked for. */
static void config_set(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    int result = 0;
    uint32_t i;

    if (count % 2 != 0) {
        kv_reply_syntax_error(&session->local);
        return;
    }
    for (i = 2; i < count && result == 0; i += 2)
        result = is_repeated(args, i) ? -EEXIST : compare_parameter(session, args + i);
    int shown = (int)(args[i - 2].size < 128 ? args[i - 2].size : 128);
    if (result == -EEXIST)
        kv_reply_error(&session->local,
                       "ERR CONFIG SET failed (possibly related to argument '%.*s') - duplicate "
                       "parameter", shown, args[i - 2].data);
    else if (result == -ENOENT)
        kv_reply_error(&session->local,
                       "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'", shown,
                       args[i - 2].data);
    else if (result < 0)
        kv_reply_error(&session->local,
                       "ERR CONFIG SET failed (possibly related to argument '%.*s') - can't set "
                       "immutable config", shown, args[i - 2].data);
    else
        kv_reply_ok(&session->local);
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
        { "set", -4, config_set },
        { "resetstat", 2, config_resetstat },
        { NULL, 0, NULL },
    };

    kv_here_sub(session, table, args, count);
}

/* ---- COMMAND ---- */

static void describe_flags(struct kv_buffer *out, const char *flags)
{
    size_t count = flags[0] != '\0';

    for (const char *at = flags; *at != '\0'; at++)
        count += *at == ' ';
    kv_reply_array(out, count);
    while (*flags != '\0') {
        size_t size = strcspn(flags, " ");

        KV_REPLY(out, "+");
        kv_buffer_add(out, flags, size);
        KV_REPLY(out, "\r\n");
        flags += size + (flags[size] == ' ');
    }
}

/* As redis describes a command: ten fields, of which the last four are empty here. */
static void describe(struct kv_buffer *out, const struct kv_command *command)
{
    kv_reply_array(out, 10);
    kv_reply_bulk(out, slice_of(command->name));
    kv_reply_number(out, command->arity);
    describe_flags(out, kv_catalogue_flags(command->name));
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

/* FILTERBY: a pattern of names; of the categories, those two that tell what a command does to keys.
 * There are no modules. */
static bool is_listed(const struct kv_command *command, const struct kv_slice *filter)
{
    if (filter == NULL)
        return true;
    if (kv_slice_is_word(filter[0], "pattern"))
        return matches(filter[1], command->name);
    if (kv_slice_is_word(filter[0], "aclcat"))
        return kv_slice_is_word(filter[1], command->writes ? "write" : "read")
               && command->first_key > 0;
    return false;
}

static void command_list(struct kv_session *session, const struct kv_slice *args, uint32_t count)
{
    const struct kv_slice *filter = count == 5 ? args + 3 : NULL;
    struct kv_buffer found = { 0 };
    size_t length = 0;

    if (count != 2 && (filter == NULL || !kv_slice_is_word(args[2], "filterby") ||
                       (!kv_slice_is_word(filter[0], "module") &&
                        !kv_slice_is_word(filter[0], "aclcat") &&
                        !kv_slice_is_word(filter[0], "pattern")))) {
        kv_reply_syntax_error(&session->local);
        return;
    }
    for (uint32_t i = 0; i < kv_command_count(); i++) {
        const struct kv_command *command = kv_command_at((uint8_t)i);

        if (!is_listed(command, filter))
            continue;
        kv_reply_bulk(&found, slice_of(command->name));
        length++;
    }
    kv_reply_array(&session->local, length);
    kv_buffer_add(&session->local, found.data, found.size);
    session->local.failed |= found.failed;
    kv_buffer_release(&found);
}

/* The keys among the words of a command that is not run. */
static void command_getkeys(struct kv_session *session, const struct kv_slice *args,
                            uint32_t count)
{
    const struct kv_command *command = kv_command_find(args[2]);
    uint32_t words = count - 2;

    if (command == NULL) {
        KV_REPLY(&session->local, "-ERR Invalid command specified\r\n");
    } else if (command->first_key == 0) {
        KV_REPLY(&session->local, "-ERR The command has no key arguments\r\n");
    } else if (!kv_command_accepts(command, words)) {
        KV_REPLY(&session->local, "-ERR Invalid number of arguments specified for command\r\n");
    } else {
        uint32_t step = (uint32_t)command->step;
        uint32_t last = command->last_key < 0 ? words - 1 : (uint32_t)command->last_key;

        kv_reply_array(&session->local, (last - 1) / step + 1);
        for (uint32_t i = 1; i <= last; i += step)
            kv_reply_bulk(&session->local, args[2 + i]);
    }
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
        { "getkeys", -4, command_getkeys },
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
