/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs the town (town.h) under seeds.
 *
 *     TROUPE_SIM=7 sim_kv_town              one run, in this process; with KV_TOWN_KEY=c0:3 in the
 *                                           environment it tells what becomes of that key
 *     sim_kv_town --seeds 1-10000           many, each in a process of its own
 *
 *     --jobs N        so many at a time (as many as there are processors)
 *     --twice         each of them twice: the same seed must give the same hash
 *     --hashes        prints each seed with its hash
 *     --options TEXT  what stands behind the seed in TROUPE_SIM
 *     --stop          ends with the first failure
 *
 * A failure is a line with the seed, what went wrong, and the command that shows it again. Exit
 * status 1 when there was any.
 *
 * Why processes. A run that fails leaves things as they are; and what one run leaves behind in its
 * process must not reach the next.
 */

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "town.h"

#include "sim/inside.h"

#define JOBS_MAX     64u
#define SECONDS_MAX  15u   /* of a processor, that a run may take */

struct wanted {
    const char *program;
    const char *options;
    uint64_t first, last;
    uint32_t jobs;
    bool twice;
    bool prints_hashes;
    bool stops;
};

struct job {
    pid_t process;         /* 0: none */
    uint64_t seed;
    uint64_t hash;         /* of the first of two */
    bool is_second;
};

static struct town_report *reports;    /* one for each job, shared with its process */
static struct job jobs[JOBS_MAX];
static struct town_counts sums;
static uint64_t runs, failures;

/* ---- one run -------------------------------------------------------------------------------- */

/* What the service prints is of no interest among many. */
static void be_silent(void)
{
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
        _exit(2);
}

static void print_counts(const struct town_counts *counts, FILE *to)
{
    const uint64_t figures[] = {
        counts->lives, counts->power_losses, counts->deaths, counts->orderly_ends, counts->torn,
        counts->lost, counts->shard_crashes, counts->faults, counts->connections, counts->broken,
        counts->compactions, counts->acknowledged, counts->reads, counts->unanswered,
        counts->failed, counts->refused, counts->refusals, counts->damaged, counts->steps,
    };
    static const char *const names[] = {
        "lives of the service", "losses of power", "deaths of the process", "orderly ends",
        "torn writes", "files that lost writes", "shards told to crash", "actors crashed by faults",
        "connections", "connections broken", "compactions asked for", "writes acknowledged",
        "reads", "writes unanswered", "writes failed with their shard", "writes refused",
        "refusals to start", "logs damaged by failed syncs", "steps",
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        (void)fprintf(to, "town: %12" PRIu64 "  %s\n", figures[i], names[i]);
}

static int run_here(void)
{
    static struct town_report report;

    town_run(&report);
    print_counts(&report.counts, stderr);
    return 0;
}

static _Noreturn void run_there(const struct wanted *wanted, uint64_t seed,
                                struct town_report *report)
{
    struct tri_sim_options options;
    char text[512], error[128];

    (void)setrlimit(RLIMIT_CPU, &(struct rlimit){ SECONDS_MAX, SECONDS_MAX });
    be_silent();
    (void)snprintf(text, sizeof text, "%" PRIu64 "%s%s", seed,
                   wanted->options[0] != '\0' ? "," : "", wanted->options);
    if (!tri_sim_options_parse(text, &options, error))
        _exit(2);
    tri_sim_begin(&options);
    town_run(report);
    _exit(0);
}

/* ---- many ----------------------------------------------------------------------------------- */

static void begin_job(const struct wanted *wanted, uint32_t place, uint64_t seed)
{
    reports[place] = (struct town_report){ .seed = seed };
    jobs[place].seed = seed;
    (void)fflush(NULL);
    jobs[place].process = fork();
    if (jobs[place].process == 0)
        run_there(wanted, seed, &reports[place]);
    if (jobs[place].process < 0)
        exit(2);
}

static void add_counts(const struct town_counts *counts)
{
    const uint64_t *from = (const uint64_t *)(const void *)counts;
    uint64_t *to = (uint64_t *)(void *)&sums;

    for (size_t i = 0; i < sizeof sums / sizeof *to; i++)
        to[i] += from[i];
}

static void print_failure(const struct wanted *wanted, const struct job *job, const char *what)
{
    failures++;
    (void)printf("seed %" PRIu64 ": %s\n    TROUPE_SIM=%" PRIu64 "%s%s %s\n", job->seed, what,
                 job->seed, wanted->options[0] != '\0' ? "," : "", wanted->options,
                 wanted->program);
}

/* Whether the job's seed is to be run once more. */
static bool judge(const struct wanted *wanted, struct job *job, const struct town_report *report,
                  int status)
{
    char ended[64];

    runs++;
    add_counts(&report->counts);
    if (!report->is_done) {
        (void)snprintf(ended, sizeof ended, "ended with status %#x", (unsigned)status);
        print_failure(wanted, job, report->what[0] != '\0' ? report->what : ended);
    } else if (job->is_second && job->hash != report->hash) {
        print_failure(wanted, job, "the same seed gave another hash");
    } else if (wanted->prints_hashes && !job->is_second) {
        (void)printf("seed %" PRIu64 " hash %016" PRIx64 "\n", job->seed, report->hash);
    }
    job->hash = report->hash;
    job->is_second = wanted->twice && !job->is_second && report->is_done;
    return job->is_second;
}

static void end_job(const struct wanted *wanted)
{
    int status;
    pid_t process = wait(&status);

    for (uint32_t place = 0; place < wanted->jobs; place++) {
        struct job *job = &jobs[place];
        if (job->process != process)
            continue;
        job->process = 0;
        if (judge(wanted, job, &reports[place], status))
            begin_job(wanted, place, job->seed);
    }
}

static struct job *free_job(const struct wanted *wanted)
{
    for (uint32_t place = 0; place < wanted->jobs; place++) {
        if (jobs[place].process == 0)
            return &jobs[place];
    }
    return NULL;
}

static bool is_at_work(const struct wanted *wanted)
{
    for (uint32_t place = 0; place < wanted->jobs; place++) {
        if (jobs[place].process != 0)
            return true;
    }
    return false;
}

static int run_many(const struct wanted *wanted)
{
    uint64_t seed = wanted->first;

    reports = mmap(NULL, JOBS_MAX * sizeof *reports, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED)
        return 2;
    while (seed <= wanted->last && !(wanted->stops && failures > 0)) {
        struct job *job = free_job(wanted);
        if (job != NULL)
            begin_job(wanted, (uint32_t)(job - jobs), seed++);
        else
            end_job(wanted);
    }
    for (uint32_t i = 0; wanted->stops && failures > 0 && i < wanted->jobs; i++) {
        if (jobs[i].process > 0)
            (void)kill(jobs[i].process, SIGKILL);
    }
    while (is_at_work(wanted))
        end_job(wanted);
    print_counts(&sums, stdout);
    (void)printf("town: %" PRIu64 " runs, %" PRIu64 " failures\n", runs, failures);
    return failures > 0;
}

/* ---- the command line ----------------------------------------------------------------------- */

static bool parse_seeds(const char *text, struct wanted *wanted)
{
    char *end;

    wanted->first = wanted->last = strtoull(text, &end, 10);
    if (end != text && *end == '-')
        wanted->last = strtoull(end + 1, &end, 10);
    return end != text && *end == '\0' && wanted->last >= wanted->first;
}

static bool parse(int count, char **words, struct wanted *wanted)
{
    static const struct option options[] = {
        { "seeds", required_argument, NULL, 's' }, { "jobs", required_argument, NULL, 'j' },
        { "twice", no_argument, NULL, 't' },       { "hashes", no_argument, NULL, 'h' },
        { "stop", no_argument, NULL, 'x' },        { "options", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    bool is_good = true;

    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (option == 's')
            is_good &= parse_seeds(optarg, wanted);
        else if (option == 'j')
            wanted->jobs = (uint32_t)atoi(optarg);
        else if (option == 'o')
            wanted->options = optarg;
        else if (option == '?')
            is_good = false;
        wanted->twice |= option == 't';
        wanted->prints_hashes |= option == 'h';
        wanted->stops |= option == 'x';
    }
    return is_good && optind == count && wanted->jobs >= 1 && wanted->jobs <= JOBS_MAX;
}

int main(int count, char **words)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct wanted wanted = {
        .program = words[0], .options = "", .last = 0, .first = 1,
        .jobs = processors > 0 && processors < (long)JOBS_MAX ? (uint32_t)processors : 1,
    };

    if (!parse(count, words, &wanted) || (wanted.last == 0) != tri_sim_is_on()) {
        (void)fprintf(stderr, "usage: TROUPE_SIM=SEED %s, or %s --seeds FIRST-LAST\n"
                              "       [--jobs N] [--twice] [--hashes] [--stop] [--options TEXT]\n",
                      words[0], words[0]);
        return 64;
    }
    return wanted.last == 0 ? run_here() : run_many(&wanted);
}
