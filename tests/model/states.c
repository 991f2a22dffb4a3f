/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Where a search has been, and how it gets back there.
 *
 * What. A state is every byte that a step can read: the program's writable data (the model's, the
 * product's, the threads and their store buffers) and the part of each stack that is in use, its
 * registers on top. Threads run nothing but this program, and on stacks that stay where they are:
 * equal bytes go on equally. (Explicit-state search as in SPIN, Holzmann 1997, with hash
 * compaction, Wolper and Leroy 1993.)
 *
 * Why it is sound with a bound on interruptions. Beside the bytes a state's key holds who ran last,
 * if he can go on: whether a switch counts as an interruption depends on it. Entered with k
 * interruptions made, a state has had every continuation with at most bound - k more; so it need
 * not be entered again with k or more, and is entered again with fewer. That is all that is left
 * out. A state met again on the way from itself is left out too: whatever a loop leads to is
 * reached without it. So a schedule without end is found by random schedules only, or where the
 * loop counts something.
 *
 * Not compared bytes but their hash, 64 bits, of which three make room for the interruptions: with
 * ten million states the chance that any two share a hash by accident is one in 40 000.
 *
 * Rejected: sleep sets and DPOR. Both prune by commuting steps, and one of two equal orders may
 * need more interruptions than the bound allows, so that they would have to give up most of what
 * they prune (Coons, Musuvathi, McKinley 2013); and a program that can put its state back needs no
 * repeating of schedules, which is what they save.
 *
 * Rules
 *   1. A model keeps its state in static variables and on its threads' stacks: what lies in the
 *      heap, in thread-local variables or in libc is not seen.
 *   2. What is no part of the state stands in OUTSIDE.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.h"

#define TABLE_BITS_FIRST 16
#define SAVED_BYTES      ((size_t)4 << 30) /* of address space */
#define DEAD_BYTES       512               /* of a stack that a step has left behind */

extern char __data_start[], _end[], __start_outside[], __stop_outside[];

struct range {
    char *from;
    size_t size;
};

/* Saved states lie one behind the other, each followed by its size. */
static OUTSIDE struct range ranges[2] = { { 0 } };
static OUTSIDE char *initial = NULL;
static OUTSIDE char *saved = NULL, *saved_end = NULL;

/* Keys, 0 for none: a hash, in its lowest three bits the fewest interruptions it was seen with. */
static OUTSIDE uint64_t *table = NULL;
static OUTSIDE unsigned table_bits = 0;
static OUTSIDE unsigned long entered = 0;

static void *reserve(size_t size)
{
    /* Not by mmap(): a model may have its own. */
    long mapped = syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapped == -1) {
        perror("explorer");
        exit(1);
    }
    return (void *)mapped;
}

static char *save(char *to, struct range range)
{
    memcpy(to, range.from, range.size);
    return to + range.size;
}

static const char *put_back(const char *from, struct range range)
{
    memcpy(range.from, from, range.size);
    return from + range.size;
}

static struct range range_of(char *from, const char *to)
{
    char *aligned = (char *)(((uintptr_t)from + 7) & ~(uintptr_t)7);

    return (struct range){ aligned, (size_t)(to - aligned) & ~(size_t)7 };
}

void states_init(void)
{
    ranges[0] = range_of(__data_start, __start_outside);
    ranges[1] = range_of(__stop_outside, _end);
    stacks = reserve(sizeof(*stacks) * THREADS_MAX);
    saved = saved_end = reserve(SAVED_BYTES);
    initial = reserve(ranges[0].size + ranges[1].size);
    save(save(initial, ranges[0]), ranges[1]);
    states_forget();
}

void states_reset(void)
{
    put_back(put_back(initial, ranges[0]), ranges[1]);
}

void states_forget(void)
{
    if (table != NULL)
        syscall(SYS_munmap, table, sizeof(*table) << table_bits);
    table_bits = TABLE_BITS_FIRST;
    table = reserve(sizeof(*table) << table_bits);
    entered = 0;
    saved_end = saved;
}

unsigned long states_count(void)
{
    return entered;
}

static struct range stack_in_use(int number)
{
    char *from = place_end(&threads[number].place, stacks[number]);

    return (struct range){ from, (size_t)(stacks[number] + STACK_BYTES - from) & ~(size_t)7 };
}

/* ---- the hash ---- */

#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mixed(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 29;
}

/* Four words at a time, so that the multiplications do not wait for each other. */
static uint64_t hash_of(struct range range, uint64_t seed)
{
    uint64_t sums[4] = { seed, seed + 1, seed + 2, seed + 3 };
    const char *at = range.from;
    size_t left = range.size;

    for (; left >= 32; left -= 32, at += 32) {
        uint64_t words[4];
        memcpy(words, at, 32);
        for (int i = 0; i < 4; i++) {
            sums[i] = (sums[i] ^ words[i]) * FACTOR;
            sums[i] ^= sums[i] >> 31;
        }
    }
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sums[0] = mixed(sums[0] ^ word);
    }
    return mixed(mixed(mixed(mixed(sums[0]) + sums[1]) + sums[2]) + sums[3]);
}

/* What a finished call has left below a stack would only make equal states look different. */
static void wipe_dead(struct range in_use, char *stack)
{
    size_t below = (size_t)(in_use.from - stack);
    size_t wiped = below < DEAD_BYTES ? below : DEAD_BYTES;

    memset(in_use.from - wiped, 0, wiped);
}

static uint64_t hash_now(uint64_t key)
{
    uint64_t hash = hash_of(ranges[1], hash_of(ranges[0], mixed(key + FACTOR)));

    for (int i = 0; i < thread_count; i++) {
        if (threads[i].is_over)
            continue;
        struct range in_use = stack_in_use(i);
        wipe_dead(in_use, stacks[i]);
        hash = hash_of(in_use, hash);
    }
    return hash;
}

/* ---- visited ---- */

/* Where a hash stands, or the free place for it. */
static uint64_t *place_of(uint64_t hash)
{
    uint64_t mask = ((uint64_t)1 << table_bits) - 1;
    uint64_t at = hash >> (64 - table_bits);

    while (table[at] != 0 && (table[at] ^ hash) >> 3 != 0)
        at = (at + 1) & mask;
    return &table[at];
}

static void grow(void)
{
    uint64_t *old = table;
    size_t count = (size_t)1 << table_bits;

    table_bits++;
    table = reserve(sizeof(*table) << table_bits);
    for (size_t i = 0; i < count; i++) {
        if (old[i] != 0)
            *place_of(old[i]) = old[i];
    }
    syscall(SYS_munmap, old, sizeof(*old) * count);
}

bool states_enter(uint64_t key, unsigned interruptions)
{
    uint64_t hash = (hash_now(key) | 8) & ~(uint64_t)7;
    uint64_t *place = place_of(hash);

    if (*place != 0 && (*place & 7) <= interruptions)
        return false;
    if (*place == 0)
        entered++;
    *place = hash | interruptions;
    if (entered >> (table_bits - 1) != 0)
        grow();
    return true;
}

/* ---- saved ---- */

void states_push(void)
{
    char *to = save(save(saved_end, ranges[0]), ranges[1]);

    for (int i = 0; i < thread_count; i++)
        to = save(to, stack_in_use(i));
    size_t size = (size_t)(to - saved_end);
    memcpy(to, &size, sizeof(size));
    saved_end = to + sizeof(size);
    if (saved_end + (1 << 20) > saved + SAVED_BYTES)
        abort();
}

static char *newest(void)
{
    size_t size;

    memcpy(&size, saved_end - sizeof(size), sizeof(size));
    return saved_end - sizeof(size) - size;
}

void states_restore(void)
{
    const char *from = put_back(put_back(newest(), ranges[0]), ranges[1]);

    /* The data that is back says where each stack ends. */
    for (int i = 0; i < thread_count; i++)
        from = put_back(from, stack_in_use(i));
}

void states_pop(void)
{
    saved_end = newest();
}
