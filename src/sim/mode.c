/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The mode: on or off, its clock, its hash, and what it says at the end.
 *
 *     ┌─────┐ TROUPE_SIM, before main ┌────┐ the process ends: seed, hash, figures
 *     │ off │ ──────────────────────► │ on │ ──────────────────────────────────────►
 *     └─────┘ ◄────────────────────── └────┘
 *        a test that began it by hand ends it
 *
 * Why before main. Time must not be looked at by one clock first and by another one later.
 *
 * Rules
 *   1. The thread that begins it is the simulation's.
 *   2. The environment of a program that runs with more rights than its caller is not read.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/futex.h"
#include "sim/inside.h"
#include "sim/tape.h"

bool tri_sim_on;

static struct {
    struct tri_sim_options options;
    int64_t now;
    uint64_t hash;
    uint64_t steps;
    uint64_t counted;
    struct tri_sim_ending *endings;
    pthread_t thread;
} mode;

const struct tri_sim_options *tri_sim_options(void)
{
    return &mode.options;
}

bool tri_sim_is_here(void)
{
    return pthread_equal(pthread_self(), mode.thread);
}

bool tri_sim_lift_limits(void)
{
    mode.options.steps_max = UINT64_MAX;
    mode.options.until = INT64_MAX;
    return true;
}

int tri_sim_set_rule(const char *name, double rate)
{
    struct tri_sim_rule *rule;

    if (!(rate >= 0 && rate <= 1) || name[0] == '\0' || name[0] == '@'
        || strlen(name) >= TRI_SIM_NAME_MAX)
        return -EINVAL;
    rule = tri_sim_options_rule(&mode.options, name);
    if (rule == NULL)
        return -ENOSPC;
    rule->rate = rate >= 1 ? UINT32_MAX : (uint32_t)(rate * 4294967296.0);
    return 0;
}

/* ---- time ----------------------------------------------------------------------------------- */

int64_t tri_sim_now(void)
{
    return mode.now;
}

void tri_sim_set_now(int64_t now)
{
    if (now > mode.now)
        mode.now = now;
}

static int64_t read_clock(void *context)
{
    (void)context;
    return mode.now;
}

/* ---- the hash ------------------------------------------------------------------------------- */

void tri_sim_note(uint64_t value)
{
    uint64_t mixed = mode.hash ^ value;

    mode.hash = tri_random_spread(&mixed);
    tri_sim_tape_progress(mode.steps, mode.hash);
}

void tri_sim_count_step(uint64_t about)
{
    mode.steps++;
    tri_sim_note(about);
    tri_sim_note((uint64_t)mode.now);
}

uint64_t tri_sim_count_up(void)
{
    return ++mode.counted;
}

uint64_t tri_sim_hash(void)
{
    return mode.hash;
}

uint64_t tri_sim_steps(void)
{
    return mode.steps;
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct waited_for {
    const uint32_t *word;
    uint32_t expected;
};

static bool has_changed(const void *context)
{
    const struct waited_for *waited = context;

    return tri_load_acquire_32(waited->word) != waited->expected;
}

/* In the place of the kernel's futex. */
static int wait_simulated(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    const struct waited_for waited = { word, expected };
    int error = 0;

    if (!tri_sim_is_here())
        tri_sim_fail("a thread of the program's own waits for the runtime: only one thread can be "
                     "simulated");
    error = tri_sim_drive(has_changed, &waited, deadline);
    if (error == -EDEADLK)
        tri_sim_fail("the program waits, and nothing can happen any more");
    if (error == -ECANCELED)
        tri_sim_fail("the limit of steps or of time was reached");
    return error;
}

/* ---- begin and end -------------------------------------------------------------------------- */

static void say_whether_repeated(const struct tri_sim_tape *tape)
{
    if (tape->hash == mode.hash && tape->steps == mode.steps)
        (void)fprintf(stderr, "troupe: replayed: the same run as was recorded\n");
    else
        (void)fprintf(stderr, "troupe: replayed: another run than was recorded, which had the hash "
                              "%016llx after %llu steps\n",
                      (unsigned long long)tape->hash, (unsigned long long)tape->steps);
}

void tri_sim_say(void)
{
    if (!tri_sim_on)
        return;
    if (mode.options.prints_cover)
        tri_sim_cover_print();
    if (mode.options.is_quiet)
        return;
    if (tri_sim_played() != NULL)
        say_whether_repeated(tri_sim_played());
    (void)fprintf(stderr, "troupe: simulated with seed %llu: hash %016llx, %llu steps, "
                          "%lld.%06lld s\n",
                  (unsigned long long)mode.options.seed, (unsigned long long)mode.hash,
                  (unsigned long long)mode.steps,
                  (long long)((mode.now - TRI_SIM_BEGINS_AT) / TRI_NS_PER_S),
                  (long long)((mode.now - TRI_SIM_BEGINS_AT) / TRI_NS_PER_US % 1000000));
}

_Noreturn void tri_sim_fail(const char *why)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "troupe: simulation: %s\n", why);
    tri_sim_say();
    _exit(TRI_SIM_FAILED);
}

void tri_sim_begin(const struct tri_sim_options *options)
{
    const struct tri_clock clock = { read_clock, NULL };

    mode.options = *options;
    mode.now = TRI_SIM_BEGINS_AT;
    mode.hash = options->seed;
    mode.steps = 0;
    mode.counted = 0;
    mode.thread = pthread_self();
    tri_sim_choices_begin(options);
    tri_sim_cover_begin();
    tri_sim_events_begin();
    tri_sim_loop_begin();
    tri_sim_tape_begin();
    tri_sim_source_add(&tri_sim_events);
    tri_clock_set(&clock);
    tri_futex_wait_set(wait_simulated);
    tri_sim_on = true;
}

void tri_sim_at_end(struct tri_sim_ending *ending)
{
    if (ending->is_listed)
        return;
    ending->is_listed = true;
    ending->next = mode.endings;
    mode.endings = ending;
}

void tri_sim_end(void)
{
    for (struct tri_sim_ending *ending = mode.endings; ending != NULL; ending = ending->next) {
        ending->is_listed = false;
        ending->forget();
    }
    mode.endings = NULL;
    tri_sim_on = false;
    tri_sim_source_remove(&tri_sim_events);
    tri_futex_wait_set(NULL);
    tri_clock_set(NULL);
}

/* ---- the environment ------------------------------------------------------------------------ */

static _Noreturn void misused(const char *about, const char *why)
{
    (void)fprintf(stderr, "troupe: TROUPE_SIM: %s: %s\n", about, why);
    _exit(TRI_SIM_MISUSED);
}

static void parse(const char *text, struct tri_sim_options *ret_options)
{
    char error[128];

    if (!tri_sim_options_parse(text, ret_options, error))
        misused(text, error);
}

static void begin(const struct tri_sim_options *options, const char *text)
{
    char essence[TRI_SIM_TEXT_MAX];
    int error = 0;

    tri_sim_begin(options);
    if (options->record[0] == '\0')
        return;
    if (!tri_sim_options_essence(text, essence, sizeof essence))
        misused(text, "too long to be recorded");
    error = tri_sim_record(options->record, essence);
    if (error < 0)
        misused(options->record, strerror(-error));
}

/* Another program comes to other decisions: what it does then says nothing. The same one, built
 * anew, may be the one in which the bug has been mended. */
static void compare_programs(const char *path, const struct tri_sim_program *recorded)
{
    struct tri_sim_program self;
    char why[200];

    tri_sim_program_self(&self);
    if (strcmp(self.name, recorded->name) != 0) {
        (void)snprintf(why, sizeof why, "recorded by the program %s, and this one is %s",
                       recorded->name, self.name);
        misused(path, why);
    }
    if (self.build != recorded->build)
        (void)fprintf(stderr, "troupe: %s: the program has been built anew since\n", path);
}

/* "replay=FILE,options": the seed and options of the file, then what is said here. */
static void begin_replay(const char *text)
{
    struct tri_sim_options options;
    struct tri_sim_tape tape;
    char path[TRI_SIM_PATH_MAX], all[TRI_SIM_TEXT_MAX + TRI_SIM_PATH_MAX];
    char error[TRI_SIM_TAPE_ERROR];
    int length = (int)strcspn(text, ",");

    if (length - 7 >= (int)sizeof path || strlen(text + length) >= TRI_SIM_PATH_MAX)
        misused(text, "too long");
    (void)snprintf(path, sizeof path, "%.*s", length - 7, text + 7);
    if (tri_sim_tape_read(path, &tape, error) < 0)
        misused(path, error);
    compare_programs(path, &tape.program);
    (void)snprintf(all, sizeof all, "%s%s", tape.text, text + length);
    parse(all, &options);
    if (options.shrink[0] != '\0' || options.deviations > 0)
        misused(text, "a search begins with a seed, not with a replay");
    begin(&options, all);
    tri_sim_replay(&tape);
}

__attribute__((constructor)) static void begin_by_environment(void)
{
    const char *text = secure_getenv("TROUPE_SIM");
    struct tri_sim_options options;

    if (text == NULL || text[0] == '\0')
        return;
    if (strncmp(text, "replay=", 7) == 0) {
        begin_replay(text);
    } else {
        parse(text, &options);
        if (options.shrink[0] != '\0' || options.deviations > 0)
            tri_sim_search(&options, text);
        begin(&options, text);
    }
    (void)atexit(tri_sim_say);
}
