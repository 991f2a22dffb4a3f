/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_RESP_H
#define TROUPE_KV_DEMO_RESP_H

/* The client's side of RESP2: commands written, replies read. Pure: no sockets here. */

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum resp_kind { RESP_STATUS, RESP_ERROR, RESP_INTEGER, RESP_BULK, RESP_NIL, RESP_ARRAY };

struct resp_reply {
    enum resp_kind kind;
    int64_t integer;   /* an integer's value; an array's length */
    struct text text;  /* a status, an error, a bulk; the bytes of an array's elements */
};

/*
 * Reads the reply at the front of `data`.
 *
 * How many bytes it takes; 0: it is not all there yet; -EPROTO: it is none. The reply's text points
 * into `data`. An array's elements are read from its text, one after the other, in the same way.
 */
long resp_parse(const char *data, size_t size, struct resp_reply *ret_reply);

/* A command as the array of bulks that every client library sends. */
void resp_command(struct bytes *bytes, const struct text *words, size_t count);

#endif
