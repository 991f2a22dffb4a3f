/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_WORDS_H
#define KV_WORDS_H

/* Splits an inline command into words by redis' rules: blanks between them; "…" with \n \r \t \b \a
 * \xHH and \ before any character; '…' with \' alone; a quote must end its word. */

#include <stdint.h>

struct kv_arg;

/* The next word between `*at` and `end`, unquoted where it lies. 1: found; 0: none is left (a zero
 * byte ends the line, as in redis); -1: a quote is not closed, or not at its word's end. */
int kv_words_next(char *data, uint32_t end, uint32_t *at, struct kv_arg *ret_word);

#endif
