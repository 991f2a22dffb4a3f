/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_SETTINGS_H
#define KV_SETTINGS_H

/* What the service was started with: set once, read by all. */

#include <troupe/types.h>

#include "hash.h"
#include "journal.h"

/* A round's shards are bits of one word. */
#define KV_SHARDS_MAX 64u

struct kv_settings {
    const char *bind;
    const char *dir;
    uint16_t port;
    uint32_t shards;
    uint32_t workers;
    bool appendonly;
    enum kv_fsync fsync;
    struct kv_hash_key hash_key;
    uint64_t salt;          /* of the logs */
    uint64_t started;       /* seconds since 1970 */
    char run_id[41];
    tr_system *system;      /* set by the door; NULL: no clients to be counted */
};

#endif
