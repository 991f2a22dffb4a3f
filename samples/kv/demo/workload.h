/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_WORKLOAD_H
#define TROUPE_KV_DEMO_WORKLOAD_H

/*
 * What one connection of the checking client does next, and the keys that it alone writes.
 *
 * Every fourth key is a counter; the others hold texts that are never written twice, of a few bytes
 * to hundreds of thousands, with every byte in them.
 *
 * Rules
 *   1. A key in doubt is read, then set: nothing else until that is answered. A key has a bounded
 *      number of writes under way. So the states a key may be in stay few.
 *   2. A command that workload_next or workload_get gave is given back once, by workload_finished
 *      or workload_unanswered, in the order in which the commands were made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "checker.h"
#include "model.h"

#define WORKLOAD_PIPELINE_MAX 64u
#define WORKLOAD_MANY         4u  /* keys of an MSET, at most */
#define WORKLOAD_NAME_MAX     32u

struct command {
    unsigned count;  /* operations: more than one is an MSET */
    uint32_t keys[WORKLOAD_MANY];
    struct operation operations[WORKLOAD_MANY];    /* their arguments are owned */
    char names[WORKLOAD_MANY][WORKLOAD_NAME_MAX];  /* the keys' */
};

struct workload_key {
    struct model_key model;
    unsigned flying;  /* commands under way */
};

struct workload {
    struct workload_key *keys;
    unsigned count;
    unsigned number;    /* the connection's */
    uint64_t sequence;  /* makes each text the only one */
    uint64_t seed;
    bool asked;         /* the key in doubt has been read: now it is set */
    uint32_t doubtful;  /* that key */
};

void workload_open(struct workload *workload, unsigned number,
                   const struct checker_options *options);
void workload_close(struct workload *workload);

/* False: every key it tried is busy. */
bool workload_next(struct workload *workload, struct command *ret_command);
void workload_get(struct workload *workload, uint32_t key, struct command *ret_command);

void workload_write(const struct command *command, struct bytes *bytes);

struct model_key *workload_key(struct workload *workload, uint32_t key);

/* What a key may hold, in words. */
void workload_describe(const struct workload *workload, uint32_t key, char *ret_words,
                       size_t size);

void workload_finished(struct workload *workload, struct command *command);
void workload_unanswered(struct workload *workload, struct command *command);

#endif
