/* SPDX-License-Identifier: BSD-2-Clause */

#include "command.h"

#include "call.h"
#include "here.h"

#define KEY .first_key = 1, .last_key = 1, .step = 1
#define KEYS .first_key = 1, .last_key = -1, .step = 1
#define READ(name_, arity_, run_)                                                               \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_KEY, .run = run_, KEY }
#define WRITE(name_, arity_, run_)                                                              \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_KEY, .run = run_, .writes = true, KEY }
#define HERE(name_, arity_, here_)                                                              \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_HERE, .here = here_ }
#define EVERYWHERE(name_, arity_, merge_, run_)                                                 \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_EVERYWHERE, .merge = merge_, .run = run_ }
#define ALL_WRITE(name_, arity_, run_)                                                          \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_EVERYWHERE, .merge = KV_MERGE_FIRST,    \
      .run = run_, .writes = true }

#define STEPS(name_, arity_, run_, writes_)                                                     \
    { .name = name_, .arity = arity_, .route = KV_ROUTE_STEPS, .run = run_, .writes = writes_,  \
      .first_key = 1, .last_key = 2, .step = 1 }
#define HIDDEN_OF_KEY(name_, run_)                                                              \
    { .name = name_, .arity = 3, .route = KV_ROUTE_KEY, .run = run_, .first_key = 2,            \
      .last_key = 2, .step = 1 }

/* Grouped by the length of their names, in rising order: a lookup compares a few 16-byte words. */
static const struct kv_command commands[] = {
    READ("get", 2, kv_run_get),
    WRITE("set", -3, kv_run_set),
    { .name = "del", .arity = -2, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_SUM,
      .run = kv_run_del, .writes = true, KEYS },
    READ("ttl", 2, kv_run_ttl),
    STEPS("lcs", -3, NULL, false),
    WRITE("incr", 2, kv_run_incr),
    WRITE("decr", 2, kv_run_decr),
    { .name = "mget", .arity = -2, .route = KV_ROUTE_EACH_KEY, KEYS },
    { .name = "mset", .arity = -3, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_FIRST,
      .run = kv_run_mset, .writes = true, .first_key = 1, .last_key = -1, .step = 2 },
    READ("pttl", 2, kv_run_pttl),
    READ("type", 2, kv_run_type),
    { .name = "scan", .arity = -2, .route = KV_ROUTE_CURSOR, .merge = KV_MERGE_SCAN,
      .run = kv_run_scan },
    EVERYWHERE("keys", 2, KV_MERGE_ARRAYS, kv_run_keys),
    HERE("ping", -1, kv_here_ping),
    HERE("echo", 2, kv_here_echo),
    HERE("quit", -1, kv_here_quit),
    EVERYWHERE("info", -1, KV_MERGE_INFO, kv_run_info),
    HERE("time", 1, kv_here_time),
    WRITE("move", 3, kv_run_move),
    STEPS("copy", -3, kv_run_copy, true),
    WRITE("setnx", 3, kv_run_setnx),
    WRITE("setex", 4, kv_run_setex),
    WRITE("getex", -2, kv_run_getex),
    { .name = "touch", .arity = -2, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_SUM,
      .run = kv_run_touch, KEYS },
    HERE("hello", -1, kv_here_hello),
    HERE("crash", 2, kv_here_crash),
    HERE("reset", 1, kv_here_reset),
    HERE("debug", -2, kv_here_debug),
    WRITE("append", 3, kv_run_append),
    WRITE("incrby", 3, kv_run_incrby),
    WRITE("decrby", 3, kv_run_decrby),
    WRITE("expire", -3, kv_run_expire),
    { .name = "exists", .arity = -2, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_SUM,
      .run = kv_run_exists, KEYS },
    { .name = "unlink", .arity = -2, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_SUM,
      .run = kv_run_del, .writes = true, KEYS },
    READ("strlen", 2, kv_run_strlen),
    READ("substr", 4, kv_run_getrange),
    WRITE("getdel", 2, kv_run_getdel),
    WRITE("getset", 3, kv_run_getset),
    WRITE("psetex", 4, kv_run_psetex),
    EVERYWHERE("dbsize", 1, KV_MERGE_SUM, kv_run_dbsize),
    HERE("select", 2, kv_here_select),
    STEPS("rename", 3, kv_run_rename, true),
    { .name = "msetnx", .arity = -3, .route = KV_ROUTE_STEPS, .run = kv_run_msetnx,
      .writes = true, .first_key = 1, .last_key = -1, .step = 2 },
    HERE("config", -2, kv_here_config),
    HERE("client", -2, kv_here_client),
    WRITE("setbit", 4, kv_run_setbit),
    READ("getbit", 3, kv_run_getbit),
    HERE("object", -2, kv_here_object),
    WRITE("pexpire", -3, kv_run_pexpire),
    WRITE("persist", 2, kv_run_persist),
    ALL_WRITE("flushdb", -1, kv_run_flushdb),
    HERE("command", -1, kv_here_command),
    ALL_WRITE("flushall", -1, kv_run_flushall),
    STEPS("renamenx", 3, kv_run_renamenx, true),
    HERE("shutdown", -1, kv_here_shutdown),
    HERE("function", -2, kv_here_function),
    WRITE("expireat", -3, kv_run_expireat),
    READ("getrange", 4, kv_run_getrange),
    WRITE("setrange", 4, kv_run_setrange),
    EVERYWHERE("randomkey", 1, KV_MERGE_RANDOM, kv_run_randomkey),
    WRITE("pexpireat", -3, kv_run_pexpireat),
    READ("expiretime", 2, kv_run_expiretime),
    WRITE("incrbyfloat", 3, kv_run_incrbyfloat),
    READ("pexpiretime", 2, kv_run_pexpiretime),
    EVERYWHERE("bgrewriteaof", 1, KV_MERGE_FIRST, kv_run_bgrewriteaof),

    /* As in enum kv_hidden; no length leads to them. */
    HIDDEN_OF_KEY("object", kv_run_object_encoding),
    HIDDEN_OF_KEY("object", kv_run_object_freq),
    HIDDEN_OF_KEY("object", kv_run_object_idletime),
    HIDDEN_OF_KEY("object", kv_run_object_refcount),
    EVERYWHERE("debug", 3, KV_MERGE_FIRST, kv_run_active_expire),
    READ("fetch", -2, kv_run_fetch),
    WRITE("drop", 3, kv_run_drop_same),
    { .name = "msetnx", .arity = -3, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_STEP,
      .run = kv_run_look, .first_key = 1, .last_key = -1, .step = 2 },
    { .name = "msetnx", .arity = -3, .route = KV_ROUTE_KEYS, .merge = KV_MERGE_STEP,
      .run = kv_run_mset, .writes = true, .first_key = 1, .last_key = -1, .step = 2 },
};

#define ALL   (sizeof commands / sizeof commands[0])
#define COUNT (ALL - KV_HIDDEN_COUNT)

_Static_assert(ALL < 255, "a command's place fits in a byte");

/* Where the names of each length begin; kept right by a test. */
static const uint8_t first_of_length[14] = { 0, 0, 0, 0, 5, 20, 28, 48, 52, 59, 61, 62, 64, 65 };

const struct kv_command *kv_command_find(struct kv_slice name)
{
    char folded[16] = { 0 };

    if (name.size < 3 || name.size > 12)
        return NULL;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = first_of_length[name.size]; i < first_of_length[name.size + 1]; i++)
        if (memcmp(commands[i].name, folded, sizeof folded) == 0)
            return &commands[i];
    return NULL;
}

const struct kv_command *kv_command_at(uint8_t place)
{
    return &commands[place];
}

uint8_t kv_command_place(const struct kv_command *command)
{
    return (uint8_t)(command - commands);
}

uint32_t kv_command_count(void)
{
    return COUNT;
}

const struct kv_command *kv_command_hidden(enum kv_hidden which)
{
    return &commands[COUNT + which];
}

uint8_t kv_command_get(void)
{
    return 0;
}
