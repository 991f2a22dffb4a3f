/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_TOWN_BATCH_H
#define KV_TOWN_BATCH_H

/* Commands that a client sends at once: drawn, written down, and remembered until each of them has
 * its answer, or never will. */

#include "answer.h"

#define BATCH_COMMANDS_MAX 12u

/* A command on its way: what it changes, and where. */
struct command {
    struct history_change changes[ANSWER_PARTS_MAX];
    uint32_t keys[ANSWER_PARTS_MAX];
    uint32_t count;
    bool is_array;       /* its reply has a part for each change, else one for all */
    bool is_silent;      /* it changes no key: any good answer will do */
};

struct bytes {
    char *data;
    size_t size;
    size_t room;
};

struct batch {
    struct command commands[BATCH_COMMANDS_MAX];
    uint32_t first;      /* not answered yet */
    uint32_t count;
    struct bytes bytes;  /* to be sent */
    uint32_t client;
    uint32_t connection;
    uint32_t life;       /* of the service, when it connected */
    uint32_t id;         /* of the last text */
    bool has_selected;   /* its database */
    bool compacts_again; /* in the next batch */
};

/* Of the kinds of changes. */
extern const char *const batch_names[];

struct history *batch_history(const struct batch *batch, uint32_t key);

void bytes_add(struct bytes *bytes, const void *more, size_t size);

/* The next batches go by a new connection. */
void batch_connected(struct batch *batch, uint32_t connection);

/* Reads all keys; does anything. */
void batch_check(struct batch *batch);
void batch_work(struct batch *batch);

#endif
