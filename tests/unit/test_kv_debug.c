/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* OBJECT's and DEBUG's subcommands, in the connection. */

#include "support/kv_service.h"

Test(kv_debug, subcommands_are_checked)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "object", "-ERR wrong number of arguments for 'object' command");
    EXPECT(&s, "object nosuch a", "-ERR unknown subcommand 'nosuch'. Try OBJECT HELP.");
    EXPECT(&s, "object freq", "-ERR wrong number of arguments for 'object|freq' command");
    EXPECT(&s, "debug nosuch", "-ERR unknown subcommand 'nosuch'. Try DEBUG HELP.");
    EXPECT(&s, "debug loadaof", "-ERR there are no logs to load");
    service_stop(&s);
}

Test(kv_debug, keys_are_kept_until_they_are_met)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "debug set-active-expire 0", "+OK");
    EXPECT(&s, "psetex a 10 1", "+OK");
    EXPECT(&s, "psetex b 10 1", "+OK");
    service_pass_time(&s, 20);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert(kv_store_sweep(&s.stores[i], 1000) == 0);
    EXPECT(&s, "dbsize", ":2");
    EXPECT(&s, "get a", "$-1");
    EXPECT(&s, "dbsize", ":1");
    EXPECT(&s, "debug set-active-expire 1", "+OK");
    cr_assert(kv_store_sweep(&s.stores[0], 1000) + kv_store_sweep(&s.stores[1], 1000) == 1);
    service_stop(&s);
}

Test(kv_debug, loading_the_logs_ends_the_round)
{
    struct service s;

    service_start(&s, 2);
    s.settings.appendonly = true;
    EXPECT(&s, "debug loadaof", "+OK");
    cr_assert(s.session.crash == KV_CRASH_ALL);
    service_stop(&s);
}
