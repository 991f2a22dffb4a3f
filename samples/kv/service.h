/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_SERVICE_H
#define KV_SERVICE_H

/*
 * The service as actors: who there is, and what they say to each other.
 *
 *                              ┌────────────┐ one per client
 *      sockets ◄── door ─────► │ connection │ ◄── clients: asks each for CLIENT LIST and KILL
 *                  spawns      └────────────┘
 *                                 │ ▲  ask: kv_run {work}, reply: kv_ran {work}
 *                                 ▼ │
 *                              ┌────────────┐ 0 … shards - 1
 *                              │   shard    │ holds its part of the keys
 *                              └────────────┘
 *             records: kv_append, │ ▲  kv_acknowledged, the log to replay,
 *             pieces of a snapshot▼ │  asks for a snapshot's pieces
 *                              ┌────────────┐ one per shard
 *                              │    log     │ ──► files
 *                              └────────────┘
 *
 * Why a log is an actor of its own. A shard may crash at any moment, with a write on its way to the
 * disk. If the file were its own, the next incarnation would read and extend a file into which the
 * last one's write may still fall. The log's actor survives the shard: it finishes what it has,
 * then lets the new incarnation read. And a full disk is the log's business, while its shard
 * answers. Should the log's actor itself crash, which it does only without memory, its next
 * incarnation's files wait for the last one's: see tr_file_start.
 *
 * Rules
 *   1. A work has one owner. In a message it is the message's, and is freed with it unless the
 *      receiver takes it out (kv_work_of).
 *   2. Everything between a shard and its log bears the shard's incarnation, its epoch; what is of
 *      another is ignored.
 *   3. The tree starts logs, then shards, the registry of clients, the door, and stops in reverse.
 */

#include <troupe/io.h>
#include <troupe/troupe.h>

#include "client.h"
#include "settings.h"
#include "work.h"

struct kv_service {
    /* set before the start */
    struct kv_settings settings;

    /* set by the door, before it lets anyone in */
    tr_ref shards[KV_SHARDS_MAX];
    tr_ref clients;

    /* each its log's actor's: the error of a sync, until all is written anew: its next incarnation
     * has to know */
    int doubts[KV_SHARDS_MAX];

    /* set by whoever finds that the service cannot go on, read when it has stopped */
    bool refused;
};

/* ---- connection and shard ---- */

struct kv_run {
    struct kv_work *work;
};

struct kv_ran {
    struct kv_work *work;
};

struct kv_crash {
    int unused;
};

/* The door asks a shard to answer when it has replayed its log. */
struct kv_hail {
    int unused;
};

struct kv_ready {
    int unused;
};

struct kv_sweep {
    int unused;
};

/* To itself, behind the works that are there already: what they wrote goes to the log together. */
struct kv_gathered {
    int unused;
};

/* ---- connection and registry ---- */

struct kv_enter {
    uint64_t id;
    tr_ref who;
};

/* Asks all clients, or those with the ids, which are uint64_t. */
struct kv_roll_call {
    struct kv_filter filter;
    tr_bytes *ids;        /* NULL: all */
};

struct kv_roll_called {
    tr_bytes *lines;
    uint64_t killed;
};

/* Asks a client for its line, or kills it, if it matches. */
struct kv_who {
    struct kv_filter filter;
    uint32_t place;
};

struct kv_me {
    tr_bytes *line;       /* NULL: none */
    uint32_t place;
    bool matches;
};

/* ---- shard and log ---- */

struct kv_append {
    tr_bytes *records;
    uint64_t number;      /* of the last of them */
    uint32_t epoch;
    bool compact;         /* a compaction is wanted */
};

/* Records up to `number` are as safe as they are to be; `error`: those behind it are not, and no
 * more are wanted until another such message says 0. */
struct kv_acknowledged {
    uint64_t number;
    uint32_t epoch;
    int error;
};

/* Asks for the next piece of the log; `first` begins at its beginning. */
struct kv_replay_ask {
    uint32_t epoch;
    bool first;
};

struct kv_replay_piece {
    tr_bytes *bytes;      /* NULL: none */
    uint32_t epoch;
    int error;
    bool over;
};

/* The log is replayed: what is behind `good` is to be cut off, and records follow. */
struct kv_replayed {
    uint64_t good;
    uint32_t epoch;
};

struct kv_snapshot_ask {
    uint32_t epoch;
    bool first;
};

struct kv_snapshot_piece {
    tr_bytes *record;     /* NULL: none */
    uint32_t epoch;
    bool over;
};

struct kv_tick {
    int unused;
};

/* A client that does not read its replies. */
struct kv_slow {
    int unused;
};

void kv_run_drop(void *msg);
void kv_ran_drop(void *msg);
void kv_roll_call_drop(void *msg);
void kv_roll_called_drop(void *msg);
void kv_me_drop(void *msg);
void kv_append_drop(void *msg);
void kv_replay_piece_drop(void *msg);
void kv_snapshot_piece_drop(void *msg);

#define KV_MESSAGES(M)                                                                          \
    M(kv_run, TR_DROP(kv_run_drop))                                                             \
    M(kv_ran, TR_DROP(kv_ran_drop))                                                             \
    M(kv_crash)                                                                                 \
    M(kv_hail)                                                                                  \
    M(kv_ready)                                                                                 \
    M(kv_sweep)                                                                                 \
    M(kv_gathered)                                                                              \
    M(kv_enter)                                                                                 \
    M(kv_roll_call, TR_DROP(kv_roll_call_drop))                                                 \
    M(kv_roll_called, TR_DROP(kv_roll_called_drop))                                             \
    M(kv_who)                                                                                   \
    M(kv_me, TR_DROP(kv_me_drop))                                                               \
    M(kv_append, TR_DROP(kv_append_drop))                                                       \
    M(kv_acknowledged)                                                                          \
    M(kv_replay_ask)                                                                            \
    M(kv_replay_piece, TR_DROP(kv_replay_piece_drop))                                           \
    M(kv_replayed)                                                                              \
    M(kv_snapshot_ask)                                                                          \
    M(kv_snapshot_piece, TR_DROP(kv_snapshot_piece_drop))                                       \
    M(kv_tick)                                                                                  \
    M(kv_slow)
TR_PROTOCOL(kv, 4711, KV_MESSAGES);

/* ---- the actors ---- */

struct kv_log_keeper;

struct kv_log_actor {
    struct kv_service *service;
    uint32_t shard;
    struct kv_log_keeper *keeper;   /* made by each incarnation */
};

struct kv_shard_state;

struct kv_shard {
    struct kv_service *service;
    uint32_t shard;
    struct kv_shard_state *state;   /* made by each incarnation */
};

struct kv_door {
    struct kv_service *service;
    tr_io listener;
    uint64_t clients;
    uint32_t ready;                 /* shards */
};

extern const tr_actor_type kv_log_actor_actor;
extern const tr_actor_type kv_shard_actor;
extern const tr_actor_type kv_registry_actor;
extern const tr_actor_type kv_door_actor;
extern const tr_actor_type kv_connection_actor;

tr_ref kv_connection_spawn(tr_self *self, struct kv_service *service, uint64_t id);

/* Names in the system. */
#define KV_REGISTRY_NAME "kv-clients"
#define KV_NAME_MAX 32
void kv_log_name(char name[KV_NAME_MAX], uint32_t shard);
void kv_shard_name(char name[KV_NAME_MAX], uint32_t shard);

/* Runs the service until it is told to stop. Returns 0 or what tr_run does; -EIO: refused. */
int kv_service_run(struct kv_service *service);

/* A message with a copy of `size` bytes; NULL: no memory. */
tr_bytes *kv_bytes_of(const void *data, size_t size);

#endif
