/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * See explorer.h for what this is and how a model is written.
 *
 * One schedule is a sequence of steps. Before each, everything that can happen is listed: each
 * thread that can go on (a letter from 'a'), and the oldest store of each buffer that holds one (a
 * letter from 'A'). One of them is chosen; a thread then runs up to its next atomic operation.
 *
 * The search remembers which of the listed steps it took, and how many there were, and takes the
 * next one at the deepest place where one is left. The thread that ran last stands first in the
 * list: the first schedule runs each thread as long as it can.
 *
 * Random schedules are of two kinds, in turn: each step equally likely, and a thread that goes on
 * until it is interrupted, which happens rarely. The first kind meets short windows, the second
 * long ones.
 */

#include "explorer.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/ck.h"
#include "base/fence.h"
#include "base/random.h"
#include "base/spin.h"
#include "switch.h"

enum {
    THREADS_MAX = 8,
    STACK_BYTES = 64 << 10,
    BUFFER_MAX = 32,
    STEPS_MAX = 4000,  /* a schedule that takes more has no end */
    NAMES_MAX = 32,
    HANG_SECONDS = 20,
    INTERRUPT_ONE_IN = 12,
};

struct buffered {
    void *word;
    uint64_t value;
    size_t size;
};

struct thread {
    struct place place;
    void (*run)(int number);
    int number;
    bool is_over;
    bool relaxes;                 /* until somebody else has taken a step */
    bool (*is_ready)(void *);     /* NULL: nothing is waited for */
    void *context;
    int buffered_count;
    struct buffered buffer[BUFFER_MAX];
};

static struct thread threads[THREADS_MAX];
static _Alignas(64) char stacks[THREADS_MAX][STACK_BYTES];
static int thread_count;
static struct thread *current;  /* NULL while the explorer itself runs */
static struct place explorer_place;

/* The schedule: the letters taken and, for the search, which of how many each one was. */
static char letters[STEPS_MAX + 1];
static unsigned char taken[STEPS_MAX];
static unsigned char listed[STEPS_MAX];
static int depth;
static int kept;  /* the search repeats this many choices of the schedule before */
static unsigned long steps_in_all;

static enum { SEARCH, RANDOM, REPLAY } mode;
static unsigned bound;
static unsigned interruptions;
static struct tri_random randomness;
static bool is_sticky;
static const char *replayed;
static const char *model_name;

static struct {
    const char *file;
    const char *what;
    int line;
} failure;

static struct {
    const void *address;
    const char *name;
} names[NAMES_MAX];
static int name_count;

/* ---- what a failure says ---- */

void explorer_name(const void *address, const char *name)
{
    if (name_count < NAMES_MAX) {
        names[name_count].address = address;
        names[name_count].name = name;
        name_count++;
    }
}

static const char *name_of(const void *address)
{
    for (int i = 0; i < name_count; i++) {
        if (names[i].address == address)
            return names[i].name;
    }
    return "";
}

static void show(const char *what, const void *word, uint64_t value)
{
    if (mode != REPLAY || current == NULL)
        return;
    printf("  %c %-8s %p %-20s %llx\n", (char)('a' + (current - threads)), what, word,
           name_of(word), (unsigned long long)value);
}

static void report(const char *what)
{
    letters[depth] = '\0';
    printf("%s: FOUND: %s\n    --replay %s\n", model_name, what, letters);
    fflush(stdout);
}

/* A crash or an endless loop of the model: whatever it was, the schedule is worth keeping. */
static void on_signal(int signal)
{
    report(signal == SIGALRM ? "it hangs" : "it crashes");
    _exit(1);
}

static void catch_signals(void)
{
    static char stack[64 << 10];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
    int caught[] = { SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGALRM };

    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        sigaction(caught[i], &action, NULL);
}

void explorer_failed(const char *file, int line, const char *what)
{
    if (failure.what == NULL) {
        failure.file = file;
        failure.line = line;
        failure.what = what;
    }
    if (current != NULL)
        explorer_switch(&current->place, &explorer_place);
}

void tri_assert_failed(const char *file, int line, const char *expression)
{
    explorer_failed(file, line, expression);
    abort(); /* outside a thread: the model's own start or check */
}

/* ---- threads ---- */

static void first_step(void)
{
    current->run(current->number);
    current->is_over = true;
    explorer_switch(&current->place, &explorer_place);
    abort();
}

void explorer_thread(void (*run)(int number), int number)
{
    if (thread_count == THREADS_MAX)
        abort();
    struct thread *thread = &threads[thread_count];
    *thread = (struct thread){ .run = run, .number = number };
    make_place(&thread->place, stacks[thread_count], STACK_BYTES, first_step);
    thread_count++;
}

static void step_ends(void)
{
    explorer_switch(&current->place, &explorer_place);
}

void explorer_point(const char *what)
{
    if (current != NULL)
        step_ends();
    show(what, NULL, 0);
}

void explorer_wait(bool (*is_ready)(void *context), void *context)
{
    current->is_ready = is_ready;
    current->context = context;
    step_ends();
    current->is_ready = NULL;
}

void explorer_relax(void)
{
    current->relaxes = true;
    step_ends();
}

static bool can_go_on(const struct thread *thread)
{
    if (thread->is_over || thread->relaxes)
        return false;
    return thread->is_ready == NULL || thread->is_ready(thread->context);
}

static void others_may_go_on(const struct thread *stepped)
{
    for (int i = 0; i < thread_count; i++) {
        if (&threads[i] != stepped)
            threads[i].relaxes = false;
    }
}

/* ---- memory ---- */

static void write_out_oldest(struct thread *thread)
{
    struct buffered *oldest = &thread->buffer[0];

    memcpy(oldest->word, &oldest->value, oldest->size);
    thread->buffered_count--;
    memmove(oldest, oldest + 1, (size_t)thread->buffered_count * sizeof(*oldest));
}

static void write_out(struct thread *thread)
{
    while (thread->buffered_count > 0)
        write_out_oldest(thread);
}

/* This thread's newest store to a word that others cannot see yet. */
static const struct buffered *own_store(const void *word)
{
    if (current == NULL)
        return NULL;
    for (int i = current->buffered_count; i-- > 0;) {
        if (current->buffer[i].word == word)
            return &current->buffer[i];
    }
    return NULL;
}

void explorer_load(const void *word, void *ret_value, size_t size)
{
    uint64_t value = 0;

    if (current != NULL)
        step_ends();
    const struct buffered *own = own_store(word);
    memcpy(ret_value, own != NULL ? (const void *)&own->value : word, size);
    memcpy(&value, ret_value, size);
    show("load", word, value);
}

void explorer_store(void *word, const void *value, size_t size)
{
    if (current == NULL) {
        memcpy(word, value, size);
        return;
    }
    step_ends();
    if (current->buffered_count == BUFFER_MAX)
        write_out_oldest(current);
    struct buffered *newest = &current->buffer[current->buffered_count++];
    *newest = (struct buffered){ .word = word, .size = size };
    memcpy(&newest->value, value, size);
    show("store", word, newest->value);
}

void explorer_modify(const char *what, const void *word)
{
    if (current == NULL)
        return;
    step_ends();
    write_out(current);
    show(what, word, 0);
}

/* ---- what the product's base would do in the kernel ---- */

bool tri_fence_is_asymmetric;

void tri_fence_init(void)
{
    tri_fence_is_asymmetric = true;
}

void tri_fence_heavy(void)
{
    if (!tri_fence_is_asymmetric) {
        tri_fence_full();
        return;
    }
    explorer_modify("barrier", NULL);
    for (int i = 0; i < thread_count; i++)
        write_out(&threads[i]);
}

static bool is_free(void *spin)
{
    return ((struct tri_spin *)spin)->taken == 0;
}

void tri_spin_lock_slow(struct tri_spin *spin)
{
    do {
        explorer_wait(is_free, spin);
    } while (!tri_spin_try(spin));
}

/* ---- one schedule ---- */

/* A step is a thread's number or, from THREADS_MAX, that of a buffer to write out. */
struct choices {
    int steps[2 * THREADS_MAX];
    int count;
    bool last_goes_on;
};

static struct choices list_choices(int last)
{
    struct choices list = { .count = 0 };

    if (last >= 0 && can_go_on(&threads[last])) {
        list.steps[list.count++] = last;
        list.last_goes_on = true;
    }
    for (int i = 0; i < thread_count; i++) {
        bool is_forbidden = list.last_goes_on && mode == SEARCH && interruptions >= bound;
        if (i != last && !is_forbidden && can_go_on(&threads[i]))
            list.steps[list.count++] = i;
    }
    for (int i = 0; i < thread_count; i++) {
        if (threads[i].buffered_count > 0)
            list.steps[list.count++] = THREADS_MAX + i;
    }
    return list;
}

static char letter_of(int step)
{
    return (char)(step < THREADS_MAX ? 'a' + step : 'A' + step - THREADS_MAX);
}

/* The place in the list of the step that a replayed string names. */
static int replayed_choice(const struct choices *list)
{
    for (int i = 0; i < list->count; i++) {
        if (letter_of(list->steps[i]) == replayed[depth])
            return i;
    }
    return -1;
}

static int choose(const struct choices *list)
{
    if (mode == REPLAY)
        return replayed_choice(list);
    if (list->count == 1)
        return 0;
    if (mode == SEARCH)
        return depth < kept ? taken[depth] : 0;
    if (is_sticky && list->last_goes_on && tri_random_below(&randomness, INTERRUPT_ONE_IN) != 0)
        return 0;
    return (int)tri_random_below(&randomness, (uint32_t)list->count);
}

static void take_step(int step, int *last)
{
    if (step >= THREADS_MAX) {
        write_out_oldest(&threads[step - THREADS_MAX]);
        others_may_go_on(NULL);
        return;
    }
    *last = step;
    current = &threads[step];
    explorer_switch(&explorer_place, &current->place);
    current = NULL;
    others_may_go_on(&threads[step]);
}

static bool all_are_over(void)
{
    for (int i = 0; i < thread_count; i++) {
        if (!threads[i].is_over)
            return false;
    }
    return true;
}

static void run_schedule(const struct explorer_model *model)
{
    int last = -1;

    current = NULL;
    thread_count = name_count = depth = 0;
    interruptions = 0;
    tri_fence_is_asymmetric = true;
    model->start(model->setup);
    for (; failure.what == NULL; depth++) {
        struct choices list = list_choices(last);
        if (list.count == 0) {
            /* Only spinners are left: they look again, and may do more than look. */
            others_may_go_on(NULL);
            list = list_choices(last);
        }
        if (list.count == 0) {
            if (!all_are_over())
                explorer_failed("", 0, "nobody can go on: a wake-up was lost");
            break;
        }
        if (depth == STEPS_MAX) {
            explorer_failed("", 0, "a schedule without end");
            break;
        }
        int choice = choose(&list);
        if (choice < 0) {
            explorer_failed("", 0, "the replayed string is not a schedule of this model");
            break;
        }
        taken[depth] = (unsigned char)choice;
        listed[depth] = (unsigned char)list.count;
        letters[depth] = letter_of(list.steps[choice]);
        steps_in_all++;
        if (list.last_goes_on && choice > 0 && list.steps[choice] < THREADS_MAX)
            interruptions++;
        take_step(list.steps[choice], &last);
    }
    if (failure.what == NULL && model->check != NULL)
        model->check();
}

/* ---- many of them ---- */

/* Moves the search on to the next schedule; false when there is none. */
static bool next_of_search(void)
{
    while (depth > 0 && taken[depth - 1] + 1 >= listed[depth - 1])
        depth--;
    if (depth == 0)
        return false;
    taken[depth - 1]++;
    kept = depth;
    return true;
}

static void report_failure(void)
{
    char text[512];

    snprintf(text, sizeof(text), "%s (%s:%d)", failure.what, failure.file, failure.line);
    report(text);
}

/* Schedules run; stops at the first failure. */
static unsigned long search(const struct explorer_model *model, unsigned long most, bool *ret_all)
{
    unsigned long run = 0;

    mode = SEARCH;
    kept = 0;
    *ret_all = false;
    while (run < most) {
        alarm(HANG_SECONDS);
        run_schedule(model);
        run++;
        if (failure.what != NULL)
            break;
        if (!next_of_search()) {
            *ret_all = true;
            break;
        }
    }
    return run;
}

static unsigned long try_random(const struct explorer_model *model, unsigned long most,
                                uint64_t seed)
{
    unsigned long run = 0;

    mode = RANDOM;
    while (run < most) {
        alarm(HANG_SECONDS);
        tri_random_seed(&randomness, seed + run);
        is_sticky = run % 2 == 1;
        run_schedule(model);
        run++;
        if (failure.what != NULL)
            break;
    }
    return run;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct orders {
    long bound;
    long searched;
    long random;
    uint64_t seed;
};

static bool explore(const struct explorer_model *model, const struct orders *orders)
{
    unsigned long most_searched =
        orders->searched >= 0 ? (unsigned long)orders->searched : model->searched;
    unsigned long most_random = orders->random >= 0 ? (unsigned long)orders->random : model->random;
    unsigned long found_at = 0;
    bool all = false;
    double began = seconds();

    model_name = model->name;
    bound = orders->bound >= 0 ? (unsigned)orders->bound : model->bound;
    steps_in_all = 0;
    /* The quick look first: it is what finds most. */
    unsigned long tried = try_random(model, most_random, orders->seed);
    unsigned long searched = 0;
    if (failure.what == NULL)
        searched = search(model, most_searched, &all);
    found_at = tried + searched;
    alarm(0);
    if (failure.what != NULL) {
        report_failure();
        printf("    after %lu schedules\n", found_at);
        return false;
    }
    printf("%-24s %8lu random, %8lu searched at bound %u (%s), %4.0f steps each, %4.1f s: ok\n",
           model->name, tried, searched, bound, all ? "all" : "not all",
           (double)steps_in_all / (double)(found_at > 0 ? found_at : 1), seconds() - began);
    fflush(stdout);
    return true;
}

static int replay(const struct explorer_model *model)
{
    mode = REPLAY;
    model_name = model->name;
    run_schedule(model);
    if (failure.what == NULL) {
        printf("%s: no failure in this schedule\n", model->name);
        return 0;
    }
    report_failure();
    return 1;
}

static long number_after(int argc, char **argv, const char *option, long otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], option) == 0)
            return atol(argv[i + 1]);
    }
    return otherwise;
}

static bool is_asked_for(int argc, char **argv, const char *name)
{
    bool any_was_named = false;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            i++;
            continue;
        }
        any_was_named = true;
        if (strncmp(name, argv[i], strlen(argv[i])) == 0)
            return true;
    }
    return !any_was_named;
}

int explorer_main(int argc, char **argv, const struct explorer_model *models, size_t count)
{
    struct orders orders = {
        .bound = number_after(argc, argv, "--bound", -1),
        .searched = number_after(argc, argv, "--search", -1),
        .random = number_after(argc, argv, "--random", -1),
        .seed = (uint64_t)number_after(argc, argv, "--seed", 1),
    };
    size_t explored = 0;

    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--replay") == 0)
            replayed = argv[i + 1];
    }
    catch_signals();
    for (size_t i = 0; i < count; i++) {
        if (!is_asked_for(argc, argv, models[i].name))
            continue;
        explored++;
        if (replayed != NULL)
            return replay(&models[i]);
        if (!explore(&models[i], &orders))
            return 1;
    }
    if (explored == 0)
        printf("no model has that name\n");
    return explored == 0;
}
