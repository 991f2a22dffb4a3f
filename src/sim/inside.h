/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SIM_INSIDE_H
#define TRI_SIM_INSIDE_H

/* What the files of the simulation share, and what its drivers use (sched/simulated.c). */

#include "base/ck.h"
#include "base/random.h"
#include "sim/sim.h"

/* ---- options.c ---- */

enum tri_sim_strategy {
    TRI_SIM_UNIFORM,  /* each possible step as likely as any other */
    TRI_SIM_PCT,      /* the highest of random priorities, changed at `pct_depth` - 1 points */
    TRI_SIM_FIRST,    /* always the oldest */
};

/* Points at which PCT changes a priority, and one more. */
#define TRI_SIM_PCT_DEPTH_MAX 16u

#define TRI_SIM_RULES_MAX 32u
#define TRI_SIM_NAME_MAX  48u

#define TRI_SIM_PATH_MAX 256u

/* name=rate or name@subject=rate */
struct tri_sim_rule {
    char fault[TRI_SIM_NAME_MAX];
    char subject[TRI_SIM_NAME_MAX]; /* empty: any */
    uint32_t rate;
};

struct tri_sim_options {
    uint64_t seed;
    enum tri_sim_strategy strategy;
    uint32_t pct_depth;
    uint32_t pct_steps; /* k: the steps among which its points are */
    uint64_t steps_max;
    int64_t until;
    bool prints_cover;
    bool is_quiet;
    uint32_t deviations;             /* exhaustive: how many decisions may differ from 0; 0: not */
    char record[TRI_SIM_PATH_MAX];   /* empty: not */
    char shrink[TRI_SIM_PATH_MAX];
    uint32_t rule_count;
    struct tri_sim_rule rules[TRI_SIM_RULES_MAX];
};

/* Reads "seed[,name=value...]". Errors: false, and what is wrong in `ret_error`. */
bool tri_sim_options_parse(const char *text, struct tri_sim_options *ret_options,
                           char ret_error[128]);

/* What decides a run, without what is only done with it: recording, shrinking, printing. False: it
 * is too long. */
bool tri_sim_options_essence(const char *text, char *ret, size_t size);

/* The rule of that name, made at need; NULL: the name is too long, or there are too many. */
struct tri_sim_rule *tri_sim_options_rule(struct tri_sim_options *options, const char *name);

/* ---- sources of steps ---- */

/* Something that has steps ready to be taken, one of which is chosen. */
struct tri_sim_source {
    struct tri_link link; /* set by tri_sim_source_add */
    void *context;

    /* How many steps could be taken now. */
    uint32_t (*ready)(void *context);

    /* What step `index` is about, for priorities and the trace: the same in every run. */
    uint64_t (*identify)(void *context, uint32_t index);

    /* Takes it. */
    void (*take)(void *context, uint32_t index);

    /* When another one will be ready by itself; INT64_MAX: never. */
    int64_t (*next)(void *context);

    /* In the audit build, after each step: aborts if something is not in order. May be NULL. */
    void (*audit)(void *context);
};

void tri_sim_source_add(struct tri_sim_source *source);
void tri_sim_source_remove(struct tri_sim_source *source);

/* event.c: the first source; begins without events. */
void tri_sim_events_begin(void);
extern struct tri_sim_source tri_sim_events;

/* ---- loop.c ---- */

/* Forgets what was set in an earlier run. */
void tri_sim_loop_begin(void);

/* Takes one step that is ready now. False: there is none. */
bool tri_sim_step_now(void);

/* Lets time go on to the next thing that can happen, but not past `deadline`. False: nothing can
 * until then, and it is `deadline` now (where that is not for ever). */
bool tri_sim_advance(int64_t deadline);

/*
 * Takes steps until done(context), the virtual time is `deadline`, or nothing can happen any more.
 * Errors: -ETIMEDOUT; -EDEADLK, nothing can happen; -ECANCELED, a limit of the run was reached.
 */
int tri_sim_drive(bool (*done)(const void *context), const void *context, int64_t deadline);

/* For a program's thread that passes by: a few steps happen, as if others were faster. */
void tri_sim_interleave(void);

/* From now on, until the mode ends, nothing happens then: the program's thread is a script that
 * takes the steps by itself. */
void tri_sim_let_script(void);

/* ---- mode.c ---- */

/* The virtual time of the beginning: not 0, which much code takes for "never". */
#define TRI_SIM_BEGINS_AT (1000 * TRI_NS_PER_S)

/* How a process ends whose run cannot go on, and one whose TROUPE_SIM makes no sense. */
#define TRI_SIM_FAILED  70
#define TRI_SIM_MISUSED 64

/* Turns the mode on, for the calling thread. */
void tri_sim_begin(const struct tri_sim_options *options);

/* Ends it: a process that goes on is an ordinary one. Systems have been stopped. */
void tri_sim_end(void);

const struct tri_sim_options *tri_sim_options(void);

/* Sets the rate of "fault" or "fault@subject", 0 to 1, in the run that is on. Errors: -EINVAL;
 * -ENOSPC, too many rules. */
int tri_sim_set_rule(const char *name, double rate);

/* The limits have been reached and need not be told again. */
bool tri_sim_lift_limits(void);

/* Sets the clock, which never goes back. */
void tri_sim_set_now(int64_t now);

/* Says why the run cannot go on and ends the process. */
_Noreturn void tri_sim_fail(const char *why);

/* Whether the calling thread is the simulation's. */
bool tri_sim_is_here(void);

/* A step is about to be taken. */
void tri_sim_count_step(uint64_t about);

/* Prints what there is to be said at the end of a run, if one is on. */
void tri_sim_say(void);

uint64_t tri_sim_hash(void);
uint64_t tri_sim_steps(void);

/* ---- search.c ---- */

/* Runs this very program again and again, as `shrink` or `exhaustive` say, and ends the process.
 * `text` is what TROUPE_SIM says. */
_Noreturn void tri_sim_search(const struct tri_sim_options *options, const char *text);

/* ---- choice.c ---- */

void tri_sim_choices_begin(const struct tri_sim_options *options);

/* Which of `count` steps comes next, by the strategy; identify tells what they are about. */
uint32_t tri_sim_choose_step(uint32_t count, uint64_t (*identify)(uint32_t index));

/* ---- cover.c ---- */

void tri_sim_cover_begin(void);
void tri_sim_cover_print(void);

/* How often the row of that name was hit. */
uint64_t tri_sim_covered(const char *name);

#endif
