/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CLOCK_H
#define TRI_BASE_CLOCK_H

/*
 * The time that the runtime lives in: nanoseconds of a clock that never goes back.
 *
 * Why. Deadlines, timers and backoff read the time here and nowhere else, so that a simulation can
 * put its own time in place of the system's. A read costs some 20 ns: not once per message.
 */

#include <stdint.h>

#define TRI_NS_PER_US INT64_C(1000)
#define TRI_NS_PER_MS INT64_C(1000000)
#define TRI_NS_PER_S  INT64_C(1000000000)

struct tri_clock {
    int64_t (*now)(void *context);
    void *context;
};

/* Puts another clock in place of the system's; NULL brings that back. Threads: before any other
 * uses the library. */
void tri_clock_set(const struct tri_clock *clock);

/* The time by the clock in place. */
int64_t tri_clock_now(void);

/* Nanoseconds since 1970: by the system's calendar, or by the clock in place, as if that had begun
 * on the ninth of September 2001. */
int64_t tri_clock_unix(void);

/* The system's monotonic clock, whatever is in place: for measurements, and waits in the kernel. */
int64_t tri_clock_system(void);

#endif
