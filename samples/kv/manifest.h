/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_MANIFEST_H
#define KV_MANIFEST_H

/*
 * What all logs of a folder have in common: the number of shards, the key of the hash that spreads
 * keys over them, and the salt of their records. Made once, when the folder is new; without it no
 * log can be read, with another number of shards every key would be looked for in the wrong one.
 *
 * Read and written before the service starts, by plain calls that block.
 */

#include "settings.h"

#define KV_MANIFEST_SIZE 48u

void kv_manifest_encode(const struct kv_settings *settings, char bytes[KV_MANIFEST_SIZE]);

/* 0, or -EILSEQ: it is damaged or none. Sets shards, hash_key and salt. */
int kv_manifest_decode(const char bytes[KV_MANIFEST_SIZE], struct kv_settings *settings);

/* Makes up the hash's key and the salt. */
int kv_manifest_invent(struct kv_settings *settings);

/*
 * Opens the folder's manifest, or makes it, and the folder, and keeps it locked until the process
 * ends. With settings->shards 0 takes what stands there, or `shards_usual` in a new one.
 *
 * Errors: -EBUSY, another service has it; -EILSEQ; -EXDEV, it was made for another number of
 * shards, which is then in `ret_shards`; what the system says.
 */
int kv_manifest_open(struct kv_settings *settings, uint32_t shards_usual, uint32_t *ret_shards);

#endif
