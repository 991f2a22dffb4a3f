/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * See explorer.h for what this is and how a model is written.
 *
 * One schedule is a sequence of steps. Before each, everything that can happen is listed: each
 * thread that can go on (a letter from 'a'), and the oldest store of each buffer that holds one (a
 * letter from 'A'). One of them is chosen; a thread then runs up to its next atomic operation.
 *
 * The search goes through all choices, depth first, as long as a schedule has no more interruptions
 * of a thread that could go on than the bound says: writing out a store and going on from a thread
 * that waits are free. It comes back to a choice by putting the state back, and turns back where it
 * has been before: states.c says why nothing is lost by that. The thread that ran last stands first
 * in the list: the first schedule runs each thread as long as it can.
 *
 * Random schedules are of three kinds, in turn. Each step equally likely: meets short windows. A
 * thread goes on until it is interrupted, which happens rarely: long ones. And PCT (Burckhardt and
 * others 2010): threads and buffers have random priorities, the highest goes on, and at d - 1
 * random steps whoever would go on becomes the lowest; a fault that takes d steps in an order is
 * found by a schedule with a chance of at least 1 in n k^(d - 1), for n of them that take k steps.
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
#include "base/fence.h"
#include "base/random.h"
#define EXPLORER_SWITCHES
#include "inside.h"

enum {
    STEPS_MAX = 4000,  /* a random schedule that takes more has no end */
    DEPTH_MAX = 1000,  /* the search, which is not fair, goes no deeper */
    NAMES_MAX = 32,
    HANG_SECONDS = 20,
    INTERRUPT_ONE_IN = 12,
    BOUND_MAX = 7,
    THOROUGH_STEPS = 30000000,
    PCT_DEPTH = 3,
    ACTORS_MAX = 2 * THREADS_MAX, /* threads and buffers */
};

struct thread threads[THREADS_MAX];
int thread_count;
struct thread *current;
OUTSIDE char (*stacks)[STACK_BYTES] = NULL;
static OUTSIDE struct place explorer_place = { 0 };

/* The schedule, and in the search at each step what was listed and which of it was taken. */
struct choices {
    int steps[ACTORS_MAX];
    int count;
    bool last_goes_on;
};

static OUTSIDE char letters[STEPS_MAX + 1] = { 0 };
static OUTSIDE int depth = 0;
static OUTSIDE unsigned long steps_in_all = 0;

static OUTSIDE enum { SEARCH, RANDOM, REPLAY } mode = SEARCH;
static OUTSIDE unsigned bound = 0;
static OUTSIDE struct tri_random randomness = { 0 };
OUTSIDE bool memory_is_weak = false;
static OUTSIDE const char *replayed = NULL;
static OUTSIDE const char *model_name = NULL;

static OUTSIDE enum { UNIFORM, STICKY, PCT, STRATEGIES } strategy = UNIFORM;
static OUTSIDE struct {
    int longest;                    /* of the other schedules so far: k */
    int priorities[ACTORS_MAX];     /* the highest goes first */
    int change_at[PCT_DEPTH - 1];   /* steps */
} pct = { 0 };

static OUTSIDE struct {
    const char *file;
    const char *what;
    int line;
} failure = { 0 };

static OUTSIDE struct {
    const void *address;
    const char *name;
} names[NAMES_MAX] = { { 0 } };
static OUTSIDE int name_count = 0;

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

void show(const char *what, const void *word, uint64_t value)
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
    enum { BYTES = 64 << 10 };
    stack_t alternate = { .ss_sp = malloc(BYTES), .ss_size = BYTES };
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
    memset(stacks[thread_count], 0, STACK_BYTES);
    make_place(&thread->place, stacks[thread_count], STACK_BYTES, first_step);
    thread_count++;
}

void step_ends(void)
{
    explorer_switch(&current->place, &explorer_place);
}

int explorer_self(void)
{
    return (int)(current - threads);
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
    current->context = NULL;
    explorer_take_over();
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

/* ---- one step ---- */

/* Where a schedule stands, beside memory. A step is a thread's number or, from THREADS_MAX, that of
 * a buffer to write out. */
struct position {
    int last;                /* the thread that ran last, -1 for none */
    unsigned interruptions;
};

static struct choices list_choices(const struct position *at)
{
    struct choices list = { .count = 0 };
    int last = at->last;

    if (last >= 0 && can_go_on(&threads[last])) {
        list.steps[list.count++] = last;
        list.last_goes_on = true;
    }
    for (int i = 0; i < thread_count; i++) {
        bool is_forbidden = list.last_goes_on && mode == SEARCH && at->interruptions >= bound;
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

static void take_step(const struct choices *list, int choice, struct position *at)
{
    int step = list->steps[choice];

    letters[depth++] = letter_of(step);
    steps_in_all++;
    if (step >= THREADS_MAX) {
        memory_write_out_oldest(&threads[step - THREADS_MAX]);
        others_may_go_on(NULL);
        return;
    }
    if (list->last_goes_on && choice > 0)
        at->interruptions++;
    at->last = step;
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

/* What can be done next; nothing at the end of the schedule, however it ended. */
static struct choices look_around(const struct position *at)
{
    struct choices list = list_choices(at);

    if (list.count == 0) {
        /* Only spinners are left: they look again, and may do more than look. */
        others_may_go_on(NULL);
        list = list_choices(at);
    }
    if (list.count == 0 && !all_are_over())
        explorer_failed("", 0, "nobody can go on: a wake-up was lost");
    if (list.count > 0 && depth >= STEPS_MAX && mode != SEARCH)
        explorer_failed("", 0, "a schedule without end");
    if (failure.what != NULL)
        list.count = 0;
    return list;
}

static struct position begin(const struct explorer_model *model)
{
    states_reset();
    name_count = depth = 0;
    memory_begin();
    tri_fence_is_asymmetric = true;
    model->start(model->setup);
    return (struct position){ .last = -1 };
}

static void end(const struct explorer_model *model)
{
    if (failure.what == NULL && model->check != NULL)
        model->check();
}

/* ---- random schedules, and given ones ---- */

/* The place in the list of the step that a replayed string names. */
static int replayed_choice(const struct choices *list)
{
    for (int i = 0; i < list->count; i++) {
        if (letter_of(list->steps[i]) == replayed[depth])
            return i;
    }
    return -1;
}

bool explorer_pick(unsigned n)
{
    bool yes = mode == REPLAY ? replayed[depth] == '1' : tri_random_below(&randomness, n) == 0;

    if (depth < STEPS_MAX)
        letters[depth++] = yes ? '1' : '0';
    return yes;
}

static void prepare_pct(void)
{
    for (int i = 0; i < ACTORS_MAX; i++)
        pct.priorities[i] = PCT_DEPTH + i;
    for (int i = ACTORS_MAX; i-- > 1;) {
        int other = (int)tri_random_below(&randomness, (uint32_t)i + 1);
        int mine = pct.priorities[i];
        pct.priorities[i] = pct.priorities[other];
        pct.priorities[other] = mine;
    }
    for (int i = 0; i < PCT_DEPTH - 1; i++)
        pct.change_at[i] = (int)tri_random_below(&randomness, (uint32_t)pct.longest + 1);
}

static int highest_of(const struct choices *list)
{
    int highest = 0;

    for (int i = 1; i < list->count; i++) {
        if (pct.priorities[list->steps[i]] > pct.priorities[list->steps[highest]])
            highest = i;
    }
    return highest;
}

static int choose_by_priority(const struct choices *list)
{
    int choice = highest_of(list);

    for (int i = 0; i < PCT_DEPTH - 1; i++) {
        if (pct.change_at[i] == depth) {
            pct.priorities[list->steps[choice]] = i;
            choice = highest_of(list);
        }
    }
    return choice;
}

static int choose(const struct choices *list)
{
    if (mode == REPLAY)
        return replayed_choice(list);
    if (list->count == 1)
        return 0;
    /* Longer than any other, it waits for a thread that priorities keep back: the rest is fair. */
    if (strategy == PCT && depth <= pct.longest)
        return choose_by_priority(list);
    if (strategy == STICKY && list->last_goes_on
        && tri_random_below(&randomness, INTERRUPT_ONE_IN) != 0)
        return 0;
    return (int)tri_random_below(&randomness, (uint32_t)list->count);
}

static void run_schedule(const struct explorer_model *model)
{
    struct position at = begin(model);

    for (;;) {
        struct choices list = look_around(&at);
        if (list.count == 0)
            break;
        int choice = choose(&list);
        if (choice < 0) {
            explorer_failed("", 0, "the replayed string is not a schedule of this model");
            break;
        }
        take_step(&list, choice, &at);
    }
    if (strategy != PCT && depth > pct.longest)
        pct.longest = depth;
    end(model);
}

/* ---- the search ---- */

/* A choice that the search comes back to. */
struct fork {
    struct choices list;
    struct position at;
    int depth;
    int taken;
};

static OUTSIDE struct fork *forks = NULL; /* STEPS_MAX of them */

struct searched {
    unsigned long steps, states, ends, cut;
    unsigned bound;
    bool is_complete;
};

/* Takes the next choice of the newest fork that has one; false: there is none. */
static bool turn_back(int *fork_count, struct position *at)
{
    while (*fork_count > 0) {
        struct fork *fork = &forks[*fork_count - 1];
        if (++fork->taken < fork->list.count) {
            states_restore();
            depth = fork->depth;
            *at = fork->at;
            take_step(&fork->list, fork->taken, at);
            return true;
        }
        states_pop();
        --*fork_count;
    }
    return false;
}

/* Whether the schedule is to go on; false where it ends, or where the search has been before. */
static bool goes_on(const struct explorer_model *model, struct searched *searched,
                    const struct position *at, struct choices *ret_list)
{
    *ret_list = look_around(at);
    if (ret_list->count == 0) {
        searched->ends++;
        end(model);
        return false;
    }
    if (depth == DEPTH_MAX) {
        searched->cut++;
        return false;
    }
    uint64_t key = ret_list->last_goes_on ? (uint64_t)at->last + 1 : 0;
    return states_enter(key, at->interruptions);
}

static struct searched search(const struct explorer_model *model, unsigned long steps_most)
{
    struct searched searched = { .bound = bound };
    struct position at = begin(model);
    struct choices list;
    int fork_count = 0;

    mode = SEARCH;
    states_forget();
    for (; searched.steps < steps_most; searched.steps++) {
        if (searched.steps % 65536 == 0)
            alarm(HANG_SECONDS);
        if (!goes_on(model, &searched, &at, &list)) {
            if (failure.what != NULL)
                break;
            if (!turn_back(&fork_count, &at)) {
                searched.is_complete = searched.cut == 0;
                break;
            }
            continue;
        }
        if (list.count > 1) {
            forks[fork_count++] = (struct fork){ .list = list, .at = at, .depth = depth };
            states_push();
        }
        take_step(&list, 0, &at);
    }
    searched.states = states_count();
    return searched;
}

/* ---- many of them ---- */

static void report_failure(void)
{
    char text[512];

    snprintf(text, sizeof(text), "%s (%s:%d)", failure.what, failure.file, failure.line);
    report(text);
}

/* Schedules run; stops at the first failure. */
static unsigned long try_random(const struct explorer_model *model, unsigned long most,
                                uint64_t seed)
{
    unsigned long run = 0;

    mode = RANDOM;
    pct.longest = 0;
    while (run < most && failure.what == NULL) {
        alarm(HANG_SECONDS);
        tri_random_seed(&randomness, seed + run);
        strategy = run % STRATEGIES;
        if (strategy == PCT)
            prepare_pct();
        run_schedule(model);
        run++;
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
    bool is_thorough;
};

static void print_search(const struct searched *searched)
{
    printf("; search at bound %u %s: %lu steps, %lu states, %lu ends", searched->bound,
           searched->is_complete ? "complete" : "NOT COMPLETE", searched->steps, searched->states,
           searched->ends);
    if (searched->cut > 0)
        printf(", %lu cut", searched->cut);
}

static bool explore(const struct explorer_model *model, const struct orders *orders)
{
    unsigned long most_searched = model->searched;
    unsigned long most_random = orders->random >= 0 ? (unsigned long)orders->random : model->random;
    struct searched searched = { 0 };
    double began = seconds();

    if (orders->searched >= 0)
        most_searched = (unsigned long)orders->searched;
    else if (orders->is_thorough)
        most_searched = THOROUGH_STEPS;
    model_name = model->name;
    bound = orders->bound >= 0 ? (unsigned)orders->bound : model->bound;
    if (bound > BOUND_MAX)
        bound = BOUND_MAX;
    steps_in_all = 0;
    /* The quick look first: it is what finds most. */
    unsigned long tried = try_random(model, most_random, orders->seed);
    if (failure.what == NULL && !memory_is_weak)
        searched = search(model, most_searched);
    alarm(0);
    if (failure.what != NULL) {
        report_failure();
        printf("    after %lu schedules, %lu steps of the search\n", tried, searched.steps);
        return false;
    }
    printf("%-22s %6lu random, a third PCT (d=%d, k=%d)", model->name, tried, PCT_DEPTH,
           pct.longest);
    if (memory_is_weak)
        printf(" in weak memory");
    else
        print_search(&searched);
    if (!memory_is_weak && !searched.is_complete && bound > 1) {
        bound--;
        searched = search(model, most_searched);
        print_search(&searched);
    }
    printf("; %.1f s\n", seconds() - began);
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
            i += strcmp(argv[i], "--weak") != 0;
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
        .is_thorough = argc > 1 && strcmp(argv[argc - 1], "--thorough") == 0,
    };
    size_t explored = 0;

    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--replay") == 0)
            replayed = argv[i + 1];
    }
    for (int i = 1; i < argc; i++)
        memory_is_weak = memory_is_weak || strcmp(argv[i], "--weak") == 0;
    catch_signals();
    states_init();
    forks = calloc(STEPS_MAX, sizeof(*forks));
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
