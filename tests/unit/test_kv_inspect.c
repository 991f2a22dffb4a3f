/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* OBJECT, in the shard. */

#include "support/kv_service.h"

Test(kv_inspect, encodings_are_what_redis_would_choose)
{
    struct service s;

    service_start(&s, 3);
    EXPECT(&s, "mset a 12 b hello c 0123456789012345678901234567890123456789012345", "+OK");
    EXPECT(&s, "object encoding a", "$3 int");
    EXPECT(&s, "object encoding b", "$6 embstr");
    EXPECT(&s, "object encoding c", "$3 raw");
    EXPECT(&s, "object encoding x", "$-1");
    service_stop(&s);
}

Test(kv_inspect, references)
{
    struct service s;

    service_start(&s, 3);
    EXPECT(&s, "mset a 9999 b 10000 c -1 d x", "+OK");
    EXPECT(&s, "object refcount a", ":2147483647");
    EXPECT(&s, "object refcount b", ":1");
    EXPECT(&s, "object refcount c", ":1");
    EXPECT(&s, "object refcount d", ":1");
    EXPECT(&s, "object refcount x", "$-1");
    cr_assert(strncmp(service_say(&s, "object freq a"), "-ERR An LFU", 11) == 0);
    EXPECT(&s, "object freq x", "$-1");
    service_stop(&s);
}

Test(kv_inspect, idle_time_is_ended_by_reading_and_writing_alone)
{
    struct service s;

    service_start(&s, 3);
    EXPECT(&s, "set a 1", "+OK");
    service_pass_time(&s, 10000);
    EXPECT(&s, "ttl a", ":-1");
    EXPECT(&s, "type a", "+string");
    EXPECT(&s, "exists a", ":1");
    EXPECT(&s, "object idletime a", ":10");
    EXPECT(&s, "touch a", ":1");
    EXPECT(&s, "object idletime a", ":0");
    service_pass_time(&s, 10000);
    EXPECT(&s, "get a", "$1 1");
    EXPECT(&s, "object idletime a", ":0");
    EXPECT(&s, "object idletime x", "$-1");
    service_stop(&s);
}
