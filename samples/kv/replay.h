/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_REPLAY_H
#define KV_REPLAY_H

/*
 * Reads a log from its beginning, fed with the file's bytes in pieces of any size.
 *
 *     ┌────────┐ header good ┌─────────┐ ◄┐ good record: applied
 *     │ HEADER │ ──────────► │ RECORDS │ ─┘
 *     └────────┘             └─────────┘
 *         │ bad                   │ bad, at `good`: applied up to there
 *         ▼                       ▼
 *     ┌─────────┐ a good one ┌───────────┐
 *     │ REFUSED │ ◄───────── │ SEARCHING │ for a good record at every later byte
 *     └─────────┘            └───────────┘
 *
 *     end of file: in HEADER and RECORDS, with bytes left over: torn; in SEARCHING: torn.
 *
 * A record is held until it is complete, so memory follows the bytes that are there, never a size
 * that is claimed. The verdicts' meaning stands in log.h.
 *
 * Partners: log.c knows the format; store.c applies; shard.c reads the file and cuts it.
 */

#include "log.h"

enum kv_replay_state {
    KV_REPLAY_HEADER,
    KV_REPLAY_RECORDS,
    KV_REPLAY_SEARCHING,
    KV_REPLAY_REFUSED,
};

/* Returns 0, or a negative error that refuses the file. */
typedef int kv_apply(void *context, const struct kv_log_operation *operation);

struct kv_replay {
    /* set by the caller */
    struct kv_log_identity identity;
    kv_apply *apply;
    void *context;

    enum kv_replay_state state;
    struct kv_buffer held;   /* bytes from `offset` on */
    uint64_t offset;         /* place in the file of the first one held */
    uint64_t good;           /* place up to which all is good; REFUSED: of the damage */
    uint64_t records;
    int error;               /* REFUSED: why */
};

/* 0, or the error for which the file is refused: -EILSEQ it is damaged; -EPROTO, -EXDEV as
 * kv_log_check_header; -EBADMSG a good record that means nothing; -ENOMEM; what apply returned. */
int kv_replay_feed(struct kv_replay *replay, const void *bytes, size_t size);

/* The file is at its end: how many bytes of a torn record are to be cut off, behind `good`. */
uint64_t kv_replay_torn(const struct kv_replay *replay);

void kv_replay_release(struct kv_replay *replay);

#endif
