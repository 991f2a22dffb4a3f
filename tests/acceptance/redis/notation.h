/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_REDIS_NOTATION_H
#define TROUPE_TESTS_REDIS_NOTATION_H

/* The notation of cases.h: from what stands in a case to bytes, and from replies to words. */

#include <stdbool.h>

#include "bytes.h"
#include "resp.h"

/* The bytes of a step: of its words, or behind a '!' as they stand. */
void notation_send(const char *send, struct bytes *bytes);

/* A reply in words, ended by a NUL; with `sorted` an array's elements in order, in braces. */
void notation_reply(const struct resp_reply *reply, bool sorted, struct bytes *words);

/* Whether a reply in words is what is expected (`size` bytes of it). */
bool notation_fits(const char *words, const char *expect, size_t size);

#endif
