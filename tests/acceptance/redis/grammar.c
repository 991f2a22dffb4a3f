/* SPDX-License-Identifier: BSD-2-Clause */

#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

struct rule {
    const char *name;
    const char *choices;
};

/*
 * The two servers are asked one after the other, so that a time to live may differ by what passes
 * in between. Whatever answers one is compared with '~'; and GT or LT between two relative times of
 * the same length is decided by whether a millisecond passed, so that only the kind of answer
 * counts ('?'). Times that are absolute are compared exactly. No time ends while a run lasts.
 */
static const struct rule rules[] = {
    { "step", "<string>|<string>|<string>|<number>|<bit>|<time>|<key-command>|<server>|<any>"
      "|<raw>" },

    { "string",
      "=SET <key> <value>|=SET <key> <value>|=SET <key> <value><set-options>|=GET <key>|=GET <key>"
      "|=SET <key> <value><set-options>|=GETDEL <key>|=GETEX <key><getex-options>"
      "|=GETSET <key> <value>|=SETNX <key> <value>|=APPEND <key> <value>|=STRLEN <key>"
      "|=MSET <key> <value>|=MSET <key> <value> <key> <value>|=MSET <key> <value> <key>"
      "|=MGET <keys>|=MGET <keys>|=GETRANGE <key> <index> <index>"
      "|=SETRANGE <key> <offset> <value>|=SETEX <key> <seconds> <value>"
      "|=PSETEX <key> <milliseconds> <value>" },
    { "number",
      "=INCRBYFLOAT <key> <float>|=SET <key> <float> ; INCRBYFLOAT <key> <float>"
      "|=INCRBYFLOAT <key> <integer>|=INCR <key>|=INCR <key>|=DECR <key>|=INCRBY <key> <integer>"
      "|=INCRBY <key> <integer>"
      "|=DECRBY <key> <integer>|=SET <key> <integer> ; INCR <key>" },
    { "bit",
      "=SETBIT <key> <bit-offset> 0|=SETBIT <key> <bit-offset> 1"
      "|=SETBIT <key> <bit-offset> <switch>"
      "|=GETBIT <key> <bit-offset>"
      "|=GETBIT <key> <bit-offset>|=SETBIT <key> <bit-offset> <integer>" },
    { "bit-offset", "0|1|7|8|100|-1|4294967296|2000|<integer>|#1" },
    { "time",
      "=EXPIRE <key> <seconds><present>|=PEXPIRE <key> <milliseconds><present>"
      "|?EXPIRE <key> <seconds> <order>|?PEXPIRE <key> <milliseconds> <order>"
      "|=EXPIREAT <key> <second><expire-options>|=PEXPIREAT <key> <millisecond><expire-options>"
      "|~TTL <key>|~PTTL <key>|~EXPIRETIME <key>|~PEXPIRETIME <key>|=PERSIST <key>"
      "|=EXPIRE|=EXPIRE <key>|=PEXPIRE <key>"
      "|=SETEX <key> <value>|=PSETEX <key>|=EXPIREAT <key>"
      "|~SET <key> <value> EX 100000 ; TTL <key>|~GETEX <key> PX 99999999 ; PTTL <key>" },
    { "key-command",
      "=RENAME <key> <key>|=RENAME <key> <key>|=RENAMENX <key> <key>|=RENAMENX <key> <key>"
      "|=COPY <key> <key><copy-options>|=COPY <key> <key><copy-options>"
      "|=LCS <key> <key><lcs-options>"
      "|=LCS <key> <key><lcs-options>|=SET a <letters> ; SET b <letters> ; LCS a b<lcs-options>"
      "|=MSETNX <key> <value> <key> <value>|=MSETNX <key> <value>|=MSETNX <key> <value> <key>"
      "|=MSETNX <key> <value> <key> <value> <key> <value>|=RENAME <key>|=COPY <key>|=LCS <key>"
      "|=MOVE <key> <database>|=MOVE <key> 1|?RANDOMKEY|?OBJECT REFCOUNT <key>"
      "|?OBJECT IDLETIME <key>"
      "|=OBJECT FREQ <key>|=OBJECT <word>|=OBJECT <word> <key>|=OBJECT ENCODING|=OBJECT"
      "|=SET a <integer> ; OBJECT ENCODING a|=SET b ~44 ; OBJECT ENCODING b"
      "|=SET c ~45 ; OBJECT ENCODING c|?OBJECT ENCODING <key>"
      "|=DEL <keys>|=UNLINK <keys>|=EXISTS <keys>|=TOUCH <keys>|=TYPE <key>|=DBSIZE"
      "|{KEYS <pattern>|{KEYS <pattern>|@<scan-options>|@<scan-options>"
      "|?SCAN <cursor><scan-options>"
      "|=<flush>" },
    { "copy-options", "|| REPLACE| replace| DB <database>| DB 1 REPLACE| DB| foo| DB 0" },
    { "lcs-options", "| LEN| IDX| idx withmatchlen| IDX MINMATCHLEN <count>| MINMATCHLEN <count>"
      "| foo"
      "| MINMATCHLEN| IDX LEN| IDX WITHMATCHLEN MINMATCHLEN 2" },
    { "letters", "abcde|bdace|aabbcc|abcabcabcabc|cbacba|xaxbxcx|aaaa|xyzzy|ohmytext|mynewtext" },
    { "flush", "FLUSHDB|FLUSHALL|FLUSHALL ASYNC|FLUSHDB sync|FLUSHALL foo|FLUSHDB SYNC ASYNC|DBSIZE"
      "|DBSIZE|DBSIZE|DBSIZE|DBSIZE|DBSIZE|DBSIZE|DBSIZE|DBSIZE" },
    { "server",
      "?TIME|=TIME x|=PING|=PING <value>|=ECHO <value>|=SELECT <database>|=SELECT 0|=CLIENT GETNAME"
      "|=CLIENT SETNAME <name>|?CLIENT ID|?CLIENT INFO|=CLIENT NO-EVICT <switch>"
      "|=CLIENT <word>|=<reply>|?CLIENT LIST|?CLIENT LIST <clients>|=CLIENT KILL <victims>"
      "|?HELLO|?HELLO 2|=HELLO <version>|=RESET|=QUIT|{<config>|{<config>|{<command>|{<command>"
      "|?COMMAND COUNT|?COMMAND DOCS <word>|?INFO|?INFO <section>" },
    { "any", "=<name-of> |=<name-of> <value>|=<name-of> <value> <value>|=<name-of> <value> <value> "
      "<value>|=<name-of> <value> <value> <value> <value> <value>|=<name-of>"
      "|~<time-of> <value>|=<time-of>|=<time-of> <value> <value>" },
    { "raw",
      "=!PING\\r\\n|=!  PING  \\n|=!SET <plain> 'it\\\\'s'\\r\\nGET <plain>\\r\\n|=!\\r\\n\\r\\n"
      "|=!*0\\r\\n"
      "|=!*-1\\r\\n|=!*<header>\\r\\n|=!*1\\r\\n$<header>\\r\\nPING\\r\\n|=!*1\\r\\n<word>\\r\\n"
      "|=!GET \"<word>\\r\\n|=!GET 'a'b\\r\\n|=!GET \"a\"b\\r\\n"
      "|=!SET <plain> \"\\\\x41\\\\n\\\\q\"\\r\\n"
      "|=!GET \"<word>\"\\r\\n|=!*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n|=!*1\\r\\n$4\\r\\nPINGxx"
      "|=!*2\\r\\n$4\\r\\nECHO\\r\\n$<header>\\r\\n|=!*1\\r\\n:4\\r\\n|=!GET '<word>\\\\'\\r\\n" },

    { "plain", "a|b|key:1|A" },

    { "key", "a|b|c|d|key:1|key:2|\"\"|\\x00\\xff|~90|h[e]llo|a\\\\*|\"two words\"|A" },
    { "keys", "<key>|<key> <key>|<key> <key> <key>|<key> <key> <key> <key> <key>" },
    { "value", "1|10|-5|hello|\"\"|\\r\\n|~100|3.5|<integer>|<word>|\"two words\"" },
    { "integer",
      "0|1|-1|100|9223372036854775807|-9223372036854775808|9223372036854775808|-9223372036854775809"
      "|\" 1\"|\"1 \"|01|+1|-0|00|\"\"|abc|1.5|0x10|99999999999999999999|1e3|-|--1|1\\x00"
      "|4611686018"
      "427387904" },
    { "float", "1.5|-1.5|0.1|-0.1|3.0e3|1e-5|-0|0.0|inf|-inf|+inf|nan|1.|.5|0x1p3|1e400|1e4933|\"\""
      "|\" 1.5\"|\"1.5 \"|abc|1.5x|17179869184|5.0e-324|123456789.123456789|~300|-1e-30|1e30" },
    { "index", "0|1|-1|3|-3|5|100|-100|2|<integer>" },
    { "offset", "0|1|5|20|-1|536870912|<integer>" },
    { "seconds", "100000|500000|0|-1|9223372036854775|9223372036854776|<no-time>|100000" },
    { "milliseconds", "100000000|500000000|0|-1|<no-time>|9223372036854770000|200000000" },
    { "no-time", "9223372036854775807|-9223372036854775808|9223372036854775808|\" 1\"|\"1 \"|01|+1"
      "|-0|\"\"|abc|1.5|99999999999999999999|4611686018427387904" },
    { "second", "4000000000|3900000000|0|-1|1|<integer>|9223372036854775" },
    { "millisecond", "4000000000000|3900000000000|0|-1|1|<integer>|1000000000000" },
    { "set-options", " <set-option>| <set-option>| <set-option> <set-option>"
      "| <set-option> <set-option> <set-option>" },
    { "set-option", "EX <seconds>|PX <milliseconds>|EXAT 4000000000|EXAT <no-time>"
      "|PXAT 3900000000000|NX|XX|GET|get"
      "|KEEPTTL|EX|PERSIST|foo|nX" },
    { "getex-options", "| EX <seconds>| PX <milliseconds>| EXAT <second>| PXAT <millisecond>"
      "| PERSIST| persist EX 10| EX| foo| PERSIST PERSIST| EX 100000 PX 100000| KEEPTTL" },
    { "expire-options", "||| <expire-option>| <expire-option> <expire-option>" },
    { "expire-option", "NX|XX|GT|LT|nx|foo" },
    { "present", "||| NX| XX| nx| foo| NX XX| XX foo" },
    { "order", "GT|LT|gt|XX GT|LT XX" },
    { "pattern", "*|?|a|k*|*1|key:[12]|[a-c]|[^a]|[c-a]|\\\\a|a\\\\*|a\\\\\\\\\\\\*|h[[]e[]]llo"
      "|[a-|[|[^"
      "|\"\"|nosuch|h?e?*|**|*a*b*|[\\\\a]|\\x00*|[A-z]|*\\\\" },
    { "cursor", "0|x|-1|99999999999999999999999|0x1|\"\"|\" 0\"|0x|1a|+0" },
    { "scan-options", "| <scan-option>| <scan-option>| <scan-option> <scan-option>" },
    { "scan-option", "COUNT <count>|MATCH <pattern>|TYPE string|TYPE list|TYPE STRING|MATCH"
      "|COUNT|TYPE"
      "|foo|foo bar|MATCH <pattern>|count 3" },
    { "count", "1|2|5|10|1000|0|-1|abc|1.5|\"\"|10" },
    { "database", "0|1|15|16|-1|abc|99999999999|9223372036854775808|\"1 \"|\"\"|01" },
    { "name", "abc|\"a b\"|\"\"|x\\n|~40|caf\\xc3\\xa9|!~" },
    { "switch", "on|off|ON|foo|\"\"" },
    { "version", "1|4|x|-1|2x|\"\"|2 SETNAME|2 foo|2 AUTH a|2 SETNAME \"a b\"|2 AUTH a b" },
    { "reply", "CLIENT REPLY ON|CLIENT REPLY OFF ; SET <key> <value> ; CLIENT REPLY ON"
      "|CLIENT REPLY SKIP ; GET <key> ; GET <key>|CLIENT REPLY foo|CLIENT REPLY OFF ; CLIENT REPLY "
      "SKIP ; CLIENT REPLY ON|CLIENT REPLY" },
    { "clients", "ID 1 2|ID 0|ID x|ID|TYPE normal|TYPE foo|TYPE pubsub|foo|ID 1 x" },
    { "victims", "|foo|1.2.3.4:5|ID 0|ID x|ID 999999|ID 1 foo|TYPE foo|TYPE master|USER foo"
      "|ADDR 1.2.3.4:5 SKIPME no|SKIPME foo|foo bar|ID 999999 TYPE normal USER default" },
    { "section", "server|keyspace|clients|foo|all|everything|default|memory|SERVER" },
    { "config", "CONFIG GET databases|CONFIG GET maxmemory|CONFIG GET nosuch*|CONFIG GET"
      "|CONFIG <word>"
      "|CONFIG GET databases maxmemory-policy|CONFIG GET d?tabases|CONFIG RESETSTAT"
      "|CONFIG GET proto-max-bulk-len maxmemory databases|CONFIG RESETSTAT x|CONFIG GET nosuch nope"
      "|CONFIG GET DATABASES|CONFIG GET DataBases databases|CONFIG SET nosuch 1"
      "|CONFIG SET d?tabases 16|CONFIG SET"
      "|CONFIG SET "
      "a|CONFIG" },
    { "command", "COMMAND <word>|COMMAND COUNT x|COMMAND INFO nosuch|COMMAND GETKEYS"
      "|COMMAND GETKEYS GET <key>|COMMAND GETKEYS MSET <key> <value> <key> <value>"
      "|COMMAND GETKEYS DEL <keys>|COMMAND GETKEYS nosuch a|COMMAND GETKEYS PING"
      "|COMMAND GETKEYS SET <key>|COMMAND GETKEYS SET <key> 1 EX 10|COMMAND LIST FILTERBY"
      "|COMMAND LIST FILTERBY PATTERN get|COMMAND LIST FILTERBY foo bar|COMMAND LIST x"
      "|COMMAND LIST FILTERBY MODULE nosuch|COMMAND LIST FILTERBY ACLCAT nosuch"
      "|COMMAND GETKEYS MGET <keys>|COMMAND DOCS nosuch" },
    { "header", "-2|-10|x|1x|~10|3000000000|9999999999999999999|+1|01|\" 1\"|1 " },
    { "word", "foo|NOSUCH|~20|\"\"|a\\r\\nb" },
    { "name-of",
      "PING|ECHO|SELECT|SET|GET|GETDEL|MSET|MGET|SETNX|DEL|EXISTS|INCR|INCRBY|DECR|APPEND|STRLEN"
      "|PERSIST|TYPE|DBSIZE|KEYS|CONFIG|CLIENT|GETEX|DECRBY"
      "|GETSET|UNLINK|TOUCH|GETRANGE|SETRANGE"
      "|NOSUCH|~150|\"\"|G|GETT|G\\x00ET|a\\r\\nb|\"GET x\"" },
    { "time-of", "TTL|PTTL|EXPIRETIME|PEXPIRETIME" },
};

static const char *choices_of(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strlen(rules[i].name) == size && memcmp(rules[i].name, name, size) == 0)
            return rules[i].choices;
    fprintf(stderr, "the grammar has no <%.*s>\n", (int)size, name);
    exit(EXIT_FAILURE);
}

/* One of what stands between the bars. */
static struct text choose(uint64_t *seed, const char *choices)
{
    uint32_t count = 1;

    for (const char *at = choices; *at != '\0'; at++)
        count += *at == '|';
    for (uint32_t skip = chance_below(seed, count); skip > 0; skip--)
        choices = strchr(choices, '|') + 1;
    return (struct text){ choices, strcspn(choices, "|") };
}

static void expand(uint64_t *seed, struct text choice, struct bytes *step)
{
    const char *end = choice.data + choice.size;

    for (const char *at = choice.data; at < end; at++) {
        if (*at != '<') {
            bytes_append(step, at, 1);
            continue;
        }
        const char *name = at + 1;
        at = memchr(name, '>', (size_t)(end - name));
        expand(seed, choose(seed, choices_of(name, (size_t)(at - name))), step);
    }
}

void grammar_step(uint64_t *seed, struct bytes *step)
{
    bytes_clear(step);
    expand(seed, text_of("<step>"), step);
    bytes_append(step, "", 1);
}
