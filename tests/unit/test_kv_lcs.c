/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* LCS. */

#include "kv/lcs.h"
#include "support/kv_service.h"

#define WITH_SHARDS(service, shards)                                                     \
    for (uint32_t shards = 1; shards <= 7; shards += 3)                                  \
        for (int once_ = (service_start(&(service), shards), 1); once_;                  \
             once_ = (service_stop(&(service)), 0))

Test(kv_lcs, text_length_and_ranges)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "mset a ohmytext b mynewtext", "+OK");
        EXPECT(&s, "lcs a b", "$6 mytext");
        EXPECT(&s, "lcs a b len", ":6");
        EXPECT(&s, "lcs a b idx",
               "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6");
        EXPECT(&s, "lcs a b idx minmatchlen 4 withmatchlen",
               "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6");
        EXPECT(&s, "lcs a x", "$0 ");
        EXPECT(&s, "lcs x y len", ":0");
        EXPECT(&s, "lcs x y idx", "*4 $7 matches *0 $3 len :0");
        EXPECT(&s, "lcs a a", "$8 ohmytext");
        EXPECT(&s, "ping", "+PONG");
    }
}

Test(kv_lcs, what_is_wrong)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "lcs a", "-ERR wrong number of arguments for 'lcs' command");
        EXPECT(&s, "lcs a b foo", "-ERR syntax error");
        EXPECT(&s, "lcs a b minmatchlen", "-ERR syntax error");
        EXPECT(&s, "lcs a b minmatchlen x", "-ERR value is not an integer or out of range");
        EXPECT(&s, "lcs a b idx len",
               "-ERR If you want both the length and indexes, please just use IDX.");
        EXPECT(&s, "ping", "+PONG");
    }
}

Test(kv_lcs, a_table_that_is_too_large_is_not_made)
{
    struct kv_lcs_options options = { 0 };
    struct kv_buffer out = { 0 };
    char *big = calloc(1, 20000);

    kv_lcs_reply((struct kv_slice){ big, 20000 }, (struct kv_slice){ big, 20000 }, &options, &out);
    cr_assert(out.size > 20 && memcmp(out.data, "-ERR Insufficient", 17) == 0);
    kv_buffer_release(&out);
    free(big);
}
