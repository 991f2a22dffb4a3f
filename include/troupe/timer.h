/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TIMER_H
#define TROUPE_TIMER_H

/*
 * Time: messages to oneself, later. A timer never fires early; how late depends on load, one
 * millisecond on an idle machine. Timers end with the incarnation that made them, and a cancelled
 * one never delivers.
 */

#include <troupe/actor.h>

TR_BEGIN_DECLS

/* The runtime's clock, in nanoseconds since some fixed point; it never goes back. Cost: 25 ns. */
TR_API tr_time tr_self_now(const tr_self *self);
TR_API tr_time tr_system_now(const tr_system *sys);

/* Nanoseconds since 1970 by the calendar, which may be set back. Simulated, it goes with the
 * simulation's time. Threads: any. */
TR_API tr_time tr_unix_now(void);

/* Sends a message to this actor after `delay` (0 or more), or every `period` (1 ms or more), with
 * at most one tick queued at a time. Errors, as the timer's error: -EINVAL, -ENOMEM. */
TR_API tr_timer tr_after_raw(tr_self *self, tr_time delay, const tr_message_info *info,
                             const void *value);
TR_API tr_timer tr_every_raw(tr_self *self, tr_time period, const tr_message_info *info,
                             const void *value);

/* Cancels a timer: its message is not handled any more, even if it is queued.
 * Errors: -ENOENT, it has fired and was handled, or is not this incarnation's. */
TR_API int tr_cancel(tr_self *self, tr_timer timer);

/* While a tick of tr_every is in hand: how many ticks were left out since the one before. */
TR_API uint64_t tr_missed(const tr_self *self);

#ifndef __cplusplus
#define tr_now(from)                                                                               \
    _Generic((from), tr_self *: tr_self_now, const tr_self *: tr_self_now,                         \
        tr_system *: tr_system_now, const tr_system *: tr_system_now)(from)
#define tr_after(self, delay, ...) TR__TIMER(tr_after_raw, self, delay, __VA_ARGS__, )
#define tr_every(self, period, ...) TR__TIMER(tr_every_raw, self, period, __VA_ARGS__, )
#define TR__TIMER(verb, self, time, T, ...)                                                        \
    verb((self), (time), &T##_info, TR__VALUE(T, __VA_ARGS__))
#endif

TR_END_DECLS

#endif
