/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SLOT_H
#define TRI_ACTORS_SLOT_H

/*
 * Slots: where actors live, and how a ref leads there.
 *
 * What. One region of address space for the process, reserved at first use and never unmapped;
 * slot n lies at n times 128. A ref is {generation:32, slot:32}; the slot's own word says which
 * generation lives there now, for which system, and how many messages it takes:
 *
 *     address   generation:32 | supervised:1 | system:15 | limit:16
 *
 * Why. A sender needs no table, no lock, no count: one multiplication and one load tell whether
 * the ref still stands and what its receiver allows. Counted references cost two read-modify-writes
 * a send, hazard pointers a fence, and both a line that all senders write. A generation that stands
 * in an array apart, so that a slot's page could be given back, costs a second line a send.
 *
 * Rules
 *   1. Slot 0 and generation 0 are nobody's. A generation ends with its actor (not with an
 *      incarnation); a slot whose generation would wrap is retired.
 *   2. A free slot's generation is the one that lives there next, its lanes are closed.
 *   3. Free slots go from hand to hand by `task.next`; a worker keeps some, the rest are shared.
 *
 * Partners: actors/spawn.c takes slots, actors/lifecycle.c gives them back.
 */

#include <stdint.h>

#include "actors/actor.h"
#include "base/limits.h"

/* Set once, by tri_slots_reserve. */
extern struct tri_actor *tri_slots;

/* Slots that were ever handed out: those above are untouched. Grows. */
extern uint32_t tri_slots_used;

/* Errors: -ENOMEM, so much address space is not to be had. */
int tri_slots_reserve(void);

/* A free slot, or NULL: -ENOSPC or no memory. `self` is NULL on threads that are no workers. */
struct tri_actor *tri_slot_take(tr_self *self);
void tri_slot_give(tr_self *self, struct tri_actor *actor);

/* Shares what a worker has kept. */
void tri_slots_flush(tr_self *self);

static inline uint32_t tri_slot_number(const struct tri_actor *actor)
{
    return (uint32_t)(actor - tri_slots);
}

static inline tr_ref tri_ref_make(uint32_t generation, uint32_t slot)
{
    tr_ref ref = { (uint64_t)generation << 32 | slot };
    return ref;
}

static inline tr_ref tri_ref_of(const struct tri_actor *actor)
{
    return tri_ref_make(actor->generation, tri_slot_number(actor));
}

static inline tr_ref tri_ref_failed(int error)
{
    tr_ref ref = { (uint32_t)-error };
    return ref;
}

static inline uint32_t tri_ref_generation(tr_ref ref)
{
    return (uint32_t)(ref.bits >> 32);
}

/* Where a ref leads, whoever lives there now; NULL where nobody ever did. */
static inline struct tri_actor *tri_slot_at(tr_ref ref)
{
    uint32_t slot = (uint32_t)ref.bits;

    /* A slot that was never used is all zeroes: it is nobody's address. */
    return TRI_LIKELY(slot < TRI_SLOTS_MAX) ? &tri_slots[slot] : NULL;
}

static inline uint64_t tri_address_make(uint32_t generation, uint32_t system, uint32_t limit)
{
    return (uint64_t)generation << 32 | (uint64_t)system << 16 | limit;
}

static inline uint32_t tri_address_system(uint64_t address)
{
    return (uint32_t)(address >> 16) & 0x7fff;
}

/* Beside the system: a supervisor sees to its end, or it is the runtime's own. */
#define TRI_ADDRESS_SUPERVISED UINT32_C(0x8000)

static inline bool tri_address_is_supervised(uint64_t address)
{
    return (address >> 16 & TRI_ADDRESS_SUPERVISED) != 0;
}

/* The limit of whom `to` names, in that system; above 16 bits: the address is not of such a one.
 * (No slot has generation 0, no system index 0.) */
static inline uint64_t tri_address_limit_of(uint64_t address, tr_ref to, uint32_t system)
{
    return (address & ~((uint64_t)TRI_ADDRESS_SUPERVISED << 16))
           - ((to.bits & ~(uint64_t)UINT32_MAX) | (uint64_t)system << 16);
}

static inline uint32_t tri_address_limit(uint64_t address)
{
    return (uint32_t)address & 0xffff;
}

/* Whether a ref names somebody who lives in the system of that index now. */
static inline bool tri_ref_stands_in(uint32_t system, tr_ref ref)
{
    const struct tri_actor *actor = tri_slot_at(ref);
    uint64_t address;

    if (actor == NULL || tri_ref_generation(ref) == 0)
        return false;
    /* relaxed: the answer may be outdated when it is given. */
    address = tri_load_relaxed_64(&actor->address);
    return address >> 32 == tri_ref_generation(ref) && tri_address_system(address) == system;
}

#endif
