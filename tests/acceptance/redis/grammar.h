/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_REDIS_GRAMMAR_H
#define TROUPE_TESTS_REDIS_GRAMMAR_H

/*
 * Commands by chance: a grammar whose words are chosen by a seed.
 *
 *     { "step", "=GET <key>|=SET <key> <value><set-options>" }
 *
 * A rule's choices stand between bars, and are equally likely; <name> is what a choice of that rule
 * makes. The start is the rule "step"; what comes out is in the notation of cases.h, with several
 * commands joined by " ; ", behind one letter that says how the answers are to be compared:
 *
 *     =  they are equal                      {  the elements of an array are, in any order
 *     ~  numbers may be a little apart       ?  they are of one kind, and errors equal
 *     @  a SCAN with these options, from its beginning to its end, finds the same
 */

#include <stdint.h>

#include "bytes.h"

/* Ended by a NUL. */
void grammar_step(uint64_t *seed, struct bytes *step);

#endif
