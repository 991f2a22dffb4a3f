/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The key-value service as clients with bad manners see it, and its logs as a broken disk leaves
 * them: malformed input, half-closed and slow connections, huge claims, torn and damaged files.
 * After each, another client must be served as if nothing had happened.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

#define PATIENCE_MS 20000

struct server {
    pid_t pid;
    int output;       /* its stdout and stderr */
    uint16_t port;
    char folder[64];
    char said[4096];
};

/* ---- the server ---- */

static void read_some(struct server *s)
{
    size_t size = strlen(s->said);
    ssize_t more = read(s->output, s->said + size, sizeof s->said - 1 - size);

    if (more > 0)
        s->said[size + (size_t)more] = '\0';
}

/* Waits until it says that it is ready; false: it ends before. */
static bool start(struct server *s, const char *fsync)
{
    const char *program = getenv("TROUPE_KV");
    const char *ready = NULL;
    int pipes[2];
    struct pollfd output;

    if (program == NULL || access(program, X_OK) != 0)
        exit(77);
    if (s->folder[0] == '\0') {
        strcpy(s->folder, "/tmp/kv-wire-XXXXXX");
        cr_assert(mkdtemp(s->folder) != NULL);
    }
    cr_assert(pipe(pipes) == 0);
    s->said[0] = '\0';
    s->pid = fork();
    if (s->pid == 0) {
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        close(pipes[0]);
        execl(program, program, "--port", "0", "--shards", "1", "--workers", "2", "--dir",
              s->folder, "--appendonly", fsync == NULL ? "no" : "yes", "--appendfsync",
              fsync == NULL ? "no" : fsync, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    s->output = pipes[0];
    output = (struct pollfd){ .fd = s->output, .events = POLLIN };
    while (ready == NULL && poll(&output, 1, PATIENCE_MS) > 0) {
        size_t before = strlen(s->said);

        read_some(s);
        ready = strstr(s->said, "ready on port ");
        if (strlen(s->said) == before)
            break;
    }
    if (ready != NULL)
        s->port = (uint16_t)atoi(ready + 14);
    return ready != NULL;
}

static int end(struct server *s, int signal)
{
    int status = 0;

    if (signal != 0)
        kill(s->pid, signal);
    waitpid(s->pid, &status, 0);
    read_some(s);
    close(s->output);
    return status;
}

static void remove_folder(struct server *s)
{
    char command[100];

    snprintf(command, sizeof command, "rm -rf %s", s->folder);
    cr_assert(system(command) == 0);
}

/* ---- clients ---- */

static int connect_to(const struct server *s)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(0x7f000001),
    };
    struct timeval limit = { .tv_sec = PATIENCE_MS / 1000 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert(fd >= 0);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

/* A text that stands in the test, without its end. */
#define GIVE(fd, text) give((fd), (text), sizeof(text) - 1)

static bool give(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Reads exactly `size` bytes and compares. */
static void expect(int fd, const char *wanted, size_t size)
{
    char *got = malloc(size + 1);
    size_t there = 0;

    while (there < size) {
        ssize_t more = recv(fd, got + there, size - there, 0);

        cr_assert(more > 0, "after %zu of %zu bytes: %zd", there, size, more);
        there += (size_t)more;
    }
    got[size] = '\0';
    cr_assert(memcmp(got, wanted, size) == 0, "got %s, not %s", got, wanted);
    free(got);
}

static void say(int fd, const char *line, const char *reply)
{
    cr_assert(give(fd, line, strlen(line)));
    expect(fd, reply, strlen(reply));
}

/* Reads what comes until the other side closes. */
static void expect_closed(int fd)
{
    char bytes[65536];
    ssize_t more;

    while ((more = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    cr_assert(more == 0 || errno == ECONNRESET, "it stays open");
    close(fd);
}

static void expect_service(const struct server *s)
{
    int fd = connect_to(s);

    say(fd, "PING\r\n", "+PONG\r\n");
    close(fd);
}

static long resident_mb(const struct server *s)
{
    char path[64];
    long size = 0;
    long resident = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)s->pid);
    file = fopen(path, "r");
    cr_assert(file != NULL && fscanf(file, "%ld %ld", &size, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

/* ---- bad input ---- */

Test(kv_wire, malformed_input_gets_an_error_and_an_end)
{
    static const struct {
        const char *sent;
        const char *reply;
    } cases[] = {
        { "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n" },
        { "*1048577\r\n", "-ERR Protocol error: invalid multibulk length\r\n" },
        { "*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'\r\n" },
        { "*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n" },
        { "*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n" },
        { "set \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n" },
        { "PING\r\n*1\r\n!\r\n", "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n" },
    };
    struct server s = { 0 };

    cr_assert(start(&s, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = connect_to(&s);

        say(fd, cases[i].sent, cases[i].reply);
        expect_closed(fd);
        expect_service(&s);
    }
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

Test(kv_wire, claims_cost_nothing)
{
    struct server s = { 0 };
    int fds[50];

    cr_assert(start(&s, NULL));
    for (int i = 0; i < 50; i++) {
        fds[i] = connect_to(&s);
        cr_assert(GIVE(fds[i], "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$536870912\r\nxyz"));
    }
    for (int i = 0; i < 20; i++)
        expect_service(&s);
    cr_assert(resident_mb(&s) < 400, "%ld MB", resident_mb(&s));
    for (int i = 0; i < 50; i++)
        close(fds[i]);
    expect_service(&s);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

Test(kv_wire, a_hundred_thousand_elements)
{
    struct server s = { 0 };
    char element[32];
    int fd;

    cr_assert(start(&s, NULL));
    fd = connect_to(&s);
    cr_assert(GIVE(fd, "*100001\r\n$3\r\nDEL\r\n"));
    for (int i = 0; i < 100000; i++)
        cr_assert(give(fd, element, (size_t)snprintf(element, sizeof element,
                                                     "$6\r\n%06d\r\n", i)));
    expect(fd, ":0\r\n", 4);
    close(fd);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

Test(kv_wire, binary_keys_and_values)
{
    static const char set[] = "*3\r\n$3\r\nSET\r\n$4\r\n\0\r\n\xff\r\n$3\r\na\0b\r\n";
    static const char get[] = "*2\r\n$3\r\nGET\r\n$4\r\n\0\r\n\xff\r\n";
    struct server s = { 0 };
    int fd;

    cr_assert(start(&s, NULL));
    fd = connect_to(&s);
    cr_assert(give(fd, set, sizeof set - 1));
    expect(fd, "+OK\r\n", 5);
    cr_assert(give(fd, get, sizeof get - 1));
    expect(fd, "$3\r\na\0b\r\n", 9);
    close(fd);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

/* ---- connections ---- */

Test(kv_wire, half_closed_clients_get_their_replies)
{
    struct server s = { 0 };
    int fd;

    cr_assert(start(&s, NULL));
    fd = connect_to(&s);
    cr_assert(GIVE(fd, "set a 1\r\nget a\r\nincr a\r\n"));
    shutdown(fd, SHUT_WR);
    expect(fd, "+OK\r\n$1\r\n1\r\n:2\r\n", 16);
    expect_closed(fd);
    fd = connect_to(&s);
    cr_assert(GIVE(fd, "*3\r\n$3\r\nSET\r\n$1"));
    shutdown(fd, SHUT_WR);
    expect_closed(fd);
    expect_service(&s);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

/* A client that asks for a megabyte again and again and reads nothing: it is not read from, too. */
Test(kv_wire, slow_readers_take_bounded_memory)
{
    struct server s = { 0 };
    struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
    char *big = calloc(1, 1 << 20);
    long before;
    int fd;

    cr_assert(start(&s, NULL));
    fd = connect_to(&s);
    cr_assert(GIVE(fd, "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1048576\r\n"));
    cr_assert(give(fd, big, 1 << 20) && GIVE(fd, "\r\n"));
    expect(fd, "+OK\r\n", 5);
    before = resident_mb(&s);
    for (int i = 0; i < 100; i++)
        cr_assert(GIVE(fd, "get big\r\n"));
    for (int i = 0; i < 10; i++) {
        nanosleep(&pause, NULL);
        expect_service(&s);
    }
    cr_assert(resident_mb(&s) - before < 700, "%ld MB more", resident_mb(&s) - before);
    close(fd);
    expect_service(&s);
    free(big);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

/* ---- logs ---- */

static off_t log_size(const struct server *s, char path[100])
{
    struct stat stat_of;

    snprintf(path, 100, "%s/shard-0.log", s->folder);
    cr_assert(stat(path, &stat_of) == 0);
    return stat_of.st_size;
}

static void fill_log(struct server *s)
{
    char line[64];
    char reply[] = "+OK\r\n";
    int fd;

    cr_assert(start(s, "always"));
    fd = connect_to(s);
    for (int i = 0; i < 50; i++) {
        snprintf(line, sizeof line, "set key:%02d value\r\n", i);
        say(fd, line, reply);
    }
    close(fd);
    end(s, SIGKILL);
}

Test(kv_wire, a_torn_record_is_cut_off_and_reported)
{
    struct server s = { 0 };
    char path[100];
    int fd;

    fill_log(&s);
    cr_assert(truncate(path, log_size(&s, path) - 3) == 0);
    cr_assert(start(&s, "always"), "%s", s.said);
    cr_assert(strstr(s.said, "torn") != NULL, "%s", s.said);
    fd = connect_to(&s);
    say(fd, "dbsize\r\n", ":49\r\n");
    say(fd, "set again 1\r\n", "+OK\r\n");
    close(fd);
    end(&s, SIGKILL);
    cr_assert(start(&s, "always"));
    cr_assert(strstr(s.said, "torn") == NULL, "it was cut off: %s", s.said);
    fd = connect_to(&s);
    say(fd, "dbsize\r\n", ":50\r\n");
    close(fd);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}

Test(kv_wire, damage_is_refused_with_its_place)
{
    struct server s = { 0 };
    char path[100];
    char place[32];
    char byte;
    off_t size;
    off_t record;
    int status;
    int fd;

    fill_log(&s);
    size = log_size(&s, path);
    record = (size - 36) / 50;   /* all records are of one size */
    fd = open(path, O_RDWR);
    cr_assert(pread(fd, &byte, 1, 36 + 10 * record + 15) == 1);
    byte = (char)(byte ^ 1);
    cr_assert(pwrite(fd, &byte, 1, 36 + 10 * record + 15) == 1);
    close(fd);
    cr_assert(!start(&s, "always"));
    status = end(&s, 0);
    snprintf(place, sizeof place, "at byte %ld", (long)(36 + 10 * record));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", (unsigned)status);
    cr_assert(strstr(s.said, place) != NULL, "%s: %s", place, s.said);
    cr_assert(log_size(&s, path) == size, "nothing is cut off");
    remove_folder(&s);
}

Test(kv_wire, a_folder_serves_one_service)
{
    struct server s = { 0 };
    struct server other = { 0 };

    cr_assert(start(&s, "no"));
    strcpy(other.folder, s.folder);
    cr_assert(!start(&other, "no"));
    end(&other, 0);
    cr_assert(strstr(other.said, "another service") != NULL, "%s", other.said);
    expect_service(&s);
    cr_assert(end(&s, SIGTERM) == 0);
    remove_folder(&s);
}
