/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_LCS_H
#define KV_LCS_H

/* The longest common subsequence of two values, by the table that every textbook has. */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

struct kv_lcs_options {
    bool length;            /* LEN: its length alone */
    bool ranges;            /* IDX: where it lies in both */
    bool with_lengths;      /* WITHMATCHLEN */
    int64_t length_min;     /* MINMATCHLEN: of a range */
};

/* Reads the options from args[3] on; false: the error is in `out`. */
bool kv_lcs_read(const struct kv_slice *args, uint32_t count, struct kv_buffer *out,
                 struct kv_lcs_options *ret_options);

/* Writes the reply. The table takes four bytes for each pair of bytes, at most 512 MB. */
void kv_lcs_reply(struct kv_slice a, struct kv_slice b, const struct kv_lcs_options *options,
                  struct kv_buffer *out);

#endif
