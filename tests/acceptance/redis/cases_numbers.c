/* SPDX-License-Identifier: BSD-2-Clause */

/* Numbers: INCR, INCRBY, DECR. See cases.h. */

#include "cases.h"

#define NO_INTEGER "-ERR value is not an integer or out of range"
#define OVERFLOWS  "-ERR increment or decrement would overflow"

static const struct redis_step steps[] = {
    CASE("INCR counts from nothing"),
    { "INCR novar", ":1" },
    { "GET novar", "$1" },
    { "INCR novar", ":2" },

    CASE("DECR counts from nothing"),
    { "DECR novar", ":-1" },
    { "GET novar", "$-1" },
    { "INCR novar", ":0" },

    CASE("INCR against a key that was set"),
    { "SET novar 100", "+OK" },
    { "INCR novar", ":101" },
    { "DECR novar", ":100" },
    { "GET novar", "$100" },

    CASE("INCR over 32 bits"),
    { "SET novar 17179869184", "+OK" },
    { "INCR novar", ":17179869185" },
    { "INCRBY novar 17179869184", ":34359738369" },
    { "INCRBY novar -34359738369", ":0" },

    CASE("INCRBY"),
    { "INCRBY n 5", ":5" },
    { "INCRBY n -10", ":-5" },
    { "INCRBY n 0", ":-5" },
    { "GET n", "$-5" },
    { "INCRBY n x", NO_INTEGER },
    { "INCRBY n \"\"", NO_INTEGER },
    { "INCRBY n 1.0", NO_INTEGER },
    { "INCRBY n \" 1\"", NO_INTEGER },
    { "INCRBY n 9223372036854775808", NO_INTEGER },
    { "GET n", "$-5" },

    CASE("INCR against what is no number"),
    { "SET n \"    11\"", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n \"11    \"", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n \"    11    \"", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n \"\"", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n abc", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n 1.5", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n +1", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n 01", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n -0", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n \"1\\x00\"", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n 0x10", "+OK" },
    { "INCR n", NO_INTEGER },
    { "SET n -", "+OK" },
    { "INCR n", NO_INTEGER },
    { "GET n", "$-" },

    CASE("the ends of the range"),
    { "SET n 9223372036854775806", "+OK" },
    { "INCR n", ":9223372036854775807" },
    { "INCR n", OVERFLOWS },
    { "INCRBY n 1", OVERFLOWS },
    { "GET n", "$9223372036854775807" },
    { "SET n -9223372036854775807", "+OK" },
    { "DECR n", ":-9223372036854775808" },
    { "DECR n", OVERFLOWS },
    { "INCRBY n -1", OVERFLOWS },
    { "INCRBY n -9223372036854775808", OVERFLOWS },
    { "GET n", "$-9223372036854775808" },
    { "INCRBY n 9223372036854775807", ":-1" },
    { "SET n 9223372036854775808", "+OK" },
    { "INCR n", NO_INTEGER },

    CASE("INCR keeps the expiry"),
    { "SET n 1 EX 100", "+OK" },
    { "INCR n", ":2" },
    { "TTL n", ":99..100" },
    { "DECR n", ":1" },
    { "INCRBY n 10", ":11" },
    { "TTL n", ":99..100" },

    CASE("INCR on an expired key counts from nothing"),
    { "SET n 41 PX 1", "+OK" },
    { "@until GET n", "nil" },
    { "INCR n", ":1" },
    { "TTL n", ":-1" },

    CASE("wrong numbers of arguments"),
    { "INCR", "-ERR wrong number of arguments for 'incr' command" },
    { "INCR a b", "-ERR wrong number of arguments for 'incr' command" },
    { "INCRBY a", "-ERR wrong number of arguments for 'incrby' command" },
    { "INCRBY a 1 2", "-ERR wrong number of arguments for 'incrby' command" },
    { "DECR", "-ERR wrong number of arguments for 'decr' command" },
    { "DECR a b", "-ERR wrong number of arguments for 'decr' command" },
};

const struct redis_table redis_numbers = TABLE("numbers", steps);
