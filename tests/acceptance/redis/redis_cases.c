/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What Redis 7.0 answers, asked of a server: the cases of cases_*.c, one after the other.
 *
 *     redis_cases --server PROGRAM   starts it on a free port, ends it afterwards
 *     redis_cases --port PORT        one that runs already, on this machine
 *         --troupe                   with the differences of differences.c
 *         --only WORDS               the cases with these words in their name
 *
 * Why. Who knows Redis expects its answers down to the words of an error; client libraries look at
 * them. The cases are our own, along what Redis tests of these commands; each was held against
 * redis-server 7.0.15, which is how this program is run to check them.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cases.h"
#include "clock.h"
#include "notation.h"
#include "server.h"
#include "talk.h"

#define UNTIL_NS    (5 * SECOND_NS)
#define UNTIL_GAP   (5 * MILLISECOND_NS)
#define SHOWN       200
#define EXIT_USAGE  2

struct run {
    uint16_t port;
    bool troupe;
    const char *only;
    const char *name;       /* of the case under way */
    bool failed;            /* it */
    unsigned cases, failures, differences;
    struct talk talk;
    struct server server;
    char folder[SERVER_PATH_MAX / 2];
};

static const struct redis_table *const tables[] = {
    &redis_strings, &redis_numbers, &redis_keys, &redis_expiry, &redis_protocol,
    &redis_server_commands,
};

/* What this server should answer, where it is one that may differ. */
static const char *expected(struct run *run, const struct redis_step *step)
{
    for (size_t i = 0; run->troupe && i < redis_differences_count; i++) {
        const struct redis_difference *d = &redis_differences[i];
        if (strcmp(d->name, run->name) == 0 && strcmp(d->send, step->send) == 0) {
            run->differences++;
            return d->expect;
        }
    }
    return step->expect;
}

static void complain(struct run *run, const struct redis_step *step, const char *got,
                     const char *wanted)
{
    if (!run->failed)
        run->failures++;
    run->failed = true;
    fprintf(stderr, "FAIL %s\n  sent      %.*s\n  expected  %.*s\n  got       %.*s\n", run->name,
            SHOWN, step->send, SHOWN, wanted, SHOWN, got);
}

/* The next reply in words. */
static void hear(struct talk *talk, bool sorted, struct bytes *words)
{
    struct resp_reply reply;
    int err = talk_reply(talk, &reply);

    bytes_clear(words);
    if (err == 0)
        notation_reply(&reply, sorted, words);
    else
        bytes_append(words, err == -ECONNRESET ? "closed"
                            : err == -ETIMEDOUT ? "silence"
                                                : "nonsense",
                     err == -ECONNRESET ? 7 : err == -ETIMEDOUT ? 8 : 9);
}

/* Reads as many replies as are expected, and compares each. */
static bool answers_fit(struct run *run, const char *expect, struct bytes *words)
{
    while (*expect != '\0') {
        const char *end = strstr(expect, " ; ");
        size_t size = end != NULL ? (size_t)(end - expect) : strlen(expect);
        hear(&run->talk, *expect == '{', words);
        if (!notation_fits(words->data, expect, size))
            return false;
        expect += size + (end != NULL ? 3 : 0);
    }
    return true;
}

static bool try_step(struct run *run, const char *send, const char *expect, struct bytes *words)
{
    struct bytes out = { .data = NULL };

    notation_send(send, &out);
    talk_send(&run->talk, out.data, out.size);  /* refused: its last words tell */
    bytes_free(&out);
    return answers_fit(run, expect, words);
}

static bool until(struct run *run, const char *send, const char *expect, struct bytes *words)
{
    uint64_t deadline = clock_ns() + UNTIL_NS;

    while (!try_step(run, send, expect, words)) {
        if (clock_ns() >= deadline)
            return false;
        clock_sleep_ns(UNTIL_GAP);
    }
    return true;
}

static void reconnect(struct run *run)
{
    talk_close(&run->talk);
    if (!talk_open(&run->talk, run->port, 0)) {
        fprintf(stderr, "no connection to port %u: %s\n", run->port, strerror(errno));
        exit(EXIT_FAILURE);
    }
}

static void do_step(struct run *run, const struct redis_step *step)
{
    const char *expect = expected(run, step);
    struct bytes words = { .data = NULL };
    bool fits;

    bytes_append(&words, "", 1);
    if (strcmp(step->send, "@connect") == 0) {
        reconnect(run);
        fits = true;
    } else if (strcmp(step->send, "@finish") == 0) {
        talk_finish(&run->talk);
        fits = answers_fit(run, expect, &words);
    } else if (strncmp(step->send, "@until ", 7) == 0) {
        fits = until(run, step->send + 7, expect, &words);
    } else {
        fits = try_step(run, step->send, expect, &words);
    }
    if (!fits)
        complain(run, step, words.data, expect);
    bytes_free(&words);
}

/* No keys, a new connection. */
static bool begin_case(struct run *run, const char *name)
{
    static const char *const flush[] = { "FLUSHALL", NULL };
    struct resp_reply reply;

    if (run->only != NULL && strstr(name, run->only) == NULL)
        return false;
    run->name = name;
    run->failed = false;
    run->cases++;
    reconnect(run);
    if (talk_ask(&run->talk, flush, &reply) < 0)
        fprintf(stderr, "%s: FLUSHALL was not answered\n", name);
    return true;
}

static void run_table(struct run *run, const struct redis_table *table)
{
    bool runs = false;

    for (size_t i = 0; i < table->count; i++) {
        const struct redis_step *step = &table->steps[i];
        if (step->expect == NULL)
            runs = begin_case(run, step->send);
        else if (runs && !run->failed)
            do_step(run, step);
    }
}

static int run_all(struct run *run)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        run_table(run, tables[i]);
    talk_close(&run->talk);
    if (run->differences > 0)
        printf("%u answers differ from Redis on purpose (differences.c)\n", run->differences);
    printf("%u passed, %u failed\n", run->cases - run->failures, run->failures);
    return run->failures == 0 && run->cases > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_with_server(struct run *run)
{
    int status = EXIT_FAILURE;

    if (!folder_make(run->folder, sizeof run->folder)) {
        fprintf(stderr, "no temporary folder: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    snprintf(run->server.folder, SERVER_PATH_MAX, "%s/data", run->folder);
    snprintf(run->server.log, SERVER_PATH_MAX, "%s/server.log", run->folder);
    run->server.appendonly = "no";
    run->server.appendfsync = "everysec";
    if (mkdir(run->server.folder, 0700) == 0 && server_start(&run->server) == 0) {
        run->port = run->server.port;
        status = run_all(run);
        if (!server_stop(&run->server)) {
            fprintf(stderr, "the server did not stop in order; it said:\n");
            file_show_end(run->server.log);
            status = EXIT_FAILURE;
        }
    }
    server_kill(&run->server);
    folder_remove(run->folder);
    return status;
}

static int usage(void)
{
    fprintf(stderr, "usage: redis_cases (--server PROGRAM | --port PORT) [--troupe] "
                    "[--only WORDS]\n");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' }, { "port", required_argument, NULL, 'p' },
        { "troupe", no_argument, NULL, 't' },       { "only", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    static struct run run = { .talk = { .fd = -1 } };
    const char *server = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            server = optarg;
        else if (option == 'p')
            run.port = (uint16_t)strtoul(optarg, NULL, 10);
        else if (option == 't')
            run.troupe = true;
        else if (option == 'o')
            run.only = optarg;
        else
            return usage();
    }
    if (optind != argc || (server == NULL) == (run.port == 0))
        return usage();
    if (run.port != 0)
        return run_all(&run);
    if (!server_find(&run.server, server)) {
        fprintf(stderr, "redis_cases: no server %s\n", server);
        return EXIT_FAILURE;
    }
    return run_with_server(&run);
}
