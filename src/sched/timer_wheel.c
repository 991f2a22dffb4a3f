/* SPDX-License-Identifier: BSD-2-Clause */

/* See timer_wheel.h for the structure and its rules. */

#include "sched/timer_wheel.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/ck.h"

#define DIGIT_MASK (TRI_TIMER_SLOTS - 1)

static struct tri_timer *timer_of(struct tri_link *link)
{
    return TRI_CONTAINER_OF(link, struct tri_timer, link);
}

/* The first tick that is not before the deadline. */
static uint64_t tick_of(tr_time deadline)
{
    return deadline <= 0 ? 0 : ((uint64_t)deadline + TRI_TIMER_TICK - 1) / TRI_TIMER_TICK;
}

static tr_time time_of(uint64_t tick)
{
    return tick > (uint64_t)INT64_MAX / TRI_TIMER_TICK ? TR_FOREVER
                                                        : (tr_time)(tick * TRI_TIMER_TICK);
}

static uint32_t digit_of(uint64_t tick, unsigned level)
{
    return (uint32_t)(tick >> (level * TRI_TIMER_LEVEL_BITS)) & DIGIT_MASK;
}

static void list_move(struct tri_list *from, struct tri_list *to)
{
    struct tri_link *first = tri_list_first(from);
    struct tri_link *last = tri_list_last(from);

    if (first == NULL)
        return;
    first->previous = to->ring.previous;
    to->ring.previous->next = first;
    last->next = &to->ring;
    to->ring.previous = last;
    tri_list_init(from);
}

void tri_timer_wheel_init(struct tri_timer_wheel *wheel, tr_time now)
{
    wheel->tick = (uint64_t)now / TRI_TIMER_TICK;
    wheel->count = 0;
    tri_list_init(&wheel->due);
    tri_list_init(&wheel->moving);
    for (unsigned level = 0; level < TRI_TIMER_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < TRI_TIMER_SLOTS; slot++)
            tri_list_init(&wheel->slots[level][slot]);
    }
}

/* To the level of the highest digit that differs from the present. */
static void place(struct tri_timer_wheel *wheel, struct tri_timer *timer)
{
    uint64_t tick = tick_of(timer->deadline);

    if (tick <= wheel->tick) {
        tri_list_push_back(&wheel->due, &timer->link);
        return;
    }
    unsigned highest_bit = 63u - (unsigned)__builtin_clzll(tick ^ wheel->tick);
    unsigned level = highest_bit / TRI_TIMER_LEVEL_BITS;
    uint32_t slot = digit_of(tick, level);
    wheel->occupied[level] |= UINT64_C(1) << slot;
    timer->place = (uint16_t)(level * TRI_TIMER_SLOTS + slot);
    tri_list_push_back(&wheel->slots[level][slot], &timer->link);
}

void tri_timer_wheel_add(struct tri_timer_wheel *wheel, struct tri_timer *timer)
{
    tri_assert(timer->state == TRI_TIMER_IDLE);
    timer->state = TRI_TIMER_WAITING;
    timer->place = 0;
    wheel->count++;
    place(wheel, timer);
}

void tri_timer_wheel_remove(struct tri_timer_wheel *wheel, struct tri_timer *timer)
{
    unsigned level = timer->place / TRI_TIMER_SLOTS;
    unsigned slot = timer->place % TRI_TIMER_SLOTS;

    tri_assert(timer->state == TRI_TIMER_WAITING);
    tri_assert(wheel->count > 0);
    timer->state = TRI_TIMER_IDLE;
    wheel->count--;
    tri_link_remove(&timer->link);
    /* It may stand in `due` or `moving` by now: then this says nothing new about its old slot. */
    if (tri_list_is_empty(&wheel->slots[level][slot]))
        wheel->occupied[level] &= ~(UINT64_C(1) << slot);
}

/* The slot that comes next, at the lowest level that has one; false when there is none. */
static bool find_next(const struct tri_timer_wheel *wheel, unsigned *ret_level, uint32_t *ret_slot)
{
    for (unsigned level = 0; level < TRI_TIMER_LEVELS; level++) {
        if (wheel->occupied[level] == 0)
            continue;
        *ret_level = level;
        *ret_slot = (uint32_t)__builtin_ctzll(wheel->occupied[level]);
        tri_assert(*ret_slot > digit_of(wheel->tick, level));
        return true;
    }
    return false;
}

/* The first tick of a slot that lies ahead. */
static uint64_t start_of(const struct tri_timer_wheel *wheel, unsigned level, uint32_t slot)
{
    unsigned shift = level * TRI_TIMER_LEVEL_BITS;
    uint64_t above = wheel->tick >> shift >> TRI_TIMER_LEVEL_BITS << TRI_TIMER_LEVEL_BITS;

    return (above | slot) << shift;
}

/* Goes on to the next slot that has something, but not past `tick`. */
static void step(struct tri_timer_wheel *wheel, uint64_t tick)
{
    unsigned level;
    uint32_t slot;

    if (!find_next(wheel, &level, &slot) || start_of(wheel, level, slot) > tick) {
        wheel->tick = tick;
        return;
    }
    wheel->tick = start_of(wheel, level, slot);
    wheel->occupied[level] &= ~(UINT64_C(1) << slot);
    list_move(&wheel->slots[level][slot], level == 0 ? &wheel->due : &wheel->moving);
}

struct tri_timer *tri_timer_wheel_expire(struct tri_timer_wheel *wheel, tr_time now)
{
    uint64_t tick = (uint64_t)now / TRI_TIMER_TICK;
    unsigned moves = 0;

    while (tri_list_is_empty(&wheel->due)) {
        struct tri_link *link = tri_list_first(&wheel->moving);
        if (link == NULL && wheel->tick >= tick)
            return NULL;
        if (link == NULL) {
            step(wheel, tick);
            continue;
        }
        if (moves++ == TRI_TIMER_MOVES)
            return NULL;
        tri_link_remove(link);
        place(wheel, timer_of(link));
    }
    struct tri_timer *timer = timer_of(tri_list_first(&wheel->due));
    tri_timer_wheel_remove(wheel, timer);
    return timer;
}

/* The earliest tick in a slot: looked for among a few timers, its first tick if there are more. */
static uint64_t earliest_in(const struct tri_timer_wheel *wheel, unsigned level, uint32_t slot)
{
    const struct tri_list *list = &wheel->slots[level][slot];
    uint64_t earliest = UINT64_MAX;
    unsigned looks = 0;

    TRI_LIST_EACH(list, link) {
        uint64_t tick = tick_of(timer_of(link)->deadline);
        if (looks++ == TRI_TIMER_SLOTS)
            return start_of(wheel, level, slot);
        earliest = tick < earliest ? tick : earliest;
    }
    return earliest;
}

tr_time tri_timer_wheel_next(const struct tri_timer_wheel *wheel)
{
    unsigned level;
    uint32_t slot;

    if (!tri_list_is_empty(&wheel->due) || !tri_list_is_empty(&wheel->moving))
        return time_of(wheel->tick);
    if (!find_next(wheel, &level, &slot))
        return TR_FOREVER;
    return time_of(level == 0 ? start_of(wheel, 0, slot) : earliest_in(wheel, level, slot));
}
