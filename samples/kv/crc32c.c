/* SPDX-License-Identifier: BSD-2-Clause */

#include "crc32c.h"

#include <string.h>

/* The reversed polynomial 0x82f63b78, four bits at a time: a table that fits in one cache line. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t kv_crc32c_plain(uint32_t crc, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibbles[crc & 15];
        crc = (crc >> 4) ^ nibbles[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *data,
                                                                 size_t size)
{
    const unsigned char *bytes = data;
    uint64_t sum = (uint32_t)~crc;

    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t word;

        memcpy(&word, bytes, 8);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    for (; size > 0; bytes++, size--)
        sum = __builtin_ia32_crc32qi((uint32_t)sum, *bytes);
    return ~(uint32_t)sum;
}

uint32_t kv_crc32c(uint32_t crc, const void *data, size_t size)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, data, size)
                                            : kv_crc32c_plain(crc, data, size);
}

#else

uint32_t kv_crc32c(uint32_t crc, const void *data, size_t size)
{
    return kv_crc32c_plain(crc, data, size);
}

#endif
