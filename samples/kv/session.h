/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_SESSION_H
#define KV_SESSION_H

/*
 * One client's side of the service, without its socket: bytes in, work for shards, bytes out.
 *
 * Why. A connection works in rounds: all complete commands of what has been read make one round, of
 * at most one work per shard; when all works are back, the replies are put together in the
 * client's order, and the next round begins with what has come meanwhile. One round in flight keeps
 * the order of a client's commands without numbering them, bounds what a client can have in the
 * service, and costs nothing: a client that pipelines has filled the next read buffer by then.
 *
 *     ┌──────┐  parse: some work   ┌─────────┐ ◄┐ answered, lost: others are out
 *     │ IDLE │ ──────────────────► │ WAITING │ ─┘
 *     └──────┘ ◄────────────────── └─────────┘
 *       │  ▲     the last is back: output
 *       └──┘  parse: replies of its own: output
 *
 * Replies that are large come in parts: a round then stays open with some works `again`, and the
 * next parse, which comes when the client has taken what there is, sends them for the rest.
 *
 * Rules
 *   1. The owner calls parse only when IDLE; feeding is allowed at any time.
 *   2. A lost work's commands are answered with an error that says that they may have been done.
 *   3. `closing` once true stays so: nothing more is parsed; the owner writes the output and
 *      closes.
 *   4. A round ends behind a command that acts on the service itself (CRASH, SHUTDOWN), or on all
 *      clients (a wish): what it asks for is done when all commands before it have been. It also
 *      ends behind one that takes several rounds (steps.h), which then follow.
 *
 * Partners: connection.c owns it and sends the works; round.c builds and compose.c ends a round;
 * here.c, client.c and about.c answer what needs no shard.
 */

#include "client.h"
#include "resp.h"
#include "settings.h"
#include "steps.h"
#include "work.h"

struct kv_command;

enum kv_slot_kind {
    KV_SLOT_HERE,   /* the next `count` bytes of `local` */
    KV_SLOT_ONE,    /* the next `count` replies of `shard` */
    KV_SLOT_MANY,   /* the next reply of each in `mask`, merged; `count`: see round.c */
};

struct kv_slot {
    uint8_t kind;
    uint8_t shard;
    uint8_t merge;
    bool mute;      /* the client does not want it: CLIENT REPLY */
    uint32_t count;
    uint64_t mask;
};

#define KV_NO_CRASH  UINT32_MAX
#define KV_CRASH_ALL (UINT32_MAX - 1)

struct kv_session {
    /* set once */
    const struct kv_settings *settings;
    uint64_t id;

    struct kv_resp resp;
    struct kv_buffer input;
    struct kv_buffer output;
    uint8_t database;
    bool closing;
    bool silent;                          /* CLIENT REPLY OFF */
    bool skip;                            /* the next command's reply */
    bool mute;                            /* the reply of the one that is being added */
    char name[64];
    const struct kv_command *instead;     /* what is to run in the place of the command */
    uint64_t chance;                      /* the state of a generator, for RANDOMKEY */
    const struct kv_command *command;     /* the last one, */
    const struct kv_command *container;   /* and the last one that has subcommands, with which */
    const char *subcommand;

    /* the round */
    struct kv_buffer slots;
    struct kv_buffer local;
    struct kv_buffer scratch;             /* for one command */
    struct kv_work *works[KV_SHARDS_MAX]; /* those that are here: being filled, back, or spare */
    uint64_t filled;                      /* shards with work in this round */
    uint64_t waiting;                     /* of those, not back */
    uint64_t lost;                        /* of those, gone with their work */
    uint64_t again;                       /* of those, to be sent again for the rest */
    size_t slots_done;                    /* bytes of `slots` and `local` whose replies are out */
    size_t local_done;
    uint32_t calls;
    struct kv_steps steps;                /* a command that takes several rounds */

    /* what the round asks of the service, for the owner to do when it is over */
    bool shutdown;
    uint32_t crash;                       /* a shard, KV_CRASH_ALL or KV_NO_CRASH */
    struct kv_wish wish;
};

void kv_session_start(struct kv_session *session, const struct kv_settings *settings, uint64_t id);
void kv_session_release(struct kv_session *session);

/* Adds what was read. false: the client has sent more than may wait: close. */
bool kv_session_feed(struct kv_session *session, const void *bytes, size_t size);

/* Makes the next round of what was read. Returns the shards whose works are to be sent; 0: either
 * nothing was complete, or the replies are in the output already. */
uint64_t kv_session_parse(struct kv_session *session);

/* Hands out the shard's work of this round: the caller's from now on. */
struct kv_work *kv_session_take(struct kv_session *session, uint32_t shard);

/* A work is back, or will not come. true: it was the last, the replies are in the output. */
bool kv_session_answered(struct kv_session *session, struct kv_work *work);
bool kv_session_lost(struct kv_session *session, uint32_t shard);

/* round.c */
void kv_round_add(struct kv_session *session);

/* For steps.c: a call, the slot for what such calls reply, and both for a command on many keys,
 * whose args begin with its name. */
void kv_round_call(struct kv_session *session, uint32_t shard, const struct kv_request *request);
void kv_round_step(struct kv_session *session, uint64_t mask);
void kv_round_by_keys(struct kv_session *session, const struct kv_request *request);

/* compose.c: as many replies as there are; sets `again`. */
void kv_round_compose(struct kv_session *session);

/* Whether the owner may act on `closing`, `crash` and `shutdown`: the round is over. */
static inline bool kv_session_is_idle(const struct kv_session *session)
{
    return session->waiting == 0 && session->again == 0 && !session->steps.pending;
}

/* Gives up on a client, telling it why: `error` is without the minus sign. */
void kv_session_give_up(struct kv_session *session, const char *error);

#endif
