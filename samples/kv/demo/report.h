/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_REPORT_H
#define TROUPE_KV_DEMO_REPORT_H

/* What a person sees of the demo: one line while it runs, a table and a verdict at the end. */

#include <stdbool.h>
#include <stdint.h>

#include "checker.h"
#include "crasher.h"
#include "server.h"
#include "traffic.h"

#define REPORT_TEXT_MAX 24u

struct report {
    const struct server *server;
    const struct checker *checker;
    const struct crasher *crasher;
    const struct traffic *traffic;
    uint64_t started_ns;
    uint64_t load_ns;           /* how long the load lasted */
    uint64_t kills;             /* of the whole service */
    uint64_t back_ns;           /* from the kill to the first answer after it */
    uint64_t verified;          /* keys, at the end of the load */
    uint64_t verified_again;    /* keys, after an orderly stop and a start */
    bool stopped_in_order;
    uint64_t shown_ns;          /* the last progress */
};

/* Now and then: rewrites its line on a terminal, adds one a second elsewhere. */
void report_progress(struct report *report, uint64_t seconds);
void report_progress_end(void);

void report_table(const struct report *report);

/* Prints the verdict; true if all that was promised was seen. */
bool report_verdict(const struct report *report);

/* 1234567 as "1 234 567". */
void report_number(char ret_text[REPORT_TEXT_MAX], uint64_t number);

/* Nanoseconds as "950 us", "1.25 ms", "12.3 s". */
void report_duration(char ret_text[REPORT_TEXT_MAX], uint64_t ns);

#endif
