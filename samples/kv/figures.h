/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_FIGURES_H
#define KV_FIGURES_H

/* INFO: each shard replies with its figures as they lie in memory, and the connection adds them up
 * and writes the text. */

#include "log.h"

struct kv_session;

struct kv_figures {
    uint64_t keys[KV_LOG_DATABASES];
    uint64_t expiring[KV_LOG_DATABASES];
    uint64_t bytes;
    uint64_t expired;
    uint64_t hits;
    uint64_t misses;
};

#define KV_INFO_ALL UINT32_MAX

/* The bit of the section of that name; "default", "all" and "everything" are all of them; 0: there
 * is none. */
uint32_t kv_info_section(struct kv_slice name);

void kv_figures_add(struct kv_figures *sum, const struct kv_figures *more);

/* Writes the sections as a bulk string. */
void kv_info_write(const struct kv_session *session, const struct kv_figures *figures,
                   uint32_t sections, struct kv_buffer *out);

#endif
