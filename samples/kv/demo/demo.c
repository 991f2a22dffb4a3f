/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The demonstration: a service whose actors crash while clients write, and that loses nothing.
 *
 * Starts the key-value service in a temporary folder, its log synced before each answer; drives it
 * with redis-benchmark and with a checking client; makes a random shard fail several times a
 * second; kills the whole service with -9 in the middle and starts it again; then asks for every
 * key that was ever written, stops the service in order, starts it and asks once more. Exits 0 only
 * if no acknowledged write was lost and there really were crashes.
 *
 *     start ──> load, crashes ──> kill -9, start ──> load, crashes ──> drain ──> verify
 *                                                       ──> stop, start ──> verify ──> table
 *
 * Rules
 *   1. One thread and poll(): what happens here is in the order of these functions.
 *   2. Every wait has a limit. However it ends, the children are gone and the folder is removed.
 *   3. Only loopback addresses.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker.h"
#include "clock.h"
#include "crasher.h"
#include "report.h"
#include "server.h"
#include "traffic.h"

#define CONNECTIONS     8u
#define KEYS            500u
#define PIPELINE        16u
#define SHARDS          4u
#define SECONDS         15u
#define SECONDS_MAX     3600u
#define POLL_MS         2
#define SETTLE_LIMIT_NS (20 * SECOND_NS)
#define VERIFY_LIMIT_NS (60 * SECOND_NS)
#define EXIT_USAGE      2
#define EXIT_INTERRUPTED 130

struct options {
    const char *server;
    const char *bench;
    uint64_t seconds;
    uint64_t seed;
    uint16_t port;
    unsigned shards;
    bool quiet_bench;  /* without redis-benchmark */
    bool keep;
    bool serve;
};

struct demo {
    struct options options;
    char folder[SERVER_PATH_MAX / 2];
    struct server server;
    struct checker checker;
    struct crasher crasher;
    struct traffic traffic;
    struct report report;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* ---- phases ---- */

/* One round of the loop: whatever the sockets have, and the traffic. */
static void turn(struct demo *demo)
{
    struct pollfd fds[CHECKER_CONNECTIONS_MAX + 1];
    unsigned count = checker_wanted(&demo->checker, fds);

    fds[count] = crasher_wanted(&demo->crasher);
    if (poll(fds, count + 1, POLL_MS) < 0) {
        for (unsigned i = 0; i <= count; i++)
            fds[i].revents = 0;
    }
    checker_serve(&demo->checker, fds);
    crasher_serve(&demo->crasher, fds[count].revents);
    if (demo->traffic.program[0] != '\0')
        traffic_step(&demo->traffic, true);
}

static bool still_there(struct demo *demo)
{
    if (child_runs(&demo->server.child))
        return true;
    report_progress_end();
    fprintf(stderr, "The service ended by itself (wait status %d); it said:\n",
            demo->server.child.status);
    file_show_end(demo->server.log);
    return false;
}

static bool load_until(struct demo *demo, uint64_t end_ns)
{
    while (clock_ns() < end_ns && !interrupted) {
        turn(demo);
        if (!still_there(demo))
            return false;
        report_progress(&demo->report, demo->options.seconds);
    }
    return !interrupted;
}

/* From the kill to the first answer: reading the logs included. */
static bool kill_and_start(struct demo *demo)
{
    uint64_t killed = clock_ns();

    server_kill(&demo->server);
    checker_disconnect(&demo->checker);
    crasher_disconnect(&demo->crasher);
    demo->report.kills++;
    if (server_start(&demo->server) < 0)
        return false;
    demo->report.back_ns = clock_ns() - killed;
    return true;
}

/* Until the checking client has what it waits for. */
static bool finish(struct demo *demo, uint64_t limit_ns)
{
    uint64_t deadline = clock_ns() + limit_ns;

    while (!checker_done(&demo->checker) || demo->crasher.state != CRASHER_RESTS) {
        if (interrupted || clock_ns() >= deadline || !still_there(demo))
            return false;
        turn(demo);
    }
    return true;
}

static bool verify(struct demo *demo, uint64_t *ret_verified)
{
    printf("verifying %u keys\n", CONNECTIONS * KEYS);
    fflush(stdout);
    checker_verify(&demo->checker);
    bool done = finish(demo, VERIFY_LIMIT_NS);
    *ret_verified = demo->checker.counts.verified;
    return done;
}

static bool under_load(struct demo *demo)
{
    uint64_t whole = demo->options.seconds * SECOND_NS;

    demo->report.started_ns = clock_ns();
    checker_load(&demo->checker);
    bool good = load_until(demo, demo->report.started_ns + whole / 2) && kill_and_start(demo) &&
                load_until(demo, demo->report.started_ns + whole);
    demo->report.load_ns = clock_ns() - demo->report.started_ns;
    demo->crasher.resting = true;
    report_progress_end();
    if (!good)
        return false;
    checker_drain(&demo->checker);
    if (!finish(demo, SETTLE_LIMIT_NS))
        fprintf(stderr, "Some commands were not answered within %u s\n",
                (unsigned)(SETTLE_LIMIT_NS / SECOND_NS));
    traffic_stop(&demo->traffic);
    return !interrupted;
}

/* Once as the service stands, and once from its logs alone. */
static bool verify_twice(struct demo *demo)
{
    if (!verify(demo, &demo->report.verified))
        return false;
    demo->report.stopped_in_order = server_stop(&demo->server);
    checker_disconnect(&demo->checker);
    crasher_disconnect(&demo->crasher);
    return server_start(&demo->server) == 0 && verify(demo, &demo->report.verified_again);
}

static int show(struct demo *demo)
{
    if (interrupted) {
        fprintf(stderr, "interrupted\n");
        return EXIT_INTERRUPTED;
    }
    report_table(&demo->report);
    return report_verdict(&demo->report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct demo *demo)
{
    demo->traffic.port = demo->server.port;
    checker_open(&demo->checker, &(struct checker_options){
                                     .port = demo->server.port,
                                     .connections = CONNECTIONS,
                                     .keys = KEYS,
                                     .pipeline = PIPELINE,
                                     .seed = demo->options.seed,
                                 });
    crasher_open(&demo->crasher, demo->server.port, demo->options.shards, demo->options.seed);
    demo->report.server = &demo->server;
    demo->report.checker = &demo->checker;
    demo->report.crasher = &demo->crasher;
    demo->report.traffic = &demo->traffic;
    bool good = under_load(demo) && verify_twice(demo);
    int status = show(demo);
    traffic_stop(&demo->traffic);
    checker_close(&demo->checker);
    crasher_close(&demo->crasher);
    return good || status != EXIT_SUCCESS ? status : EXIT_FAILURE;
}

/* ./run serve: the service alone, until somebody has seen enough. */
static int serve(struct demo *demo)
{
    printf("Serving on 127.0.0.1 port %u, until interrupted. Try:\n\n"
           "    redis-cli -p %u set greeting hello\n"
           "    redis-cli -p %u crash 0\n"
           "    redis-cli -p %u get greeting\n\n",
           demo->server.port, demo->server.port, demo->server.port, demo->server.port);
    fflush(stdout);
    while (!interrupted && child_runs(&demo->server.child))
        clock_sleep_ns(50 * MILLISECOND_NS);
    return interrupted || still_there(demo) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- before and after ---- */

static bool find_programs(struct demo *demo)
{
    const struct options *options = &demo->options;

    if (!server_find(&demo->server, options->server)) {
        fprintf(stderr, "No service: there is no program %s (build it with ./run kv, or name it "
                        "with --server)\n",
                options->server != NULL ? options->server : "troupe-kv");
        return false;
    }
    if (options->serve || options->quiet_bench || traffic_find(&demo->traffic, options->bench))
        return true;
    fprintf(stderr, "No %s: it comes with Debian's package redis-tools (apt-get install "
                    "redis-tools); --no-bench does without\n",
            options->bench != NULL ? options->bench : "redis-benchmark");
    return false;
}

static bool prepare(struct demo *demo)
{
    if (!folder_make(demo->folder, sizeof demo->folder)) {
        fprintf(stderr, "No temporary folder: %s\n", strerror(errno));
        return false;
    }
    snprintf(demo->server.folder, sizeof demo->server.folder, "%s/data", demo->folder);
    snprintf(demo->server.log, sizeof demo->server.log, "%s/service.log", demo->folder);
    snprintf(demo->traffic.output, sizeof demo->traffic.output, "%s/benchmark.log", demo->folder);
    demo->server.appendonly = "yes";
    demo->server.appendfsync = "always";
    demo->server.shards = demo->options.shards;
    demo->server.port = demo->options.port;
    return mkdir(demo->server.folder, 0700) == 0;
}

static void clean_up(struct demo *demo)
{
    traffic_stop(&demo->traffic);
    if (!server_stop(&demo->server))
        server_kill(&demo->server);
    if (demo->folder[0] == '\0')
        return;
    if (demo->options.keep)
        printf("kept: %s\n", demo->folder);
    else
        folder_remove(demo->folder);
}

static int perform(struct demo *demo)
{
    int status = EXIT_FAILURE;

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = interrupt }, NULL);
    sigaction(SIGTERM, &(struct sigaction){ .sa_handler = interrupt }, NULL);
    if (find_programs(demo) && prepare(demo) && server_start(&demo->server) == 0)
        status = demo->options.serve ? serve(demo) : run(demo);
    clean_up(demo);
    return status;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: troupe-kv-demo [--serve] [--server PROGRAM] [--bench PROGRAM | --no-bench]\n"
            "                      [--seconds N] [--shards N] [--port N] [--seed N] [--keep]\n");
    return EXIT_USAGE;
}

static bool number_in(const char *text, uint64_t most, uint64_t *ret_number)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number > most)
        return false;
    *ret_number = number;
    return true;
}

static bool take_option(struct options *options, int option)
{
    uint64_t number = 0;

    switch (option) {
    case 'e':
        options->server = optarg;
        return true;
    case 'b':
        options->bench = optarg;
        return true;
    case 'n':
        options->quiet_bench = true;
        return true;
    case 'k':
        options->keep = true;
        return true;
    case 'v':
        options->serve = true;
        return true;
    case 's':
        return number_in(optarg, SECONDS_MAX, &options->seconds) && options->seconds > 0;
    case 'x':
        return number_in(optarg, UINT64_MAX, &options->seed);
    case 'p':
        if (!number_in(optarg, UINT16_MAX, &number))
            return false;
        options->port = (uint16_t)number;
        return true;
    case 'h':
        if (!number_in(optarg, 64, &number) || number == 0)
            return false;
        options->shards = (unsigned)number;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        { "server", required_argument, NULL, 'e' },  { "bench", required_argument, NULL, 'b' },
        { "no-bench", no_argument, NULL, 'n' },      { "keep", no_argument, NULL, 'k' },
        { "serve", no_argument, NULL, 'v' },         { "seconds", required_argument, NULL, 's' },
        { "seed", required_argument, NULL, 'x' },    { "port", required_argument, NULL, 'p' },
        { "shards", required_argument, NULL, 'h' },  { NULL, 0, NULL, 0 },
    };
    static struct demo demo;
    int option;

    demo.options = (struct options){
        .seconds = SECONDS,
        .seed = clock_ns(),
        .shards = SHARDS,
    };
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!take_option(&demo.options, option))
            return usage();
    }
    return optind == argc ? perform(&demo) : usage();
}
