/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_MODEL_EXPLORER_H
#define TROUPE_TESTS_MODEL_EXPLORER_H

/*
 * Explores the ways in which the threads of a small program can take turns.
 *
 * What. A model is a handful of threads, ordinary functions that call the product's own sources.
 * Those are compiled against tests/model/include/base/ck.h, where every atomic operation is a point
 * at which the explorer chooses who goes on. It runs the model again and again with random choices,
 * and then searches all choices with a bound on how often a thread that could go on is interrupted.
 * Both, because either finds within a second what the other does not reach in minutes. It prints
 * how much it has seen, and whether the search was complete: `--thorough` lets it go on for long.
 *
 * A store is seen by others later than by its own thread (store buffers as on x86); writing one out
 * is a choice like any other. Loads and stores that go not through base/ck.h are not seen: they
 * happen at once, together with the atomic operation before them.
 *
 * How to write a model. Its first comment but one names what is compiled with it, from here or from
 * src/, on a line of its own: `sources: explorer.c memory.c states.c weak.c sched/park.c`.
 *
 *     #include "explorer.h"
 *
 *     static struct tri_park park;                   all state is static: none in the heap
 *     static int tokens;
 *
 *     static void sleeper(int number) { … tri_park_wait(&park); … }
 *     static bool has_token(void *context) { return tokens > 0; }
 *     static void waker(int number)
 *     {
 *         explorer_wait(has_token, NULL);            instead of any wait in the kernel
 *         EXPECT(tokens == 1);
 *     }
 *     static void start(const void *setup)           static variables have their first values
 *     {
 *         explorer_thread(sleeper, 0);
 *         explorer_thread(waker, 1);
 *     }
 *     static void check(void) { EXPECT(tokens == 0); }   when all threads have returned
 *
 *     static const struct explorer_model models[] = {
 *         { .name = "park", .start = start, .check = check, .bound = 2,
 *           .searched = 20000, .random = 20000 },
 *     };
 *     int main(int argc, char **argv) { return explorer_main(argc, argv, models, 1); }
 *
 * What the product calls in the kernel (a futex) is replaced by the model: do not name that source,
 * define its functions on explorer_wait. When no thread can go on and not all have returned, a
 * wake-up was lost, and that is a failure. So is a failed EXPECT or tri_assert, a crash, and a
 * schedule without end. A failure prints the schedule as a string; `--replay STRING` runs it again
 * and shows each step. explorer_name() gives an address a name there.
 *
 * The explorer defines tri_assert_failed, tri_fence_heavy (it writes out every thread's buffer, as
 * a membarrier does), tri_fence_is_asymmetric (true; a model may clear it in start) and
 * tri_spin_lock_slow: name neither base/assert.c nor base/fence.c nor base/spin.c.
 *
 * A model is worth what it finds: plants/ holds bugs to be planted in copies of the sources, each
 * of which must be found. plants/README.md says how to add one.
 *
 * Rules
 *   1. A thread's function loops only around atomic operations or explorer_wait.
 *   2. All state is in static variables and on the threads' stacks: the search puts it back.
 *   3. What is stored through base/ck.h is loaded through it: a plain load does not see what its
 *      own thread has in its store buffer.
 *   4. The explorer knows one operating system thread: sanitizers for races have no use here.
 */

#include <stdbool.h>
#include <stddef.h>

struct explorer_model {
    const char *name;
    void (*start)(const void *setup);
    void (*check)(void);     /* may be NULL */
    const void *setup;       /* passed to start: one program explores many set-ups */
    unsigned bound;          /* interruptions per schedule in the search */
    unsigned long searched;  /* most steps of the search: fewer, and it is not complete */
    unsigned long random;    /* schedules chosen at random */
};

/* Explores all models, or those whose names begin with an argument; returns the exit status.
 * --bound N, --search N, --random N, --seed N, --replay STRING override what the models say; so
 * does --thorough, as the last argument. --weak: random schedules in weak.c's memory, no search. */
int explorer_main(int argc, char **argv, const struct explorer_model *models, size_t count);

/* ---- for start ---- */

void explorer_thread(void (*run)(int number), int number);

/* How an address reads in a replay. */
void explorer_name(const void *address, const char *name);

/* Statistics, which nobody goes by: what is stored there is forgotten, at no step. */
void explorer_ignore(const void *from, size_t size);

/* ---- for threads ---- */

/* Goes on only when `is_ready` says so; it must have no effects. */
void explorer_wait(bool (*is_ready)(void *context), void *context);

/* Which thread this is, in the order in which start made them. */
int explorer_self(void);

/* A point where another thread may go on, where the model itself has a step of its own. */
void explorer_point(const char *what);

/* With --weak: from here on this thread has the object for itself; a failure if its last owner is
 * not published to it. explorer_forget: that does not matter any more. */
void explorer_touch(const void *object);
void explorer_forget(const void *object);

/* With --weak: this thread looks at the object, as others may, after whoever touched it last. */
void explorer_see(const void *object);

/* With --weak: publishes to all who take over later, as a queue that the model leaves out would. */
void explorer_hand_over(void);
void explorer_take_over(void);

#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0 : explorer_failed(__FILE__, __LINE__, #condition))

/* Ends this schedule as failed; returns only from outside a thread. */
void explorer_failed(const char *file, int line, const char *what);

/* ---- for base/ck.h ---- */

enum explorer_order {
    ORDER_RELAXED,
    ORDER_ACQUIRE = 1,
    ORDER_RELEASE = 2,
    ORDER_ACQ_REL = ORDER_ACQUIRE | ORDER_RELEASE,
};

void explorer_load(const void *word, void *ret_value, size_t size, enum explorer_order order);
void explorer_store(void *word, const void *value, size_t size, enum explorer_order order);

/* The newest value of a word was read, and will be changed, before the next step, to `value`. */
void explorer_modified(void *word, const void *value, size_t size, enum explorer_order order);

/* Before a read-modify-write of `word`, or a full fence: this thread's stores are written out. */
void explorer_modify(const char *what, const void *word);

/* Lets this thread go on only after another one has taken a step. */
void explorer_relax(void);

#endif
