/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The books, audited: in a simulated run of the audit build, after each step at which no turn is
 * under way. Every message that was accepted and not accounted for lies in the mailbox of somebody
 * who lives, is meant for him, and nothing else lies there; and as many live as were spawned and
 * have not ended.
 */

#include "actors/behaviour.h"
#include "actors/slot.h"
#include "actors/system.h"
#include "base/assert.h"

struct books {
    uint64_t queued;
    uint64_t alive;
};

static struct books add_up(const tr_system *sys)
{
    struct books books = { 0 };

    for (uint32_t type = 0; type < tri_types_made(); type++) {
        uint64_t sums[TRI_COUNTS] = { 0 };
        for (unsigned i = 0; i < TRI_COUNTS; i++) {
            sums[i] = tri_load_relaxed_64(&sys->shared_counts[type].of[i]);
            for (uint32_t worker = 0; worker < sys->workers; worker++)
                sums[i] += tri_load_relaxed_64(&sys->activations[worker]->counts[type].of[i]);
        }
        uint64_t gone = sums[TRI_COUNT_HANDLED] + sums[TRI_COUNT_CRASHED]
                        + sums[TRI_COUNT_DEAD_LETTERS] + sums[TRI_COUNT_DROPPED]
                        + sums[TRI_COUNT_EXPIRED];
        tri_audit(gone <= sums[TRI_COUNT_ACCEPTED]);
        tri_audit(sums[TRI_COUNT_ENDED] <= sums[TRI_COUNT_SPAWNED]);
        books.queued += sums[TRI_COUNT_ACCEPTED] - gone;
        books.alive += sums[TRI_COUNT_SPAWNED] - sums[TRI_COUNT_ENDED];
    }
    return books;
}

static void audit_message(void *context, const struct tri_message *message)
{
    const struct tri_actor *actor = context;

    tri_audit(message->generation == tri_ref_generation(tri_ref_of(actor)));
    (void)message, (void)actor;
}

static struct books look_at_slots(const tr_system *sys)
{
    struct books books = { 0 };

    for (uint32_t slot = 1; slot < tri_slots_used; slot++) {
        struct tri_actor *actor = &tri_slots[slot];
        uint32_t terms = tri_load_relaxed_32(&actor->terms);
        if (terms == 0 || tri_terms_system(terms) != sys->index)
            continue;
        books.alive++;
        books.queued += tri_lane_look(&actor->lane, audit_message, actor);
    }
    return books;
}

void tri_books_audit(void *system)
{
    const tr_system *sys = system;

    if (sys->workers == 0 || sys->ending)
        return;
    const struct books counted = add_up(sys), seen = look_at_slots(sys);
    tri_audit(counted.queued == seen.queued);
    tri_audit(counted.alive == seen.alive);
    (void)counted, (void)seen;
}
