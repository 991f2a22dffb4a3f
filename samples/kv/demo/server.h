/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_SERVER_H
#define TROUPE_KV_DEMO_SERVER_H

/*
 * The server under test: started on a free loopback port, ended in one way or another.
 *
 * Anything else that speaks the protocol can take its place: a program called redis-server is
 * started with the options that Redis has for the same, which shows whether a driver is right.
 */

#include <stdbool.h>
#include <stdint.h>

#include "child.h"

#define SERVER_PATH_MAX 512u

struct server {
    char program[SERVER_PATH_MAX];
    char folder[SERVER_PATH_MAX];  /* its data */
    char log[SERVER_PATH_MAX];     /* what it says */
    const char *appendonly;        /* "yes" or "no" */
    const char *appendfsync;       /* "always", "everysec", "no" */
    unsigned shards;               /* 0: its own default */
    uint16_t port;                 /* 0: a free one, found at the first start and kept */
    const char *const *variables;  /* for its environment, or NULL */
    struct child child;
};

/* Where `name` lies, or, without a name, the service: beside this program, below it, in PATH. */
bool server_find(struct server *server, const char *name);

bool server_is_redis(const struct server *server);

/* Starts it and waits until it answers: 0, or a negative errno with the reason on stderr. */
int server_start(struct server *server);

/* Only starts it: it may not answer yet. The port must have been chosen. */
int server_spawn(struct server *server);

/* An orderly stop; false: it had to be killed, or ended with an error. */
bool server_stop(struct server *server);

/* kill -9 */
void server_kill(struct server *server);

#endif
