/* SPDX-License-Identifier: BSD-2-Clause */

#include "number.h"

#include <string.h>

static bool parse_magnitude(const char *digits, size_t count, uint64_t *ret_magnitude)
{
    uint64_t magnitude = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        unsigned digit = (unsigned)((unsigned char)digits[i] - '0');

        if (digit > 9 || magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *ret_magnitude = magnitude;
    return true;
}

bool kv_number_parse(const char *text, size_t size, int64_t *ret_number)
{
    bool negative = size > 0 && text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t magnitude;

    if (size == 1 && text[0] == '0') {
        *ret_number = 0;
        return true;
    }
    text += negative;
    size -= negative;
    if (size == 0 || size >= KV_NUMBER_MAX || text[0] == '0')
        return false;
    if (!parse_magnitude(text, size, &magnitude) || magnitude > limit)
        return false;
    *ret_number = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool kv_number_parse_cursor(const char *text, size_t size, uint64_t *ret_cursor)
{
    bool negative = size > 0 && text[0] == '-';
    bool signed_ = negative || (size > 0 && text[0] == '+');
    uint64_t magnitude;

    if ((size > 0 && size <= signed_) ||
        !parse_magnitude(text + signed_, size - signed_, &magnitude))
        return false;
    *ret_cursor = negative ? 0 - magnitude : magnitude;
    return true;
}

size_t kv_number_write(char *text, int64_t number)
{
    char digits[KV_NUMBER_MAX];
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    if (number < 0)
        digits[--at] = '-';
    memcpy(text, digits + at, sizeof digits - at);
    return sizeof digits - at;
}
