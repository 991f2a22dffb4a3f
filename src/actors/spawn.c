/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. An actor comes into being: slot, state, open lanes, and then the word that its ref is
 * checked against. Until it is scheduled or put to sleep here, it is its maker's alone.
 *
 * Why. An actor without a .start needs no first turn: it is born asleep, and a million of them cost
 * no scheduling. One that has a .start, or whose supervisor waits to hear of it, is scheduled.
 *
 * Partners: actors/lifecycle.c, whose first state this is; actors/slot.h for ref and terms.
 */

#include "actors/spawn.h"

#include <errno.h>
#include <string.h>

#include "actors/bond.h"
#include "actors/deliver.h"
#include "actors/more.h"
#include "actors/names.h"
#include "base/assert.h"
#include "base/memory.h"
#include "sim/sim.h"

/* ---- states --------------------------------------------------------------------------------- */

enum { SMALL = TRI_POOL_CLASSES + 1, LARGE = TRI_POOL_CLASSES };

/* Where a type's state stands: in the slot, in a block of the pool, or in memory of its own. */
static unsigned place_of(const tr_actor_type *type)
{
    if (type->state_size <= TRI_SMALL_STATE && type->state_align <= TRI_SMALL_STATE)
        return SMALL;
    return tri_pool_class_of(tri_max(type->state_size, type->state_align));
}

static void *state_alloc(struct tri_thread *thread, struct tri_actor *actor,
                         const tr_actor_type *type)
{
    unsigned place = place_of(type);

    if (TRI_LIKELY(place == SMALL))
        return actor->small;
    return place == LARGE ? tri_alloc_aligned(TRI_CACHE_LINE, type->state_size)
                          : tri_pool_get(thread, place);
}

void tri_state_free(struct tri_thread *thread, struct tri_actor *actor)
{
    unsigned place = place_of(actor->type->public);

    if (TRI_LIKELY(place == SMALL))
        return;
    if (place == LARGE)
        tri_free(actor->state);
    else
        tri_pool_put(thread, place, actor->state);
}

void tri_state_fill(struct tri_actor *actor, const void *initial)
{
    size_t size = actor->type->public->state_size;

    if (initial != NULL)
        tri_payload_copy(actor->state, initial, size);
    else
        memset(actor->state, 0, size);
}

/* ---- spawn ---------------------------------------------------------------------------------- */

/* Fills a slot that nobody else knows yet. */
static int furnish(struct tri_actor *actor, struct tri_type *type,
                   const struct tri_spawning *spawning)
{
    struct tri_thread *thread = tri_thread_self();

    actor->state = thread != NULL ? state_alloc(thread, actor, type->public) : NULL;
    if (actor->state == NULL)
        return -ENOMEM;
    actor->more = NULL;
    actor->special = TRI_SPECIAL_NEW;
    if (spawning->child != NULL) {
        if (tri_more_of(actor) == NULL) {
            tri_store_relaxed_ptr(&actor->type, type);
            tri_state_free(thread, actor);
            return -ENOMEM;
        }
        actor->more->child = spawning->child;
    }
    tri_store_relaxed_ptr(&actor->type, type);
    actor->behaviour = type->behaviour;
    actor->incarnation = 0;
    actor->flags = spawning->flags;
    actor->counts_at = type->id * (uint32_t)sizeof(struct tri_counts);
    if (tri_sim_is_on())
        actor->number = (uint16_t)tri_sim_count_up();
    tri_state_fill(actor, spawning->initial);
    return 0;
}

/* Opens the lanes, then publishes the actor: from here on it may be sent to. */
static void publish(tr_system *sys, struct tri_actor *actor, uint32_t limit, bool supervised)
{
    uint32_t terms = sys->index | limit << TRI_TERMS_LIMIT_SHIFT
                     | (supervised ? TRI_TERMS_SUPERVISED : 0);

    tri_lane_open(&actor->lane, limit != TRI_LANE_NO_LIMIT ? limit : TRI_LANE_CAPACITY_MAX);
    tri_urgent_open(&actor->urgent, (uint16_t)(tri_urgent_life(&actor->urgent) + 1));
    tri_slot_publish(actor, terms);
}

/* What the options add. What cannot be had ends the actor before its first turn. */
static int equip(tr_system *sys, tr_self *self, struct tri_actor *actor,
                 const tr_spawn_options *options)
{
    tr_ref ref = tri_ref_of(actor);
    int error = options->link ? tr_link(self, ref) : 0;

    if (error == 0 && options->monitor)
        error = tr_monitor(self, ref, options->ret_monitor);
    if (error < 0) {
        if (options->link)
            (void)tr_unlink(self, ref); /* its end is nobody's business */
        (void)tri_deliver_signal(sys, self, ref, TRI_SIGNAL_KILL);
    }
    return error;
}

/* Hands the actor over: to its first turn, or to whoever sends it its first message. */
static void let_go(tr_system *sys, tr_self *self, struct tri_actor *actor, bool needs_turn)
{
    if (needs_turn || tri_lane_rest(&actor->lane) != TRI_SLEEP_ASLEEP)
        tri_wake(sys, self, actor);
}

static int limit_for(const struct tri_type *type, const tr_spawn_options *options)
{
    if (options == NULL || (options->capacity == 0 && options->overflow == TR_OVERFLOW_DEFAULT))
        return (int)type->limit;
    return tri_limit_of(options->capacity != 0 ? options->capacity : type->public->capacity,
                        options->overflow != TR_OVERFLOW_DEFAULT ? options->overflow
                                                                 : type->public->overflow);
}

static int type_for(const struct tri_spawning *spawning, struct tri_type **ret_type)
{
    struct tri_type *type = tri_type_of(spawning->type);
    int error;

    if (TRI_UNLIKELY(type == NULL)) {
        error = tri_type_compile(spawning->type, &type);
        if (error < 0)
            return error;
        if (spawning->hooks != NULL)
            tri_store_relaxed_ptr(&type->hooks, (void *)(uintptr_t)spawning->hooks);
    }
    *ret_type = type;
    return 0;
}

__attribute__((flatten)) tr_ref tri_spawn(tr_system *sys, tr_self *self,
                                          const struct tri_spawning *spawning)
{
    const tr_spawn_options *options = spawning->options;
    struct tri_type *type;
    int error = type_for(spawning, &type);
    int limit = error == 0 ? limit_for(type, options) : error;

    if (TRI_UNLIKELY(limit < 0))
        return tri_ref_failed(limit);

    /* relaxed: who comes a moment too early is killed with the others. */
    if (TRI_UNLIKELY(tri_load_relaxed_32(&sys->ending)))
        return tri_ref_failed(-ESHUTDOWN);

    struct tri_actor *actor = tri_slot_take(self);
    if (TRI_UNLIKELY(actor == NULL))
        return tri_ref_failed(-ENOSPC);

    tr_ref ref = tri_ref_of(actor);
    bool has_name = options != NULL && options->name != NULL;
    error = has_name ? tri_name_give(sys, ref, options->name) : 0;
    if (TRI_LIKELY(error == 0) && TRI_UNLIKELY((error = furnish(actor, type, spawning)) < 0)
        && has_name)
        tri_name_release(sys, ref);
    if (TRI_UNLIKELY(error < 0)) {
        tri_slot_give(self, actor);
        return tri_ref_failed(error);
    }

    bool needs_turn = type->public->start != NULL || spawning->child != NULL
                      || type->hooks != NULL;
    if (!needs_turn)
        actor->special &= (uint8_t)~TRI_SPECIAL_NEW;
    publish(sys, actor, (uint32_t)limit, spawning->child != NULL || type->hooks != NULL);
    tri_count_for(sys, self, type->id, TRI_COUNT_SPAWNED);
    if (TRI_UNLIKELY(options != NULL))
        error = equip(sys, self, actor, options);
    let_go(sys, self, actor, needs_turn || error < 0);
    return error < 0 ? tri_ref_failed(error) : ref;
}

static int check(const tr_spawn_options *options, const tr_actor_type *type, bool by_actor)
{
    if (type == NULL)
        return -EINVAL;
    if (options == NULL)
        return 0;
    if ((options->link || options->monitor) && !by_actor)
        return -EINVAL;
    return options->name != NULL ? tri_name_check(options->name) : 0;
}

tr_ref tr_self_spawn(tr_self *self, const tr_spawn_options *options, const tr_actor_type *type,
                     const void *initial)
{
    struct tri_spawning spawning = { .options = options, .type = type, .initial = initial };
    int error = tri_self_check(self);

    if (TRI_LIKELY(error == 0))
        error = check(options, type, true);
    return TRI_LIKELY(error == 0) ? tri_spawn(self->system, self, &spawning)
                                  : tri_ref_failed(error);
}

tr_ref tr_system_spawn(tr_system *sys, const tr_spawn_options *options, const tr_actor_type *type,
                       const void *initial)
{
    struct tri_spawning spawning = { .options = options, .type = type, .initial = initial };
    int error = check(options, type, false);

    if (error < 0 || (error = tri_system_enter(sys)) < 0)
        return tri_ref_failed(error);

    tr_ref ref = tri_spawn(sys, NULL, &spawning);
    tri_system_leave(sys);
    return ref;
}
