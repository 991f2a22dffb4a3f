/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_COPY_H
#define KV_COPY_H

/* What shards and connections share about values that go from one key to another. */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

/* COPY's options; `database` is the source's before they are read. */
struct kv_copy {
    uint8_t database;
    bool replace;
};

/* false: the error is in `out`. */
bool kv_copy_read(const struct kv_slice *args, uint32_t count, struct kv_buffer *out,
                  struct kv_copy *copy);

/* A number that names a database; false: the error is in `out`. */
bool kv_read_database(struct kv_slice text, struct kv_buffer *out, uint8_t *ret_database);

/* A key on its way between shards: this, and `size` bytes of value. */
struct kv_fetched {
    int64_t expires;
    uint64_t size;
    uint64_t there;   /* 0: it is not */
};

#endif
