/* SPDX-License-Identifier: BSD-2-Clause */

#include <troupe/error.h>

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "base/bits.h"

struct entry {
    int error;
    const char *name;
    const char *sentence;
};

#define ENTRY(code, text) { code, #code, text },

static const struct entry entries[] = { { 0, "0", "no error" }, TR_ERRORS(ENTRY) };
static const struct entry unknown = { INT_MIN, "?", "unknown error" };

static const struct entry *entry_of(int error)
{
    for (size_t i = 0; i < TRI_COUNT_OF(entries); i++) {
        if (error == entries[i].error || error == -entries[i].error)
            return &entries[i];
    }
    return &unknown;
}

const char *tr_strerror(int error)
{
    return entry_of(error)->sentence;
}

const char *tr_error_name(int error)
{
    return entry_of(error)->name;
}
