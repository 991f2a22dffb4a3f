/* SPDX-License-Identifier: BSD-2-Clause */

#include "words.h"

#include <stdbool.h>

#include "resp.h"

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What ends a word is less than what may stand before one: redis' rule. */
static bool ends_word(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows a backslash in double quotes, from `*at` on; moves behind it. */
static char escaped(const char *data, uint32_t end, uint32_t *at)
{
    char c = data[(*at)++];

    if (c == 'x' && end - *at >= 2 && hex_digit(data[*at]) >= 0 && hex_digit(data[*at + 1]) >= 0) {
        *at += 2;
        return (char)(hex_digit(data[*at - 2]) * 16 + hex_digit(data[*at - 1]));
    }
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default:  return c;
    }
}

/* Moves what stands between quotes to `*to`. False: not closed, or something stands behind it. */
static bool unquote(char *data, uint32_t end, uint32_t *at, uint32_t *to)
{
    char quote = data[(*at)++];

    while (*at < end && data[*at] != '\0') {
        char c = data[(*at)++];

        if (c == quote)
            return *at == end || is_blank(data[*at]) || data[*at] == '\0';
        if (c == '\\' && *at < end && quote == '"')
            c = escaped(data, end, at);
        else if (c == '\\' && *at < end && data[*at] == '\'')
            c = data[(*at)++];
        data[(*to)++] = c;
    }
    return false;
}

int kv_words_next(char *data, uint32_t end, uint32_t *at, struct kv_arg *ret_word)
{
    uint32_t to;

    while (*at < end && is_blank(data[*at]))
        (*at)++;
    if (*at == end || data[*at] == '\0')
        return 0;
    to = *at;
    ret_word->at = to;
    while (*at < end && !ends_word(data[*at])) {
        if (data[*at] != '"' && data[*at] != '\'')
            data[to++] = data[(*at)++];
        else if (!unquote(data, end, at, &to))
            return -1;
    }
    ret_word->size = to - ret_word->at;
    return 1;
}
