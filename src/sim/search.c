/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Runs of this very program, one after another, each told by a tape how to decide:
 *
 *     shrink=FILE           makes a run that fails smaller, and writes it as a replay file
 *     strategy=exhaustive   all runs that differ from the usual one in so many decisions at most
 *
 * Why the program itself. It is started again with the same words and another TROUPE_SIM, before
 * its main has run: nothing but the program is needed, and no state is left over between runs.
 *
 * Shrinking. A candidate is kept if it ends as the first run did (status or signal) and costs no
 * more: steps, decisions, and decisions that are not 0. Tried are shorter tapes, tapes with a piece
 * cut out or made 0, in halves down to single decisions, then smaller values: Zeller's ddmin on
 * choices, as Hypothesis does it. It ends when a round brings nothing, or the time is up.
 *
 * Exhaustive search is bounded by deviations (delay bounding: Emmi, Qadeer, Rakamaric, "Delay-
 * Bounded Scheduling", 2011): most bugs need few.
 *
 * Partners: sim/tape.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim/inside.h"
#include "sim/tape.h"

#define WORDS_MAX   256
#define WORDS_BYTES 65536

#define RUN_WITHIN_S    20u  /* a run that takes longer is ended, and has failed by that */
#define SHRINK_WITHIN_S 60
#define RUNS_MAX        1000000u

#define REPLAY_USUAL "troupe.replay"

static struct {
    char text[TRI_SIM_TEXT_MAX]; /* TROUPE_SIM without what makes this search */
    char tape[64];     /* where a run is told, and where it tells, how it decides */
    char recording[64];
    char bytes[WORDS_BYTES];
    char *words[WORDS_MAX + 1];
    unsigned runs;
} search;

/* ---- one run -------------------------------------------------------------------------------- */

static _Noreturn void end(int status)
{
    if (search.tape[0] != '\0')
        (void)unlink(search.tape);
    if (search.recording[0] != '\0')
        (void)unlink(search.recording);
    _exit(status);
}

static _Noreturn void give_up_because(const char *what, const char *why)
{
    (void)fprintf(stderr, "troupe: simulation: %s: %s\n", what, why);
    end(TRI_SIM_FAILED);
}

static _Noreturn void give_up(const char *what)
{
    give_up_because(what, strerror(errno));
}

static void read_words(void)
{
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t size = file != NULL ? fread(search.bytes, 1, sizeof search.bytes - 1, file) : 0;
    unsigned count = 0;

    if (size == 0)
        give_up("/proc/self/cmdline");
    (void)fclose(file);
    for (size_t at = 0; at < size && count < WORDS_MAX; at += strlen(&search.bytes[at]) + 1)
        search.words[count++] = &search.bytes[at];
}

static void make_file(char *path, size_t size)
{
    const char *folder = getenv("TMPDIR");

    (void)snprintf(path, size, "%.40s/troupe.XXXXXX", folder != NULL ? folder : "/tmp");
    int file = mkstemp(path);
    if (file < 0)
        give_up(path);
    (void)close(file);
}

static _Noreturn void be_the_program(const char *simulated)
{
    int nothing = open("/dev/null", O_RDWR);

    (void)dup2(nothing, STDOUT_FILENO);
    (void)dup2(nothing, STDERR_FILENO);
    (void)setenv("TROUPE_SIM", simulated, 1);
    (void)alarm(RUN_WITHIN_S);
    (void)execv("/proc/self/exe", search.words);
    _exit(TRI_SIM_MISUSED);
}

/* Runs it; how it ended, as wait says. */
static int run(const char *simulated)
{
    pid_t child = fork();
    int status;

    search.runs++;
    if (child == 0)
        be_the_program(simulated);
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("fork");
    if (WIFEXITED(status) && WEXITSTATUS(status) == TRI_SIM_MISUSED)
        give_up_because(search.text, "the program does not take it");
    return status;
}

/* The same, by a tape; or (NULL) by the seed. What it decided goes to *ret_tape. */
static int run_by(const struct tri_sim_tape *tape, struct tri_sim_tape *ret_tape)
{
    char simulated[TRI_SIM_TEXT_MAX + 200], error[TRI_SIM_TAPE_ERROR];
    int status;

    (void)snprintf(simulated, sizeof simulated, "%s%s,record=%s,quiet",
                   tape != NULL ? "replay=" : "", tape != NULL ? search.tape : search.text,
                   search.recording);
    if (tape != NULL && (errno = -tri_sim_tape_write(search.tape, tape)) > 0)
        give_up(search.tape);
    status = run(simulated);
    if (tri_sim_tape_read(search.recording, ret_tape, error) < 0)
        give_up_because(search.recording, error);
    return status;
}

static void begin(const char *text)
{
    if (!tri_sim_options_essence(text, search.text, sizeof search.text))
        give_up_because(text, "too long");
    read_words();
    make_file(search.tape, sizeof search.tape);
    make_file(search.recording, sizeof search.recording);
}

/* ---- tapes ---------------------------------------------------------------------------------- */

static size_t count_set(const struct tri_sim_tape *tape)
{
    size_t count = 0;

    for (size_t i = 0; i < tape->count; i++)
        count += tape->decisions[i].value != 0;
    return count;
}

/* Behind its end all is 0 anyway. */
static void trim(struct tri_sim_tape *tape)
{
    while (tape->count > 0 && tape->decisions[tape->count - 1].value == 0)
        tape->count--;
}

static size_t cost_of(const struct tri_sim_tape *tape)
{
    return tape->steps + tape->count + count_set(tape);
}

/* A tape of its own: `from` without `cut` decisions from `at`. */
static struct tri_sim_tape copy_without(const struct tri_sim_tape *from, size_t at, size_t cut)
{
    struct tri_sim_tape tape = *from;
    size_t behind = from->count - at - cut;

    tape.count = at + behind;
    tape.decisions = tri_alloc((tape.count + 1) * sizeof *tape.decisions);
    if (tape.decisions == NULL)
        give_up("no memory");
    if (at > 0)
        memcpy(tape.decisions, from->decisions, at * sizeof *tape.decisions);
    if (behind > 0)
        memcpy(&tape.decisions[at], &from->decisions[at + cut], behind * sizeof *tape.decisions);
    return tape;
}

static void save(const char *path, const struct tri_sim_tape *tape)
{
    struct tri_sim_tape named = *tape;

    (void)snprintf(named.text, sizeof named.text, "%s", search.text);
    if ((errno = -tri_sim_tape_write(path, &named)) > 0)
        give_up(path);
    (void)fprintf(stderr, "troupe: TROUPE_SIM=replay=%s", path);
    for (char **word = search.words; *word != NULL; word++)
        (void)fprintf(stderr, " %s", *word);
    (void)fputc('\n', stderr);
}

/* ---- shrinking ------------------------------------------------------------------------------ */

struct shrinking {
    struct tri_sim_tape best;
    int status; /* how it has to end */
    time_t until;
};

/* Takes the candidate over; whether it became the best. */
static bool try(struct shrinking *shrinking, struct tri_sim_tape candidate)
{
    struct tri_sim_tape told = { .count = 0 };
    bool is_better = false;

    if (time(NULL) < shrinking->until)
        is_better = run_by(&candidate, &told) == shrinking->status;
    trim(&told);
    is_better = is_better && cost_of(&told) < cost_of(&shrinking->best);
    tri_sim_tape_free(&candidate);
    if (is_better) {
        tri_sim_tape_free(&shrinking->best);
        shrinking->best = told;
    } else {
        tri_sim_tape_free(&told);
    }
    return is_better;
}

static bool is_set(const struct tri_sim_tape *tape, size_t at, size_t size)
{
    for (size_t i = at; i < at + size; i++) {
        if (tape->decisions[i].value != 0)
            return true;
    }
    return false;
}

static bool try_zeros(struct shrinking *shrinking, size_t at, size_t size)
{
    struct tri_sim_tape tape;

    if (!is_set(&shrinking->best, at, size))
        return false;
    tape = copy_without(&shrinking->best, 0, 0);
    for (size_t i = at; i < at + size; i++)
        tape.decisions[i].value = 0;
    return try(shrinking, tape);
}

static bool try_shorter(struct shrinking *shrinking)
{
    bool any = false;

    for (size_t size = shrinking->best.count; size > 0; size /= 2) {
        while (size <= shrinking->best.count
               && try_zeros(shrinking, shrinking->best.count - size, size))
            any = true;
    }
    return any;
}

/* From the end: what comes late depends on what came before. */
static bool try_pieces(struct shrinking *shrinking, size_t size)
{
    bool any = false;

    for (size_t end = shrinking->best.count; end > 0; end = end > size ? end - size : 0) {
        if (end > shrinking->best.count)
            end = shrinking->best.count;
        size_t at = end > size ? end - size : 0;
        if (try(shrinking, copy_without(&shrinking->best, at, end - at)))
            any = true;
        else
            any = try_zeros(shrinking, at, end - at) || any;
    }
    return any;
}

static bool try_values(struct shrinking *shrinking)
{
    bool any = false;

    for (size_t i = 0; i < shrinking->best.count; i++) {
        struct tri_sim_tape tape;
        if (shrinking->best.decisions[i].value < 2)
            continue;
        tape = copy_without(&shrinking->best, 0, 0);
        tape.decisions[i].value = 1;
        any = try(shrinking, tape) || any;
    }
    return any;
}

static void shrink_all(struct shrinking *shrinking)
{
    bool any = true;

    while (any && time(NULL) < shrinking->until) {
        any = try_shorter(shrinking);
        for (size_t size = shrinking->best.count / 2; size > 0; size /= 2)
            any = try_pieces(shrinking, size) || any;
        any = try_values(shrinking) || any;
    }
}

static _Noreturn void shrink(const char *path)
{
    struct shrinking shrinking = { .until = time(NULL) + SHRINK_WITHIN_S };
    size_t steps, set;

    shrinking.status = run_by(NULL, &shrinking.best);
    if (shrinking.status == 0) {
        (void)fprintf(stderr, "troupe: nothing to shrink: the run does not fail\n");
        end(1);
    }
    steps = shrinking.best.steps;
    set = count_set(&shrinking.best);
    trim(&shrinking.best);
    shrink_all(&shrinking);
    (void)fprintf(stderr,
                  "troupe: shrunk from %zu steps, %zu decisions other than 0, to %zu and %zu in %u "
                  "runs\n",
                  steps, set, shrinking.best.steps, count_set(&shrinking.best), search.runs);
    save(path, &shrinking.best);
    end(0);
}

/* ---- exhaustive search ---------------------------------------------------------------------- */

static void explore(const struct tri_sim_tape *tape, size_t from, uint32_t deviations,
                    const char *path)
{
    struct tri_sim_tape told;

    if (search.runs >= RUNS_MAX)
        return;
    if (run_by(tape, &told) != 0) {
        (void)fprintf(stderr, "troupe: run %u fails\n", search.runs);
        save(path, &told);
        end(1);
    }
    for (size_t i = from; deviations > 0 && i < told.count; i++) {
        for (uint32_t value = 1; value < told.decisions[i].of; value++) {
            struct tri_sim_tape next = copy_without(&told, i + 1, told.count - i - 1);
            next.decisions[i].value = value;
            explore(&next, i + 1, deviations - 1, path);
            tri_sim_tape_free(&next);
        }
    }
    tri_sim_tape_free(&told);
}

_Noreturn void tri_sim_search(const struct tri_sim_options *options, const char *text)
{
    struct tri_sim_tape empty = { .count = 0 };
    const char *path = options->shrink[0] != '\0' ? options->shrink : REPLAY_USUAL;

    begin(text);
    if (options->deviations == 0)
        shrink(options->shrink);
    (void)snprintf(empty.text, sizeof empty.text, "%s", search.text);
    tri_sim_program_self(&empty.program);
    /* Few first, so that what is found is small: the runs with fewer are repeated, and are few. */
    for (uint32_t most = 0; most <= options->deviations; most++) {
        search.runs = 0;
        explore(&empty, 0, most, path);
    }
    (void)fprintf(stderr,
                  "troupe: %s %u runs with up to %u decisions other than 0: none fails\n",
                  search.runs < RUNS_MAX ? "all" : "not all, but", search.runs,
                  (unsigned)options->deviations);
    end(0);
}
