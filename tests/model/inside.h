/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_MODEL_INSIDE_H
#define TROUPE_TESTS_MODEL_INSIDE_H

/*
 * What the explorer's own files share: explorer.c takes steps, memory.c is what the threads see of
 * each other, states.c knows where a schedule has been before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explorer.h"
#include "switch.h"

/* What is not part of the explored state: neither compared nor put back. */
#define OUTSIDE __attribute__((section("outside")))

enum {
    THREADS_MAX = 8,
    STACK_BYTES = 32 << 10,
    BUFFER_MAX = 16,
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

extern struct thread threads[THREADS_MAX];
extern int thread_count;
extern struct thread *current;  /* NULL while the explorer itself runs */
extern char (*stacks)[STACK_BYTES];

/* explorer.c: the thread has said what it will do next, and does it when it is its turn. */
void step_ends(void);
void show(const char *what, const void *word, uint64_t value);

/* explorer.c: a choice inside a step, with --weak: whether this one of `n` cases is it. */
bool explorer_pick(unsigned n);
extern bool memory_is_weak;

/* memory.c: before a model's start; what a step may do. */
void memory_begin(void);
void memory_write_out_oldest(struct thread *thread);

/* ---- states.c ---- */

/* Finds out what there is; once. */
void states_init(void);

/* Gives all of the program's data the values it had before the first schedule. */
void states_reset(void);

/* Forgets all states. */
void states_forget(void);
unsigned long states_count(void);

/* Whether the search goes on from here: false if it has been in this very state, with as many
 * interruptions left or more. `key` is what matters beside memory. */
bool states_enter(uint64_t key, unsigned interruptions);

/* A stack of states to come back to. The newest one is put back, and stays. */
void states_push(void);
void states_restore(void);
void states_pop(void);

#endif
