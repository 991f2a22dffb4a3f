/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The power fails while clients write: is every write that was acknowledged still there?
 *
 * Each round starts the server on a disk that forgets what was not synced, with a log that is
 * synced before an answer; lets the checking client write; kills the server with -9 at a moment
 * nobody chose, now and then while it is still reading its log; makes its folder what the disk had
 * kept; starts it again, and asks for every key. The data goes on from round to round, so that a
 * log has a past, and is compacted.
 *
 * In every other round the disk is kinder than it promised: it keeps a random beginning of what was
 * written last, so that the log ends in the middle of a record, and may have written down names
 * that nobody synced. A server must be right on that one too.
 *
 * Rules
 *   1. Everything random comes from the seed, which is printed first. What the processes make of
 *      the time they get does not: a failure need not come again, so its folder is kept.
 *   2. Every wait has a limit.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker.h"
#include "clock.h"
#include "net.h"
#include "server.h"
#include "support/powerloss.h"

#define CONNECTIONS     6u
#define KEYS            150u
#define PIPELINE        16u
#define LOAD_MIN_MS     50u
#define LOAD_MAX_MS     1200u
#define EARLY_ONE_IN    5u
#define EARLY_MAX_MS    30u
#define VERIFY_LIMIT_NS (60 * SECOND_NS)
#define EXIT_USAGE      2

struct run {
    struct server server;
    struct checker checker;
    char base[SERVER_PATH_MAX / 2];
    char shadow[SERVER_PATH_MAX];
    char preload[PATH_MAX + 16];
    char folder_variable[SERVER_PATH_MAX + 32];
    char shadow_variable[SERVER_PATH_MAX + 32];
    const char *variables[5];
    uint64_t seed;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool prepare(struct run *run, const char *library)
{
    char path[PATH_MAX];

    if (realpath(library, path) == NULL) {
        fprintf(stderr, "power_loss: no library %s: %s\n", library, strerror(errno));
        return false;
    }
    if (!folder_make(run->base, sizeof run->base)) {
        fprintf(stderr, "power_loss: no temporary folder: %s\n", strerror(errno));
        return false;
    }
    snprintf(run->server.folder, SERVER_PATH_MAX, "%s/data", run->base);
    snprintf(run->server.log, SERVER_PATH_MAX, "%s/server.log", run->base);
    snprintf(run->shadow, SERVER_PATH_MAX, "%s/shadow", run->base);
    snprintf(run->preload, sizeof run->preload, "LD_PRELOAD=%s", path);
    snprintf(run->folder_variable, sizeof run->folder_variable, POWERLOSS_FOLDER "=%s",
             run->server.folder);
    snprintf(run->shadow_variable, sizeof run->shadow_variable, POWERLOSS_SHADOW "=%s",
             run->shadow);
    run->variables[0] = run->preload;
    run->variables[1] = run->folder_variable;
    run->variables[2] = run->shadow_variable;
    run->variables[3] = "ASAN_OPTIONS=verify_asan_link_order=0:abort_on_error=1";
    run->server.port = net_free_port();
    return mkdir(run->server.folder, 0700) == 0;
}

/* Redis does not sync the folder in which it makes its own: on this disk its first log would go
 * with all that is in it. It gets the folder as it leaves it, so that its later syncs count. */
static bool settle(struct run *run)
{
    bool settled = !server_is_redis(&run->server) ||
                   (server_start(&run->server) == 0 && server_stop(&run->server));

    run->server.variables = run->variables;
    return settled;
}

static bool verify(struct run *run)
{
    struct checker *checker = &run->checker;

    checker_verify(checker);
    if (!checker_run(checker, VERIFY_LIMIT_NS)) {
        fprintf(stderr, "power_loss: the server did not answer for every key: %" PRIu64 " of %u\n",
                checker->counts.verified, CONNECTIONS * KEYS);
        file_show_end(run->server.log);
        return false;
    }
    for (unsigned i = 0; i < CHECKER_SHOWN_MAX && checker->lost[i][0] != '\0'; i++)
        fprintf(stderr, "lost: %s\n", checker->lost[i]);
    return checker->counts.lost == 0 && checker->counts.malformed == 0;
}

/* Starts it and lets the power fail during that. */
static bool fail_at_the_start(struct run *run, uint32_t after_ms)
{
    if (server_spawn(&run->server) < 0)
        return false;
    clock_sleep_ns(after_ms * MILLISECOND_NS);
    server_kill(&run->server);
    return true;
}

static bool restore(struct run *run, bool kind, bool early)
{
    uint64_t seed = kind ? chance_next(&run->seed) | 1 : 0;
    int err = powerloss_restore(run->server.folder, run->shadow, seed);

    if (err == -ENOENT && early)
        return true;  /* killed before it touched anything */
    if (err < 0)
        fprintf(stderr, "power_loss: cannot restore: %s\n", strerror(-err));
    return err == 0;
}

static bool round_of(struct run *run, unsigned number)
{
    uint32_t load_ms = LOAD_MIN_MS + chance_below(&run->seed, LOAD_MAX_MS - LOAD_MIN_MS);
    uint64_t before = run->checker.counts.written;
    bool kind = number % 2 == 1;
    bool early = chance_below(&run->seed, EARLY_ONE_IN) == 0;

    if (server_start(&run->server) < 0 || !verify(run))
        return false;
    checker_load(&run->checker);
    checker_run(&run->checker, load_ms * MILLISECOND_NS);
    server_kill(&run->server);
    checker_disconnect(&run->checker);
    if (!restore(run, kind, false))
        return false;
    if (early && (!fail_at_the_start(run, chance_below(&run->seed, EARLY_MAX_MS)) ||
                  !restore(run, kind, true)))
        return false;
    printf("round %u: %" PRIu64 " writes acknowledged in %" PRIu32 " ms%s%s\n", number + 1,
           run->checker.counts.written - before, load_ms, kind ? ", kind disk" : "",
           early ? ", failed again at the start" : "");
    fflush(stdout);
    return true;
}

static bool run_rounds(struct run *run, unsigned rounds)
{
    if (!settle(run))
        return false;
    for (unsigned i = 0; i < rounds && !interrupted; i++) {
        if (!round_of(run, i))
            return false;
    }
    if (server_start(&run->server) < 0 || !verify(run))
        return false;
    if (run->checker.counts.written > 0)
        return true;
    fprintf(stderr, "power_loss: nothing was written, so nothing was shown\n");
    return false;
}

static int run_all(struct run *run, unsigned rounds)
{
    printf("seed %" PRIu64 "\n", run->seed);
    fflush(stdout);
    checker_open(&run->checker, &(struct checker_options){
                                    .port = run->server.port,
                                    .connections = CONNECTIONS,
                                    .keys = KEYS,
                                    .pipeline = PIPELINE,
                                    .seed = chance_next(&run->seed),
                                });
    bool good = run_rounds(run, rounds);
    const struct checker_counts *counts = &run->checker.counts;
    printf("%u rounds, %" PRIu64 " writes acknowledged, %" PRIu64 " commands unanswered, %" PRIu64
           " refused, %" PRIu64 " lost\n",
           rounds, counts->written, counts->unanswered, counts->refused, counts->lost);
    if (run->checker.refusal[0] != '\0')
        printf("first refusal: %s\n", run->checker.refusal);
    server_kill(&run->server);
    checker_close(&run->checker);
    if (good)
        folder_remove(run->base);
    else
        fprintf(stderr, "power_loss: failed; its folder is kept: %s\n", run->base);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(void)
{
    fprintf(stderr, "usage: power_loss --library LIBRARY [--server PROGRAM] [--rounds N] "
                    "[--seed SEED]\n");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "library", required_argument, NULL, 'l' }, { "server", required_argument, NULL, 's' },
        { "rounds", required_argument, NULL, 'r' },  { "seed", required_argument, NULL, 'x' },
        { NULL, 0, NULL, 0 },
    };
    static struct run run;
    const char *library = NULL;
    const char *server = NULL;
    unsigned rounds = 2;
    int option;

    run.seed = clock_ns();
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            library = optarg;
        else if (option == 's')
            server = optarg;
        else if (option == 'r')
            rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'x')
            run.seed = strtoull(optarg, NULL, 10);
        else
            return usage();
    }
    if (library == NULL || optind != argc || rounds == 0)
        return usage();
    run.server.appendonly = "yes";
    run.server.appendfsync = "always";
    if (!server_find(&run.server, server)) {
        fprintf(stderr, "power_loss: no server %s\n", server != NULL ? server : "troupe-kv");
        return EXIT_FAILURE;
    }
    signal(SIGINT, interrupt);
    return prepare(&run, library) ? run_all(&run, rounds) : EXIT_FAILURE;
}
