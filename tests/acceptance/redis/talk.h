/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_REDIS_TALK_H
#define TROUPE_TESTS_REDIS_TALK_H

/*
 * A blunt client: sends any bytes, in any portions, and reads what comes.
 *
 * Why not net.h of the demo: a server that refuses what it is sent closes the connection while
 * there is more to send, and its last words are still to be read then.
 *
 * Every call has a limit of TALK_LIMIT_MS.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "resp.h"

#define TALK_LIMIT_MS 10000u

struct talk {
    int fd;
    struct bytes in;
    size_t taken;  /* of `in`: the last reply, which lasts until the next one is read */
};

/* With a receive buffer of so many bytes; 0: the usual. */
bool talk_open(struct talk *talk, uint16_t port, int receive_bytes);
void talk_close(struct talk *talk);
void talk_reset(struct talk *talk);   /* the rude way */
void talk_finish(struct talk *talk);  /* no more will be sent */

/* False: the server does not take it, or not in time. */
bool talk_send(struct talk *talk, const void *data, size_t size);

/* Sends as much as goes without waiting: how many bytes; -1: the connection is broken. */
long talk_send_some(struct talk *talk, const void *data, size_t size);

/* 0: a reply; -ECONNRESET: the connection ended; -ETIMEDOUT: nothing came; -EPROTO: no reply. */
int talk_reply(struct talk *talk, struct resp_reply *ret_reply);

/* One command in words, and its reply. */
int talk_ask(struct talk *talk, const char *const *words, struct resp_reply *ret_reply);

#endif
