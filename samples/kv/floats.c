/* SPDX-License-Identifier: BSD-2-Clause */

/* INCRBYFLOAT: numbers with a point, read and written as redis does it. What is logged is the sum,
 * so that a replay needs no arithmetic. */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "reply.h"

#define TEXT_MAX (5u * 1024)  /* the longest number, and redis' limit for what is read */

static bool parse(struct kv_slice text, long double *ret_number)
{
    char copy[TEXT_MAX];
    char *end;
    long double number;

    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    number = strtold(copy, &end);
    if (isspace((unsigned char)copy[0]) || end != copy + text.size || isnan(number))
        return false;
    if (errno == ERANGE && (isinf(number) || fpclassify(number) == FP_ZERO))
        return false;
    *ret_number = number;
    return true;
}

/* Seventeen digits behind the point, but for the zeros at their end. */
static size_t write(long double number, char text[TEXT_MAX])
{
    int written = snprintf(text, TEXT_MAX, "%.17Lf", number);
    size_t size = written < 0 || (size_t)written >= TEXT_MAX ? 0 : (size_t)written;

    while (size > 0 && text[size - 1] == '0')
        size--;
    if (size > 0 && text[size - 1] == '.')
        size--;
    if (size == 2 && memcmp(text, "-0", 2) == 0) {
        text[0] = '0';
        size = 1;
    }
    return size;
}

void kv_run_incrbyfloat(struct kv_call *call)
{
    struct kv_place place = kv_call_place(call);
    const struct kv_entry *entry = kv_store_find(call->store, &place);
    long double number = 0;
    long double more;
    char text[TEXT_MAX];
    struct kv_slice sum = { text, 0 };

    if ((entry != NULL && !parse(kv_entry_value(entry), &number)) ||
        !parse(call->args[2], &more)) {
        KV_REPLY(call->out, "-ERR value is not a valid float\r\n");
        return;
    }
    number += more;
    if (isnan(number) || isinf(number)) {
        KV_REPLY(call->out, "-ERR increment would produce NaN or Infinity\r\n");
        return;
    }
    sum.size = write(number, text);
    if (kv_store_set(call->store, &place, sum, entry == NULL ? KV_NEVER : entry->expires) == NULL)
        kv_call_out_of_memory(call);
    else
        kv_reply_bulk(call->out, sum);
}
