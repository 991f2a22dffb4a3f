/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Connections by the thousand, with everything accounted for.
 *
 * What. Threads with plain sockets talk to an echo service of an actor for each connection, which
 * is given to it by a door. Most of them send bytes in pieces, some more than any buffer holds, and
 * want them all back in order; some reset the connection in the middle; some make their actor
 * crash; some leave at once.
 *
 * Demanded: every byte comes back, every stream ends; afterwards no descriptor is left open; the
 * system's counters add up; its stop is orderly. A run that stands still for 20 s has failed.
 *
 * Usage: io [--clients N] [--connections N] [--workers N] [--seed N] [--own-thread]
 * Without --workers it goes through 1, 2, 4 and 8, and a thread of its own for the loop.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <troupe/io.h>
#include <troupe/troupe.h>

#include "base/ck.h"
#include "base/random.h"

#define PATIENCE_MS 20000
#define CRASH       0xff /* a byte that no echo likes */

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static struct {
    unsigned clients;
    unsigned connections; /* of each client */
    unsigned workers;
    uint64_t seed;
    bool own_thread;
} setup = { 4, 400, 0, 1, false };

static uint16_t port;
static uint64_t echoed, resets, crashes;

_Noreturn static void fail(const char *what, int line)
{
    fprintf(stderr, "io: failed at line %d: %s (seed %llu, workers %u)\n", line, what,
            (unsigned long long)setup.seed, setup.workers);
    exit(1);
}

/* ---- the service ---------------------------------------------------------------------------- */

struct echo {
    tr_io io;
    bool at_end;
};

TR_ON(echo, tr_given, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    me->io = msg->io;
    return err < 0 ? err : tr_read(self, me->io, 1);
}

TR_ON(echo, tr_data, self, me, msg)
{
    if (msg->bytes->data[0] == CRASH)
        return tr_fail(self, -EIO, "it was asked to");
    int queued = tr_write_bytes(self, me->io, msg->bytes);
    if (queued < 0)
        return TR_STOP; /* the peer has gone */
    return queued > 0 ? TR_OK : tr_read(self, me->io, 1);
}

TR_ON(echo, tr_written, self, me, msg)
{
    return msg->error < 0 ? TR_STOP : tr_read(self, me->io, 1);
}

TR_ON(echo, tr_eof, self, me, msg)
{
    return TR_STOP;
}

static const tr_actor_type echo_actor = {
    TR_STATE(echo), .on = TR_TABLE(TR_HANDLES(echo, tr_given), TR_HANDLES(echo, tr_data),
                                   TR_HANDLES(echo, tr_written), TR_HANDLES(echo, tr_eof)),
};

struct door {
    tr_io listener;
};

TR_START(door, self, me)
{
    tr_address address;

    me->listener = tr_listen(self, NULL);
    int err = tr_local_address(self, me->listener, &address);
    if (err == 0)
        port = address.port;
    return err < 0 ? err : tr_accept(self, me->listener, 8);
}

TR_ON(door, tr_accepted, self, me, msg)
{
    if (msg->error < 0)
        return msg->error;
    int err = tr_accept(self, me->listener, 1);
    return err < 0 ? err : tr_io_give(self, msg->io, tr_spawn(self, echo));
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .start = TR_STARTS(door), .on = TR_TABLE(TR_HANDLES(door, tr_accepted)),
};

static const tr_supervisor service = {
    .children = TR_CHILDREN({ .name = "door", TR_CHILD(door, .listener = { 0 }) }),
};

/* ---- a client ------------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(peer >= 0);
    CHECK(connect(peer, (struct sockaddr *)&address, sizeof(address)) == 0);
    return peer;
}

static unsigned char byte_at(size_t place)
{
    return (unsigned char)((place * 131 >> 4) % 251);
}

/* Sends some of what is left; ends the sending half after the last byte. */
static size_t send_some(int peer, struct tri_random *random, size_t sent, size_t size)
{
    unsigned char block[16384];
    size_t part = 1 + tri_random_below(random, sizeof(block));

    part = part < size - sent ? part : size - sent;
    for (size_t i = 0; i < part; i++)
        block[i] = byte_at(sent + i);
    ssize_t taken = send(peer, block, part, MSG_DONTWAIT | MSG_NOSIGNAL);
    CHECK(taken > 0 || errno == EAGAIN);
    sent += taken > 0 ? (size_t)taken : 0;
    if (sent == size)
        CHECK(shutdown(peer, SHUT_WR) == 0);
    return sent;
}

/* Everything comes back, while it goes out. */
static void talk(struct tri_random *random)
{
    uint32_t most = tri_random_below(random, 20) == 0 ? 4u << 20 : 60000;
    size_t size = 1 + tri_random_below(random, most);
    size_t sent = 0, got = 0;
    unsigned char block[16384];
    int peer = dial();

    for (;;) {
        short events = (short)(POLLIN | (sent < size ? POLLOUT : 0));
        struct pollfd ready = { .fd = peer, .events = events };
        CHECK(poll(&ready, 1, PATIENCE_MS) == 1);
        if (ready.revents & POLLOUT && sent < size)
            sent = send_some(peer, random, sent, size);
        if (!(ready.revents & (POLLIN | POLLHUP)))
            continue;
        ssize_t part = recv(peer, block, sizeof(block), MSG_DONTWAIT);
        if (part == 0)
            break;
        CHECK(part > 0);
        for (ssize_t i = 0; i < part; i++)
            CHECK(block[i] == byte_at(got + (size_t)i));
        got += (size_t)part;
    }
    CHECK(got == size);
    (void)tri_fetch_add_relaxed_64(&echoed, got);
    close(peer);
}

static void reset_it(struct tri_random *random)
{
    static const char block[30000];
    struct linger hard = { 1, 0 };
    int peer = dial();

    (void)!send(peer, block, tri_random_below(random, sizeof(block)), MSG_NOSIGNAL);
    CHECK(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
    close(peer);
    (void)tri_fetch_add_relaxed_64(&resets, 1);
}

static void crash_it(void)
{
    unsigned char byte = CRASH;
    int peer = dial();
    struct pollfd ready = { .fd = peer, .events = POLLIN };

    CHECK(send(peer, &byte, 1, MSG_NOSIGNAL) == 1);
    CHECK(poll(&ready, 1, PATIENCE_MS) == 1);
    CHECK(recv(peer, &byte, 1, 0) <= 0);
    close(peer);
    (void)tri_fetch_add_relaxed_64(&crashes, 1);
}

static void *run_client(void *number)
{
    struct tri_random random;

    tri_random_seed(&random, setup.seed * 1000 + (uint64_t)(uintptr_t)number);
    for (unsigned i = 0; i < setup.connections; i++) {
        switch (tri_random_below(&random, 8)) {
        case 0:
            reset_it(&random);
            break;
        case 1:
            crash_it();
            break;
        case 2:
            close(dial());
            break;
        default:
            talk(&random);
        }
    }
    return NULL;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static bool adds_up(tr_system *sys)
{
    tr_stats s;

    CHECK(tr_system_stats(sys, &s) == 0);
    return s.attempted == s.accepted + s.rejected
           && s.accepted == s.handled + s.crashed + s.dead_letters + s.dropped + s.expired
                                + s.queued;
}

/* The service has noticed that all clients have gone, and its books are in order. */
static void wait_until_quiet(tr_system *sys, unsigned descriptors)
{
    for (unsigned ms = 0; open_descriptors() > descriptors || !adds_up(sys); ms += 5) {
        CHECK(ms < PATIENCE_MS);
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
}

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text; /* crashes are wanted here */
}

static void round_with(unsigned workers, bool own_thread)
{
    tr_config config = { .workers = workers, .log = no_log };
    unsigned before = open_descriptors();
    tr_system *sys = tr_system_start(&config);
    pthread_t clients[64];

    setup.workers = workers;
    CHECK(sys != NULL);
    if (own_thread)
        CHECK(tr_io_start(sys, &(tr_io_config){ .own_thread = true }) == 0);
    CHECK(tr_ref_error(tr_system_supervise(sys, &service)) == 0);
    unsigned resting = open_descriptors();
    for (unsigned i = 0; i < setup.clients; i++)
        CHECK(pthread_create(&clients[i], NULL, run_client, (void *)(uintptr_t)i) == 0);
    for (unsigned i = 0; i < setup.clients; i++)
        CHECK(pthread_join(clients[i], NULL) == 0);
    wait_until_quiet(sys, resting + 1); /* libuv keeps one in reserve from the first accept on */
    CHECK(tr_system_stop(sys, TR_SEC(20)) == 0);
    CHECK(open_descriptors() <= before + 2); /* the pipe by which libuv hears of signals */
    printf("workers %u%s: %llu bytes echoed, %llu resets, %llu crashes\n", workers,
           own_thread ? " and a thread" : "", (unsigned long long)echoed,
           (unsigned long long)resets, (unsigned long long)crashes);
    fflush(stdout);
}

static uint64_t number_after(int argc, char **argv, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return strtoull(argv[i + 1], NULL, 10);
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    setup.clients = (unsigned)number_after(argc, argv, "--clients", setup.clients) % 65;
    setup.connections = (unsigned)number_after(argc, argv, "--connections", setup.connections);
    setup.seed = number_after(argc, argv, "--seed", setup.seed);
    unsigned workers = (unsigned)number_after(argc, argv, "--workers", 0);
    for (int i = 1; i < argc; i++)
        setup.own_thread |= strcmp(argv[i], "--own-thread") == 0;

    if (workers > 0) {
        round_with(workers, setup.own_thread);
        return 0;
    }
    for (workers = 1; workers <= 8; workers *= 2)
        round_with(workers, false);
    round_with(2, true);
    return 0;
}
