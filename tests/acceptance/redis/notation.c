/* SPDX-License-Identifier: BSD-2-Clause */

#include "notation.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX    64u
#define ELEMENTS_MAX 1024u

/* ---- what is sent ---- */

/* Puts what an escape stands for; gives what comes behind it. */
static const char *put_escape(const char *at, struct bytes *bytes)
{
    char byte = at[1];
    unsigned value;

    if (at[1] == 'x' && sscanf(at + 2, "%2x", &value) == 1) {
        byte = (char)value;
        bytes_append(bytes, &byte, 1);
        return at + 4;
    }
    if (byte == 'r')
        byte = '\r';
    else if (byte == 'n')
        byte = '\n';
    else if (byte == 't')
        byte = '\t';
    bytes_append(bytes, &byte, 1);
    return at + 2;
}

static const char *put_letters(const char *at, struct bytes *bytes)
{
    char *end;
    size_t count = strtoul(at + 1, &end, 10);

    memset(bytes_reserve(bytes, count), 'x', count);
    bytes_grew(bytes, count);
    return end;
}

static const char *put_one(const char *at, struct bytes *bytes)
{
    if (*at == '\\' && at[1] != '\0')
        return put_escape(at, bytes);
    if (*at == '~' && isdigit((unsigned char)at[1]))
        return put_letters(at, bytes);
    bytes_append(bytes, at, 1);
    return at + 1;
}

/* The word at `at`; gives what comes behind it. */
static const char *put_word(const char *at, struct bytes *word)
{
    bool quoted = *at == '"';

    if (quoted)
        at++;
    while (*at != '\0' && *at != (quoted ? '"' : ' '))
        at = put_one(at, word);
    return quoted && *at == '"' ? at + 1 : at;
}

static void send_words(const char *send, struct bytes *bytes)
{
    struct bytes words[WORDS_MAX] = { { .data = NULL } };
    struct text texts[WORDS_MAX] = { { NULL, 0 } };
    size_t count = 0;

    while (*send != '\0' && count < WORDS_MAX) {
        send = put_word(send, &words[count]);
        texts[count] = (struct text){ words[count].data, words[count].size };
        count++;
        while (*send == ' ')
            send++;
    }
    resp_command(bytes, texts, count);
    for (size_t i = 0; i < count; i++)
        bytes_free(&words[i]);
}

void notation_send(const char *send, struct bytes *bytes)
{
    if (*send != '!') {
        send_words(send, bytes);
        return;
    }
    for (send++; *send != '\0';)
        send = put_one(send, bytes);
}

/* ---- what is answered ---- */

static void put_text(struct text text, struct bytes *words)
{
    for (size_t i = 0; i < text.size; i++) {
        char escaped[8];
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '\r' || byte == '\n')
            snprintf(escaped, sizeof escaped, "\\%c", byte == '\r' ? 'r' : 'n');
        else if (byte == '\\' || byte == '*')
            snprintf(escaped, sizeof escaped, "\\%c", byte);
        else if (isprint(byte))
            snprintf(escaped, sizeof escaped, "%c", byte);
        else
            snprintf(escaped, sizeof escaped, "\\x%02x", byte);
        bytes_append_text(words, escaped);
    }
}

static void put_reply(const struct resp_reply *reply, struct bytes *words);

static int by_alphabet(const void *a, const void *b)
{
    return strcmp(((const struct bytes *)a)->data, ((const struct bytes *)b)->data);
}

static void put_sorted(const struct resp_reply *reply, struct bytes *words)
{
    static struct bytes elements[ELEMENTS_MAX];
    struct text rest = reply->text;
    size_t count = 0;

    for (; count < ELEMENTS_MAX && rest.size > 0; count++) {
        struct resp_reply element;
        long size = resp_parse(rest.data, rest.size, &element);
        elements[count] = (struct bytes){ .data = NULL };
        put_reply(&element, &elements[count]);
        bytes_append(&elements[count], "", 1);
        rest = (struct text){ rest.data + size, rest.size - (size_t)size };
    }
    qsort(elements, count, sizeof elements[0], by_alphabet);
    bytes_append_text(words, "{");
    for (size_t i = 0; i < count; i++) {
        bytes_append_text(words, i > 0 ? " " : "");
        bytes_append_text(words, elements[i].data);
        bytes_free(&elements[i]);
    }
    bytes_append_text(words, "}");
}

static void put_array(const struct resp_reply *reply, struct bytes *words)
{
    struct text rest = reply->text;

    bytes_append_text(words, "[");
    while (rest.size > 0) {
        struct resp_reply element;
        long size = resp_parse(rest.data, rest.size, &element);
        put_reply(&element, words);
        rest = (struct text){ rest.data + size, rest.size - (size_t)size };
        bytes_append_text(words, rest.size > 0 ? " " : "");
    }
    bytes_append_text(words, "]");
}

static void put_reply(const struct resp_reply *reply, struct bytes *words)
{
    char number[32];

    switch (reply->kind) {
    case RESP_STATUS:
    case RESP_ERROR:
    case RESP_BULK:
        bytes_append_text(words, reply->kind == RESP_STATUS  ? "+"
                                 : reply->kind == RESP_ERROR ? "-"
                                                             : "$");
        put_text(reply->text, words);
        break;
    case RESP_INTEGER:
        snprintf(number, sizeof number, ":%" PRId64, reply->integer);
        bytes_append_text(words, number);
        break;
    case RESP_NIL:
        bytes_append_text(words, "nil");
        break;
    case RESP_ARRAY:
        put_array(reply, words);
        break;
    }
}

void notation_reply(const struct resp_reply *reply, bool sorted, struct bytes *words)
{
    if (sorted && reply->kind == RESP_ARRAY)
        put_sorted(reply, words);
    else
        put_reply(reply, words);
    bytes_append(words, "", 1);
}

/* ---- whether they fit ---- */

/* Where `*` stands for any run of characters: the last one seen takes what it must. */
static bool star_fits(const char *words, const char *pattern, const char *end)
{
    const char *star = NULL;
    const char *again = NULL;

    while (*words != '\0') {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            again = words;
        } else if (pattern + 1 < end && *pattern == '\\' && words[0] == '\\' &&
                   words[1] == pattern[1]) {
            pattern += 2;
            words += 2;
        } else if (pattern < end && *pattern == *words && *pattern != '\\') {
            pattern++;
            words++;
        } else if (star != NULL) {
            pattern = star;
            words = ++again;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

bool notation_fits(const char *words, const char *expect, size_t size)
{
    int64_t low, high;
    struct bytes pattern = { .data = NULL };
    char text[64];

    snprintf(text, sizeof text, "%.*s", (int)(size < 63 ? size : 63), expect);
    if (sscanf(text, ":%" SCNd64 "..%" SCNd64, &low, &high) == 2) {
        int64_t value;
        return sscanf(words, ":%" SCNd64, &value) == 1 && value >= low && value <= high;
    }
    for (const char *at = expect; at < expect + size;) {
        if (*at == '~' && isdigit((unsigned char)at[1])) {
            at = put_letters(at, &pattern);
        } else {
            bytes_append(&pattern, at, 1);
            at++;
        }
    }
    bool fits = star_fits(words, pattern.data, pattern.data + pattern.size);
    bytes_free(&pattern);
    return fits;
}
