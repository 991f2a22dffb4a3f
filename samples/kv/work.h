/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_WORK_H
#define KV_WORK_H

/*
 * One connection's commands for one shard, from one read buffer, and their replies.
 *
 * Why. It goes from the connection to the shard and back by pointer, twice per read buffer, however
 * many commands there are. Arguments are copied into it, packed: a copy of twenty bytes costs less
 * than a pointer, a size and a count on a buffer that two threads share, and the shard then reads
 * one run of memory. (A shared, counted read buffer was the other way.)
 *
 *     request  = call, call, …
 *     call     = hash 8, arguments without the name 4, command 1, database 1, zero 2, sizes, bytes
 *     replies  = the replies' bytes, in order
 *     marks    = for each call of the last run: its reply's size, times two, plus one if it writes
 *
 * Rules
 *   1. Whoever has the pointer owns all of it; there is one.
 *   2. A call runs as a whole before the next one's begins, and a work's calls without another's in
 *      between: what one MSET changes in a shard is seen all or not at all.
 *
 * Partners: session.c fills and reads; shard.c runs.
 */

#include "resp.h"
#include "store.h"

/* What the replies of one run may take, beyond the last: then the work goes back, and comes again
 * for the rest when the client has taken them. (700 short commands fit in one packet, and can ask
 * for 700 times 512 MB.) */
#define KV_WORK_REPLIES_MAX (4u * 1024 * 1024)

struct kv_work {
    struct kv_work *next;    /* in its owner's list */
    uint32_t shard;
    uint32_t calls;
    uint32_t ran;            /* of those; the shard goes on behind them, */
    size_t ran_to;           /* at this byte of the request */
    uint32_t taken;          /* replies of the last run that the connection has taken, */
    size_t taken_to;         /* and their bytes */
    struct kv_buffer request;
    struct kv_buffer replies;
    struct kv_buffer marks;
    bool cut;                /* not all replies are there: no memory for them */
    uint64_t sequence;       /* the shard's: of the log record that it waits for, */
    uint64_t caller;         /* and who waits for the work */
};

struct kv_request {
    uint8_t command;         /* place in the table */
    uint8_t database;
    uint32_t count;          /* of args, without the name */
    uint64_t hash;           /* of the first key; SCAN: the cursor */
    const char *data;
    const struct kv_arg *args;
};

struct kv_work *kv_work_new(uint32_t shard);
void kv_work_free(struct kv_work *work);

/* Makes it fit for the next round, keeping a little memory. */
void kv_work_reset(struct kv_work *work);

/* false: no memory. */
bool kv_work_add(struct kv_work *work, const struct kv_request *request);

/* Runs the calls that were not yet run, until the replies are large; those that write are refused
 * with `refusal` (an error line) unless it is NULL. */
void kv_work_run(struct kv_work *work, struct kv_store *store, const char *refusal);

/* Puts `refusal` in the place of the replies of all calls that have written, or would have. */
void kv_work_refuse_written(struct kv_work *work, const char *refusal);

/* Replies of the last run that are not taken. */
uint32_t kv_work_replies(const struct kv_work *work);

/* Takes the next `count` of them, which lie side by side. */
struct kv_slice kv_work_take_replies(struct kv_work *work, uint32_t count);

#endif
