/* SPDX-License-Identifier: BSD-2-Clause */

/* See names.h. */

#include "actors/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "base/random.h"

/* Chains for the first names; a power of two, doubled as often as needed. */
#define CHAINS_FIRST 16u

struct entry {
    struct entry *next_name; /* in the chain of its name's hash */
    struct entry *next_slot; /* in the chain of its slot */
    tr_ref ref;
    uint64_t hash;
    char name[];
};

struct tri_names {
    /* set once */
    uint64_t seed;

    /* under the lock */
    pthread_mutex_t lock;
    struct entry **by_name;
    struct entry **by_slot;
    uint32_t chains;
    uint32_t count; /* entries, stale ones included */
};

/* Keyed by the seed, so that nobody can choose names that all meet in one chain. */
static uint64_t hash_of(const struct tri_names *names, const char *name)
{
    uint64_t hash = names->seed;

    for (; *name != '\0'; name++) {
        hash ^= (unsigned char)*name;
        (void)tri_random_spread(&hash);
        hash = tri_random_spread(&hash);
    }
    return hash;
}

static struct entry **name_chain(const struct tri_names *names, uint64_t hash)
{
    return &names->by_name[hash & (names->chains - 1)];
}

static struct entry **slot_chain(const struct tri_names *names, tr_ref ref)
{
    return &names->by_slot[(uint32_t)ref.bits & (names->chains - 1)];
}

/* ---- whom a ref names now ------------------------------------------------------------------- */

/* Published, and not ended. */
static bool is_alive(const tr_system *sys, tr_ref ref)
{
    return tri_slot_has(sys->index, ref);
}

/* Ended; one that is not published yet (rule 1) is neither. */
static bool is_stale(const struct entry *entry)
{
    /* acquire: that the life has ended; pairs with the release in lifecycle.c. */
    tr_ref now = { tri_load_acquire_64(&tri_slot_at(entry->ref)->ref) };

    /* By distance, for the last generation of a slot is followed by 0. */
    return (int32_t)(tri_ref_generation(now) - tri_ref_generation(entry->ref)) > 0;
}

/* ---- the table, under the lock -------------------------------------------------------------- */

static int set_chains(struct tri_names *names, uint32_t chains)
{
    struct entry **by_name = tri_alloc_zeroed(chains * sizeof(struct entry *));
    struct entry **by_slot = tri_alloc_zeroed(chains * sizeof(struct entry *));

    if (by_name == NULL || by_slot == NULL) {
        tri_free(by_name);
        tri_free(by_slot);
        return -ENOMEM;
    }
    tri_free(names->by_name);
    tri_free(names->by_slot);
    names->by_name = by_name;
    names->by_slot = by_slot;
    names->chains = chains;
    return 0;
}

static void add(struct tri_names *names, struct entry *entry)
{
    struct entry **by_name = name_chain(names, entry->hash);
    struct entry **by_slot = slot_chain(names, entry->ref);

    entry->next_name = *by_name;
    entry->next_slot = *by_slot;
    *by_name = entry;
    *by_slot = entry;
    names->count++;
}

static void drop(struct tri_names *names, struct entry *entry)
{
    struct entry **place = name_chain(names, entry->hash);

    while (*place != entry)
        place = &(*place)->next_name;
    *place = entry->next_name;
    place = slot_chain(names, entry->ref);
    while (*place != entry)
        place = &(*place)->next_slot;
    *place = entry->next_slot;
    names->count--;
    tri_free(entry);
}

/* The entry of a name, or NULL; one that is found stale is dropped. */
static struct entry *find_name(struct tri_names *names, const char *name, uint64_t hash)
{
    struct entry *entry = *name_chain(names, hash);

    while (entry != NULL && (entry->hash != hash || strcmp(entry->name, name) != 0))
        entry = entry->next_name;
    if (entry == NULL || !is_stale(entry))
        return entry;
    drop(names, entry);
    return NULL;
}

/* The entry of exactly this life, or NULL; an earlier life's is dropped. */
static struct entry *find_ref(struct tri_names *names, tr_ref ref)
{
    struct entry *entry = *slot_chain(names, ref);

    while (entry != NULL && (uint32_t)entry->ref.bits != (uint32_t)ref.bits)
        entry = entry->next_slot;
    if (entry == NULL || tr_ref_equal(entry->ref, ref))
        return entry;
    if (is_stale(entry))
        drop(names, entry);
    return NULL;
}

/* All entries in one list, linked by next_name; the chains keep pointing at them. */
static struct entry *unchain(struct tri_names *names)
{
    struct entry *all = NULL;

    for (uint32_t i = 0; i < names->chains; i++) {
        for (struct entry *entry = names->by_name[i], *next; entry != NULL; entry = next) {
            next = entry->next_name;
            entry->next_name = all;
            all = entry;
        }
    }
    return all;
}

static void sweep(struct tri_names *names)
{
    for (uint32_t i = 0; i < names->chains; i++) {
        for (struct entry *entry = names->by_name[i], *next; entry != NULL; entry = next) {
            next = entry->next_name;
            if (is_stale(entry))
                drop(names, entry);
        }
    }
}

/* Makes room for one more: what is stale goes first, so that only living names make it grow.
 * Without memory for more chains the old ones become longer. */
static int make_room(struct tri_names *names)
{
    if (names->count < tri_min(names->chains, TRI_NAMES_MAX))
        return 0;
    sweep(names);
    if (names->count >= TRI_NAMES_MAX)
        return -ENOSPC;
    if (names->count <= names->chains / 2)
        return 0;

    struct entry *all = unchain(names);
    bool has_grown = set_chains(names, names->chains * 2) == 0;
    if (!has_grown) {
        memset(names->by_name, 0, names->chains * sizeof(struct entry *));
        memset(names->by_slot, 0, names->chains * sizeof(struct entry *));
    }
    names->count = 0;
    for (struct entry *entry = all, *next; entry != NULL; entry = next) {
        next = entry->next_name;
        add(names, entry);
    }
    return 0;
}

static int give(struct tri_names *names, tr_ref ref, const char *name)
{
    uint64_t hash = hash_of(names, name);
    size_t bytes = strlen(name) + 1;

    if (find_name(names, name, hash) != NULL || find_ref(names, ref) != NULL)
        return -EEXIST;
    int error = make_room(names);
    struct entry *entry = error == 0 ? tri_alloc(sizeof *entry + bytes) : NULL;
    if (entry == NULL)
        return error < 0 ? error : -ENOMEM;
    entry->ref = ref;
    entry->hash = hash;
    memcpy(entry->name, name, bytes);
    add(names, entry);
    return 0;
}

/* ---- for the library ------------------------------------------------------------------------ */

struct tri_names *tri_names_new(uint64_t seed)
{
    struct tri_names *names = tri_alloc_zeroed(sizeof *names);

    if (names == NULL)
        return NULL;
    names->seed = seed;
    if (set_chains(names, CHAINS_FIRST) < 0) {
        tri_free(names);
        return NULL;
    }
    pthread_mutex_init(&names->lock, NULL);
    return names;
}

void tri_names_free(struct tri_names *names)
{
    if (names == NULL)
        return;
    for (struct entry *entry = unchain(names), *next; entry != NULL; entry = next) {
        next = entry->next_name;
        tri_free(entry);
    }
    pthread_mutex_destroy(&names->lock);
    tri_free(names->by_name);
    tri_free(names->by_slot);
    tri_free(names);
}

int tri_name_check(const char *name)
{
    size_t length = name != NULL ? strnlen(name, TRI_NAME_BYTES_MAX) : 0;

    return length > 0 && length < TRI_NAME_BYTES_MAX ? 0 : -EINVAL;
}

int tri_name_give(tr_system *sys, tr_ref ref, const char *name)
{
    pthread_mutex_lock(&sys->names->lock);
    int error = give(sys->names, ref, name);
    pthread_mutex_unlock(&sys->names->lock);
    return error;
}

void tri_name_release(tr_system *sys, tr_ref ref)
{
    pthread_mutex_lock(&sys->names->lock);
    struct entry *entry = find_ref(sys->names, ref);
    if (entry != NULL)
        drop(sys->names, entry);
    pthread_mutex_unlock(&sys->names->lock);
}

void tri_name_of(tr_system *sys, tr_ref ref, char ret_name[TRI_NAME_BYTES_MAX])
{
    pthread_mutex_lock(&sys->names->lock);
    const struct entry *entry = find_ref(sys->names, ref);
    snprintf(ret_name, TRI_NAME_BYTES_MAX, "%s", entry != NULL ? entry->name : "");
    pthread_mutex_unlock(&sys->names->lock);
}

/* ---- the verbs ------------------------------------------------------------------------------ */

static int name_actor(tr_system *sys, tr_ref ref, const char *name)
{
    struct tri_actor *actor;
    int error = tri_name_check(name);

    if (error == 0)
        error = tri_slot_look(sys->index, ref, &actor);
    if (error < 0)
        return error;
    /* It may end from here on: then the entry is stale at once, which is all the same. */
    return tri_name_give(sys, ref, name);
}

static tr_ref lookup(tr_system *sys, const char *name)
{
    struct tri_names *names = sys->names;
    tr_ref found = tr_none();

    if (tri_name_check(name) < 0)
        return found;
    pthread_mutex_lock(&names->lock);
    const struct entry *entry = find_name(names, name, hash_of(names, name));
    if (entry != NULL && is_alive(sys, entry->ref))
        found = entry->ref;
    pthread_mutex_unlock(&names->lock);
    return found;
}

int tr_self_name(tr_self *self, tr_ref actor, const char *name)
{
    int error = tri_self_check(self);

    return error < 0 ? error : name_actor(self->system, actor, name);
}

int tr_system_name(tr_system *sys, tr_ref actor, const char *name)
{
    int error = tri_system_enter(sys);

    if (error < 0)
        return error;
    error = name_actor(sys, actor, name);
    tri_system_leave(sys);
    return error;
}

tr_ref tr_self_lookup(tr_self *self, const char *name)
{
    int error = tri_self_check(self);

    return error < 0 ? tri_ref_failed(error) : lookup(self->system, name);
}

tr_ref tr_system_lookup(tr_system *sys, const char *name)
{
    int error = tri_system_enter(sys);

    if (error < 0)
        return tri_ref_failed(error);
    tr_ref found = lookup(sys, name);
    tri_system_leave(sys);
    return found;
}
