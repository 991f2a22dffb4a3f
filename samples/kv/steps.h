/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_STEPS_H
#define KV_STEPS_H

/*
 * A command on keys of several shards that one round cannot do: RENAME, RENAMENX, COPY, MSETNX,
 * LCS.
 *
 * Why. A shard does what it is sent as a whole, but knows nothing of other shards. So the
 * connection goes from one to the next, a round for each step, and the client's later commands
 * wait:
 *
 *                 no such key                    taken already
 *               ┌───────────► done             ┌──────────────► done
 *     ┌───────┐ │              ┌─────┐  COPY   │            ┌──────┐
 *     │ FETCH │ ┴────────────► │ SET │ ────────┴──► done    │ DROP │ ──► done
 *     └───────┘   the value    └─────┘  RENAME ───────────► └──────┘
 *         ▲                                                    │ the source has changed
 *         └────────────────────────────────────────────────────┘
 *
 *     LCS: FETCH, done.   MSETNX: LOOK, and if none of the keys is there SET.
 *
 * A lock across shards was the other way: a client that dies, or a shard that crashes, with locks
 * in hand is more trouble than what these commands are worth.
 *
 * Rules
 *   1. The source is deleted when the destination's write is as safe as the policy asks, and only
 *      if it is still what was copied. A crash in between leaves both.
 *   2. Others can see what is between two steps. A key that another client sets between MSETNX's
 *      two is overwritten.
 *   3. A step that fails, or is lost with its shard, ends the command with that error.
 *
 * Partners: round.c begins; compose.c hands the replies over; session.c asks for the next step;
 * pair.c is the shard's side.
 */

#include "buffer.h"
#include "lcs.h"

struct kv_command;
struct kv_request;
struct kv_session;

enum kv_steps_kind { KV_STEPS_NONE, KV_STEPS_MOVE, KV_STEPS_MSETNX, KV_STEPS_LCS };
enum kv_steps_stage { KV_STEP_FETCH, KV_STEP_LOOK, KV_STEP_SET, KV_STEP_DROP };

struct kv_steps {
    uint8_t kind;
    uint8_t stage;
    uint8_t database;          /* of the destination */
    bool pending;              /* the stage is to be sent with the next round */
    bool mute;
    bool only_new;             /* the destination must not be there */
    bool keeps;                /* COPY: the source stays */
    bool number;               /* the answer is :1, not +OK */
    bool again;                /* the destination has been written before */
    bool refused;              /* SET: it was there */
    int64_t sum;               /* LOOK, DROP: of the numbers */
    uint32_t count;
    struct kv_lcs_options lcs;
    struct kv_buffer args;     /* the command's words: where in `bytes` they lie */
    struct kv_buffer bytes;
    struct kv_buffer fetched;  /* the first key's, and, of LCS, the other's */
    struct kv_buffer other;
};

/* Takes a command, whose args begin with its name, and adds its first step to the round. An error
 * is written to `local`. */
void kv_steps_begin(struct kv_session *session, const struct kv_command *command,
                    const struct kv_request *request);

/* Adds the pending step to the round. */
void kv_steps_send(struct kv_session *session);

/* A shard's reply to the step, which is no error. */
void kv_steps_take(struct kv_session *session, uint32_t shard, struct kv_slice reply);

/* All replies have been taken: makes the next step pending, or writes the reply to the output. */
void kv_steps_end(struct kv_session *session);

/* Forgets the command. */
void kv_steps_stop(struct kv_session *session);
void kv_steps_release(struct kv_steps *steps);

#endif
