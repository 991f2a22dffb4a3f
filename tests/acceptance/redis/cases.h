/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_REDIS_CASES_H
#define TROUPE_TESTS_REDIS_CASES_H

/*
 * How the cases are written down: what a client sends, and the answer of Redis 7.0.
 *
 *     CASE("INCR counts from nothing"),
 *     { "INCR n", ":1" },
 *
 * Sent:
 *     SET x "a b\x00"     words, as an array of bulks; escapes \r \n \\ \" \xHH; ~N for N letters
 *     !*1\r\n$4\r\n       these bytes, with the same escapes
 *     @until GET x        the words again and again, until the answer is right, 5 seconds at most
 *     @connect            another connection, from here on
 *     @finish             no more will be sent: the client's half is closed
 *
 * Answered (several replies of one step are joined by " ; "):
 *     +OK  -ERR no  :3  $text  nil  [$a :1 nil]
 *     :1..10              an integer in between
 *     {$a $b}             an array in any order, written in the order of the alphabet
 *     closed              the server ends the connection
 *     *                   in any of these: any run of characters; "\*" is a star
 *
 * Every case begins with no keys and a connection of its own.
 */

#include <stddef.h>

struct redis_step {
    const char *send;
    const char *expect;  /* NULL: `send` is the name of a case that begins here */
};

struct redis_table {
    const char *name;
    const struct redis_step *steps;
    size_t count;
};

/* Where Troupe's service answers otherwise, on purpose. */
struct redis_difference {
    const char *name;  /* of the case */
    const char *send;
    const char *expect;
    const char *reason;
};

#define CASE(name_) { name_, NULL }
#define TABLE(name_, steps_) { name_, steps_, sizeof steps_ / sizeof steps_[0] }

extern const struct redis_table redis_strings;
extern const struct redis_table redis_numbers;
extern const struct redis_table redis_keys;
extern const struct redis_table redis_expiry;
extern const struct redis_table redis_protocol;
extern const struct redis_table redis_server_commands;

extern const struct redis_difference redis_differences[];
extern const size_t redis_differences_count;

#endif
