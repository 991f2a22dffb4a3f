/* SPDX-License-Identifier: BSD-2-Clause */

#include "traffic.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define REQUESTS_FIRST 500u
#define REQUESTS_MIN   200u
#define RUN_SECONDS    0.1
#define REQUESTS_MAX   2000000u
#define OUTPUT_MAX     (256u * 1024)
#define STOP_LIMIT_MS  2000u
#define PAUSE_NS       (10 * MILLISECOND_NS)

bool traffic_find(struct traffic *traffic, const char *name)
{
    traffic->requests = REQUESTS_FIRST;
    return child_find(name != NULL ? name : "redis-benchmark", traffic->program,
                      sizeof traffic->program);
}

double traffic_rate_in(const char *output, const char *name)
{
    const char *found = NULL;
    size_t length = strlen(name);

    for (const char *at = output; (at = strstr(at, name)) != NULL; at += length) {
        char *end;
        if (at[length] != ':')
            continue;
        strtod(at + length + 1, &end);
        if (strncmp(end, " requests per second", 20) == 0)
            found = at + length + 1;
    }
    return found != NULL ? strtod(found, NULL) : 0;
}

static void read_rates(struct traffic *traffic)
{
    char *text = malloc(OUTPUT_MAX + 1);
    FILE *file = fopen(traffic->output, "r");

    if (text != NULL && file != NULL) {
        text[fread(text, 1, OUTPUT_MAX, file)] = '\0';
        traffic->set_rate = traffic_rate_in(text, "SET");
        traffic->get_rate = traffic_rate_in(text, "GET");
    }
    if (file != NULL)
        fclose(file);
    free(text);
}

static void size_next_run(struct traffic *traffic)
{
    double seconds = (double)(clock_ns() - traffic->started_ns) / (double)SECOND_NS;
    double requests = (double)traffic->requests * RUN_SECONDS / (seconds > 0.01 ? seconds : 0.01);

    if (requests < REQUESTS_MIN)
        requests = REQUESTS_MIN;
    if (requests > REQUESTS_MAX)
        requests = REQUESTS_MAX;
    traffic->requests = (uint64_t)requests;
}

static void run_ended(struct traffic *traffic)
{
    int status = traffic->child.status;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        traffic->runs++;
        traffic->operations += 2 * traffic->requests;
        read_rates(traffic);
        size_next_run(traffic);
    } else {
        traffic->cut_short++;
        traffic->next_ns = clock_ns() + PAUSE_NS;
    }
    traffic->started_ns = 0;
}

static void start_run(struct traffic *traffic)
{
    char port[8];
    char requests[24];
    const char *const argv[] = {
        traffic->program, "-h", "127.0.0.1", "-p", port, "-c", "50", "-n", requests,
        "-r", "100000", "-d", "64", "-t", "set,get", "-q", NULL,
    };

    snprintf(port, sizeof port, "%u", (unsigned)traffic->port);
    snprintf(requests, sizeof requests, "%" PRIu64, traffic->requests);
    unlink(traffic->output);
    if (child_start(&traffic->child, argv, traffic->output, NULL) == 0)
        traffic->started_ns = clock_ns();
}

void traffic_step(struct traffic *traffic, bool serving)
{
    if (child_runs(&traffic->child))
        return;
    if (traffic->started_ns != 0)
        run_ended(traffic);
    if (serving && !traffic->stopped && clock_ns() >= traffic->next_ns)
        start_run(traffic);
}

void traffic_stop(struct traffic *traffic)
{
    traffic->stopped = true;
    child_end(&traffic->child, SIGTERM, STOP_LIMIT_MS);
}
