/* SPDX-License-Identifier: BSD-2-Clause */

#include "lcs.h"

#include "memory.h"
#include "number.h"
#include "reply.h"
#include "resp.h"

/* ---- options ---- */

bool kv_lcs_read(const struct kv_slice *args, uint32_t count, struct kv_buffer *out,
                 struct kv_lcs_options *ret_options)
{
    struct kv_lcs_options options = { 0 };

    for (uint32_t i = 3; i < count; i++) {
        if (kv_slice_is_word(args[i], "idx")) {
            options.ranges = true;
        } else if (kv_slice_is_word(args[i], "len")) {
            options.length = true;
        } else if (kv_slice_is_word(args[i], "withmatchlen")) {
            options.with_lengths = true;
        } else if (kv_slice_is_word(args[i], "minmatchlen") && i + 1 < count) {
            i++;
            if (!kv_number_parse(args[i].data, args[i].size, &options.length_min)) {
                kv_reply_not_a_number(out);
                return false;
            }
        } else {
            kv_reply_syntax_error(out);
            return false;
        }
    }
    if (options.length && options.ranges) {
        KV_REPLY(out, "-ERR If you want both the length and indexes, please just use IDX.\r\n");
        return false;
    }
    *ret_options = options;
    return true;
}

/* ---- the table ---- */

struct lcs {
    struct kv_slice a;
    struct kv_slice b;
    uint32_t *table;   /* how long the common subsequence of the first i and the first j bytes is */
};

static uint32_t *cell(const struct lcs *lcs, size_t i, size_t j)
{
    return &lcs->table[i * (lcs->b.size + 1) + j];
}

static void fill(const struct lcs *lcs)
{
    for (size_t i = 1; i <= lcs->a.size; i++) {
        for (size_t j = 1; j <= lcs->b.size; j++) {
            uint32_t up = *cell(lcs, i - 1, j);
            uint32_t left = *cell(lcs, i, j - 1);

            if (lcs->a.data[i - 1] == lcs->b.data[j - 1])
                *cell(lcs, i, j) = *cell(lcs, i - 1, j - 1) + 1;
            else
                *cell(lcs, i, j) = up > left ? up : left;
        }
    }
}

/* ---- the way back through it ---- */

struct range {
    size_t a;       /* where it begins in both, */
    size_t b;
    size_t length;  /* 0: there is none */
};

struct found {
    const struct kv_lcs_options *options;
    struct kv_buffer ranges;
    size_t count;
    char *text;     /* NULL: not wanted */
};

static void add_range(struct found *found, struct range *range)
{
    struct kv_buffer *out = &found->ranges;

    if (range->length > 0 && (int64_t)range->length >= found->options->length_min) {
        kv_reply_array(out, found->options->with_lengths ? 3 : 2);
        kv_reply_array(out, 2);
        kv_reply_number(out, (int64_t)range->a);
        kv_reply_number(out, (int64_t)(range->a + range->length - 1));
        kv_reply_array(out, 2);
        kv_reply_number(out, (int64_t)range->b);
        kv_reply_number(out, (int64_t)(range->b + range->length - 1));
        if (found->options->with_lengths)
            kv_reply_number(out, (int64_t)range->length);
        found->count++;
    }
    range->length = 0;
}

/* From the end to the beginning: ranges come last first, as redis has them. */
static void walk(const struct lcs *lcs, struct found *found)
{
    size_t i = lcs->a.size;
    size_t j = lcs->b.size;
    size_t left = *cell(lcs, i, j);
    struct range range = { 0 };

    while (i > 0 && j > 0) {
        if (lcs->a.data[i - 1] == lcs->b.data[j - 1]) {
            i--;
            j--;
            if (found->text != NULL)
                found->text[--left] = lcs->a.data[i];
            range = (struct range){ i, j, range.length + 1 };
            continue;
        }
        add_range(found, &range);
        if (*cell(lcs, i - 1, j) > *cell(lcs, i, j - 1))
            i--;
        else
            j--;
    }
    add_range(found, &range);
}

/* ---- replies ---- */

static void reply_ranges(const struct lcs *lcs, const struct kv_lcs_options *options,
                         struct kv_buffer *out)
{
    struct found found = { .options = options };

    walk(lcs, &found);
    kv_reply_array(out, 4);
    kv_reply_bulk(out, KV_SLICE("matches"));
    kv_reply_array(out, found.count);
    kv_buffer_add(out, found.ranges.data, found.ranges.size);
    out->failed |= found.ranges.failed;
    kv_reply_bulk(out, KV_SLICE("len"));
    kv_reply_number(out, *cell(lcs, lcs->a.size, lcs->b.size));
    kv_buffer_release(&found.ranges);
}

static void reply_text(const struct lcs *lcs, const struct kv_lcs_options *options,
                       struct kv_buffer *out)
{
    size_t size = *cell(lcs, lcs->a.size, lcs->b.size);
    struct found found = { .options = options, .text = kv_alloc(size + 1) };

    if (found.text == NULL) {
        out->failed = true;
        return;
    }
    walk(lcs, &found);
    out->failed |= found.ranges.failed;
    kv_reply_bulk(out, (struct kv_slice){ found.text, size });
    kv_buffer_release(&found.ranges);
    kv_free(found.text);
}

void kv_lcs_reply(struct kv_slice a, struct kv_slice b, const struct kv_lcs_options *options,
                  struct kv_buffer *out)
{
    struct lcs lcs = { .a = a, .b = b };
    uint64_t bytes = (uint64_t)(a.size + 1) * (b.size + 1) * sizeof *lcs.table;

    if (bytes > KV_RESP_BULK_MAX) {
        KV_REPLY(out, "-ERR Insufficient memory, transient memory for LCS exceeds "
                      "proto-max-bulk-len\r\n");
        return;
    }
    lcs.table = kv_alloc_zeroed(bytes);
    if (lcs.table == NULL) {
        KV_REPLY(out, "-ERR Insufficient memory, failed allocating transient memory for LCS\r\n");
        return;
    }
    fill(&lcs);
    if (options->ranges)
        reply_ranges(&lcs, options, out);
    else if (options->length)
        kv_reply_number(out, *cell(&lcs, a.size, b.size));
    else
        reply_text(&lcs, options, out);
    kv_free(lcs.table);
}
