/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SIM_SIM_H
#define TRI_SIM_SIM_H

/*
 * Deterministic simulation: what the layers above take in place of chance, time and threads.
 *
 * What. With TROUPE_SIM=seed in the environment the program runs on its own thread alone. There is
 * a virtual clock, a queue of events, and sources of work; one step after the other is chosen
 * among all that could happen now, and when nothing can, the clock goes on to what comes next. A
 * call that blocks drives these steps until it may return.
 *
 * Why below everything but base. Who asks for a choice must not know who answers it: a seed, a
 * strategy, a file to be replayed. So there is one function to choose with, and all that a run
 * depends on goes through it; the run is the list of its answers.
 *
 * Rules
 *   1. Off, nothing here is called: who asks tri_sim_is_on() asks on a slow path.
 *   2. One thread. Any other one that gets here is an error of the program, and named as such.
 *   3. Nothing that is chosen, noted or ordered here comes from an address, the real time, or
 *      memory that was not set.
 *
 * Partners: sched/simulated.c is the source that runs actors; base/clock.h and base/futex.h are
 * where time and waiting come in. docs/design/simulation.md has the whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/clock.h"
#include "base/list.h"

/* ---- the mode ---- */

/* Written before the first thread of a system. */
extern bool tri_sim_on;

static inline bool tri_sim_is_on(void)
{
    return TRI_UNLIKELY(tri_sim_on);
}

/* The virtual time, in nanoseconds: what tri_clock_now() answers too. */
int64_t tri_sim_now(void);

/* Lets so much virtual time pass, for a thread that may block. */
void tri_sim_sleep(int64_t duration);

/* Something to be forgotten when a run ends, whose process may begin another one: static, listed by
 * its first call in each run. */
struct tri_sim_ending {
    void (*forget)(void);
    struct tri_sim_ending *next;
    bool is_listed;
};

void tri_sim_at_end(struct tri_sim_ending *ending);

/* ---- events ---- */

/* Something that happens at a time. Embedded by its owner, zeroed before its first use; scheduling
 * it cannot fail. */
struct tri_sim_event {
    void (*happen)(void *context); /* on the one thread, outside of any actor's turn */
    void *context;

    /* this layer's */
    int64_t when;
    uint64_t order;
    struct tri_sim_event *child;    /* in the heap: see event.c */
    struct tri_sim_event *sibling;
    struct tri_sim_event *above;
    struct tri_link due;
    enum { TRI_SIM_EVENT_IDLE, TRI_SIM_EVENT_WAITING, TRI_SIM_EVENT_DUE } state;
};

/* Lets an idle event happen at that time, or at once if it has passed. Those due together happen
 * in an order that is chosen. It is idle again before `happen` is called. */
void tri_sim_at(struct tri_sim_event *event, int64_t when);

/* It does not happen, if it has not yet. */
void tri_sim_cancel(struct tri_sim_event *event);

/* ---- chance ---- */

/* One of 0 .. n - 1; 0 where n is 0 or 1. What a program does when nothing special happens should
 * be 0: shrinking turns choices into 0. */
uint32_t tri_sim_choose(uint32_t n);

/* True in `rate` of 2^32 cases; the usual case is false. */
bool tri_sim_chance(uint32_t rate);

/* Bytes that the seed repeats: contents and delays, not decisions that shrinking should try. */
void tri_sim_random(void *bytes, size_t size);

/* One of low .. high, from the same stream. */
int64_t tri_sim_between(int64_t low, int64_t high);

/* 1, 2, … in each run: names for what is made in it. */
uint64_t tri_sim_count_up(void);

/* ---- what was covered, and faults ---- */

/* A line of the table printed at the end: static, listed when it is first hit or declared. */
struct tri_sim_row {
    const char *name;
    uint64_t hits;
    struct tri_sim_row *next;
    bool is_listed;
};

#define TRI_SIM_ROW(text) { .name = (text) }

/* Makes the row appear in the table, hit or not. */
void tri_sim_declare(struct tri_sim_row *row);
void tri_sim_cover(struct tri_sim_row *row);

/* A fault that can be asked for by its name in TROUPE_SIM: name=rate, name@subject=rate, or
 * faults=rate for all. */
struct tri_sim_fault {
    struct tri_sim_row row;
    uint64_t asked;
};

#define TRI_SIM_FAULT(text) { .row = TRI_SIM_ROW(text) }

/* Whether a rule asks for that fault, whatever it would strike. */
bool tri_sim_wants(const char *fault);

/* Whether the fault strikes now. `a` and `b` are what it would strike, for the rules with a
 * subject: the name of an actor's type, of a message, of a peer; or NULL. */
bool tri_sim_strikes(struct tri_sim_fault *fault, const char *a, const char *b);

/* ---- the trace ---- */

/* Adds to the hash that the run prints at its end. */
void tri_sim_note(uint64_t value);

#endif
