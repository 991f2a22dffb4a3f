/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_MODEL_H
#define TROUPE_KV_DEMO_MODEL_H

/*
 * What a key may hold, as far as a client can know.
 *
 * Why. A write that was answered is there; one whose answer never came (the connection broke, the
 * shard failed) may be there or not, and both are right. Remembering only answered writes would
 * call a correct server wrong; forgetting keys with an open question would miss what it loses. So a
 * key has a set of states: an open write adds what it would have made of each, and an answer leaves
 * only those states from which that very answer follows. When none is left, something that was
 * acknowledged is gone.
 *
 *     states {5}    INCR without an answer    {5, 6}
 *                   INCR answered 7           {7}
 *                   SET a answered OK         {a}
 *
 * Rules
 *   1. One connection alone writes a key, and its commands are told to the model in the order in
 *      which it sent them.
 *   2. No state at all means "not known": everything is allowed until a write settles it. That is
 *      where a loss leaves a key, so that it is counted once.
 *   3. A read narrows nothing: what it saw of an open write need not have reached the disk.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "resp.h"

#define MODEL_STATES_MAX 64u

enum operation_kind {
    OPERATION_GET,
    OPERATION_SET,
    OPERATION_APPEND,
    OPERATION_ADD,     /* INCR, INCRBY, DECR */
    OPERATION_DELETE,
    OPERATION_TAKE     /* GETDEL */
};

struct operation {
    enum operation_kind kind;
    int64_t by;            /* ADD */
    struct text argument;  /* SET, APPEND */
};

struct state {
    bool present;
    struct text value;  /* owned; empty when absent */
};

struct model_key {
    struct state *states;
    unsigned count;
};

void model_open(struct model_key *key);  /* absent, for certain */
void model_close(struct model_key *key);

/* The operation was answered. False: from none of the states does that answer follow; the key is
 * left as it was, to be looked at, and then forgotten. */
bool model_answered(struct model_key *key, const struct operation *op,
                    const struct resp_reply *reply);
void model_forget(struct model_key *key);  /* nothing is known of it any more */

/* The operation's answer never came. */
void model_unanswered(struct model_key *key, const struct operation *op);

/* Exactly one state is possible. */
bool model_certain(const struct model_key *key);

#endif
