/* SPDX-License-Identifier: BSD-2-Clause */

/* troupe-bench: reads the command line and runs the workloads that it names. */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2
#define RUNS_MAX 1000
#define WORKERS_MAX 256

static const struct bench *const benches[] = {
    &bench_ping_pong, &bench_ring, &bench_counting, &bench_fan_in, &bench_spawn_and_stop,
    &bench_idle_memory, &bench_skynet, &bench_chameneos, &bench_big, &bench_ask,
};

#define BENCHES (sizeof benches / sizeof benches[0])

struct options {
    bool json;
    uint32_t runs;
    uint32_t workers;
    bool chosen[BENCHES];
    bool any_chosen;
};

static void print_usage(FILE *to)
{
    fputs("usage: troupe-bench [--json] [--runs N] [--workers N] [NAME...]\n"
          "       troupe-bench --list\n"
          "  --json       one JSON object per line\n"
          "  --runs N     measured runs of each workload, after one to warm up (default 5)\n"
          "  --workers N  worker threads (default 1)\n"
          "  --list       names and says what each workload does\n"
          "Figures are medians over the runs; every run is a process of its own.\n", to);
}

static _Noreturn void refuse(const char *what, const char *word)
{
    fprintf(stderr, "troupe-bench: %s: %s\n", what, word);
    print_usage(stderr);
    exit(EXIT_USAGE);
}

static void print_list(void)
{
    for (size_t i = 0; i < BENCHES; i++)
        printf("%-15s %s\n", benches[i]->name, benches[i]->about);
}

static uint32_t read_number(const char *option, const char *word, uint32_t most)
{
    char *end;

    if (word == NULL)
        refuse("a number is missing after", option);
    unsigned long number = strtoul(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || number < 1 || number > most)
        refuse(option, "not a number in its range");
    return (uint32_t)number;
}

static void choose(struct options *options, const char *name)
{
    for (size_t i = 0; i < BENCHES; i++)
        if (strcmp(name, benches[i]->name) == 0) {
            options->chosen[i] = true;
            options->any_chosen = true;
            return;
        }
    refuse("no such workload", name);
}

static struct options read_options(char **words)
{
    struct options options = { .runs = 5, .workers = 1 };

    for (char **word = words + 1; *word != NULL; word++) {
        if (strcmp(*word, "--json") == 0) {
            options.json = true;
        } else if (strcmp(*word, "--runs") == 0) {
            options.runs = read_number("--runs", word[1], RUNS_MAX);
            word++;
        } else if (strcmp(*word, "--workers") == 0) {
            options.workers = read_number("--workers", word[1], WORKERS_MAX);
            word++;
        } else if (strcmp(*word, "--list") == 0) {
            print_list();
            exit(EXIT_SUCCESS);
        } else if (strcmp(*word, "--help") == 0) {
            print_usage(stdout);
            exit(EXIT_SUCCESS);
        } else if ((*word)[0] == '-') {
            refuse("unknown option", *word);
        } else {
            choose(&options, *word);
        }
    }
    return options;
}

static bool run(const struct bench *bench, const struct options *options)
{
    struct bench_summary summary;

    if (!bench_measure(bench, options->workers, options->runs, &summary)) {
        fprintf(stderr, "troupe-bench: %s failed\n", bench->name);
        return false;
    }
    if (options->json)
        bench_print_json(bench, options->workers, &summary);
    else
        bench_print_text(bench, options->workers, &summary);
    return true;
}

int main(int count, char **words)
{
    (void)count;
    struct options options = read_options(words);
    bool good = true;

    if (!options.json)
        bench_print_header();
    for (size_t i = 0; i < BENCHES; i++)
        if (options.chosen[i] || !options.any_chosen)
            good = run(benches[i], &options) && good;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
