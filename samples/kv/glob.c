/* SPDX-License-Identifier: BSD-2-Clause */

#include "glob.h"

/* A star takes back one character more at each mismatch, and only the last star can: what an
 * earlier one could still take, the later one can as well. So one place to go back to is enough,
 * and no pattern costs more than pattern times text. */

/* Matches one character against the class whose first character is at `*at`, and moves behind it. A
 * class that is never closed ends with the pattern. */
static bool class_matches(struct kv_slice pattern, size_t *at, unsigned char letter)
{
    size_t i = *at;
    bool found = false;
    bool inverted = i < pattern.size && pattern.data[i] == '^';

    for (i += inverted; i < pattern.size && pattern.data[i] != ']'; i++) {
        unsigned char low;
        unsigned char high;

        if (pattern.data[i] == '\\' && i + 1 < pattern.size) {
            found |= (unsigned char)pattern.data[++i] == letter;
            continue;
        }
        low = high = (unsigned char)pattern.data[i];
        if (i + 2 < pattern.size && pattern.data[i + 1] == '-') {
            high = (unsigned char)pattern.data[i + 2];
            i += 2;
        }
        found |= low <= high ? low <= letter && letter <= high : high <= letter && letter <= low;
    }
    *at = i < pattern.size ? i + 1 : i;
    return found != inverted;
}

/* Matches one character against one element of the pattern, not a star, and moves behind it. */
static bool element_matches(struct kv_slice pattern, size_t *at, char letter)
{
    char element = pattern.data[(*at)++];

    if (element == '?')
        return true;
    if (element == '[')
        return class_matches(pattern, at, (unsigned char)letter);
    if (element == '\\' && *at < pattern.size)
        element = pattern.data[(*at)++];
    return element == letter;
}

bool kv_glob(struct kv_slice pattern, struct kv_slice text)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;   /* the element after the last star */
    size_t star_text = 0;     /* up to here the star has taken the text */

    /* As redis has it: a star takes nothing off an empty text, unless it is alone. */
    if (text.size == 0)
        return pattern.size == 0 || (pattern.size == 1 && pattern.data[0] == '*');
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = ++p;
            star_text = t;
        } else if (p < pattern.size && element_matches(pattern, &p, text.data[t])) {
            t++;
        } else if (star != SIZE_MAX) {
            p = star;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}
