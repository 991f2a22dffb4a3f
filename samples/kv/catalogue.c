/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What redis 7.0 says of its commands in COMMAND INFO: clients go by it when they choose a server
 * or try again. Some words speak of states that this service is never in.
 */

#include "catalogue.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *flags;
    const char *commands;   /* between blanks */
} catalogue[] = {
    { "admin noscript loading stale",
      " debug " },
    { "admin noscript loading stale no_multi allow_busy",
      " shutdown " },
    { "admin noscript no_async_loading",
      " bgrewriteaof " },
    { "fast",
      " ping " },
    { "loading stale",
      " command info " },
    { "loading stale fast",
      " echo select time " },
    { "noscript loading stale fast no_auth allow_busy",
      " hello quit reset " },
    { "readonly",
      " getrange keys lcs randomkey scan substr " },
    { "readonly fast",
      " dbsize exists expiretime get getbit mget pexpiretime pttl strlen touch ttl "
      "type " },
    { "write",
      " del flushall flushdb rename " },
    { "write denyoom",
      " copy mset msetnx psetex set setbit setex setrange " },
    { "write denyoom fast",
      " append decr decrby getset incr incrby incrbyfloat setnx " },
    { "write fast",
      " expire expireat getdel getex move persist pexpire pexpireat renamenx unlink " },
};

const char *kv_catalogue_flags(const char *command)
{
    char name[24];

    snprintf(name, sizeof name, " %s ", command);
    for (size_t i = 0; i < sizeof catalogue / sizeof catalogue[0]; i++)
        if (strstr(catalogue[i].commands, name) != NULL)
            return catalogue[i].flags;
    return "";
}
