/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_CHECKER_H
#define TROUPE_KV_DEMO_CHECKER_H

/*
 * A client that remembers every write it was given an answer to, and holds the server to it.
 *
 * Why. A benchmark shows that a server answers, not that it keeps its word. This client writes
 * through several connections, each with keys of its own, in batches; every answer is held against
 * what the key may hold (model.h), so a write that got lost shows at the next command on its key,
 * or at the verification at the end.
 *
 *                      checker_load        checker_drain        checker_verify
 *     what it sends    batches of writes   nothing more         one GET for each key
 *     checker_done     never               nothing under way    each key was answered
 *
 * Rules
 *   1. Driven by poll(): checker_wanted, poll, checker_serve. One thread.
 *   2. A connection that broke comes back by itself; what was under way on it is unanswered.
 *   3. An error is no answer: the write may have happened. It counts as refused.
 */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

#define CHECKER_CONNECTIONS_MAX 64u
#define CHECKER_SHOWN_MAX       5u
#define CHECKER_LINE_MAX        256u

struct checker_options {
    uint16_t port;
    unsigned connections;
    unsigned keys;      /* of each connection */
    unsigned pipeline;  /* commands in a batch, at most */
    uint64_t seed;
};

struct checker_counts {
    uint64_t sent;
    uint64_t answered;    /* commands */
    uint64_t written;     /* writes that were acknowledged, by key */
    uint64_t refused;     /* commands answered with an error */
    uint64_t unanswered;  /* commands whose connection broke, or that took too long */
    uint64_t broken;      /* connections that broke */
    uint64_t stalled;     /* connections given up because no answer came */
    uint64_t malformed;   /* replies that are none */
    uint64_t lost;        /* keys found to hold what no acknowledged write left there */
    uint64_t verified;    /* keys, by the last checker_verify */
};

struct checker {
    struct checker_options options;
    struct checker_counts counts;
    struct histogram latency;  /* ns */
    char lost[CHECKER_SHOWN_MAX][CHECKER_LINE_MAX];
    char refusal[CHECKER_LINE_MAX];  /* the first one */
    struct checker_connection *connections;
    enum { CHECKER_LOADS, CHECKER_DRAINS, CHECKER_VERIFIES } mode;
};

void checker_open(struct checker *checker, const struct checker_options *options);
void checker_close(struct checker *checker);

void checker_load(struct checker *checker);
void checker_drain(struct checker *checker);
void checker_verify(struct checker *checker);
bool checker_done(const struct checker *checker);

/* Fills one entry per connection; gives their number. */
unsigned checker_wanted(struct checker *checker, struct pollfd *ret_wanted);
void checker_serve(struct checker *checker, const struct pollfd *found);

/* Polls and serves for so long, or until done. */
bool checker_run(struct checker *checker, uint64_t for_ns);

/* The server was killed: whatever is under way will not be answered. */
void checker_disconnect(struct checker *checker);

#endif
