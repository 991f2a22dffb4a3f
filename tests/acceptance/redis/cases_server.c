/* SPDX-License-Identifier: BSD-2-Clause */

/* The connection and the server: PING, ECHO, INFO, CONFIG, COMMAND, CLIENT, QUIT. See cases.h. */

#include "cases.h"

static const struct redis_step steps[] = {
    CASE("PING"),
    { "PING", "+PONG" },
    { "PING hello", "$hello" },
    { "PING \"\"", "$" },
    { "PING a b", "-ERR wrong number of arguments for 'ping' command" },

    CASE("ECHO"),
    { "ECHO \"hello\\x00there\"", "$hello\\x00there" },
    { "ECHO", "-ERR wrong number of arguments for 'echo' command" },
    { "ECHO a b", "-ERR wrong number of arguments for 'echo' command" },

    CASE("INFO"),
    { "INFO", "$*# Server\\r\\n*redis_version:*" },
    { "INFO server", "$# Server\\r\\n*" },
    { "INFO keyspace", "$# Keyspace\\r\\n" },
    { "SET x 1", "+OK" },
    { "INFO keyspace", "$# Keyspace\\r\\ndb0:keys=1,expires=0,*" },
    { "EXPIRE x 100", ":1" },
    { "INFO KEYSPACE", "$# Keyspace\\r\\ndb0:keys=1,expires=1,*" },
    { "INFO nonsense", "$" },

    CASE("CONFIG GET"),
    { "CONFIG GET appendonly", "[$appendonly *]" },
    { "CONFIG GET APPENDONLY", "[$APPENDONLY *]" },
    { "CONFIG GET save", "[$save *]" },
    { "CONFIG GET append*sync", "[$appendfsync *]" },
    { "CONFIG GET nonsense", "[]" },
    { "CONFIG GET databases", "[$databases $16]" },
    { "CONFIG GET", "-ERR wrong number of arguments for 'config|get' command" },
    { "CONFIG", "-ERR wrong number of arguments for 'config' command" },
    { "CONFIG nonsense", "-ERR unknown subcommand 'nonsense'. Try CONFIG HELP." },

    CASE("COMMAND"),
    { "COMMAND COUNT", ":1..1000" },
    { "COMMAND INFO get", "[[$get :2 [+readonly +fast] :1 :1 :1 *]]" },
    { "COMMAND INFO set", "[[$set :-3 [+write +denyoom] :1 :1 :1 *]]" },
    { "COMMAND INFO mset", "[[$mset :-3 [+write +denyoom] :1 :-1 :2 *]]" },
    { "COMMAND INFO del", "[[$del :-2 [+write] :1 :-1 :1 *]]" },
    { "COMMAND INFO rename", "[[$rename :3 [+write] :1 :2 :1 *]]" },
    { "COMMAND INFO lcs", "[[$lcs :-3 [+readonly] :1 :2 :1 *]]" },
    { "COMMAND INFO ping", "[[$ping :-1 [+fast] :0 :0 :0 *]]" },
    { "COMMAND INFO object", "[[$object :-2 [] :0 :0 :0 *]]" },
    { "COMMAND INFO shutdown",
      "[[$shutdown :-1 [+admin +noscript +loading +stale +no_multi +allow_busy] :0 :0 :0 *]]" },
    { "COMMAND INFO nosuch", "[nil]" },
    { "COMMAND INFO get nosuch set", "[[$get :2 *] nil [$set :-3 *]]" },
    { "COMMAND", "[[$*]*" },
    { "COMMAND nonsense", "-ERR unknown subcommand 'nonsense'. Try COMMAND HELP." },

    CASE("CLIENT"),
    { "CLIENT GETNAME", "nil" },
    { "CLIENT SETNAME alice", "+OK" },
    { "CLIENT GETNAME", "$alice" },
    { "CLIENT SETNAME \"a b\"",
      "-ERR Client names cannot contain spaces, newlines or special characters." },
    { "CLIENT GETNAME", "$alice" },
    { "CLIENT SETNAME \"\"", "+OK" },
    { "CLIENT GETNAME", "nil" },
    { "CLIENT ID", ":1..1000000000" },
    { "CLIENT NONSENSE", "-ERR unknown subcommand 'NONSENSE'. Try CLIENT HELP." },
    { "CLIENT", "-ERR wrong number of arguments for 'client' command" },
    { "CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command" },

    CASE("another connection has another name, database and id"),
    { "CLIENT SETNAME alice", "+OK" },
    { "SELECT 3", "+OK" },
    { "SET x 3", "+OK" },
    { "@connect", "" },
    { "CLIENT GETNAME", "nil" },
    { "GET x", "nil" },

    CASE("QUIT"),
    { "QUIT", "+OK ; closed" },

    CASE("QUIT: what came before is answered, what comes after is not"),
    { "!SET foo bar\\r\\nQUIT\\r\\nSET foo other\\r\\n", "+OK ; +OK ; closed" },
    { "@connect", "" },
    { "GET foo", "$bar" },

    CASE("QUIT in capitals and with words"),
    { "qUiT now", "+OK ; closed" },
};

const struct redis_table redis_server_commands = TABLE("server", steps);
