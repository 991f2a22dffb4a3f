/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_TOWN_HISTORY_H
#define KV_TOWN_HISTORY_H

/*
 * What one client knows of one key, and whether an answer can be true.
 *
 * What. A key has one writer, so its history would be a single line, if all commands were answered.
 * Those that are not may have been done or not, and some may still be done while the connection
 * that brought them lives at the other end. So a key is in one of several worlds: each is a state,
 * and the set of commands without an answer that may still take effect in it. An answer rules out
 * the worlds that would have answered otherwise; an answer that no world gives is an error, which
 * is how a lost, halved, doubled or resurrected write shows.
 *
 * Why not a general checker of linearizability. It searches over all orders; with one writer for a
 * key there is one order, and a set of states is enough.
 *
 * Rules
 *   1. A change that was answered with an error of the kind "may have been done" is done or not at
 *      once: whoever answers the next command knows.
 *   2. While the disk refuses, a change may be seen and be lost later, with the shard that had it
 *      in its memory alone: an answer to a read rules out nothing then, but must be possible. So
 *      it is until a write is acknowledged, or a life is over; if syncs fail, even then.
 *   3. The clock of the service is ours: what expires does so between two known times.
 *   4. Under a weak policy the power's loss takes a key back to any state that it was in since a
 *      given time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_TEXT_MAX 32768u

enum history_kind {
    HISTORY_GET,
    HISTORY_SET,
    HISTORY_DELETE,
    HISTORY_ADD,
    HISTORY_APPEND,
    HISTORY_EXPIRE,
    HISTORY_PERSIST,
    HISTORY_TAKE,      /* GETDEL */
    HISTORY_SET_NEW,   /* SETNX */
    HISTORY_FLUSH,     /* the database that it is in */
};

/* A command as far as it concerns one key. */
struct history_change {
    enum history_kind kind;
    uint32_t id;           /* of the text that it writes, which is made of these two */
    uint32_t size;
    int64_t number;        /* ADD: what */
    int64_t lasts;         /* SET, EXPIRE: milliseconds; 0: for ever */
    int64_t sent;          /* milliseconds */
    uint32_t connection;
    uint32_t life;         /* of the service */
};

struct history_answer {
    char type;             /* '+', ':', '$', '_' no value */
    int64_t number;
    uint64_t sum;          /* '$': of its bytes */
    uint32_t size;
};

/* What a key may be. */
struct history_state {
    bool exists;
    uint32_t size;
    uint64_t sum;
    int64_t number;
    int64_t dies_from;     /* milliseconds: between these two; INT64_MAX: never */
    int64_t dies_to;
};

struct history_world {
    struct history_state state;
    uint32_t pending;      /* bits of the changes without an answer that may still be done */
};

struct history_past {
    struct history_state state;
    int64_t until;
};

#define HISTORY_PENDING_MAX 24u

struct history {
    char key[16];
    struct history_world *worlds;
    uint32_t world_count;
    uint32_t world_room;
    struct history_change pending[HISTORY_PENDING_MAX];
    uint32_t pending_count;
    struct history_past *past;
    uint32_t past_count;
    uint32_t past_room;
    bool keeps_past;       /* rule 4 */
    uint32_t over;         /* lives up to this one are */
    bool is_loose;         /* rule 2 */
    bool disk_may_refuse;  /* so that what has no good answer may have been refused, too */
    bool disk_may_fail;    /* syncs */
};

void history_init(struct history *history, const char *key);
void history_release(struct history *history);

/* The text with that id: it names the key and itself, so that no two are alike. */
void history_text(const struct history *history, uint32_t id, uint32_t size, char *ret_text);

/* FNV-1a, going on from `sum`; HISTORY_SUM begins. */
#define HISTORY_SUM UINT64_C(0xcbf29ce484222325)
uint64_t history_sum(uint64_t sum, const void *bytes, size_t size);

/* Whether what was answered has changed nothing. */
bool history_was_read(const struct history_change *change, const struct history_answer *answer);

/* An answer to `change` has come, at `now`. False: it cannot be true. */
bool history_answered(struct history *history, const struct history_change *change,
                      const struct history_answer *answer, int64_t now);

/* The answer says that it may have been done (rule 1), or that the disk refuses it (rule 2). */
void history_failed(struct history *history, const struct history_change *change, int64_t now);
void history_refused(struct history *history, const struct history_change *change, int64_t now);

/* No answer will come. */
void history_unanswered(struct history *history, const struct history_change *change, int64_t now);

/* Whether so little is known that another change would not help. */
bool history_is_vague(const struct history *history);

/* Connections of the lives up to `life` have ended: what they brought is done, or never. */
void history_life_over(struct history *history, uint32_t life, int64_t now);

/* The power was lost, with all states that ended before `since`. */
void history_power_lost(struct history *history, int64_t since, int64_t now);

/* What it may be, for people. */
void history_print(const struct history *history, char *ret_text, size_t size);

#endif
