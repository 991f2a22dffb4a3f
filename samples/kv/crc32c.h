/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_CRC32C_H
#define KV_CRC32C_H

/* The Castagnoli CRC of iSCSI and ext4: the one for which processors have an instruction. */

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, 0 at the start. */
uint32_t kv_crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the instruction. */
uint32_t kv_crc32c_plain(uint32_t crc, const void *data, size_t size);

#endif
