/* SPDX-License-Identifier: BSD-2-Clause */

#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *line, const char *text)
{
    return strncmp(line, text, strlen(text)) == 0;
}

static enum answer_error read_error(const char *line)
{
    if (begins_with(line, "-ERR shard ") || begins_with(line, "-OOM"))
        return ANSWER_FAILED;
    return begins_with(line, "-MISCONF") ? ANSWER_REFUSED : ANSWER_WRONG;
}

/* "$5\r\nhello\r\n": what stands behind the line with its size. */
static int64_t read_bulk(const char *bytes, size_t left, int64_t size, struct answer_part *part)
{
    if (size < 0) {
        part->value.type = '_';
        return 0;
    }
    if (left < (size_t)size + 2)
        return -1;
    part->value.size = (uint32_t)size;
    part->value.sum = history_sum(HISTORY_SUM, bytes, (size_t)size);
    return size + 2;
}

/* One part; returns as answer_read. */
static int64_t read_part(const char *bytes, size_t size, struct answer *answer)
{
    const char *end = memchr(bytes, '\n', size);
    struct answer_part part = { .error = ANSWER_GOOD };
    int64_t more = 0;

    if (end == NULL)
        return 0;
    (void)snprintf(answer->text, sizeof answer->text, "%.*s", (int)(end - bytes), bytes);
    part.value.type = bytes[0];
    if (bytes[0] == ':')
        part.value.number = strtoll(bytes + 1, NULL, 10);
    else if (bytes[0] == '$')
        more = read_bulk(end + 1, size - (size_t)(end + 1 - bytes), strtoll(bytes + 1, NULL, 10),
                         &part);
    else if (bytes[0] == '-')
        part.error = read_error(answer->text);
    else if (bytes[0] != '+')
        return -1;
    if (more < 0)
        return 0;
    answer->parts[answer->count++] = part;
    return end + 1 - bytes + more;
}

int64_t answer_read(const char *bytes, size_t size, struct answer *ret_answer)
{
    struct answer answer = { .count = 0 };
    int64_t parts = 1, at = 0;

    if (size > 0 && bytes[0] == '*') {
        const char *end = memchr(bytes, '\n', size);
        if (end == NULL)
            return 0;
        parts = strtoll(bytes + 1, NULL, 10);
        at = end + 1 - bytes;
        answer.is_array = true;
    }
    if (parts < 0 || parts > (int64_t)ANSWER_PARTS_MAX)
        return -1;
    for (; parts > 0; parts--) {
        int64_t read = read_part(bytes + at, size - (size_t)at, &answer);
        if (read <= 0)
            return read;
        at += read;
    }
    *ret_answer = answer;
    return at;
}
