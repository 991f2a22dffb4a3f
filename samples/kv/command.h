/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_COMMAND_H
#define KV_COMMAND_H

/*
 * The table of commands: how each is called, where it runs, and how its replies become one.
 *
 * Partners: session.c looks up and routes; work.c runs; strings.c, keys.c, expiry.c, figures.c and
 * here.c are what it points to.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

struct kv_call;
struct kv_session;

enum kv_route {
    KV_ROUTE_HERE,        /* the connection answers itself */
    KV_ROUTE_KEY,         /* to the shard of its first argument */
    KV_ROUTE_EACH_KEY,    /* as a call of `each` per key, replies in an array: MGET */
    KV_ROUTE_KEYS,        /* to each shard that has some of its keys, with those */
    KV_ROUTE_STEPS,       /* to one shard, if it has all its keys; else in steps: steps.h */
    KV_ROUTE_EVERYWHERE,
    KV_ROUTE_CURSOR,      /* SCAN */
};

/* How the replies of several shards become one; an error among them is the reply. */
enum kv_merge {
    KV_MERGE_SUM,
    KV_MERGE_FIRST,       /* they are all the same */
    KV_MERGE_ARRAYS,
    KV_MERGE_INFO,
    KV_MERGE_SCAN,        /* shard after shard, until there are enough keys */
    KV_MERGE_RANDOM,      /* one of them, each as likely as its shard has keys */
    KV_MERGE_STEP,        /* a step has been made: steps.h */
};

struct kv_command {
    char name[16];
    int8_t arity;         /* with the name; negative: at least */
    uint8_t route;
    uint8_t merge;
    bool writes;
    int8_t first_key;
    int8_t last_key;      /* -1: the last argument */
    int8_t step;
    void (*run)(struct kv_call *call);   /* in the shard */
    /* in the connection */
    void (*here)(struct kv_session *session, const struct kv_slice *args, uint32_t count);
};

/* NULL: there is none of that name, in any case. */
const struct kv_command *kv_command_find(struct kv_slice name);

const struct kv_command *kv_command_at(uint8_t place);
uint8_t kv_command_place(const struct kv_command *command);
uint32_t kv_command_count(void);

/* What clients cannot call by name: the parts of commands that shards run. */
enum kv_hidden {
    KV_HIDDEN_ENCODING,
    KV_HIDDEN_FREQ,
    KV_HIDDEN_IDLETIME,
    KV_HIDDEN_REFCOUNT,
    KV_HIDDEN_ACTIVE_EXPIRE,
    KV_HIDDEN_FETCH,
    KV_HIDDEN_DROP,
    KV_HIDDEN_LOOK,
    KV_HIDDEN_MSET,
    KV_HIDDEN_COUNT,
};

const struct kv_command *kv_command_hidden(enum kv_hidden which);

/* GET's place, of which MGET is made. */
uint8_t kv_command_get(void);

static inline bool kv_command_accepts(const struct kv_command *command, uint32_t count)
{
    return command->arity >= 0 ? count == (uint32_t)command->arity
                               : count >= (uint32_t)-command->arity;
}

#endif
