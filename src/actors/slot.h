/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_SLOT_H
#define TRI_ACTORS_SLOT_H

/*
 * Slots: where actors live, and how a ref leads there.
 *
 * What. One region of address space for the process, reserved at first use and never unmapped;
 * slot n lies at n times 128. A ref is {generation:32, slot:32}; the slot has the ref that leads
 * to who lives there now, and beside it on what terms that one takes messages:
 *
 *     terms   trap:1 | supervised:1 | limit:14 | system:16
 *
 * Why. A sender needs no table, no lock, no count: one multiplication and one comparison tell
 * whether the ref still stands. Counted references cost two read-modify-writes a send, hazard
 * pointers a fence, and both a line that all senders write. A generation that stands in an array
 * apart, so that a slot's page could be given back, costs a second line a send.
 *
 *     publish   terms = …        release: the type, the lanes
 *     end       terms = 0, then ref += a generation, release
 *     look      ref as given?, then terms of my system?, both acquire; see tri_slot_look
 *
 * A look that comes between two lives may pair a ref with the terms of the next life: whoever sends
 * on their strength reaches a lane that is closed, or one whose actor sees the wrong generation in
 * the message.
 *
 * Rules
 *   1. Slot 0 and generation 0 are nobody's. A generation ends with its actor (not with an
 *      incarnation); a slot whose generation would wrap is retired.
 *   2. A free slot's ref is that of who lives there next, its terms are 0, its lanes closed.
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

/* Of an actor that has not ended. */
static inline tr_ref tri_ref_of(const struct tri_actor *actor)
{
    tr_ref ref = { tri_load_relaxed_64(&actor->ref) };
    return ref;
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

#define TRI_TERMS_LIMIT_SHIFT 16
#define TRI_TERMS_SUPERVISED  (UINT32_C(1) << 30) /* a supervisor sees to its end, or it is the
                                                    * runtime's own */
#define TRI_TERMS_TRAP        (UINT32_C(1) << 31) /* tr_trap; changes while it lives */

_Static_assert(TRI_LANE_CAPACITY_MAX < 1 << (30 - TRI_TERMS_LIMIT_SHIFT), "the limit's bits");

static inline uint16_t tri_terms_system(uint32_t terms)
{
    return (uint16_t)terms;
}

static inline uint32_t tri_terms_limit(uint32_t terms)
{
    return terms >> TRI_TERMS_LIMIT_SHIFT & TRI_LANE_CAPACITY_MAX;
}

/* One generation more. */
#define TRI_REF_GENERATION (UINT64_C(1) << 32)

/* Lets senders in, on those terms: type and lanes are there. */
static inline void tri_slot_publish(struct tri_actor *actor, uint32_t terms)
{
    /* release: publishes type and lanes; pairs with the acquire of every look at a slot. */
    tri_store_release_32(&actor->terms, terms);
}

/* Ends the generation, whose ref is returned: to be called before the lanes close. */
static inline uint64_t tri_slot_end(struct tri_actor *actor)
{
    uint64_t ref = tri_load_relaxed_64(&actor->ref);

    tri_store_relaxed_32(&actor->terms, 0);
    /* release: pairs with the acquire of whoever signals: see urgent.h, rule 2. */
    tri_store_release_64(&actor->ref, ref + TRI_REF_GENERATION);
    return ref;
}

/*
 * Who lives in that system and is named by `to`; what is there was published before. It may end,
 * or have ended, when this returns: see above.
 * Errors: -ESRCH; -EINVAL, somebody of another system.
 */
int tri_slot_look(uint32_t system, tr_ref to, struct tri_actor **ret_actor);

/* Whether a ref names somebody who lives in that system now. */
static inline bool tri_slot_has(uint32_t system, tr_ref ref)
{
    struct tri_actor *actor;

    return tri_slot_look(system, ref, &actor) == 0;
}

/* The ref of who lives in a slot of that system now, or the zero ref. */
tr_ref tri_slot_tenant(uint32_t system, uint32_t slot);

/* relaxed: only its actor writes it while it lives; the others take it as a hint. */
static inline bool tri_actor_traps(const struct tri_actor *actor)
{
    return (tri_load_relaxed_32(&actor->terms) & TRI_TERMS_TRAP) != 0;
}

void tri_actor_set_trap(struct tri_actor *actor, bool on);

#endif
