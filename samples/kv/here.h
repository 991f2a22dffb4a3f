/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_HERE_H
#define KV_HERE_H

/* The commands that a connection answers itself, into its session's `local`. */

#include "buffer.h"

struct kv_session;

void kv_here_ping(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_echo(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_quit(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_select(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_hello(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_reset(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_crash(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_shutdown(struct kv_session *session, const struct kv_slice *args, uint32_t count);

/* Names the connection; false: the error is in `local`. */
bool kv_here_set_name(struct kv_session *session, struct kv_slice name);

/* client.c */
void kv_here_client(struct kv_session *session, const struct kv_slice *args, uint32_t count);

void kv_here_time(struct kv_session *session, const struct kv_slice *args, uint32_t count);

/* debug.c */
void kv_here_object(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_debug(struct kv_session *session, const struct kv_slice *args, uint32_t count);

/* about.c: the service and its commands */
void kv_here_config(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_command(struct kv_session *session, const struct kv_slice *args, uint32_t count);
void kv_here_function(struct kv_session *session, const struct kv_slice *args, uint32_t count);

/* A command with subcommands: its name, for errors, and theirs. */
struct kv_subcommand {
    const char *name;
    int8_t arity;      /* with both names; negative: at least */
    void (*run)(struct kv_session *session, const struct kv_slice *args, uint32_t count);
};

/* Runs the one that args[1] names; the table ends with a zero entry. */
void kv_here_sub(struct kv_session *session, const struct kv_subcommand *table,
                 const struct kv_slice *args, uint32_t count);

#endif
