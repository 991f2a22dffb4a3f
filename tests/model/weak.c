/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A memory weaker than x86's, in which acquire and release matter: random schedules with --weak.
 *
 * What. Each word keeps all that was written to it, in order. A thread has a view: for each word,
 * the oldest write that it may still read. A load takes any write from there on; what it takes is
 * the oldest it may read from then on. A write that releases carries its writer's view along, a
 * load that acquires adds that to its own; a read-modify-write takes the newest write and carries
 * on what that one carried (a release sequence). A full fence meets all other full fences; a heavy
 * one gives every thread what any has seen. (The release and acquire fragment of Kang and others,
 * 2017, without promises: loads are stale, never early.)
 *
 * Data that is handed over by such words is not tracked byte by byte: a model says with
 * explorer_touch that a thread now has an object for itself, and that is a race unless whoever had
 * it before is in this thread's view.
 *
 * Not seen: stores to one word that others see in another order than they were made in; loads that
 * read what is stored only later.
 */

#include "weak.h"

#include <string.h>

enum {
    WORDS_MAX = 96,
    WRITES_MAX = 4096,
    OBJECTS_MAX = 32,
    PLACES = WORDS_MAX + THREADS_MAX, /* words, and how often each thread has touched something */
    STALE_ONE_IN = 3,
};

struct view {
    uint16_t at[PLACES];
};

struct write {
    uint64_t value;
    int before; /* the one before it to the same word, -1 for none */
    uint16_t time;
    struct view view;
};

struct word {
    const void *address;
    int newest;
};

static OUTSIDE struct write *writes = NULL;
static OUTSIDE int write_count = 0;
static OUTSIDE struct word words[WORDS_MAX] = { { 0 } };
static OUTSIDE int word_count = 0;

static OUTSIDE struct view seen[THREADS_MAX] = { { { 0 } } };
static OUTSIDE struct view offered[THREADS_MAX] = { { { 0 } } };  /* by what was read relaxed */
static OUTSIDE struct view released[THREADS_MAX] = { { { 0 } } }; /* by its last full fence */
static OUTSIDE struct view fenced = { { 0 } };
static OUTSIDE struct view handed = { { 0 } };

static OUTSIDE struct {
    const void *address;
    int thread;
    uint16_t time;
} objects[OBJECTS_MAX] = { { 0 } };
static OUTSIDE int object_count = 0;

void weak_begin(void)
{
    static OUTSIDE struct write all[WRITES_MAX] = { { 0 } };

    writes = all;
    write_count = word_count = object_count = 0;
    memset(seen, 0, sizeof(seen));
    memset(offered, 0, sizeof(offered));
    memset(released, 0, sizeof(released));
    memset(&fenced, 0, sizeof(fenced));
    memset(&handed, 0, sizeof(handed));
}

static void join(struct view *view, const struct view *other)
{
    for (int i = 0; i < PLACES; i++) {
        if (other->at[i] > view->at[i])
            view->at[i] = other->at[i];
    }
}

/* ---- words ---- */

static int append(int number, uint64_t value, const struct view *view)
{
    static const struct view nothing = { { 0 } };
    struct word *word = &words[number];

    if (write_count == WRITES_MAX) {
        explorer_failed(__FILE__, __LINE__, "more stores than weak.c has room for");
        write_count--;
    }
    struct write *write = &writes[write_count];
    *write = (struct write){ .value = value, .before = word->newest };
    write->time = word->newest < 0 ? 0 : (uint16_t)(writes[word->newest].time + 1);
    write->view = view != NULL ? *view : nothing;
    word->newest = write_count;
    return write_count++;
}

static uint64_t value_in_memory(const void *address, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, address, size);
    return value;
}

/* A word's number. What the model has put there by itself is one more write. */
static int number_of(const void *address, size_t size)
{
    int number = 0;

    while (number < word_count && words[number].address != address)
        number++;
    if (number == word_count) {
        if (word_count == WORDS_MAX)
            explorer_failed(__FILE__, __LINE__, "more words than weak.c has room for");
        words[word_count++] = (struct word){ .address = address, .newest = -1 };
    }
    uint64_t value = value_in_memory(address, size);
    if (words[number].newest < 0 || writes[words[number].newest].value != value)
        append(number, value, NULL);
    return number;
}

/* Any of those that this thread may still read. */
static int pick(int number)
{
    uint16_t oldest = seen[explorer_self()].at[number];
    int at = words[number].newest;

    while (writes[at].time > oldest && writes[at].before >= 0 && explorer_pick(STALE_ONE_IN))
        at = writes[at].before;
    return at;
}

static void read_it(int number, int at, enum explorer_order order)
{
    const struct write *write = &writes[at];
    int thread = explorer_self();

    if (write->time > seen[thread].at[number])
        seen[thread].at[number] = write->time;
    join(&offered[thread], &write->view);
    if (order & ORDER_ACQUIRE)
        join(&seen[thread], &write->view);
}

static void write_it(int number, uint64_t value, enum explorer_order order, int carried)
{
    int thread = explorer_self();
    struct view view = order & ORDER_RELEASE ? seen[thread] : released[thread];

    if (carried >= 0)
        join(&view, &writes[carried].view);
    int at = append(number, value, NULL);
    seen[thread].at[number] = writes[at].time;
    view.at[number] = writes[at].time;
    writes[at].view = view;
}

uint64_t weak_load(const void *address, size_t size, enum explorer_order order)
{
    int number = number_of(address, size);
    int at = pick(number);

    read_it(number, at, order);
    return writes[at].value;
}

void weak_store(void *address, uint64_t value, size_t size, enum explorer_order order)
{
    int number = number_of(address, size);

    write_it(number, value, order, -1);
    memcpy(address, &value, size);
}

void weak_modify(const void *address, uint64_t value, size_t size, enum explorer_order order)
{
    int number = number_of(address, size);
    int newest = words[number].newest;

    read_it(number, newest, order);
    write_it(number, value, order, newest);
}

/* ---- fences ---- */

void weak_fence(void)
{
    int thread = explorer_self();

    join(&seen[thread], &offered[thread]);
    join(&fenced, &seen[thread]);
    seen[thread] = released[thread] = fenced;
}

void weak_fence_all(void)
{
    for (int i = 0; i < thread_count; i++) {
        join(&fenced, &seen[i]);
        join(&fenced, &offered[i]);
    }
    for (int i = 0; i < thread_count; i++)
        seen[i] = released[i] = fenced;
}

void explorer_hand_over(void)
{
    if (memory_is_weak && current != NULL)
        join(&handed, &seen[explorer_self()]);
}

void explorer_take_over(void)
{
    if (memory_is_weak && current != NULL)
        join(&seen[explorer_self()], &handed);
}

/* ---- objects ---- */

static int object_of(const void *address)
{
    int i = 0;

    while (i < object_count && objects[i].address != address)
        i++;
    return i;
}

/* Whoever touched it last must have been published to this thread. */
static void expect_seen(int object)
{
    int thread = explorer_self();
    int owner = objects[object].thread;

    if (owner != thread && seen[thread].at[WORDS_MAX + owner] < objects[object].time)
        explorer_failed("", 0, "a data race: its last owner is not in this thread's view");
}

void explorer_see(const void *object)
{
    if (!memory_is_weak || current == NULL)
        return;
    int i = object_of(object);
    if (i < object_count)
        expect_seen(i);
}

void explorer_touch(const void *object)
{
    if (!memory_is_weak || current == NULL)
        return;
    int i = object_of(object);
    if (i == OBJECTS_MAX)
        return;
    if (i == object_count)
        object_count++;
    else
        expect_seen(i);
    int thread = explorer_self();
    objects[i].address = object;
    objects[i].thread = thread;
    objects[i].time = ++seen[thread].at[WORDS_MAX + thread];
}

void explorer_forget(const void *object)
{
    for (int i = 0; i < object_count; i++) {
        if (objects[i].address == object)
            objects[i].address = NULL;
    }
}
