/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_GLOB_H
#define KV_GLOB_H

/* The patterns of KEYS, SCAN and CONFIG GET: * ? [a-z] [^x] and \ before a character that is to
 * mean itself. Cost: at most pattern times text, whatever the pattern. */

#include <stdbool.h>

#include "buffer.h"

bool kv_glob(struct kv_slice pattern, struct kv_slice text);

#endif
