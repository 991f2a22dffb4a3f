/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The main behind test_plain.h: runs each registered test in a process of its own.
 *
 * Why. A test that crashes, hangs, or leaves threads behind must not reach the next one; and a
 * race that ThreadSanitizer saw shows only in the exit status of the process it happened in.
 * Running the tests in this process, one after the other, was rejected for both.
 *
 * Rules
 *   1. This process never has a second thread: a fork with threads is beyond ThreadSanitizer.
 *   2. No test registered, or none matching, is a failure: a suite that tests nothing never passes.
 *
 * Usage: NAME [PATTERN]: runs the tests whose "suite/name" matches, all without a pattern.
 */

#include "support/test_plain.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/ck.h"

#define TIMEOUT_DEFAULT_S 60.0
#define EXIT_FAILED 1
#define EXIT_SKIPPED 77

enum outcome { PASSED, FAILED, SKIPPED };

static struct tri_test *tests;
static struct tri_test_suite *suites;
static uint32_t expectation_failed;  /* any thread of a test's process */

void tri_test_register(struct tri_test *test)
{
    struct tri_test **end = &tests;

    while (*end != NULL)
        end = &(*end)->next;
    *end = test;
}

void tri_test_register_suite(struct tri_test_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

void tri_test_failed(const char *file, int line, const char *what, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: failed: %s:", file, line, what);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    /* relaxed would do: the thread that reads it has joined the others, or does not care. */
    tri_store_release_32(&expectation_failed, 1);
}

void tri_test_give_up(void)
{
    _exit(EXIT_FAILED);
}

void tri_test_skip(void)
{
    _exit(EXIT_SKIPPED);
}

/* The test's own options, completed by its suite's. */
static struct tri_test_options options_of(const struct tri_test *test)
{
    struct tri_test_options options = test->options;

    for (const struct tri_test_suite *suite = suites; suite != NULL; suite = suite->next) {
        if (strcmp(suite->name, test->suite) != 0)
            continue;
        if (options.init == NULL)
            options.init = suite->options.init;
        if (options.fini == NULL)
            options.fini = suite->options.fini;
        if (options.timeout <= 0)
            options.timeout = suite->options.timeout;
        options.disabled = options.disabled || suite->options.disabled;
    }
    if (options.timeout <= 0)
        options.timeout = TIMEOUT_DEFAULT_S;
    return options;
}

/* Ends by exit(), not _exit(), so that the sanitizer can have its last word in the status. */
static _Noreturn void run_here(const struct tri_test *test, const struct tri_test_options *options)
{
    setpgid(0, 0);
    if (options->init != NULL)
        options->init();
    test->body();
    if (options->fini != NULL)
        options->fini();
    exit(tri_load_acquire_32(&expectation_failed) ? EXIT_FAILED : EXIT_SUCCESS);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for the process; kills it and its children when it takes too long. */
static bool wait_for(pid_t child, double timeout, int *ret_status)
{
    double deadline = seconds_now() + timeout;

    while (waitpid(child, ret_status, WNOHANG) == 0) {
        if (seconds_now() > deadline) {
            kill(-child, SIGKILL);
            kill(child, SIGKILL);
            waitpid(child, ret_status, 0);
            return false;
        }
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return true;
}

static enum outcome judge(const struct tri_test_options *options, int status)
{
    if (options->signal != 0)
        return WIFSIGNALED(status) && WTERMSIG(status) == options->signal ? PASSED : FAILED;
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "died of signal %d\n", WTERMSIG(status));
        return FAILED;
    }
    if (WEXITSTATUS(status) == EXIT_SKIPPED && options->exit_code != EXIT_SKIPPED)
        return SKIPPED;
    if (WEXITSTATUS(status) != options->exit_code)
        fprintf(stderr, "exit status %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) == options->exit_code ? PASSED : FAILED;
}

static enum outcome run(const struct tri_test *test)
{
    struct tri_test_options options = options_of(test);
    int status;

    if (options.disabled)
        return SKIPPED;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return FAILED;
    }
    if (child == 0)
        run_here(test, &options);
    if (!wait_for(child, options.timeout, &status)) {
        fprintf(stderr, "timed out after %.1f s\n", options.timeout);
        return FAILED;
    }
    return judge(&options, status);
}

static bool matches(const struct tri_test *test, const char *pattern)
{
    char name[256];

    snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    return pattern == NULL || fnmatch(pattern, name, 0) == 0;
}

int main(int argc, char **argv)
{
    static const char *const words[] = { "ok  ", "FAIL", "skip" };
    const char *pattern = argc > 1 ? argv[argc - 1] : NULL;
    unsigned counts[3] = { 0, 0, 0 };

    for (const struct tri_test *test = tests; test != NULL; test = test->next) {
        if (!matches(test, pattern))
            continue;
        enum outcome outcome = run(test);
        counts[outcome]++;
        printf("%s %s/%s\n", words[outcome], test->suite, test->name);
    }
    printf("%u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
    return counts[FAILED] == 0 && counts[PASSED] + counts[SKIPPED] > 0 ? EXIT_SUCCESS
                                                                       : EXIT_FAILURE;
}
