/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_NUMBER_H
#define KV_NUMBER_H

/* Numbers as redis reads and writes them: one spelling each, so no plus, no spaces, no leading
 * zeros, no minus zero. Written by hand because every reply and every header holds one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KV_NUMBER_MAX 20  /* "-9223372036854775808" */

bool kv_number_parse(const char *text, size_t size, int64_t *ret_number);

/* A scan's cursor, as strtoul reads it: signs and leading zeros are allowed, nothing is 0. */
bool kv_number_parse_cursor(const char *text, size_t size, uint64_t *ret_cursor);

/* Writes at most KV_NUMBER_MAX bytes and no terminator; returns how many. */
size_t kv_number_write(char *text, int64_t number);

#endif
