/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_TIMER_WHEEL_H
#define TRI_SCHED_TIMER_WHEEL_H

/*
 * Timers in order of their deadlines: adding and removing take constant time, however many.
 *
 * Why. Nearly every timer is a timeout that is cancelled long before it is due: a heap would sort
 * them all for nothing. A wheel that rounds far deadlines up (and so never moves a timer) was
 * rejected: a timer of ten seconds may not be a second late.
 *
 * Time is cut into ticks. Level 0 has a slot for each of the next ticks, level 1 a slot for each
 * turn of level 0, and so on. A timer stands at the level of the highest digit in which its tick
 * differs from the present one; when the present reaches its slot, it moves down or is due:
 *
 *     level 2   [  ][  ][##][  ]            tick = 2 1 3  (base 4 here)
 *     level 1   [  ][##][  ][  ]   moving ──► lower levels, a bounded number at a time
 *     level 0   [  ][  ][  ][##]   due    ──► handed out
 *
 * Slots below the present one are empty, so the first one occupied, at the lowest level that has
 * any, holds the next timer.
 *
 * Rules
 *   1. A timer is never due before its deadline; up to a tick after it.
 *   2. Who calls holds the lock of the wheel (sched/timers.h). Nothing here is atomic, except
 *      `worker`, which tells a canceller which lock that is.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/types.h>

#include "base/limits.h"
#include "base/list.h"

#define TRI_TIMER_TICK     TR_MS(1)
#define TRI_TIMER_SLOTS    (1u << TRI_TIMER_LEVEL_BITS)
#define TRI_TIMER_LEVELS   (48 / TRI_TIMER_LEVEL_BITS)

/* Set by TRI_TIMER_LEVELS digits: more ticks than 2^63 nanoseconds have. */
_Static_assert(48 % TRI_TIMER_LEVEL_BITS == 0, "the digits fill 48 bits");

enum tri_timer_state {
    TRI_TIMER_IDLE,     /* in no wheel; a zeroed timer is */
    TRI_TIMER_WAITING,
};

/* Embedded by whoever wants to be called: see tri_timer_start. Zeroed before its first use. */
struct tri_timer {
    struct tri_link link;
    tr_time deadline;
    uint32_t worker;  /* whose wheel: its starter writes, cancellers read */
    uint16_t place;   /* level and slot it was put into last */
    uint16_t state;
};

struct tri_timer_wheel {
    uint64_t tick;      /* the present: what is due at or before it has been found */
    struct tri_list due;
    struct tri_list moving;  /* from a slot that was reached, not yet at their new places */
    uint64_t count;
    uint64_t occupied[TRI_TIMER_LEVELS];  /* a bit for each slot that is not empty */
    struct tri_list slots[TRI_TIMER_LEVELS][TRI_TIMER_SLOTS];
};

void tri_timer_wheel_init(struct tri_timer_wheel *wheel, tr_time now);

/* Adds a timer that is in no wheel; a deadline that has passed is due at once. */
void tri_timer_wheel_add(struct tri_timer_wheel *wheel, struct tri_timer *timer);

void tri_timer_wheel_remove(struct tri_timer_wheel *wheel, struct tri_timer *timer);

/* Goes on to `now`, and takes out a timer that is due; NULL when there is none, or when so many
 * have moved that somebody else should have his turn first: then next() says "now". */
struct tri_timer *tri_timer_wheel_expire(struct tri_timer_wheel *wheel, tr_time now);

/* When to look again: the tick of the next timer, sometimes earlier if very many share a slot;
 * TR_FOREVER when there is none. */
tr_time tri_timer_wheel_next(const struct tri_timer_wheel *wheel);

#endif
