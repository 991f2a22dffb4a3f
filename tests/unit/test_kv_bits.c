/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* SETBIT and GETBIT. */

#include "support/kv_service.h"

#define BAD_OFFSET "-ERR bit offset is not an integer or out of range"
#define BAD_BIT    "-ERR bit is not an integer or out of range"

Test(kv_bits, bits_are_set_and_read)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "getbit a 0", ":0");
    EXPECT(&s, "setbit a 1 1", ":0");
    EXPECT(&s, "get a", "$1 @");
    EXPECT(&s, "setbit a 1 0", ":1");
    EXPECT(&s, "set a 1", "+OK");
    EXPECT(&s, "setbit a 6 1", ":0");
    EXPECT(&s, "get a", "$1 3");
    EXPECT(&s, "getbit a 6", ":1");
    EXPECT(&s, "getbit a 100", ":0");
    EXPECT(&s, "setbit a 100 0", ":0");
    EXPECT(&s, "strlen a", ":13");
    service_stop(&s);
}

Test(kv_bits, what_is_out_of_range_is_refused)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "setbit a -1 1", BAD_OFFSET);
    EXPECT(&s, "setbit a x 1", BAD_OFFSET);
    EXPECT(&s, "setbit a 4294967296 1", BAD_OFFSET);
    EXPECT(&s, "getbit a 4294967296", BAD_OFFSET);
    EXPECT(&s, "getbit a 4294967295", ":0");
    EXPECT(&s, "setbit a 0 2", BAD_BIT);
    EXPECT(&s, "setbit a 0 -1", BAD_BIT);
    EXPECT(&s, "setbit a 0 x", BAD_BIT);
    EXPECT(&s, "exists a", ":0");
    service_stop(&s);
}

Test(kv_bits, only_a_change_is_written_down)
{
    struct service s;
    size_t before;

    service_start(&s, 1);
    EXPECT(&s, "set a 1 ex 10", "+OK");
    before = s.records[0].size;
    EXPECT(&s, "setbit a 2 1", ":1");
    cr_assert(s.records[0].size == before);
    EXPECT(&s, "setbit a 2 0", ":1");
    cr_assert(s.records[0].size > before);
    EXPECT(&s, "ttl a", ":10");
    service_stop(&s);
}

Test(kv_bits, without_memory_nothing_changes)
{
    struct service s;

    service_start(&s, 1);
    EXPECT(&s, "set a 1", "+OK");
    kv_session_feed(&s.session, "setbit a 80000 1\r\n", 18);
    cr_assert(kv_session_parse(&s.session) == 1);
    struct kv_work *work = kv_session_take(&s.session, 0);
    kv_buffer_room(&work->replies, 100);
    kv_buffer_room(&work->marks, 100);
    kv_memory_fail_after(0);
    kv_work_run(work, &s.stores[0], NULL);
    kv_memory_fail_after(-1);
    kv_session_answered(&s.session, work);
    cr_assert(strncmp(service_replies(&s), "-OOM", 4) == 0);
    EXPECT(&s, "get a", "$1 1");
    service_stop(&s);
}
