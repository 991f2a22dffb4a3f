/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

#include "kv/resp.h"

#include <stdio.h>

#include "support/test.h"

/* What the parser made of some input: "arg|arg|" and a newline per command, "!error" at the end. */
struct reading {
    struct kv_resp resp;
    struct kv_buffer input;
    struct kv_buffer result;
};

static void note_commands(struct reading *r)
{
    enum kv_resp_found found;

    while ((found = kv_resp_next(&r->resp, r->input.data, r->input.size)) == KV_RESP_COMMAND) {
        for (uint32_t i = 0; i < r->resp.count; i++) {
            kv_buffer_add(&r->result, r->input.data + r->resp.args[i].at, r->resp.args[i].size);
            kv_buffer_add(&r->result, "|", 1);
        }
        kv_buffer_add(&r->result, "\n", 1);
    }
    if (found == KV_RESP_ERROR) {
        kv_buffer_add(&r->result, "!", 1);
        kv_buffer_add(&r->result, r->resp.error, strlen(r->resp.error));
    }
}

static void feed(struct reading *r, const char *bytes, size_t size)
{
    uint32_t kept;

    if (r->resp.state == KV_RESP_BROKEN)
        return;
    kv_buffer_add(&r->input, bytes, size);
    note_commands(r);
    if (r->resp.state == KV_RESP_BROKEN)
        return;
    kept = kv_resp_kept(&r->resp);
    if (kept == 0)
        return;
    kv_resp_shift(&r->resp, kept);
    memmove(r->input.data, r->input.data + kept, r->input.size - kept);
    r->input.size -= kept;
}

static void finish(struct reading *r)
{
    kv_resp_release(&r->resp);
    kv_buffer_release(&r->input);
    kv_buffer_release(&r->result);
}

static struct kv_slice text_of(const struct reading *r)
{
    return (struct kv_slice){ r->result.data, r->result.size };
}

struct entry {
    struct kv_slice sent;
    const char *result;
};

#define ENTRY(sent, result) { { sent, sizeof(sent) - 1 }, result }

static const struct entry corpus[] = {
    ENTRY("*1\r\n$4\r\nPING\r\n", "PING|\n"),
    ENTRY("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n", "SET|a||\n"),
    ENTRY("*2\r\n$3\r\nGET\r\n$5\r\n\r\n$1\r\r\n*1\r\n$1\r\nx\r\n", "GET|\r\n$1\r|\nx|\n"),
    ENTRY("*0\r\n*-1\r\n*-10\r\n*1\r\n$1\r\na\r\n", "a|\n"),
    ENTRY("*1\r\n$10\r\n0123456789\r\n", "0123456789|\n"),
    ENTRY("PING\r\n", "PING|\n"),
    ENTRY("PING\n\r\n\nset a  b\n", "PING|\nset|a|b|\n"),
    ENTRY("set \"a b\" 'c d' e\r\n", "set|a b|c d|e|\n"),
    ENTRY("set \"\\x41\\n\\q\\xZZ\" 'it\\'s' \"\"\r\n", "set|A\nqxZZ|it's||\n"),
    ENTRY("a\"b c\"\r\n", "ab c|\n"),
    ENTRY("set \"a\"b\r\n", "!Protocol error: unbalanced quotes in request"),
    ENTRY("set \"a\r\n", "!Protocol error: unbalanced quotes in request"),
    ENTRY("set 'a\r\n", "!Protocol error: unbalanced quotes in request"),
    ENTRY("PING\r\n*x\r\n", "PING|\n!Protocol error: invalid multibulk length"),
    ENTRY("*1048577\r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*3000000000\r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*99999999999999999999\r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*01\r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*\r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*1 \r\n", "!Protocol error: invalid multibulk length"),
    ENTRY("*1\r\n:1\r\n", "!Protocol error: expected '$', got ':'"),
    ENTRY("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "!Protocol error: expected '$', got 'f'"),
    ENTRY("*1\r\n$-1\r\n", "!Protocol error: invalid bulk length"),
    ENTRY("*1\r\n$blabla\r\n", "!Protocol error: invalid bulk length"),
    ENTRY("*1\r\n$536870913\r\n", "!Protocol error: invalid bulk length"),
    ENTRY("*1\r\n$2000000000\r\n", "!Protocol error: invalid bulk length"),
    ENTRY("*1\r\n$\r\n", "!Protocol error: invalid bulk length"),
    ENTRY("*1\r\n\r\n", "!Protocol error: expected '$', got '\r'"),
    ENTRY("*1\r\n$536870912\r\nabc", ""),
    ENTRY("*1048576\r\n$1\r\na\r\n", ""),
    ENTRY("abc\0def\r\nPING\r\n", "abc|\nPING|\n"),
    ENTRY("", ""),
};

#define ENTRIES (sizeof corpus / sizeof corpus[0])

static void expect(const struct reading *r, const struct entry *entry, size_t split)
{
    struct kv_slice got = text_of(r);

    cr_assert(got.size == strlen(entry->result) &&
                  (got.size == 0 || memcmp(got.data, entry->result, got.size) == 0),
              "%s, split at %zu: %.*s", entry->sent.data, split, (int)got.size,
              got.size > 0 ? got.data : "");
}

Test(kv_resp, whole)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct reading r = { 0 };

        feed(&r, corpus[i].sent.data, corpus[i].sent.size);
        expect(&r, &corpus[i], 0);
        finish(&r);
    }
}

Test(kv_resp, split_at_every_byte)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        for (size_t at = 0; at <= corpus[i].sent.size; at++) {
            struct reading r = { 0 };

            feed(&r, corpus[i].sent.data, at);
            feed(&r, corpus[i].sent.data + at, corpus[i].sent.size - at);
            expect(&r, &corpus[i], at);
            finish(&r);
        }
    }
}

Test(kv_resp, byte_by_byte)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct reading r = { 0 };

        for (size_t at = 0; at < corpus[i].sent.size; at++)
            feed(&r, corpus[i].sent.data + at, 1);
        expect(&r, &corpus[i], SIZE_MAX);
        finish(&r);
    }
}

static void expect_line_error(const char *before, const char *error)
{
    struct reading r = { 0 };
    char *line = malloc(KV_RESP_LINE_MAX);

    memset(line, '1', KV_RESP_LINE_MAX);
    feed(&r, before, strlen(before));
    feed(&r, line, KV_RESP_LINE_MAX);
    cr_assert(text_of(&r).size == strlen(error) &&
              memcmp(text_of(&r).data, error, strlen(error)) == 0);
    finish(&r);
    free(line);
}

Test(kv_resp, lines_without_end)
{
    expect_line_error("a", "!Protocol error: too big inline request");
    expect_line_error("*", "!Protocol error: too big mbulk count string");
    expect_line_error("*1\r\n$", "!Protocol error: too big bulk count string");
}

Test(kv_resp, a_claim_takes_no_memory)
{
    struct reading r = { 0 };

    feed(&r, "*1048576\r\n$536870912\r\nab", 24);
    cr_assert(r.resp.capacity == 0);
    cr_assert(kv_resp_wanted(&r.resp, r.input.size) == 512 * 1024 * 1024);
    finish(&r);
}

Test(kv_resp, a_hundred_thousand_elements)
{
    struct reading r = { 0 };

    feed(&r, "*100000\r\n", 9);
    for (int i = 0; i < 99999; i++)
        feed(&r, "$1\r\nx\r\n", 7);
    cr_assert(r.result.size == 0);
    kv_buffer_add(&r.input, "$1\r\ny\r\n", 7);
    cr_assert(kv_resp_next(&r.resp, r.input.data, r.input.size) == KV_RESP_COMMAND);
    cr_assert(r.resp.count == 100000);
    cr_assert(r.input.data[r.resp.args[99999].at] == 'y');
    finish(&r);
}

/* Whatever comes, the parser ends with an answer and never looks outside the buffer. */
Test(kv_resp, noise)
{
    static const char alphabet[] = "*$\r\n\r\n0123-ab\"'\\ x\r\n*1\r\n$1\r\n";
    uint64_t seed = 88172645463325252u;

    for (int round = 0; round < 20000; round++) {
        struct reading r = { 0 };
        char bytes[64];
        size_t size;

        for (size = 0; size < sizeof bytes; size++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            bytes[size] = alphabet[seed % (sizeof alphabet - 1)];
        }
        feed(&r, bytes, seed % 64);
        feed(&r, bytes + seed % 64, 64 - seed % 64);
        finish(&r);
    }
}
