/* SPDX-License-Identifier: BSD-2-Clause */

/* See slot.h. */

#include "actors/slot.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "base/spin.h"

/* Slots that a worker keeps at most, and what it passes on or asks for at a time. */
#define KEPT  TRI_SLOTS_KEPT
#define MOVED (TRI_SLOTS_KEPT / 2)

/* Fresh slots taken from the region at a time. */
#define FRESH TRI_SLOTS_FRESH

/* Below this many slots the region is mapped in small pages: a program of few actors stays
 * small. */
#define SMALL_PAGES_BYTES ((size_t)2 << 20)

struct tri_actor *tri_slots;
uint32_t tri_slots_used;

static pthread_once_t reserving = PTHREAD_ONCE_INIT;

/* Free slots of nobody, and the region's rest. */
static struct tri_spin sharing;
static struct tri_actor *shared;
static uint32_t shared_count;

static void reserve(void)
{
    size_t bytes = (size_t)TRI_SLOTS_MAX * sizeof(struct tri_actor);
    size_t align = SMALL_PAGES_BYTES;
    char *region = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (region == MAP_FAILED)
        return;
    region = (char *)(((uintptr_t)region + align - 1) & ~(uintptr_t)(align - 1));
    if (bytes > SMALL_PAGES_BYTES)
        /* Touching a small page for the first time costs as much as 60 messages. Advice only. */
        (void)madvise(region + SMALL_PAGES_BYTES, bytes - SMALL_PAGES_BYTES, MADV_HUGEPAGE);
    tri_slots = (struct tri_actor *)(void *)region;
    tri_store_relaxed_32(&tri_slots_used, 1);
}

int tri_slots_reserve(void)
{
    pthread_once(&reserving, reserve);
    return tri_slots != NULL ? 0 : -ENOMEM;
}

int tri_slot_look(uint32_t system, tr_ref to, struct tri_actor **ret_actor)
{
    struct tri_actor *actor = tri_slot_at(to);

    /* acquire: that it has ended, or whatever came before; pairs with the release of its end. */
    if (actor == NULL || tri_load_acquire_64(&actor->ref) != to.bits)
        return -ESRCH;
    /* acquire: the type and the lanes; pairs with the release in spawn.c. */
    uint32_t its_system = tri_terms_system(tri_load_acquire_32(&actor->terms));
    if (its_system == system) {
        *ret_actor = actor;
        return 0;
    }
    /* relaxed: whether those were the terms of another life. */
    return its_system == 0 || tri_load_relaxed_64(&actor->ref) != to.bits ? -ESRCH : -EINVAL;
}

tr_ref tri_slot_tenant(uint32_t system, uint32_t slot)
{
    struct tri_actor *actor = &tri_slots[slot];

    /* acquire: its ref and its type; pairs with the release in spawn.c. */
    return tri_terms_system(tri_load_acquire_32(&actor->terms)) == system ? tri_ref_of(actor)
                                                                          : tr_none();
}

void tri_actor_set_trap(struct tri_actor *actor, bool on)
{
    uint32_t terms = tri_load_relaxed_32(&actor->terms) & ~TRI_TERMS_TRAP;

    tri_store_relaxed_32(&actor->terms, on ? terms | TRI_TERMS_TRAP : terms);
}

static struct tri_actor *next_of(const struct tri_actor *actor)
{
    return actor->task.next == NULL ? NULL : tri_actor_of(actor->task.next);
}

static void put_before(struct tri_actor *actor, struct tri_actor *next)
{
    actor->task.next = next == NULL ? NULL : &next->task;
}

/* With the lock held: links fresh slots to a list, lowest first. */
static struct tri_actor *take_fresh(uint32_t *ret_count)
{
    uint32_t used = tri_load_relaxed_32(&tri_slots_used);
    uint32_t count = TRI_SLOTS_MAX - used < FRESH ? TRI_SLOTS_MAX - used : FRESH;
    struct tri_actor *list = NULL;

    for (uint32_t i = count; i-- > 0;) {
        struct tri_actor *actor = &tri_slots[used + i];
        /* relaxed: for whoever guesses refs; others are told by who publishes it. */
        tri_store_relaxed_64(&actor->ref, TRI_REF_GENERATION | (used + i));
        put_before(actor, list);
        list = actor;
    }
    tri_store_relaxed_32(&tri_slots_used, used + count);
    *ret_count = count;
    return list;
}

/* A list of up to `most` free slots. */
static struct tri_actor *take_shared(uint32_t most, uint32_t *ret_count)
{
    uint32_t count = 0;
    struct tri_actor *list, *last = NULL;

    tri_spin_lock(&sharing);
    if (shared == NULL)
        shared = take_fresh(&shared_count);
    list = shared;
    for (; shared != NULL && count < most; count++) {
        last = shared;
        shared = next_of(shared);
    }
    shared_count -= count;
    tri_spin_unlock(&sharing);
    if (last != NULL)
        put_before(last, NULL);
    *ret_count = count;
    return list;
}

static void give_shared(struct tri_actor *list, struct tri_actor *last, uint32_t count)
{
    tri_spin_lock(&sharing);
    put_before(last, shared);
    shared = list;
    shared_count += count;
    tri_spin_unlock(&sharing);
}

struct tri_actor *tri_slot_take(tr_self *self)
{
    uint32_t count;

    if (self == NULL)
        return take_shared(1, &count);
    if (TRI_UNLIKELY(self->free_slots == NULL))
        self->free_slots = take_shared(MOVED, &self->free_count);

    struct tri_actor *actor = self->free_slots;
    if (actor != NULL) {
        self->free_slots = next_of(actor);
        self->free_count--;
    }
    return actor;
}

/* Passes on the older half of what a worker keeps. */
static void share_half(tr_self *self)
{
    struct tri_actor *kept = self->free_slots;

    for (uint32_t i = 1; i < KEPT - MOVED; i++)
        kept = next_of(kept);

    struct tri_actor *list = next_of(kept), *last = list;
    for (uint32_t i = 1; i < MOVED; i++)
        last = next_of(last);
    put_before(kept, NULL);
    give_shared(list, last, MOVED);
    self->free_count = KEPT - MOVED;
}

void tri_slot_give(tr_self *self, struct tri_actor *actor)
{
    if (tri_ref_generation(tri_ref_of(actor)) == 0)
        return; /* rule 1: retired */
    if (self == NULL) {
        give_shared(actor, actor, 1);
        return;
    }
    put_before(actor, self->free_slots);
    self->free_slots = actor;
    if (TRI_UNLIKELY(++self->free_count == KEPT))
        share_half(self);
}

void tri_slots_flush(tr_self *self)
{
    while (self->free_slots != NULL) {
        struct tri_actor *actor = self->free_slots;
        self->free_slots = next_of(actor);
        give_shared(actor, actor, 1);
    }
    self->free_count = 0;
}
