/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs and measures workloads: see harness.h.
 *
 *     parent            child (one run)                        a worker of its system
 *     fork ───────────► system starts
 *     poll, limited     run(): spawns, bench_start, kick ────► …messages…
 *                       waits, limited  ◄───────────────────── bench_finish
 *     read ◄─────────── sample; system stops; _exit
 *
 * The child waits on a condition variable: while actors run nobody polls, and with as many workers
 * as processors nobody takes time from them.
 */

#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_LIMIT_S 120

static struct {
    const char *name;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t started;
    int64_t finished;  /* under the lock; 0: not yet */
} run = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_start(void)
{
    run.started = now_ns();
}

void bench_finish(void)
{
    int64_t now = now_ns();

    pthread_mutex_lock(&run.lock);
    bool again = run.finished != 0;
    run.finished = now;
    pthread_cond_signal(&run.changed);
    pthread_mutex_unlock(&run.lock);
    if (again)
        bench_fail("it finished twice");
}

void bench_fail(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "troupe-bench: %s: ", run.name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(EXIT_FAILURE);
}

static void wait_until_finished(void)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += RUN_LIMIT_S;
    pthread_mutex_lock(&run.lock);
    while (run.finished == 0)
        if (pthread_cond_timedwait(&run.changed, &run.lock, &limit) == ETIMEDOUT)
            bench_fail("it did not finish within %d s", RUN_LIMIT_S);
    pthread_mutex_unlock(&run.lock);
}

/* ---- memory ---- */

/* A figure in kB of a file of /proc, in bytes. */
static uint64_t proc_bytes(const char *path, const char *key)
{
    FILE *file = fopen(path, "r");
    char line[256];
    uint64_t kilobytes = 0;

    if (file == NULL)
        bench_fail("cannot read %s", path);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kilobytes = strtoull(line + strlen(key), NULL, 10);
    fclose(file);
    return kilobytes * 1024;
}

/* The sum over all mappings is exact; the counter in status lags by some pages for each thread. */
static uint64_t resident_bytes(void)
{
    return proc_bytes("/proc/self/smaps_rollup", "Rss:");
}

/* ---- the child ---- */

static uint32_t processors(void)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    return (uint32_t)CPU_COUNT(&allowed);
}

static struct bench_sample take_sample(const struct bench *bench, tr_system *sys, uint64_t before)
{
    struct bench_sample sample = {
        .ns_per_op = (double)(run.finished - run.started) / (double)bench->operations,
        .peak_bytes = proc_bytes("/proc/self/status", "VmHWM:"),
    };
    tr_stats stats;

    if (bench->actors != 0)
        sample.bytes_per_actor =
            ((double)resident_bytes() - (double)before) / (double)bench->actors;
    bench_must(tr_system_stats(sys, &stats));
    sample.wakes = stats.wakes;
    sample.steals = stats.steals;
    return sample;
}

static _Noreturn void child(const struct bench *bench, uint32_t workers, int result)
{
    /* a moving worker would measure the kernel's scheduler as well */
    tr_config config = { .workers = workers, .pinned = workers <= processors() };
    uint64_t before = resident_bytes();
    tr_system *sys = NULL;

    run.name = bench->name;
    bench_must(tr_system_open(&config, &sys));
    bench->run(sys);
    wait_until_finished();
    struct bench_sample sample = take_sample(bench, sys, before);
    bench_must(tr_system_stop(sys, TR_SEC(10)));
    if (write(result, &sample, sizeof sample) != (ssize_t)sizeof sample)
        bench_fail("cannot report");
    _exit(EXIT_SUCCESS);
}

/* ---- the parent ---- */

/* Waits for the child's sample, a little longer than the child itself would wait. */
static bool receive(int result, struct bench_sample *ret_sample)
{
    struct pollfd readable = { .fd = result, .events = POLLIN };

    if (poll(&readable, 1, (RUN_LIMIT_S + 20) * 1000) != 1)
        return false;
    return read(result, ret_sample, sizeof *ret_sample) == (ssize_t)sizeof *ret_sample;
}

static bool reap(const struct bench *bench, pid_t pid, bool received)
{
    int status = 0;

    if (!received)
        kill(pid, SIGKILL);  /* it hangs, or has ended already and said why */
    if (waitpid(pid, &status, 0) != pid)
        return false;
    if (received && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
        return true;
    if (WIFSIGNALED(status))
        fprintf(stderr, "troupe-bench: %s: ended by signal %d\n", bench->name, WTERMSIG(status));
    return false;
}

static bool run_once(const struct bench *bench, uint32_t workers, struct bench_sample *ret_sample)
{
    int ends[2];

    if (pipe(ends) != 0) {
        perror("troupe-bench: pipe");
        return false;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(bench, workers, ends[1]);
    close(ends[1]);
    bool received = pid > 0 && receive(ends[0], ret_sample);
    close(ends[0]);
    if (pid < 0) {
        perror("troupe-bench: fork");
        return false;
    }
    return reap(bench, pid, received);
}

/* ---- medians ---- */

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

enum figure { NS_PER_OP, BYTES_PER_ACTOR, PEAK_BYTES, WAKES, STEALS };

static double figure_of(const struct bench_sample *sample, enum figure figure)
{
    switch (figure) {
    case NS_PER_OP:
        return sample->ns_per_op;
    case BYTES_PER_ACTOR:
        return sample->bytes_per_actor;
    case PEAK_BYTES:
        return (double)sample->peak_bytes;
    case WAKES:
        return (double)sample->wakes;
    case STEALS:
        return (double)sample->steals;
    }
    return 0;
}

/* `values` has room for `runs`; it is left sorted. */
static double median_of(const struct bench_sample *samples, uint32_t runs, enum figure figure,
                        double *values)
{
    for (uint32_t i = 0; i < runs; i++)
        values[i] = figure_of(&samples[i], figure);
    return median(values, runs);
}

static void summarise(const struct bench_sample *samples, uint32_t runs, double *values,
                      struct bench_summary *ret_summary)
{
    struct bench_summary summary = { .runs = runs };

    summary.median.ns_per_op = median_of(samples, runs, NS_PER_OP, values);
    summary.ns_best = values[0];
    summary.median.bytes_per_actor = median_of(samples, runs, BYTES_PER_ACTOR, values);
    summary.median.peak_bytes = (uint64_t)median_of(samples, runs, PEAK_BYTES, values);
    summary.median.wakes = (uint64_t)median_of(samples, runs, WAKES, values);
    summary.median.steals = (uint64_t)median_of(samples, runs, STEALS, values);
    *ret_summary = summary;
}

bool bench_measure(const struct bench *bench, uint32_t workers, uint32_t runs,
                   struct bench_summary *ret_summary)
{
    struct bench_sample *samples = calloc(runs, sizeof *samples);
    double *values = calloc(runs, sizeof *values);
    struct bench_sample warm_up;
    bool good = samples != NULL && values != NULL && run_once(bench, workers, &warm_up);

    for (uint32_t i = 0; good && i < runs; i++)
        good = run_once(bench, workers, &samples[i]);
    if (good)
        summarise(samples, runs, values, ret_summary);
    free(samples);
    free(values);
    return good;
}
