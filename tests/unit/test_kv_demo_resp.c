/* SPDX-License-Identifier: BSD-2-Clause */
/* links: kv_driver */

/* The client's side of RESP2: every reply whole, in pieces, and broken. */

#include "support/test.h"

#include <errno.h>

#include "resp.h"

static long parse(const char *text, struct resp_reply *ret_reply)
{
    return resp_parse(text, strlen(text), ret_reply);
}

static bool is_text(const struct resp_reply *reply, const char *text)
{
    return reply->text.size == strlen(text) &&
           memcmp(reply->text.data, text, reply->text.size) == 0;
}

Test(kv_demo_resp, reads_each_kind)
{
    struct resp_reply reply;

    cr_assert_eq(parse("+OK\r\n", &reply), 5);
    cr_assert_eq((int)reply.kind, RESP_STATUS);
    cr_assert(is_text(&reply, "OK"));
    cr_assert_eq(parse("-ERR no\r\n+", &reply), 9);
    cr_assert_eq((int)reply.kind, RESP_ERROR);
    cr_assert(is_text(&reply, "ERR no"));
    cr_assert_eq(parse(":-9223372036854775808\r\n", &reply), 23);
    cr_assert_eq(reply.integer, INT64_MIN);
    cr_assert_eq(parse("$5\r\na\r\nbc\r\n", &reply), 11);
    cr_assert_eq((int)reply.kind, RESP_BULK);
    cr_assert(is_text(&reply, "a\r\nbc"));
    cr_assert_eq(parse("$0\r\n\r\n", &reply), 6);
    cr_assert(is_text(&reply, ""));
    cr_assert_eq(parse("$-1\r\n", &reply), 5);
    cr_assert_eq((int)reply.kind, RESP_NIL);
    cr_assert_eq(parse("*-1\r\n", &reply), 5);
    cr_assert_eq((int)reply.kind, RESP_NIL);
}

Test(kv_demo_resp, reads_the_elements_of_an_array)
{
    struct resp_reply reply, element;

    cr_assert_eq(parse("*3\r\n:1\r\n*1\r\n$1\r\na\r\n$-1\r\n", &reply), 24);
    cr_assert_eq((int)reply.kind, RESP_ARRAY);
    cr_assert_eq(reply.integer, 3);
    const char *at = reply.text.data;
    cr_assert_eq(resp_parse(at, reply.text.size, &element), 4);
    cr_assert_eq(element.integer, 1);
    cr_assert_eq(resp_parse(at + 4, reply.text.size - 4, &element), 11);
    cr_assert_eq((int)element.kind, RESP_ARRAY);
    cr_assert_eq(resp_parse(at + 15, reply.text.size - 15, &element), 5);
    cr_assert_eq((int)element.kind, RESP_NIL);
}

Test(kv_demo_resp, waits_for_the_rest)
{
    const char *whole = "*2\r\n$3\r\nabc\r\n:12\r\n";
    struct resp_reply reply = { .integer = 99 };

    for (size_t size = 0; size < strlen(whole); size++)
        cr_assert_eq(resp_parse(whole, size, &reply), 0);
    cr_assert_eq(reply.integer, 99, "untouched until it is all there");
    cr_assert_eq(resp_parse(whole, strlen(whole), &reply), (long)strlen(whole));
}

Test(kv_demo_resp, refuses_what_is_no_reply)
{
    static const char *const broken[] = {
        "OK\r\n", "\r\n", "+OK\n", ":\r\n", ":1x\r\n", ": 1\r\n", ":+1\r\n", ":-\r\n",
        ":9223372036854775808\r\n", "$-2\r\n", "$3\r\nabcd\r\n", "$99999999999\r\n", "*-2\r\n",
        "*1\r\nx\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    };
    struct resp_reply reply;

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_assert_eq(parse(broken[i], &reply), -EPROTO, "%s", broken[i]);
}

Test(kv_demo_resp, a_line_without_end_is_no_reply)
{
    char *line = demo_alloc(100000);
    struct resp_reply reply;

    memset(line, 'x', 100000);
    line[0] = '+';
    cr_assert_eq(resp_parse(line, 1000, &reply), 0);
    cr_assert_eq(resp_parse(line, 100000, &reply), -EPROTO);
    free(line);
}

Test(kv_demo_resp, writes_commands)
{
    const struct text words[] = { { "SET", 3 }, { "k\0", 2 }, { "", 0 } };
    static const char wanted[] = "*3\r\n$3\r\nSET\r\n$2\r\nk\0\r\n$0\r\n\r\n";
    struct bytes bytes = { .data = NULL };

    resp_command(&bytes, words, 3);
    cr_assert_eq(bytes.size, sizeof wanted - 1);
    cr_assert_arr_eq(bytes.data, wanted, sizeof wanted - 1);
    bytes_free(&bytes);
}

Test(kv_demo_resp, bytes_are_consumed_in_the_order_they_came)
{
    struct bytes bytes = { .data = NULL };
    char got[4000] = "";
    size_t used = 0;

    for (int i = 0; i < 1000; i++) {
        bytes_append(&bytes, "abc", 3);
        got[used++] = bytes.data[0];
        bytes_consume(&bytes, 1);
    }
    while (bytes.size > 0) {
        got[used++] = bytes.data[0];
        bytes_consume(&bytes, 1);
    }
    cr_assert_eq(used, 3000u);
    for (size_t i = 0; i < used; i++)
        cr_assert_eq(got[i], "abc"[i % 3]);
    bytes_clear(&bytes);
    bytes_free(&bytes);
}
