/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* Every command, as a client sees it, over one shard and over several. */

#include "support/kv_service.h"

/* Each test runs with both, so that nothing depends on where a key happens to lie. */
#define WITH_SHARDS(service, shards)                                                     \
    for (uint32_t shards = 1; shards <= 5; shards += 4)                                  \
        for (int once_ = (service_start(&(service), shards), 1); once_;                  \
             once_ = (service_stop(&(service)), 0))

#define NOT_A_NUMBER "-ERR value is not an integer or out of range"
#define SYNTAX "-ERR syntax error"

Test(kv_commands, connection)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "PING", "+PONG");
        EXPECT(&s, "ping hello", "$5 hello");
        EXPECT(&s, "ping a b", "-ERR wrong number of arguments for 'ping' command");
        EXPECT(&s, "echo hi", "$2 hi");
        EXPECT(&s, "echo", "-ERR wrong number of arguments for 'echo' command");
        EXPECT(&s, "nosuch", "-ERR unknown command 'nosuch', with args beginning with: ");
        EXPECT(&s, "nosuch a \"b c\"",
               "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b c' ");
        EXPECT(&s, "select 15", "+OK");
        EXPECT(&s, "select 16", "-ERR DB index is out of range");
        EXPECT(&s, "select -1", "-ERR DB index is out of range");
        EXPECT(&s, "select x", NOT_A_NUMBER);
        EXPECT(&s, "client getname", "$-1");
        EXPECT(&s, "client setname me", "+OK");
        EXPECT(&s, "client getname", "$2 me");
        EXPECT(&s, "client id", ":7");
        EXPECT(&s, "client kill", "-ERR wrong number of arguments for 'client|kill' command");
        EXPECT(&s, "client kill id 10 x", SYNTAX);
        EXPECT(&s, "client kill id 0", "-ERR client-id should be greater than 0");
        EXPECT(&s, "client kill type x", "-ERR Unknown client type 'x'");
        EXPECT(&s, "client kill user x", "-ERR No such user 'x'");
        EXPECT(&s, "client kill skipme x", SYNTAX);
        EXPECT(&s, "client kill nosuch x", SYNTAX);
        EXPECT(&s, "client list x", SYNTAX);
        EXPECT(&s, "client list id x", "-ERR Invalid client ID");
        EXPECT(&s, "client list type x", "-ERR Unknown client type 'x'");
        EXPECT(&s, "client setname 'a b'",
               "-ERR Client names cannot contain spaces, newlines or special characters.");
        EXPECT(&s, "client nosuch", "-ERR unknown subcommand 'nosuch'. Try CLIENT HELP.");
        EXPECT(&s, "client setname", "-ERR wrong number of arguments for 'client|setname' command");
        EXPECT(&s, "config get appendfsync", "*2 $11 appendfsync $2 no");
        EXPECT(&s, "config get save appendonly", "*4 $10 appendonly $2 no $4 save $0 ");
        EXPECT(&s, "config get nosuch", "*0");
        EXPECT(&s, "config set maxmemory 0 MaxMemory 0",
               "-ERR CONFIG SET failed (possibly related to argument 'MaxMemory') - duplicate "
               "parameter");
        EXPECT(&s, "config set daemonize yes",
               "-ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set "
               "immutable config");
        EXPECT(&s, "command count", ":65");
        EXPECT(&s, "command info get nosuch",
               "*2 *10 $3 get :2 *2 +readonly +fast :1 :1 :1 *0 *0 *0 *0 *-1");
        EXPECT(&s, "command docs", "*0");
        EXPECT(&s, "hello 3", "-NOPROTO unsupported protocol version");
    }
}

Test(kv_commands, quit_answers_and_closes)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "quit", "+OK");
    cr_assert(s.session.closing);
    EXPECT(&s, "ping", "");
    service_stop(&s);
}

Test(kv_commands, crash_and_shutdown_end_the_round)
{
    struct service s;

    service_start(&s, 3);
    EXPECT(&s, "crash 3", "-ERR there are shards 0 to 2");
    EXPECT(&s, "crash x", NOT_A_NUMBER);
    service_send(&s, "crash 1\r\nping\r\n", 15);
    cr_assert(s.session.crash == 1);
    cr_assert(strcmp(service_replies(&s), "+OK\r\n") == 0);
    s.session.crash = KV_NO_CRASH;
    service_run(&s);
    cr_assert(strcmp(service_replies(&s), "+PONG\r\n") == 0);
    EXPECT(&s, "shutdown whenever", SYNTAX);
    EXPECT(&s, "shutdown nosave", "");
    cr_assert(s.session.shutdown && s.session.closing);
    service_stop(&s);
}

Test(kv_commands, set_and_get)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "get a", "$-1");
        EXPECT(&s, "set a 1", "+OK");
        EXPECT(&s, "GET a", "$1 1");
        EXPECT(&s, "set a 2 nx", "$-1");
        EXPECT(&s, "set a 2 xx", "+OK");
        EXPECT(&s, "set b 2 xx", "$-1");
        EXPECT(&s, "set b 3 nx", "+OK");
        EXPECT(&s, "set a 4 get", "$1 2");
        EXPECT(&s, "set new 1 get", "$-1");
        EXPECT(&s, "get new", "$1 1");
        EXPECT(&s, "set a 5 nx get", "$1 4");
        EXPECT(&s, "get a", "$1 4");
        EXPECT(&s, "set a 5 xx get", "$1 4");
        EXPECT(&s, "set a 1 nx xx", SYNTAX);
        EXPECT(&s, "set a 1 foo", SYNTAX);
        EXPECT(&s, "set a 1 ex", SYNTAX);
        EXPECT(&s, "set a 1 ex 10 px 10", SYNTAX);
        EXPECT(&s, "set a 1 ex 10 keepttl", SYNTAX);
        EXPECT(&s, "set a 1 keepttl ex 10", SYNTAX);
        EXPECT(&s, "set a 1 ex x", NOT_A_NUMBER);
        EXPECT(&s, "set a 1 ex 0", "-ERR invalid expire time in 'set' command");
        EXPECT(&s, "set a 1 px -1", "-ERR invalid expire time in 'set' command");
        EXPECT(&s, "set a 1 ex 9223372036854775807", "-ERR invalid expire time in 'set' command");
        EXPECT(&s, "set a 1 px 9223372036854775807", "-ERR invalid expire time in 'set' command");
        EXPECT(&s, "set a", "-ERR wrong number of arguments for 'set' command");
        EXPECT(&s, "get a", "$1 5");
        EXPECT(&s, "setnx a 6", ":0");
        EXPECT(&s, "setnx c 6", ":1");
        EXPECT(&s, "getset c 7", "$1 6");
        EXPECT(&s, "getdel c", "$1 7");
        EXPECT(&s, "getdel c", "$-1");
        EXPECT(&s, "strlen a", ":1");
        EXPECT(&s, "strlen c", ":0");
        EXPECT(&s, "type a", "+string");
        EXPECT(&s, "type c", "+none");
    }
}

Test(kv_commands, many_keys)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "mset a 1 b 2 c 3 d 4 e 5", "+OK");
        EXPECT(&s, "mget e d c b a x a", "*7 $1 5 $1 4 $1 3 $1 2 $1 1 $-1 $1 1");
        EXPECT(&s, "mget a", "*1 $1 1");
        EXPECT(&s, "mset a 1 b", "-ERR wrong number of arguments for 'mset' command");
        EXPECT(&s, "mset a 1 a 2", "+OK");
        EXPECT(&s, "get a", "$1 2");
        EXPECT(&s, "mset a", "-ERR wrong number of arguments for 'mset' command");
        EXPECT(&s, "exists a b c x a", ":4");
        EXPECT(&s, "touch a x", ":1");
        EXPECT(&s, "exists a", ":1");
        EXPECT(&s, "dbsize", ":5");
        EXPECT(&s, "del a b x a", ":2");
        EXPECT(&s, "unlink c", ":1");
        EXPECT(&s, "dbsize", ":2");
        EXPECT(&s, "del", "-ERR wrong number of arguments for 'del' command");
        EXPECT(&s, "flushall", "+OK");
        EXPECT(&s, "flushall async", "+OK");
        EXPECT(&s, "flushall now", SYNTAX);
        EXPECT(&s, "dbsize", ":0");
    }
}

Test(kv_commands, replies_come_in_the_clients_order)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        struct kv_buffer sent = { 0 };
        struct kv_buffer wanted = { 0 };
        char text[64];

        for (int i = 0; i < 3000; i++) {
            kv_buffer_add(&sent, text, (size_t)snprintf(text, sizeof text, "set k%d v%d\r\nping\r\n"
                          "get k%d\r\nget k%d\r\nfoo\r\n", i, i, i / 2, i));
            kv_buffer_add(&wanted, text, (size_t)snprintf(text, sizeof text,
                          "+OK\r\n+PONG\r\n$%d\r\nv%d\r\n",
                          snprintf(NULL, 0, "v%d", i / 2), i / 2));
            kv_buffer_add(&wanted, text, (size_t)snprintf(text, sizeof text, "$%d\r\nv%d\r\n",
                          snprintf(NULL, 0, "v%d", i), i));
            kv_buffer_add(&wanted, "-ERR unknown command 'foo', with args beginning with: \r\n",
                          56);
        }
        service_send(&s, sent.data, sent.size);
        kv_buffer_add(&wanted, "", 1);
        cr_assert(strcmp(service_replies(&s), wanted.data) == 0);
        kv_buffer_release(&sent);
        kv_buffer_release(&wanted);
    }
}

Test(kv_commands, counting)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "incr n", ":1");
        EXPECT(&s, "incr n", ":2");
        EXPECT(&s, "decr n", ":1");
        EXPECT(&s, "incrby n 10", ":11");
        EXPECT(&s, "decrby n 5", ":6");
        EXPECT(&s, "incrby n x", NOT_A_NUMBER);
        EXPECT(&s, "incrby n 1.5", NOT_A_NUMBER);
        EXPECT(&s, "set n 17179869184", "+OK");
        EXPECT(&s, "incrby n 17179869184", ":34359738368");
        EXPECT(&s, "set n \"    11\"", "+OK");
        EXPECT(&s, "incr n", NOT_A_NUMBER);
        EXPECT(&s, "set n \"11    \"", "+OK");
        EXPECT(&s, "incr n", NOT_A_NUMBER);
        EXPECT(&s, "set n 9223372036854775807", "+OK");
        EXPECT(&s, "incr n", "-ERR increment or decrement would overflow");
        EXPECT(&s, "set n -9223372036854775808", "+OK");
        EXPECT(&s, "decr n", "-ERR increment or decrement would overflow");
        EXPECT(&s, "decrby n -9223372036854775808", "-ERR decrement would overflow");
        EXPECT(&s, "set n 9223372036854775808", "+OK");
        EXPECT(&s, "incr n", NOT_A_NUMBER);
        EXPECT(&s, "set n 5 ex 100", "+OK");
        EXPECT(&s, "incr n", ":6");
        EXPECT(&s, "ttl n", ":100");
    }
}

Test(kv_commands, appending)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "append a hello", ":5");
        EXPECT(&s, "append a \" world\"", ":11");
        EXPECT(&s, "get a", "$11 hello world");
        EXPECT(&s, "append a \"\"", ":11");
        EXPECT(&s, "append empty \"\"", ":0");
        EXPECT(&s, "exists empty", ":1");
        EXPECT(&s, "expire a 10", ":1");
        EXPECT(&s, "append a !", ":12");
        EXPECT(&s, "ttl a", ":10");
    }
}

Test(kv_commands, times)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "ttl a", ":-2");
        EXPECT(&s, "set a 1", "+OK");
        EXPECT(&s, "ttl a", ":-1");
        EXPECT(&s, "pttl a", ":-1");
        EXPECT(&s, "expire a 10", ":1");
        EXPECT(&s, "ttl a", ":10");
        service_pass_time(&s, 501);
        EXPECT(&s, "pttl a", ":9499");
        EXPECT(&s, "ttl a", ":9");
        EXPECT(&s, "persist a", ":1");
        EXPECT(&s, "persist a", ":0");
        EXPECT(&s, "persist x", ":0");
        EXPECT(&s, "pexpire a 100", ":1");
        service_pass_time(&s, 99);
        EXPECT(&s, "get a", "$1 1");
        service_pass_time(&s, 1);
        EXPECT(&s, "get a", "$-1");
        EXPECT(&s, "dbsize", ":0");
        EXPECT(&s, "expire a 10", ":0");
        EXPECT(&s, "set a 1 ex 10", "+OK");
        EXPECT(&s, "set a 2 keepttl", "+OK");
        EXPECT(&s, "ttl a", ":10");
        EXPECT(&s, "set a 3", "+OK");
        EXPECT(&s, "ttl a", ":-1");
        EXPECT(&s, "expire a -1", ":1");
        EXPECT(&s, "exists a", ":0");
        EXPECT(&s, "set a 1 exat 1", "+OK");
        EXPECT(&s, "get a", "$-1");
        EXPECT(&s, "setex a 10 v", "+OK");
        EXPECT(&s, "ttl a", ":10");
        EXPECT(&s, "setex a 0 v", "-ERR invalid expire time in 'setex' command");
        EXPECT(&s, "psetex a -5 v", "-ERR invalid expire time in 'psetex' command");
        EXPECT(&s, "getex a persist", "$1 v");
        EXPECT(&s, "ttl a", ":-1");
        EXPECT(&s, "getex a ex 5", "$1 v");
        EXPECT(&s, "ttl a", ":5");
        EXPECT(&s, "getex a pxat 1", "$1 v");
        EXPECT(&s, "exists a", ":0");
    }
}

Test(kv_commands, expire_with_conditions)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "set a 1", "+OK");
        EXPECT(&s, "expire a 100 xx", ":0");
        EXPECT(&s, "expire a 100 gt", ":0");
        EXPECT(&s, "expire a 100 lt", ":1");
        EXPECT(&s, "expire a 200 nx", ":0");
        EXPECT(&s, "expire a 200 lt", ":0");
        EXPECT(&s, "expire a 200 gt", ":1");
        EXPECT(&s, "expire a 50 xx", ":1");
        EXPECT(&s, "persist a", ":1");
        EXPECT(&s, "expire a 100 nx", ":1");
        EXPECT(&s, "expire a 300 xx gt", ":1");
        EXPECT(&s, "expire a 100 foo", "-ERR Unsupported option foo");
        EXPECT(&s, "expire a 100 nx xx",
               "-ERR NX and XX, GT or LT options at the same time are not compatible");
        EXPECT(&s, "expire a 100 gt lt",
               "-ERR GT and LT options at the same time are not compatible");
        EXPECT(&s, "expire none 100 xx", ":0");
        EXPECT(&s, "expire a x", NOT_A_NUMBER);
        EXPECT(&s, "expire a 9223372036854775807",
               "-ERR invalid expire time in 'expire' command");
        EXPECT(&s, "expire a -9223372036854775807",
               "-ERR invalid expire time in 'expire' command");
        EXPECT(&s, "pexpire a 9223372036854770000",
               "-ERR invalid expire time in 'pexpire' command");
        EXPECT(&s, "expireat a 2000", ":1");
        EXPECT(&s, "expiretime a", ":2000");
        EXPECT(&s, "pexpiretime a", ":2000000");
        EXPECT(&s, "pexpireat a 1", ":1");
        EXPECT(&s, "exists a", ":0");
    }
}

Test(kv_commands, databases_are_apart)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "set a 0", "+OK");
        EXPECT(&s, "select 1", "+OK");
        EXPECT(&s, "get a", "$-1");
        EXPECT(&s, "mset a 1 b 1", "+OK");
        EXPECT(&s, "dbsize", ":2");
        EXPECT(&s, "flushdb", "+OK");
        EXPECT(&s, "select 0", "+OK");
        EXPECT(&s, "get a", "$1 0");
        service_send(&s, "select 2\r\nset a 2\r\nselect 0\r\nget a\r\n", 36);
        cr_assert(strcmp(service_replies(&s), "+OK\r\n+OK\r\n+OK\r\n$1\r\n0\r\n") == 0);
        EXPECT(&s, "flushall", "+OK");
        EXPECT(&s, "select 2", "+OK");
        EXPECT(&s, "dbsize", ":0");
    }
}

static int count_of(const char *text, const char *word)
{
    int count = 0;

    while ((text = strstr(text, word)) != NULL) {
        count++;
        text++;
    }
    return count;
}

Test(kv_commands, keys)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        const char *reply;

        EXPECT(&s, "keys *", "*0");
        EXPECT(&s, "mset foo_a 1 foo_b 2 bar 3", "+OK");
        EXPECT(&s, "keys bar", "*1 $3 bar");
        reply = service_say(&s, "keys foo*");
        cr_assert(strncmp(reply, "*2 ", 3) == 0 && count_of(reply, "foo_") == 2, "%s", reply);
        EXPECT(&s, "pexpire bar 10", ":1");
        service_pass_time(&s, 10);
        EXPECT(&s, "keys b*", "*0");
    }
}

/* All keys of a scan, one reply after another; returns how many. */
static int scan_all(struct service *s, const char *options)
{
    char line[100];
    unsigned long long cursor = 0;
    int found = 0;
    int steps = 0;

    do {
        const char *reply;
        int keys;

        snprintf(line, sizeof line, "scan %llu %s", cursor, options);
        reply = service_say(s, line);
        cr_assert(sscanf(reply, "*2 $%*d %llu *%d", &cursor, &keys) == 2, "%s", reply);
        found += keys;
    } while (cursor != 0 && ++steps < 10000);
    cr_assert(cursor == 0);
    return found;
}

Test(kv_commands, scan)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        char line[64];

        cr_assert(scan_all(&s, "") == 0);
        EXPECT(&s, "scan 0", "*2 $1 0 *0");
        for (int i = 0; i < 1000; i++) {
            snprintf(line, sizeof line, "set key:%d x", i);
            EXPECT(&s, line, "+OK");
        }
        cr_assert(scan_all(&s, "") >= 1000);
        cr_assert(scan_all(&s, "count 5") >= 1000);
        cr_assert(scan_all(&s, "count 100000") >= 1000);
        cr_assert(scan_all(&s, "match key:1?? count 10") >= 100);
        cr_assert(scan_all(&s, "type string") >= 1000);
        cr_assert(scan_all(&s, "type list") == 0);
        EXPECT(&s, "scan x", "-ERR invalid cursor");
        EXPECT(&s, "scan 0 count x", NOT_A_NUMBER);
        EXPECT(&s, "scan 0 count 0", SYNTAX);
        EXPECT(&s, "scan 0 match", SYNTAX);
        EXPECT(&s, "scan 0 foo bar", SYNTAX);
        cr_assert(strncmp(service_say(&s, "scan 18446744073709551615"), "*2", 2) == 0);
    }
}

Test(kv_commands, sweeping_removes_what_nobody_asks_for)
{
    struct service s;
    char line[64];
    uint64_t swept = 0;

    service_start(&s, 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "set key:%d x px %d", i, i % 2 ? 10 : 100000);
        EXPECT(&s, line, "+OK");
    }
    service_pass_time(&s, 50);
    EXPECT(&s, "dbsize", ":1000");
    for (int i = 0; i < 100; i++)
        swept += kv_store_sweep(&s.stores[0], 64);
    cr_assert(swept == 500);
    EXPECT(&s, "dbsize", ":500");
    cr_assert(kv_store_expires(&s.stores[0]));
    service_stop(&s);
}

Test(kv_commands, info)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        const char *info;

        EXPECT(&s, "mset a 1 b 2 c 3 d 4", "+OK");
        EXPECT(&s, "expire a 100", ":1");
        info = service_say(&s, "info");
        cr_assert(strstr(info, "db0:keys=4,expires=1,avg_ttl=0") != NULL, "%s", info);
        cr_assert(strstr(info, "redis_version:7.0.15") != NULL);
        info = service_say(&s, "info keyspace");
        cr_assert(strstr(info, "db0:keys=4") != NULL && strstr(info, "redis_version") == NULL);
        EXPECT(&s, "info nosuch", "$0 ");
        for (int i = 0; i < 400; i++) {  /* no number of keys is taken for the sign of an error */
            char line[32];
            char keys[32];

            snprintf(line, sizeof line, "set k%d 1", i);
            EXPECT(&s, line, "+OK");
            snprintf(keys, sizeof keys, "db0:keys=%d,", i + 5);
            cr_assert(strstr(service_say(&s, "info keyspace"), keys) != NULL, "%s", keys);
            cr_assert(service_say(&s, "randomkey")[0] == '$');
        }
    }
}

Test(kv_commands, move)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        EXPECT(&s, "set a 1 ex 10", "+OK");
        EXPECT(&s, "move a 3", ":1");
        EXPECT(&s, "exists a", ":0");
        EXPECT(&s, "move a 3", ":0");
        EXPECT(&s, "set a 2", "+OK");
        EXPECT(&s, "move a 3", ":0");
        EXPECT(&s, "move a 0", "-ERR source and destination objects are the same");
        EXPECT(&s, "move a 16", "-ERR DB index is out of range");
        EXPECT(&s, "move a x", NOT_A_NUMBER);
        EXPECT(&s, "select 3", "+OK");
        EXPECT(&s, "get a", "$1 1");
        EXPECT(&s, "ttl a", ":10");
    }
}

Test(kv_commands, random_keys)
{
    struct service s;

    WITH_SHARDS(s, shards) {
        unsigned seen[3] = { 0 };

        EXPECT(&s, "randomkey", "$-1");
        EXPECT(&s, "psetex x 10 1", "+OK");
        EXPECT(&s, "randomkey", "$1 x");
        service_pass_time(&s, 20);
        EXPECT(&s, "randomkey", "$-1");
        EXPECT(&s, "mset a 1 b 2 c 3", "+OK");
        for (int i = 0; i < 300; i++) {
            const char *reply = service_say(&s, "randomkey");

            cr_assert(strncmp(reply, "$1 ", 3) == 0 && reply[3] >= 'a' && reply[3] <= 'c');
            seen[reply[3] - 'a']++;
        }
        cr_assert(seen[0] > 20 && seen[1] > 20 && seen[2] > 20, "%u %u %u", seen[0], seen[1],
                  seen[2]);
    }
}

Test(kv_commands, time)
{
    struct service s;

    service_start(&s, 1);
    cr_assert(strncmp(service_say(&s, "time"), "*2 $10 ", 7) == 0);
    EXPECT(&s, "time x", "-ERR wrong number of arguments for 'time' command");
    service_stop(&s);
}

/* ---- what the shard does with writes ---- */

Test(kv_commands, writes_are_refused_and_reads_are_not)
{
    struct service s;

    service_start(&s, 2);
    EXPECT(&s, "set a 1", "+OK");
    s.refusal = "-MISCONF no\r\n";
    EXPECT(&s, "set a 2", "-MISCONF no");
    EXPECT(&s, "mset a 2 b 2 c 2 d 2", "-MISCONF no");
    EXPECT(&s, "get a", "$1 1");
    service_stop(&s);
}

Test(kv_commands, written_replies_can_be_taken_back)
{
    struct service s;
    struct kv_work *work;

    service_start(&s, 1);
    kv_session_feed(&s.session, "set a 1\r\nget a\r\nset a 2 nx\r\ndel a\r\n", 35);
    cr_assert(kv_session_parse(&s.session) == 1);
    work = kv_session_take(&s.session, 0);
    kv_work_run(work, &s.stores[0], NULL);
    kv_work_refuse_written(work, "-NO\r\n");
    kv_session_answered(&s.session, work);
    /* the second SET found what the first one did, which is taken back */
    cr_assert(strcmp(service_replies(&s), "-NO\r\n$1\r\n1\r\n-NO\r\n-NO\r\n") == 0);
    service_stop(&s);
}

Test(kv_commands, lost_work_is_answered_with_errors)
{
    struct service s;
    struct kv_work *work;
    uint64_t mask;

    service_start(&s, 2);
    kv_session_feed(&s.session, "dbsize\r\nping\r\n", 14);
    mask = kv_session_parse(&s.session);
    cr_assert(mask == 3);
    kv_work_free(kv_session_take(&s.session, 1));
    cr_assert(!kv_session_lost(&s.session, 1));
    work = kv_session_take(&s.session, 0);
    kv_work_run(work, &s.stores[0], NULL);
    cr_assert(kv_session_answered(&s.session, work));
    cr_assert(strstr(service_replies(&s), "-ERR shard 1 failed") != NULL);
    EXPECT(&s, "dbsize", ":0");
    service_stop(&s);
}

/* Replaying what the shards have written down gives what they hold. */
Test(kv_commands, the_record_makes_the_same_store_again)
{
    struct service s;
    static const char *const lines[] = {
        "mset a 1 b 2 c 3 d 4", "append a xyz", "incr b", "set c 9 px 50", "getdel d",
        "expire a 100", "set e 1 px 10", "persist a", "setex f 5 v", "getex f persist",
        "select 3", "set a other", "flushdb", "set z 1", "select 0", "append g hello",
        "set h 1", "incrbyfloat h 0.5", "setbit h 2 0", "set i moved", "move i 3", "select 3",
        "move i 0", "select 0",
    };

    WITH_SHARDS(s, shards) {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
            cr_assert(service_say(&s, lines[i])[0] != '-', "%s", lines[i]);
        service_pass_time(&s, 20);
        EXPECT(&s, "append e late", ":4");
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
        EXPECT(&s, "mget a b c d e f g", "*7 $4 1xyz $1 3 $1 9 $-1 $4 late $1 v $5 hello");
        EXPECT(&s, "ttl a", ":-1");
        EXPECT(&s, "pttl c", ":30");
        EXPECT(&s, "ttl e", ":-1");
        EXPECT(&s, "mget h i", "*2 $3 \x11.5 $5 moved");
        EXPECT(&s, "dbsize", ":8");
        EXPECT(&s, "select 3", "+OK");
        EXPECT(&s, "dbsize", ":1");
    }
}

/* ---- clients that ask for too much ---- */

/* A hundred times three megabytes: never more than a few of them at a time, and all in the end. */
Test(kv_commands, large_replies_come_in_parts)
{
    struct service s;
    struct kv_buffer sent = { 0 };
    char *big = calloc(1, 3u << 20);
    size_t total = 0;
    uint64_t mask;

    service_start(&s, 1);
    kv_buffer_add(&sent, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3145728\r\n", 30);
    kv_buffer_add(&sent, big, 3u << 20);
    kv_buffer_add(&sent, "\r\n", 2);
    for (int i = 0; i < 100; i++)
        kv_buffer_add(&sent, "get a\r\nping\r\n", 13);
    kv_buffer_add(&sent, "quit\r\n", 6);
    cr_assert(kv_session_feed(&s.session, sent.data, sent.size));
    while ((mask = kv_session_parse(&s.session)) != 0) {
        struct kv_work *work = kv_session_take(&s.session, 0);

        kv_work_run(work, &s.stores[0], NULL);
        kv_session_answered(&s.session, work);
        cr_assert(s.session.output.size < 16u << 20);
        total += s.session.output.size;
        s.session.output.size = 0;
    }
    cr_assert(total == 5 + 100 * (10 + (3u << 20) + 2 + 7) + 5);
    cr_assert(s.session.closing && kv_session_is_idle(&s.session));
    kv_buffer_release(&sent);
    free(big);
    service_stop(&s);
}

Test(kv_commands, a_hundred_thousand_keys_in_one_command)
{
    struct service s;
    struct kv_buffer sent = { 0 };
    char text[64];

    WITH_SHARDS(s, shards) {
        kv_buffer_clear(&sent, SIZE_MAX);
        kv_buffer_add(&sent, "*100001\r\n$4\r\nMSET\r\n", 19);
        for (int i = 0; i < 50000; i++)
            kv_buffer_add(&sent, text, (size_t)snprintf(text, sizeof text,
                          "$5\r\n%05d\r\n$1\r\nv\r\n", i));
        service_send(&s, sent.data, sent.size);
        cr_assert(strcmp(service_replies(&s), "+OK\r\n") == 0);
        memcpy(sent.data, "*100001\r\n$4\r\nMGET\r\n", 19);
        service_send(&s, sent.data, sent.size);
        cr_assert(s.session.output.size == 9 + 50000 * 7 + 50000 * 5);
        service_replies(&s);
        EXPECT(&s, "dbsize", ":50000");
    }
    kv_buffer_release(&sent);
}

Test(kv_commands, without_memory_a_client_is_told)
{
    static const char command[] = "mset a 1 b 2 c 3\r\nget a\r\ndbsize\r\nkeys *\r\ninfo\r\n";

    /* Each allocation fails once, and all behind it: an error, or the end of the connection. */
    for (long n = 0; n < 60; n++) {
        struct service s;

        service_start(&s, 3);
        kv_memory_fail_after(n);
        if (kv_session_feed(&s.session, command, sizeof command - 1))
            service_run(&s);
        kv_memory_fail_after(-1);
        service_replies(&s);
        service_stop(&s);
    }
}
