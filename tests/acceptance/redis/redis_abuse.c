/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Clients that behave badly: the server answers with an error or closes the connection, its memory
 * stays bounded, and no other client notices.
 *
 *     redis_abuse --server PROGRAM [--seed SEED] [--any-memory]
 *
 * Every abuse runs beside a well-behaved client, which must get all its answers; how long they take
 * is printed, and judged by nobody: that depends on the machine. A server called redis-server is
 * asked the same, but its memory is only printed: it keeps what a slow reader does not take. So is
 * that of any server with --any-memory: a sanitizer keeps what was freed.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ck.h"
#include "clock.h"
#include "histogram.h"
#include "report.h"
#include "server.h"
#include "talk.h"

#define MEBIBYTE      (1024u * 1024)
#define GROWTH_MAX    (64 * MEBIBYTE)  /* of the server, by any abuse here */
#define REPLIES       100u             /* of a mebibyte each, to a client that does not read */
#define CLAIMS        50u
#define MANY          100000u
#define RUDE          300u
#define GARBAGE       300u
#define FILE_LIMIT    (256u * 1024)
#define EXIT_USAGE    2

static struct server server;
static uint64_t seed;
static unsigned failures;
static bool any_memory;

static void fail(const char *abuse, const char *what)
{
    failures++;
    fprintf(stderr, "FAIL %s: %s\n", abuse, what);
}

static bool connected(struct talk *talk, const char *abuse, int receive_bytes)
{
    if (talk_open(talk, server.port, receive_bytes))
        return true;
    fail(abuse, strerror(errno));
    return false;
}

/* ---- the client beside ---- */

struct beside {
    pthread_t thread;
    uint32_t enough;  /* set by the one who waits for the thread */
    unsigned unanswered;
    struct histogram latency;
};

static void *ask_on(void *argument)
{
    static const char *const set[] = { "SET", "beside", "value", NULL };
    static const char *const get[] = { "GET", "beside", NULL };
    struct beside *beside = argument;
    struct resp_reply reply;
    struct talk talk;

    if (!talk_open(&talk, server.port, 0)) {
        beside->unanswered++;
        return NULL;
    }
    /* acquire: pairs with the release in run_beside; nothing hangs on it but the end. */
    while (!tri_load_acquire_32(&beside->enough) && beside->unanswered == 0) {
        uint64_t before = clock_ns();
        if (talk_ask(&talk, set, &reply) < 0 || reply.kind != RESP_STATUS ||
            talk_ask(&talk, get, &reply) < 0 || reply.kind != RESP_BULK)
            beside->unanswered++;
        histogram_add(&beside->latency, (clock_ns() - before) / 2);
        clock_sleep_ns(MILLISECOND_NS);
    }
    talk_close(&talk);
    return NULL;
}

/* ---- the server from outside ---- */

static size_t memory_of_server(void)
{
    char path[64];
    char line[128];
    size_t kibibytes = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server.child.pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %zu kB", &kibibytes) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return kibibytes * 1024;
}

/* From here on the high-water mark is that of what follows. */
static void forget_high_water(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)server.child.pid);
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
}

/* ---- abuses ---- */

static void put_number(struct bytes *bytes, const char *format, unsigned number)
{
    char text[64];

    snprintf(text, sizeof text, format, number);
    bytes_append_text(bytes, text);
}

/* Asks for 100 MiB and does not read; then does, until the end, whichever comes. */
static void slow_reader(const char *abuse)
{
    static const char get[] = "*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n";
    struct bytes set = { .data = NULL };
    struct resp_reply reply;
    struct talk talk;
    unsigned answers = 0;

    put_number(&set, "*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$%u\r\n", MEBIBYTE);
    memset(bytes_reserve(&set, MEBIBYTE), 'x', MEBIBYTE);
    bytes_grew(&set, MEBIBYTE);
    bytes_append_text(&set, "\r\n");
    if (!connected(&talk, abuse, 4096))
        return;
    if (!talk_send(&talk, set.data, set.size) || talk_reply(&talk, &reply) < 0)
        fail(abuse, "a value of a mebibyte is not taken");
    bytes_free(&set);
    for (unsigned i = 0; i < REPLIES; i++)
        talk_send(&talk, get, sizeof get - 1);
    clock_sleep_ns(SECOND_NS);
    while (answers < REPLIES && talk_reply(&talk, &reply) == 0) {
        if (reply.kind != RESP_BULK || reply.text.size != MEBIBYTE)
            fail(abuse, "a wrong answer");
        answers++;
    }
    printf("    %u of %u answers were there for a late reader\n", answers, REPLIES);
    talk_close(&talk);
}

/* A client that never reads and never stops to ask. */
static void deaf_client(const char *abuse)
{
    static const char get[] = "*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n";
    uint64_t deadline = clock_ns() + SECOND_NS;
    struct talk talk;
    size_t sent = 0;

    if (!connected(&talk, abuse, 4096))
        return;
    while (clock_ns() < deadline) {
        long size = talk_send_some(&talk, get + sent % (sizeof get - 1),
                                   sizeof get - 1 - sent % (sizeof get - 1));
        if (size < 0)
            break;
        sent += (size_t)size;
        if (size == 0)
            clock_sleep_ns(MILLISECOND_NS);
    }
    printf("    %zu bytes of commands were taken from it\n", sent);
    talk_reset(&talk);
}

/* Half a gigabyte is announced, and a little of it sent. */
static void great_claims(const char *abuse)
{
    static const char claim[] = "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$536870912\r\nsome of it";
    static const char array[] = "*1048576\r\n$4\r\nMGET\r\n$1\r\nx\r\n";
    struct talk talks[2 * CLAIMS];
    unsigned open = 0;

    for (; open < 2 * CLAIMS && connected(&talks[open], abuse, 0); open++) {
        if (open % 2 == 0)
            talk_send(&talks[open], claim, sizeof claim - 1);
        else
            talk_send(&talks[open], array, sizeof array - 1);
    }
    clock_sleep_ns(SECOND_NS / 2);
    for (unsigned i = 0; i < open; i++)
        talk_close(&talks[i]);
}

static void ask_many(const char *abuse, const char *verb, bool with_values, const char *answer)
{
    struct bytes out = { .data = NULL };
    struct resp_reply reply = { .kind = RESP_NIL };
    struct talk talk;

    put_number(&out, "*%u\r\n", 1 + (with_values ? 2 * MANY : MANY));
    put_number(&out, "$%u\r\n", (unsigned)strlen(verb));
    bytes_append_text(&out, verb);
    bytes_append_text(&out, "\r\n");
    for (unsigned i = 0; i < MANY; i++) {
        put_number(&out, "$9\r\nmany%05u\r\n", i);
        if (with_values)
            put_number(&out, "$5\r\n%05u\r\n", i);
    }
    if (!connected(&talk, abuse, 0))
        return;
    bool sent = talk_send(&talk, out.data, out.size);
    bytes_free(&out);
    int err = sent ? talk_reply(&talk, &reply) : -EPIPE;
    if (err < 0)
        fail(abuse, strerror(-err));
    else if (reply.kind == RESP_ERROR)
        printf("    %s of %u keys: %.*s\n", verb, MANY, (int)reply.text.size, reply.text.data);
    else if (strcmp(answer, "array") == 0 ? reply.integer != MANY || reply.kind != RESP_ARRAY
             : strcmp(answer, "OK") == 0  ? reply.kind != RESP_STATUS
                                          : reply.integer != MANY)
        fail(abuse, verb);
    talk_close(&talk);
}

static void long_arrays(const char *abuse)
{
    ask_many(abuse, "MSET", true, "OK");
    ask_many(abuse, "MGET", false, "array");
    ask_many(abuse, "EXISTS", false, "count");
    ask_many(abuse, "DEL", false, "count");
}

/* Everything it asked before it closed its half is answered. */
static void half_closed(const char *abuse)
{
    static const char ask[] = "*2\r\n$4\r\nINCR\r\n$4\r\nhalf\r\n";
    struct bytes out = { .data = NULL };
    struct resp_reply reply;
    struct talk talk;
    int err = 0;

    for (unsigned i = 0; i < 1000; i++)
        bytes_append(&out, ask, sizeof ask - 1);
    if (connected(&talk, abuse, 0)) {
        talk_send(&talk, out.data, out.size);
        talk_finish(&talk);
        for (unsigned i = 0; i < 1000 && err == 0; i++)
            err = talk_reply(&talk, &reply);
        if (err < 0)
            fail(abuse, "not everything was answered");
        else if (talk_reply(&talk, &reply) != -ECONNRESET)
            fail(abuse, "the connection stays open");
        talk_close(&talk);
    }
    bytes_free(&out);
}

static void byte_by_byte(const char *abuse)
{
    static const char ask[] = "*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$4\r\n\r\n\r\n\r\n"
                              "GET slow\r\n*2\r\n$3\r\nDEL\r\n$4\r\nslow\r\n";
    static const enum resp_kind kinds[] = { RESP_STATUS, RESP_BULK, RESP_INTEGER };
    struct resp_reply reply;
    struct talk talk;

    if (!connected(&talk, abuse, 0))
        return;
    for (size_t i = 0; i < sizeof ask - 1; i++) {
        talk_send(&talk, ask + i, 1);
        clock_sleep_ns(MILLISECOND_NS);
    }
    for (unsigned i = 0; i < 3; i++) {
        if (talk_reply(&talk, &reply) < 0 || reply.kind != kinds[i])
            fail(abuse, "a wrong answer");
    }
    talk_close(&talk);
}

/* Connections that vanish in the middle of a command, or of its answers. */
static void rude_ends(const char *abuse)
{
    static const char ask[] = "*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n*2\r\n$3\r\nGET\r\n$5\r\nla";
    struct talk talk;

    for (unsigned i = 0; i < RUDE && connected(&talk, abuse, 0); i++) {
        talk_send(&talk, ask, chance_below(&seed, sizeof ask));
        if (chance_below(&seed, 2) == 0)
            clock_sleep_ns(MILLISECOND_NS);
        if (chance_below(&seed, 2) == 0)
            talk_reset(&talk);
        else
            talk_close(&talk);
    }
}

/* Commands with some bytes changed, cut, doubled; and plain noise. */
static void spoil(struct bytes *bytes)
{
    static const char good[] = "*3\r\n$3\r\nSET\r\n$7\r\nspoiled\r\n$2\r\n12\r\n"
                               "*2\r\n$4\r\nINCR\r\n$7\r\nspoiled\r\nSCAN 0 COUNT 10\r\n"
                               "*4\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n";
    unsigned changes = 1 + chance_below(&seed, 8);

    if (chance_below(&seed, 4) == 0) {
        for (unsigned i = chance_below(&seed, 2000); i > 0; i--) {
            char noise = (char)chance_below(&seed, 256);
            bytes_append(bytes, &noise, 1);
        }
        return;
    }
    bytes_append(bytes, good, sizeof good - 1 - chance_below(&seed, 10));
    while (changes-- > 0)
        bytes->data[chance_below(&seed, (uint32_t)bytes->size)] =
            "\r\n*$0123456789-+: \"'x\x00\xff"[chance_below(&seed, 22)];
}

static void garbage(const char *abuse)
{
    struct bytes out = { .data = NULL };
    struct resp_reply reply;
    struct talk talk;
    unsigned errors = 0;

    for (unsigned i = 0; i < GARBAGE && connected(&talk, abuse, 0); i++) {
        bytes_clear(&out);
        spoil(&out);
        talk_send(&talk, out.data, out.size);
        talk_finish(&talk);
        int err;
        while ((err = talk_reply(&talk, &reply)) == 0)
            errors += reply.kind == RESP_ERROR;
        if (err != -ECONNRESET)
            fail(abuse, err == -EPROTO ? "its answer is no reply" : "the connection stays open");
        talk_close(&talk);
    }
    bytes_free(&out);
    printf("    %u of its commands were answered with an error\n", errors);
}

/* ---- running them ---- */

static const struct abuse {
    const char *name;
    void (*run)(const char *name);
} abuses[] = {
    { "slow reader", slow_reader },   { "deaf client", deaf_client },
    { "great claims", great_claims }, { "long arrays", long_arrays },
    { "half closed", half_closed },   { "byte by byte", byte_by_byte },
    { "rude ends", rude_ends },       { "garbage", garbage },
};

static void run_beside(const struct abuse *abuse)
{
    struct beside beside = { .enough = 0 };
    char middle[REPORT_TEXT_MAX];
    char high[REPORT_TEXT_MAX];

    forget_high_water();
    size_t before = memory_of_server();
    if (pthread_create(&beside.thread, NULL, ask_on, &beside) != 0) {
        fail(abuse->name, "no thread");
        return;
    }
    printf("%s\n", abuse->name);
    abuse->run(abuse->name);
    /* release: pairs with the acquire in ask_on. */
    tri_store_release_32(&beside.enough, 1);
    pthread_join(beside.thread, NULL);
    size_t after = memory_of_server();
    size_t grown = after > before ? after - before : 0;
    report_duration(middle, histogram_percentile(&beside.latency, 50));
    report_duration(high, histogram_percentile(&beside.latency, 99));
    printf("    memory +%zu MiB; another client: %" PRIu64 " answers, p50 %s, p99 %s\n",
           grown / MEBIBYTE, beside.latency.count, middle, high);
    if (beside.unanswered > 0)
        fail(abuse->name, "another client got no answer");
    if (grown > GROWTH_MAX && !any_memory && !server_is_redis(&server))
        fail(abuse->name, "the server's memory grows");
    if (!child_runs(&server.child))
        fail(abuse->name, "the server ended");
    fflush(stdout);
}

/* ---- a full disk ---- */

/* The log may not grow beyond a limit: whoever is told OK must find his value again. */
static unsigned write_until_refused(struct talk *talk, const char *abuse)
{
    char key[32];
    char value[1024];
    const char *const set[] = { "SET", key, value, NULL };
    struct resp_reply reply;
    unsigned written = 0;

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (; written < 4 * FILE_LIMIT / sizeof value; written++) {
        snprintf(key, sizeof key, "full:%u", written);
        int err = talk_ask(talk, set, &reply);
        if (err < 0 || reply.kind == RESP_ERROR) {
            printf("    after %u writes: %.*s\n", written, err < 0 ? 10 : (int)reply.text.size,
                   err < 0 ? "it hung up" : reply.text.data);
            return written;
        }
    }
    fail(abuse, "the disk is full, and nobody was told");
    return written;
}

static void check_written(const char *abuse, unsigned written)
{
    char key[32];
    const char *const get[] = { "GET", key, NULL };
    struct resp_reply reply;
    struct talk talk;
    unsigned missing = 0;

    if (!connected(&talk, abuse, 0))
        return;
    for (unsigned i = 0; i < written; i++) {
        snprintf(key, sizeof key, "full:%u", i);
        missing += talk_ask(&talk, get, &reply) < 0 || reply.kind != RESP_BULK;
    }
    if (missing > 0)
        fail(abuse, "acknowledged writes are gone");
    talk_close(&talk);
}

static void full_disk(void)
{
    static const char abuse[] = "full disk";
    static const char *const ping[] = { "PING", NULL };
    struct rlimit usual;
    struct resp_reply reply;
    struct talk talk;
    unsigned written = 0;

    printf("%s\n", abuse);
    server.appendonly = "yes";
    server.appendfsync = "always";
    server.shards = 1;
    getrlimit(RLIMIT_FSIZE, &usual);
    signal(SIGXFSZ, SIG_IGN);  /* the server inherits both: a write fails instead of killing it */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ FILE_LIMIT, usual.rlim_max });
    int err = server_start(&server);
    setrlimit(RLIMIT_FSIZE, &usual);
    if (err < 0) {
        fail(abuse, "the server does not start");
        return;
    }
    if (connected(&talk, abuse, 0)) {
        written = write_until_refused(&talk, abuse);
        talk_close(&talk);
    }
    if (connected(&talk, abuse, 0)) {
        if (talk_ask(&talk, ping, &reply) < 0)
            fail(abuse, "no answer to others");
        talk_close(&talk);
    }
    server_kill(&server);
    if (server_start(&server) < 0)
        fail(abuse, "its log cannot be read any more");
    else
        check_written(abuse, written);
    server_kill(&server);
}

static int run_all(void)
{
    printf("seed %" PRIu64 "\n", seed);
    server.appendonly = "no";
    server.appendfsync = "everysec";
    if (server_start(&server) < 0)
        return EXIT_FAILURE;
    for (size_t i = 0; i < sizeof abuses / sizeof abuses[0]; i++) {
        if (child_runs(&server.child))
            run_beside(&abuses[i]);
    }
    if (!server_stop(&server))
        fail("stop", "the server did not stop in order");
    if (!server_is_redis(&server))  /* Redis ends when its log cannot be written */
        full_disk();
    if (failures > 0)
        file_show_end(server.log);
    printf("%u failed\n", failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' },
        { "seed", required_argument, NULL, 'x' },
        { "any-memory", no_argument, NULL, 'm' },
        { NULL, 0, NULL, 0 },
    };
    char folder[SERVER_PATH_MAX / 2];
    const char *name = NULL;
    int option;

    seed = clock_ns();
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            name = optarg;
        else if (option == 'm')
            any_memory = true;
        else if (option == 'x')
            seed = strtoull(optarg, NULL, 10);
        else
            return EXIT_USAGE;
    }
    if (!server_find(&server, name) || !folder_make(folder, sizeof folder)) {
        fprintf(stderr, "usage: redis_abuse --server PROGRAM [--seed SEED] [--any-memory]\n");
        return EXIT_USAGE;
    }
    snprintf(server.folder, sizeof server.folder, "%s/data", folder);
    snprintf(server.log, sizeof server.log, "%s/server.log", folder);
    int status = mkdir(server.folder, 0700) == 0 ? run_all() : EXIT_FAILURE;
    server_kill(&server);
    folder_remove(folder);
    return status;
}
