/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_TOWN_ANSWER_H
#define KV_TOWN_ANSWER_H

/* Replies as they come: of any size, in any pieces. */

#include "history.h"

#define ANSWER_PARTS_MAX 8u

enum answer_error {
    ANSWER_GOOD,
    ANSWER_FAILED,   /* it may have been done */
    ANSWER_REFUSED,  /* the disk refuses it */
    ANSWER_WRONG,    /* nobody should ever get this one */
};

struct answer_part {
    struct history_answer value;
    enum answer_error error;
};

/* A reply: one part, or those of an array. */
struct answer {
    struct answer_part parts[ANSWER_PARTS_MAX];
    uint32_t count;
    bool is_array;
    char text[80];   /* the beginning of its last line, for people */
};

/* Reads one reply off the front. Returns its size; 0: there is more to come; -1: it makes no
 * sense. */
int64_t answer_read(const char *bytes, size_t size, struct answer *ret_answer);

#endif
