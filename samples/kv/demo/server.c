/* SPDX-License-Identifier: BSD-2-Clause */

#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "net.h"

#define START_LIMIT_MS 30000u
#define STOP_LIMIT_MS  10000u
#define PING_LIMIT_MS  1000u
#define PORT_TRIES     5
#define ARGUMENTS_MAX  24u

/* The build tree holds the drivers in several folders, the service in one. */
bool server_find(struct server *server, const char *name)
{
    static const char *const places[] = { "", "/../samples/kv", "/../../../samples/kv" };
    char own[SERVER_PATH_MAX / 2];
    char path[SERVER_PATH_MAX];

    if (name != NULL)
        return child_find(name, server->program, sizeof server->program);
    if (child_own_folder(own, sizeof own)) {
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            snprintf(path, sizeof path, "%s%s/troupe-kv", own, places[i]);
            if (child_find(path, server->program, sizeof server->program))
                return true;
        }
    }
    return child_find("troupe-kv", server->program, sizeof server->program);
}

bool server_is_redis(const struct server *server)
{
    const char *name = strrchr(server->program, '/');

    return strcmp(name != NULL ? name + 1 : server->program, "redis-server") == 0;
}

int server_spawn(struct server *server)
{
    const char *argv[ARGUMENTS_MAX];
    char port[8];
    char shards[12];
    unsigned count = 0;

    snprintf(port, sizeof port, "%u", (unsigned)server->port);
    snprintf(shards, sizeof shards, "%u", server->shards);
    const char *const common[] = {
        server->program, "--port", port, "--bind", "127.0.0.1", "--dir", server->folder,
        "--appendonly", server->appendonly, "--appendfsync", server->appendfsync,
    };
    for (; count < sizeof common / sizeof common[0]; count++)
        argv[count] = common[count];
    if (server_is_redis(server)) {
        argv[count++] = "--save";
        argv[count++] = "";
        argv[count++] = "--auto-aof-rewrite-percentage";
        argv[count++] = "0";
    } else if (server->shards > 0) {
        argv[count++] = "--shards";
        argv[count++] = shards;
    }
    argv[count] = NULL;
    return child_start(&server->child, argv, server->log, server->variables);
}

/* Whether it is this one: somebody else's may have the port, and ours is about to find that out. */
static bool is_ours(struct net *net, const struct server *server)
{
    static const char *const info[] = { "INFO", "server", NULL };
    struct resp_reply reply;
    char pid[32];

    snprintf(pid, sizeof pid, "process_id:%ld\r", (long)server->child.pid);
    return net_ask(net, info, PING_LIMIT_MS, &reply) == 0 && reply.kind == RESP_BULK
           && memmem(reply.text.data, reply.text.size, pid, strlen(pid)) != NULL;
}

static bool answers(const struct server *server)
{
    static const char *const ping[] = { "PING", NULL };
    struct resp_reply reply;
    struct net net;

    net_open(&net);
    bool pong = net_connect(&net, server->port) == 0
                && net_ask(&net, ping, PING_LIMIT_MS, &reply) == 0 && reply.kind == RESP_STATUS;
    pong = pong && is_ours(&net, server);
    net_free(&net);
    return pong;
}

/* 0: it answers; -ECHILD: it ended; -ETIMEDOUT: neither. */
static int wait_ready(struct server *server)
{
    uint64_t deadline = clock_ns() + START_LIMIT_MS * MILLISECOND_NS;

    while (clock_ns() < deadline) {
        if (!child_runs(&server->child))
            return -ECHILD;
        if (answers(server))
            return child_runs(&server->child) ? 0 : -ECHILD;
        clock_sleep_ns(MILLISECOND_NS);
    }
    return -ETIMEDOUT;
}

static int refused(struct server *server, int err)
{
    fprintf(stderr, "%s did not start (%s); it said:\n", server->program,
            err == -ETIMEDOUT ? "no answer to PING"
            : err == -ECHILD  ? "it ended"
                              : strerror(-err));
    file_show_end(server->log);
    server_kill(server);
    return err;
}

/* A free port can be taken by somebody else before the server has it: only the first start, which
 * chooses the port, tries another. */
int server_start(struct server *server)
{
    bool chooses = server->port == 0;
    int tries = chooses ? PORT_TRIES : 1;
    int err = 0;

    for (int i = 0; i < tries; i++) {
        if (chooses)
            server->port = net_free_port();
        err = server->port == 0 ? -EADDRNOTAVAIL : server_spawn(server);
        if (err == 0)
            err = wait_ready(server);
        if (err != -ECHILD)
            break;
    }
    return err < 0 ? refused(server, err) : 0;
}

bool server_stop(struct server *server)
{
    bool went = child_end(&server->child, SIGTERM, STOP_LIMIT_MS);

    return went && WIFEXITED(server->child.status) && WEXITSTATUS(server->child.status) == 0;
}

void server_kill(struct server *server)
{
    child_end(&server->child, SIGKILL, STOP_LIMIT_MS);
}
