/* SPDX-License-Identifier: BSD-2-Clause */

/* The protocol: arrays, inline commands, pipelines, and everything that is neither. See cases.h. */

#include "cases.h"

#define BAD_ARRAY "-ERR Protocol error: invalid multibulk length ; closed"
#define BAD_BULK  "-ERR Protocol error: invalid bulk length ; closed"
#define BAD_QUOTE "-ERR Protocol error: unbalanced quotes in request ; closed"

static const struct redis_step steps[] = {
    CASE("an empty query is none"),
    { "!\\r\\n", "" },
    { "!\\r\\n\\r\\n\\n", "" },
    { "PING", "+PONG" },

    CASE("an array of no or fewer words is none"),
    { "!*-10\\r\\n", "" },
    { "PING", "+PONG" },
    { "!*0\\r\\n", "" },
    { "PING", "+PONG" },

    CASE("an array that is too long"),
    { "!*3000000000\\r\\n", BAD_ARRAY },

    CASE("an array just too long"),
    { "!*2147483648\\r\\n", BAD_ARRAY },

    CASE("an array without a number"),
    { "!*x\\r\\n", BAD_ARRAY },

    CASE("an array with nothing for a number"),
    { "!*\\r\\n", BAD_ARRAY },

    CASE("an array with a number and more"),
    { "!*1x\\r\\n$4\\r\\nPING\\r\\n", BAD_ARRAY },

    CASE("a word that is no bulk"),
    { "!*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nx\\r\\nfooz\\r\\n",
      "-ERR Protocol error: expected '$', got 'f' ; closed" },

    CASE("words without bulks"),
    { "!*1\\r\\nfoo\\r\\n", "-ERR Protocol error: expected '$', got 'f' ; closed" },

    CASE("a bulk of negative length"),
    { "!*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nx\\r\\n$-10\\r\\n", BAD_BULK },

    CASE("a bulk that is too long"),
    { "!*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nx\\r\\n$2000000000\\r\\n", BAD_BULK },

    CASE("a bulk just too long"),
    { "!*2\\r\\n$3\\r\\nGET\\r\\n$536870913\\r\\n", BAD_BULK },

    CASE("a bulk whose length is no number"),
    { "!*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nx\\r\\n$blabla\\r\\n", BAD_BULK },

    CASE("a bulk without a length"),
    { "!*2\\r\\n$3\\r\\nGET\\r\\n$\\r\\n", BAD_BULK },

    CASE("what came before an error is answered"),
    { "!*1\\r\\n$4\\r\\nPING\\r\\n*1\\r\\nfoo\\r\\n",
      "+PONG ; -ERR Protocol error: expected '$', got 'f' ; closed" },

    CASE("what comes after an error is not done"),
    { "!*1\\r\\n!x\\r\\n*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nx\\r\\n$1\\r\\n1\\r\\n",
      "-ERR Protocol error: expected '$', got '!' ; closed" },
    { "@connect", "" },
    { "GET x", "nil" },

    CASE("an empty bulk is an empty word"),
    { "!*2\\r\\n$4\\r\\nECHO\\r\\n$0\\r\\n\\r\\n", "$" },

    CASE("an empty command"),
    { "!*1\\r\\n$0\\r\\n\\r\\n", "-ERR unknown command '', with args beginning with: " },
    { "PING", "+PONG" },

    CASE("inline commands"),
    { "!PING\\r\\n", "+PONG" },
    { "!PING\\n", "+PONG" },
    { "!SET x foo\\r\\n", "+OK" },
    { "!  GET   x  \\r\\n", "$foo" },
    { "!GET\\tx\\r\\n", "$foo" },
    { "!ping hello\\r\\n", "$hello" },

    CASE("inline commands with quotes"),
    { "!SET \"a b\" 'c d'\\r\\n", "+OK" },
    { "GET \"a b\"", "$c d" },
    { "!SET x \"\\\\x41\\\\n\\\\\"\\\\\\\\\"\\r\\n", "+OK" },
    { "GET x", "$A\\n\"\\\\" },
    { "!SET x ''\\r\\n", "+OK" },
    { "GET x", "$" },
    { "!SET x 'it\\\\'s'\\r\\n", "+OK" },
    { "GET x", "$it's" },

    CASE("inline: quotes that do not end"),
    { "!set \"\"\"test-key\"\"\" test-value\\r\\n", BAD_QUOTE },

    CASE("inline: a quote open at the end"),
    { "!GET \"x\\r\\n", BAD_QUOTE },

    CASE("inline: letters after a quote"),
    { "!GET 'x'y\\r\\n", BAD_QUOTE },

    CASE("inline and arrays take turns"),
    { "!PING\\r\\n*1\\r\\n$4\\r\\nPING\\r\\nECHO x\\r\\n", "+PONG ; +PONG ; $x" },

    CASE("an inline command without an end"),
    { "!~70000", "-ERR Protocol error: too big inline request ; closed" },

    CASE("the number of an array without an end"),
    { "!*~70000", "-ERR Protocol error: too big mbulk count string ; closed" },

    CASE("the length of a bulk without an end"),
    { "!*2\\r\\n$~70000", "-ERR Protocol error: too big bulk count string ; closed" },

    CASE("a pipeline is answered in order"),
    { "!SET k1 xyzk\\r\\nGET k1\\r\\nPING\\r\\nDEL k1\\r\\nGET k1\\r\\n",
      "+OK ; $xyzk ; +PONG ; :1 ; nil" },

    CASE("a pipeline over many keys is answered in order"),
    { "!SET a 1\\r\\nSET b 2\\r\\nSET c 3\\r\\nSET d 4\\r\\nMGET a b c d\\r\\nINCR a\\r\\n"
      "DEL b c\\r\\nMGET a b c d\\r\\nDBSIZE\\r\\nGET d\\r\\n",
      "+OK ; +OK ; +OK ; +OK ; [$1 $2 $3 $4] ; :2 ; :2 ; [$2 nil nil $4] ; :2 ; $4" },

    CASE("errors within a pipeline end nothing"),
    { "!SET a x\\r\\nINCR a\\r\\nNOSUCH\\r\\nGET\\r\\nGET a\\r\\n",
      "+OK ; -ERR value is not an integer or out of range ; "
      "-ERR unknown command 'NOSUCH', with args beginning with:  ; "
      "-ERR wrong number of arguments for 'get' command ; $x" },

    CASE("a client that closes its half is still answered"),
    { "!SET a 1\\r\\nGET a\\r\\n", "+OK ; $1" },
    { "@finish", "closed" },

    CASE("no such command"),
    { "foobaredcommand", "-ERR unknown command 'foobaredcommand', with args beginning with: " },
    { "nosuch a b", "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' " },
    { "nosuch \"a\\r\\nb\"", "-ERR unknown command 'nosuch', with args beginning with: 'a  b' " },
    { "PING", "+PONG" },

    CASE("no such command, in many words"),
    { "nosuch ~200 b", "-ERR unknown command 'nosuch', with args beginning with: *" },
    { "~200 b", "-ERR unknown command '*', with args beginning with: *" },
    { "PING", "+PONG" },
};

const struct redis_table redis_protocol = TABLE("protocol", steps);
