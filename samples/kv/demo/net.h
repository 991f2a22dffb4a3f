/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_NET_H
#define TROUPE_KV_DEMO_NET_H

/*
 * A client's connection to a server on this machine, driven by poll().
 *
 * Rules
 *   1. Loopback only, and nothing here ever blocks, but net_ask, which has a limit.
 *   2. A connection that broke is closed and stays so until net_connect: its owner decides what
 *      becomes of the commands that were under way.
 */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "resp.h"

struct net {
    int fd;  /* -1: closed */
    bool connecting;
    struct bytes in;
    struct bytes out;
};

void net_open(struct net *net);   /* closed, nothing buffered */
void net_close(struct net *net);  /* what is buffered is forgotten */
void net_free(struct net *net);

/* Starts to connect: 0, or why not. Whether it came about shows in net_serve. */
int net_connect(struct net *net, uint16_t port);

struct pollfd net_wanted(const struct net *net);

/* Does what poll() found possible: 0, or a negative errno when the connection broke. */
int net_serve(struct net *net, short events);

/* The next reply, if there is one: 1, 0, or -EPROTO. It lasts until net_taken says its size. */
long net_reply(const struct net *net, struct resp_reply *ret_reply);
void net_taken(struct net *net, long size);

/* Sends one command and waits for its reply, `limit_ms` at most: 0, or a negative errno. */
int net_ask(struct net *net, const char *const *words, unsigned limit_ms,
            struct resp_reply *ret_reply);

/* A port that was free just now, 0 if there is none. */
uint16_t net_free_port(void);

#endif
