/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_TOWN_TOWN_H
#define KV_TOWN_TOWN_H

/*
 * A town around the key-value service: who there is, and what one run counts.
 *
 *     main.c     one run in this process, or many, each in a process of its own
 *     town.c     lives of the service, one after another on one disk, and their ends
 *     client.c   an actor that writes, reads, and believes nothing
 *     batch.c    the commands that it sends at once
 *     history.c  what a client knows of a key
 *     answer.c   replies
 *
 * Everything that is drawn here comes from the run's seed, but not from the simulation's choices:
 * a run that is taken back by a choice does the same otherwise.
 */

#include "base/random.h"
#include "history.h"
#include "kv/service.h"

#define TOWN_CLIENTS_MAX 5u
#define TOWN_KEYS_MAX    8u

/* What a run says of itself, to whoever started it. Counts alone: they are added up. */
struct town_counts {
    uint64_t steps;
    uint64_t acknowledged;    /* writes */
    uint64_t reads;
    uint64_t unanswered;      /* writes */
    uint64_t failed;
    uint64_t refused;
    uint64_t connections;
    uint64_t broken;          /* of them, by others than their client */
    uint64_t shard_crashes;   /* asked for */
    uint64_t compactions;     /* likewise */
    uint64_t lives;
    uint64_t power_losses;
    uint64_t deaths;
    uint64_t orderly_ends;
    uint64_t refusals;        /* to start */
    uint64_t damaged;         /* for good, by a sync that failed */
    uint64_t torn;
    uint64_t lost;            /* writes to files */
    uint64_t faults;          /* at actors */
};

struct town_report {
    struct town_counts counts;
    uint64_t seed;
    uint64_t hash;
    bool is_done;
    char what[512];           /* went wrong; empty: nothing */
};

enum town_phase {
    TOWN_WORKING,
    TOWN_CHECKING,            /* every client reads all its keys, and stops */
};

struct town {
    /* set before the first life */
    struct town_report *report;
    struct tri_random random;
    struct kv_settings settings;
    uint32_t client_count;
    uint32_t key_count;
    uint32_t lives;
    bool has_databases;       /* one for each client */
    bool is_heavy;            /* long texts */
    int64_t window;           /* milliseconds that a loss of power may cost; -1: nothing */
    bool disk_may_be_slow;
    bool disk_may_refuse;
    bool actors_may_fail;     /* so that the service's tree may not start, or give up */
    bool disk_may_fail;       /* so badly that the service may refuse to start */

    const char *tells_of;     /* this key, on stderr; or NULL */

    struct history histories[TOWN_CLIENTS_MAX][TOWN_KEYS_MAX];
    uint32_t life;            /* 1, 2, … */
    uint32_t lost_life;       /* the last one that ended by a loss of power */
    bool is_up;
    enum town_phase phase;
    int64_t work_left;        /* commands, in this life */
    bool is_quiet;            /* nobody is to ask for anything */
    uint64_t sync_failures;
    int64_t sync_failed_at;   /* the last one: not before, milliseconds */
    uint32_t sync_failed_life;
    bool is_sound;            /* the log, since then */
    uint32_t clients_done;
    uint32_t connections;
};

extern struct town town;

/* Says what went wrong and ends the process. */
_Noreturn void town_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One of 0 … below - 1. */
uint32_t town_draw(uint32_t below);

/* Runs the town under the simulation that is on. */
void town_run(struct town_report *report);

struct client {
    uint32_t number;
};

extern const tr_actor_type client_actor;
tr_ref client_spawn(tr_system *sys, uint32_t number);

static inline int64_t town_now(void)
{
    return tr_unix_now() / TR_MS(1);
}

#endif
