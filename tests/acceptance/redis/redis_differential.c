/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * redis_differential: the same commands, made by chance, to the service and to redis-server.
 *
 *     redis_differential --server PROGRAM --redis PROGRAM [--seed N] [--steps N] [--show N]
 *     redis_differential --port PORT --redis-port PORT …       servers that run already
 *
 * Why. The cases beside it hold what somebody thought of. Here both get the same, and what they
 * answer is compared: any order of options, any number that is none, any state that came before.
 * Each step ends with a PING of its own number, so that missing and superfluous answers are found
 * where they occur; where a server closes, both do, and new connections go on.
 *
 * Rules
 *   1. A seed and a number of steps say all that is sent: a difference can be had again.
 *   2. No answer may differ but in what the grammar's letters let it.
 *
 * Partners: grammar.c makes the steps; notation.c turns them into bytes and answers into words.
 */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "clock.h"
#include "grammar.h"
#include "notation.h"
#include "server.h"
#include "talk.h"

#define SHARDS_MAX 4u      /* the service's, by the seed: some commands are others across shards */
#define EXIT_USAGE 2
#define SHOWN      400
#define ANSWERS    8u      /* of one step, at most */
#define SCANS_MAX  1000u
#define NEAR       5000    /* milliseconds, or seconds: a slow machine between two answers */

struct side {
    const char *name;
    uint16_t port;
    struct talk talk;
    struct server server;
    struct bytes answers[ANSWERS];
    unsigned count;
    bool closed;
};

struct run {
    struct side sides[2];   /* the service, redis */
    uint64_t seed;
    unsigned long steps, show, differences;
    char folder[SERVER_PATH_MAX / 2];
};

/* ---- asking ---- */

static void put_number(struct bytes *out, unsigned long number)
{
    char text[32];

    snprintf(text, sizeof text, "PING step-%lu", number);
    notation_send(text, out);
}

/* The commands of a step, which " ; " stands between. */
static void put_commands(const char *commands, struct bytes *out)
{
    struct bytes one = { .data = NULL };
    const char *end;

    while ((end = strstr(commands, " ; ")) != NULL) {
        bytes_clear(&one);
        bytes_append(&one, commands, (size_t)(end - commands));
        bytes_append(&one, "", 1);
        notation_send(one.data, out);
        commands = end + 3;
    }
    notation_send(commands, out);
    bytes_free(&one);
}

static void connect_side(struct side *side)
{
    talk_close(&side->talk);
    side->closed = false;
    if (!talk_open(&side->talk, side->port, 0)) {
        fprintf(stderr, "no connection to %s: %s\n", side->name, strerror(errno));
        exit(EXIT_FAILURE);
    }
}

/* Reads until the step's own PING is answered, or the server has closed. */
static void hear(struct side *side, unsigned long number, bool sorted)
{
    char last[32];

    snprintf(last, sizeof last, "$step-%lu", number);
    for (side->count = 0; side->count < ANSWERS; side->count++) {
        struct bytes *words = &side->answers[side->count];
        struct resp_reply reply;
        int err = talk_reply(&side->talk, &reply);

        bytes_clear(words);
        if (err < 0) {
            bytes_append_text(words, err == -ECONNRESET ? "closed" : "silence");
            bytes_append(words, "", 1);
            side->closed = true;
            side->count++;
            return;
        }
        notation_reply(&reply, sorted && reply.kind == RESP_ARRAY, words);
        if (strcmp(words->data, last) == 0)
            return;
    }
}

static void ask(struct side *side, const char *step, unsigned long number)
{
    struct bytes out = { .data = NULL };

    if (side->closed || side->talk.fd < 0)
        connect_side(side);
    put_commands(step + 1, &out);
    put_number(&out, number);
    talk_send(&side->talk, out.data, out.size);
    bytes_free(&out);
    hear(side, number, step[0] == '{');
}

/* ---- SCAN from beginning to end ---- */

static int by_alphabet(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The keys in order and each once, or an error, as the side's only answer. */
static void put_found(struct side *side, char **found, size_t count)
{
    struct bytes *words = &side->answers[0];

    qsort(found, count, sizeof *found, by_alphabet);
    bytes_clear(words);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(found[i], found[i - 1]) != 0) {
            bytes_append_text(words, found[i]);
            bytes_append_text(words, " ");
        }
    }
    bytes_append(words, "", 1);
    for (size_t i = 0; i < count; i++)
        free(found[i]);
    side->count = 1;
}

/* Adds the keys of one answer; gives the next cursor, 0 at the end. */
static unsigned long long take_keys(const struct resp_reply *reply, char **found, size_t *count)
{
    struct text rest = reply->text;
    struct resp_reply cursor, keys, key;
    long size = resp_parse(rest.data, rest.size, &cursor);
    unsigned long long next = strtoull(cursor.text.data, NULL, 10);

    resp_parse(rest.data + size, rest.size - (size_t)size, &keys);
    rest = keys.text;
    for (int64_t i = 0; i < keys.integer && *count < SCANS_MAX; i++) {
        struct bytes words = { .data = NULL };
        size = resp_parse(rest.data, rest.size, &key);
        notation_reply(&key, false, &words);
        found[(*count)++] = strdup(words.data);
        bytes_free(&words);
        rest.data += size;
        rest.size -= (size_t)size;
    }
    return next;
}

static void scan(struct side *side, const char *options)
{
    char *found[SCANS_MAX];
    size_t count = 0;
    unsigned long long cursor = 0;

    if (side->closed || side->talk.fd < 0)
        connect_side(side);
    for (unsigned i = 0; i < SCANS_MAX; i++) {
        struct bytes out = { .data = NULL };
        struct resp_reply reply;
        char text[SHOWN];

        snprintf(text, sizeof text, "SCAN %llu%s", cursor, options);
        notation_send(text, &out);
        talk_send(&side->talk, out.data, out.size);
        bytes_free(&out);
        if (talk_reply(&side->talk, &reply) < 0)
            break;
        if (reply.kind != RESP_ARRAY) {
            bytes_clear(&side->answers[0]);
            notation_reply(&reply, false, &side->answers[0]);
            side->count = 1;
            return;
        }
        cursor = take_keys(&reply, found, &count);
        if (cursor == 0)
            break;
    }
    put_found(side, found, count);
}

/* ---- comparing ---- */

static bool fits(char how, const char *ours, const char *theirs)
{
    if (strcmp(ours, theirs) == 0)
        return true;
    if (how == '~' && ours[0] == ':' && theirs[0] == ':') {
        long long a = strtoll(ours + 1, NULL, 10);
        long long b = strtoll(theirs + 1, NULL, 10);
        return a > 0 && b > 0 && a - b < NEAR && b - a < NEAR;
    }
    return how == '?' && ours[0] == theirs[0] && ours[0] != '-';
}

static void complain(struct run *run, const char *step, unsigned long number, unsigned answer)
{
    run->differences++;
    if (run->differences > run->show)
        return;
    fprintf(stderr, "step %lu of seed %llu, answer %u\n  sent     %.*s\n", number,
            (unsigned long long)run->seed, answer + 1, SHOWN, step);
    for (unsigned i = 0; i < 2; i++) {
        const struct side *side = &run->sides[i];
        fprintf(stderr, "  %-8s %.*s\n", side->name, SHOWN,
                answer < side->count ? side->answers[answer].data : "(nothing)");
    }
}

static void compare(struct run *run, const char *step, unsigned long number)
{
    const struct side *ours = &run->sides[0];
    const struct side *theirs = &run->sides[1];
    unsigned count = ours->count > theirs->count ? ours->count : theirs->count;

    for (unsigned i = 0; i < count; i++) {
        bool both = i < ours->count && i < theirs->count;
        if (both && fits(step[0], ours->answers[i].data, theirs->answers[i].data))
            continue;
        complain(run, step, number, i);
        return;
    }
}

static void run_steps(struct run *run)
{
    struct bytes step = { .data = NULL };
    uint64_t seed = run->seed;

    for (unsigned long number = 1; number <= run->steps; number++) {
        grammar_step(&seed, &step);
        for (unsigned i = 0; i < 2; i++) {
            if (step.data[0] == '@')
                scan(&run->sides[i], step.data + 1);
            else
                ask(&run->sides[i], step.data, number);
        }
        compare(run, step.data, number);
    }
    bytes_free(&step);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned j = 0; j < ANSWERS; j++)
            bytes_free(&run->sides[i].answers[j]);
        talk_close(&run->sides[i].talk);
    }
}

/* ---- the two servers ---- */

static bool start(struct run *run, struct side *side)
{
    struct server *server = &side->server;

    if (side->port != 0)
        return true;
    snprintf(server->folder, SERVER_PATH_MAX, "%s/%s", run->folder, side->name);
    snprintf(server->log, SERVER_PATH_MAX, "%s/%s.log", run->folder, side->name);
    server->shards = 1 + (unsigned)(run->seed % SHARDS_MAX);
    server->appendonly = "no";
    server->appendfsync = "everysec";
    if (mkdir(server->folder, 0700) != 0 || server_start(server) < 0)
        return false;
    side->port = server->port;
    return true;
}

static int run_all(struct run *run)
{
    int status = EXIT_FAILURE;

    if (!folder_make(run->folder, sizeof run->folder)) {
        fprintf(stderr, "no temporary folder: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (start(run, &run->sides[0]) && start(run, &run->sides[1])) {
        run_steps(run);
        printf("seed %llu: %lu steps, %lu differences\n",
               (unsigned long long)run->seed, run->steps, run->differences);
        status = run->differences == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    for (unsigned i = 0; i < 2; i++)
        server_kill(&run->sides[i].server);
    folder_remove(run->folder);
    return status;
}

static int usage(void)
{
    fprintf(stderr, "usage: redis_differential (--server PROGRAM --redis PROGRAM | --port PORT "
                    "--redis-port PORT) [--seed N] [--steps N] [--show N]\n");
    return EXIT_USAGE;
}

static bool read_option(struct run *run, int option)
{
    struct side *side = &run->sides[option == 'r' || option == 'q'];

    if (option == 's' || option == 'r')
        return server_find(&side->server, optarg);
    if (option == 'p' || option == 'q')
        side->port = (uint16_t)strtoul(optarg, NULL, 10);
    else if (option == 'e')
        run->seed = strtoull(optarg, NULL, 10);
    else if (option == 'n')
        run->steps = strtoul(optarg, NULL, 10);
    else if (option == 'w')
        run->show = strtoul(optarg, NULL, 10);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' }, { "redis", required_argument, NULL, 'r' },
        { "port", required_argument, NULL, 'p' },   { "redis-port", required_argument, NULL, 'q' },
        { "seed", required_argument, NULL, 'e' },   { "steps", required_argument, NULL, 'n' },
        { "show", required_argument, NULL, 'w' },   { NULL, 0, NULL, 0 },
    };
    static struct run run = {
        .sides = { { .name = "troupe", .talk = { .fd = -1 } },
                   { .name = "redis", .talk = { .fd = -1 } } },
        .seed = 1, .steps = 20000, .show = 20,
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!read_option(&run, option))
            return usage();
    for (unsigned i = 0; i < 2; i++)
        if (run.sides[i].port == 0 && run.sides[i].server.program[0] == '\0')
            return usage();
    return run_all(&run);
}
