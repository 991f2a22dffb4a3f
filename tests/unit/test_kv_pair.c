/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* RENAME, RENAMENX, COPY and MSETNX, whose keys one shard has, or several. */

#include "support/kv_service.h"

#define WITH_SHARDS(service, shards)                                                     \
    for (uint32_t shards = 1; shards <= 7; shards += 3)                                  \
        for (int once_ = (service_start(&(service), shards), 1); once_;                  \
             once_ = (service_stop(&(service)), 0))

Test(kv_pair, rename)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "rename a b", "-ERR no such key");
        EXPECT(&s, "set a 1 ex 10", "+OK");
        EXPECT(&s, "set b 2 ex 500", "+OK");
        EXPECT(&s, "rename a b", "+OK");
        EXPECT(&s, "mget a b", "*2 $-1 $1 1");
        EXPECT(&s, "ttl b", ":10");
        EXPECT(&s, "rename b b", "+OK");
        EXPECT(&s, "rename x x", "-ERR no such key");
        for (char to = 'c'; to < 'j'; to++) {
            char line[] = "rename b c";

            line[7] = (char)(to - 1);
            line[9] = to;
            EXPECT(&s, line, "+OK");
        }
        EXPECT(&s, "get i", "$1 1");
        EXPECT(&s, "dbsize", ":1");
    }
}

Test(kv_pair, renamenx)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "renamenx a b", "-ERR no such key");
        EXPECT(&s, "mset a 1 b 2", "+OK");
        for (char to = 'c'; to < 'j'; to++) {
            char line[] = "renamenx b c";

            line[9] = (char)(to - 1);
            line[11] = to;
            EXPECT(&s, line, ":1");
            line[9] = 'a';
            EXPECT(&s, line, ":0");
        }
        EXPECT(&s, "mget a i", "*2 $1 1 $1 2");
        EXPECT(&s, "renamenx a a", ":0");
        EXPECT(&s, "dbsize", ":2");
    }
}

Test(kv_pair, copy)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "copy a b", ":0");
        EXPECT(&s, "set a 1 ex 10", "+OK");
        EXPECT(&s, "copy a b", ":1");
        EXPECT(&s, "copy a c", ":1");
        EXPECT(&s, "set b 2", "+OK");
        EXPECT(&s, "copy a b", ":0");
        EXPECT(&s, "copy a b replace", ":1");
        EXPECT(&s, "mget a b c", "*3 $1 1 $1 1 $1 1");
        EXPECT(&s, "ttl b", ":10");
        EXPECT(&s, "copy a a", "-ERR source and destination objects are the same");
        EXPECT(&s, "copy a a db 0", "-ERR source and destination objects are the same");
        EXPECT(&s, "copy a a db 3", ":1");
        EXPECT(&s, "copy a d db 3", ":1");
        EXPECT(&s, "copy a d db 16", "-ERR DB index is out of range");
        EXPECT(&s, "copy a e db x", "-ERR value is not an integer or out of range");
        EXPECT(&s, "copy a e db", "-ERR syntax error");
        EXPECT(&s, "copy a e foo", "-ERR syntax error");
        EXPECT(&s, "dbsize", ":3");
        EXPECT(&s, "select 3", "+OK");
        EXPECT(&s, "mget a d", "*2 $1 1 $1 1");
    }
}

Test(kv_pair, msetnx)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "msetnx a 1 b 2 c 3 d 4 e 5 f 6", ":1");
        EXPECT(&s, "mget a b c d e f", "*6 $1 1 $1 2 $1 3 $1 4 $1 5 $1 6");
        EXPECT(&s, "msetnx x 1 y 2 z 3 f 0", ":0");
        EXPECT(&s, "exists x y z", ":0");
        EXPECT(&s, "msetnx x 1 y 2 x 3", ":1");
        EXPECT(&s, "mget x y", "*2 $1 3 $1 2");
        EXPECT(&s, "msetnx a", "-ERR wrong number of arguments for 'msetnx' command");
        EXPECT(&s, "msetnx a 1 b", "-ERR wrong number of arguments for 'msetnx' command");
        EXPECT(&s, "msetnx q 1", ":1");
    }
}

Test(kv_pair, what_was_written_down_makes_the_same_again)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "mset a 1 b 2 c 3", "+OK");
        EXPECT(&s, "expire a 100", ":1");
        EXPECT(&s, "rename a d", "+OK");
        EXPECT(&s, "renamenx b e", ":1");
        EXPECT(&s, "copy c f", ":1");
        EXPECT(&s, "msetnx g 1 h 2 i 3", ":1");
        for (uint32_t i = 0; i < shards; i++) {
            struct kv_slice payload = { s.records[i].data, s.records[i].size };
            struct kv_log_operation operation;

            kv_store_release(&s.stores[i]);
            s.stores[i].record = NULL;
            while (payload.size > 0) {
                cr_assert(kv_log_take(&payload, &operation));
                cr_assert(kv_store_apply(&s.stores[i], &operation) == 0);
            }
        }
        EXPECT(&s, "mget a b c d e f g h i",
               "*9 $-1 $-1 $1 3 $1 1 $1 2 $1 3 $1 1 $1 2 $1 3");
        EXPECT(&s, "ttl d", ":100");
    }
}
