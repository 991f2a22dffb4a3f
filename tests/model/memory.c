/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What the threads of a model see of each other's stores: x86's memory (TSO). A store waits in its
 * thread's buffer until the explorer writes it out, or the thread does a read-modify-write or
 * passes a full fence; the heavy half of an asymmetric fence empties all buffers.
 */

#include <stdlib.h>
#include <string.h>

#include "base/ck.h"
#include "base/fence.h"
#include "base/spin.h"
#include "inside.h"
#include "weak.h"

void memory_write_out_oldest(struct thread *thread)
{
    struct buffered *buffer = thread->buffer;

    memcpy(buffer->word, &buffer->value, buffer->size);
    thread->buffered_count--;
    memmove(buffer, buffer + 1, (size_t)thread->buffered_count * sizeof(*buffer));
    /* Places that are free are all equal: see states.c. */
    memset(buffer + thread->buffered_count, 0, sizeof(*buffer));
}

static void write_out(struct thread *thread)
{
    while (thread->buffered_count > 0)
        memory_write_out_oldest(thread);
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

/* ---- words that count for nothing ---- */

static OUTSIDE struct {
    const char *from;
    size_t size;
} ignored[THREADS_MAX] = { { 0 } };
static OUTSIDE int ignored_count = 0;

void explorer_ignore(const void *from, size_t size)
{
    if (ignored_count == THREADS_MAX)
        abort();
    ignored[ignored_count].from = from;
    ignored[ignored_count++].size = size;
}

void memory_begin(void)
{
    ignored_count = 0;
    if (memory_is_weak)
        weak_begin();
}

static bool is_ignored(const void *word)
{
    for (int i = 0; i < ignored_count; i++) {
        if ((size_t)((const char *)word - ignored[i].from) < ignored[i].size)
            return true;
    }
    return false;
}

/* ---- loads and stores ---- */

void explorer_load(const void *word, void *ret_value, size_t size, enum explorer_order order)
{
    uint64_t value = 0;

    if (current != NULL && !is_ignored(word))
        step_ends();
    if (memory_is_weak && current != NULL && !is_ignored(word)) {
        value = weak_load(word, size, order);
        memcpy(ret_value, &value, size);
        show("load", word, value);
        return;
    }
    const struct buffered *own = own_store(word);
    memcpy(ret_value, own != NULL ? (const void *)&own->value : word, size);
    memcpy(&value, ret_value, size);
    show("load", word, value);
}

void explorer_store(void *word, const void *value, size_t size, enum explorer_order order)
{
    if (current == NULL) {
        memcpy(word, value, size);
        return;
    }
    if (is_ignored(word))
        return;
    step_ends();
    if (memory_is_weak) {
        uint64_t wide = 0;
        memcpy(&wide, value, size);
        weak_store(word, wide, size, order);
        show("store", word, wide);
        return;
    }
    if (current->buffered_count == BUFFER_MAX)
        memory_write_out_oldest(current);
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
    if (memory_is_weak && word == NULL)
        weak_fence();
    show(what, word, 0);
}

void explorer_modified(void *word, const void *value, size_t size, enum explorer_order order)
{
    uint64_t wide = 0;

    if (!memory_is_weak || current == NULL)
        return;
    memcpy(&wide, value, size);
    weak_modify(word, wide, size, order);
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
    if (memory_is_weak)
        weak_fence_all();
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
