/* SPDX-License-Identifier: BSD-2-Clause */

#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define TERMINAL_NS (100 * MILLISECOND_NS)
#define LINE_NS     SECOND_NS

void report_number(char ret_text[REPORT_TEXT_MAX], uint64_t number)
{
    char digits[REPORT_TEXT_MAX];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t used = 0;

    for (size_t i = 0; i < length && used + 2 < REPORT_TEXT_MAX; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            ret_text[used++] = ' ';
        ret_text[used++] = digits[i];
    }
    ret_text[used] = '\0';
}

void report_duration(char ret_text[REPORT_TEXT_MAX], uint64_t ns)
{
    static const struct {
        double size;
        const char *name;
    } units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 1, "ns" } };
    size_t i = 0;

    while (i < 3 && (double)ns < units[i].size)
        i++;
    double value = (double)ns / units[i].size;
    snprintf(ret_text, REPORT_TEXT_MAX, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value,
             units[i].name);
}

static bool on_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

void report_progress(struct report *report, uint64_t seconds)
{
    const struct checker_counts *counts = &report->checker->counts;
    uint64_t now = clock_ns();
    char written[REPORT_TEXT_MAX];

    if (now < report->shown_ns + (on_terminal() ? TERMINAL_NS : LINE_NS))
        return;
    report->shown_ns = now;
    report_number(written, counts->written);
    printf("%s%3.0f of %" PRIu64 " s  %s writes acknowledged, %" PRIu64 " shard crashes, "
           "%" PRIu64 " recovered, %" PRIu64 " kill -9, %" PRIu64 " lost%s",
           on_terminal() ? "\r" : "", (double)(now - report->started_ns) / 1e9, seconds, written,
           report->crasher->crashes, report->crasher->recoveries, report->kills, counts->lost,
           on_terminal() ? " \033[K" : "\n");
    fflush(stdout);
}

void report_progress_end(void)
{
    if (on_terminal())
        printf("\n");
}

__attribute__((format(printf, 2, 3)))
static void row(const char *name, const char *format, ...)
{
    va_list arguments;

    printf("  %-34s ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

static void row_operations(const char *name, uint64_t count, double per_second)
{
    char number[REPORT_TEXT_MAX];
    char rate[REPORT_TEXT_MAX];

    report_number(number, count);
    report_number(rate, (uint64_t)per_second);
    row(name, "%s (%s a second)", number, rate);
}

static void row_percentiles(const char *name, const struct histogram *histogram)
{
    char middle[REPORT_TEXT_MAX];
    char high[REPORT_TEXT_MAX];

    report_duration(middle, histogram_percentile(histogram, 50));
    report_duration(high, histogram_percentile(histogram, 99));
    row(name, histogram->count > 0 ? "%s / %s" : "-", middle, high);
}

static void rows_of_load(const struct report *report)
{
    const struct checker_counts *counts = &report->checker->counts;
    double seconds = (double)report->load_ns / 1e9;
    char written[REPORT_TEXT_MAX];

    report_number(written, counts->written);
    row("synced to disk", "appendfsync %s: %s", report->server->appendfsync,
        strcmp(report->server->appendfsync, "always") == 0 ? "a write is answered once it is there"
                                                           : "answered before it is there");
    row("under load for", "%.1f s", seconds);
    row_operations("operations, checking client", counts->answered,
                   (double)counts->answered / seconds);
    if (report->traffic->program[0] != '\0') {
        row_operations("operations, redis-benchmark", report->traffic->operations,
                       (double)report->traffic->operations / seconds);
        row("runs of it, cut short by crashes", "%" PRIu64 ", %" PRIu64,
            report->traffic->runs + report->traffic->cut_short, report->traffic->cut_short);
    }
    row_percentiles("latency p50 / p99, batches", &report->checker->latency);
    row("acknowledged writes", "%s", written);
    row("refused, unanswered commands", "%" PRIu64 ", %" PRIu64, counts->refused,
        counts->unanswered);
}

void report_table(const struct report *report)
{
    const struct crasher *crasher = report->crasher;
    char back[REPORT_TEXT_MAX];

    printf("\n");
    rows_of_load(report);
    row("shard crashes", "%" PRIu64, crasher->crashes);
    row("shard restarts", "%" PRIu64 " seen to answer again", crasher->recoveries);
    row_percentiles("time to recover p50 / p99, shard", &crasher->recovery);
    report_duration(back, report->back_ns);
    row("kill -9 of the service", "%" PRIu64 ", back after %s", report->kills,
        report->kills > 0 ? back : "-");
    row("keys verified", "%" PRIu64 ", and %" PRIu64 " after an orderly restart", report->verified,
        report->verified_again);
    row("acknowledged writes lost", "%" PRIu64, report->checker->counts.lost);
    printf("\n");
    for (unsigned i = 0; i < CHECKER_SHOWN_MAX && report->checker->lost[i][0] != '\0'; i++)
        printf("  lost: %s\n", report->checker->lost[i]);
}

static const char *what_is_wrong(const struct report *report)
{
    const struct checker_counts *counts = &report->checker->counts;
    uint64_t keys = report->checker->options.connections * report->checker->options.keys;

    if (counts->lost > 0)
        return "acknowledged writes were lost";
    if (counts->written == 0)
        return "no write was acknowledged, so nothing was shown";
    if (report->crasher->crashes == 0)
        return report->crasher->refusal[0] != '\0' ? report->crasher->refusal
                                                   : "no shard was crashed, so nothing was shown";
    if (report->crasher->recoveries == 0 || report->crasher->given_up > 0)
        return "a shard did not come back";
    if (report->kills == 0)
        return "the service was never killed";
    if (counts->malformed > 0)
        return "replies that are none";
    if (counts->stalled > 0)
        return "commands without any answer";
    if (report->verified != keys || report->verified_again != keys)
        return "not every key could be verified";
    if (!report->stopped_in_order)
        return "the service did not stop in order";
    return NULL;
}

bool report_verdict(const struct report *report)
{
    const char *wrong = what_is_wrong(report);

    if (wrong != NULL)
        printf("FAILED: %s\n", wrong);
    else
        printf("Every acknowledged write is there.\n");
    return wrong == NULL;
}
