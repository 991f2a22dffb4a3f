/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_SIMULATED_H
#define TRI_SCHED_SIMULATED_H

#include <stdint.h>

#include "sched/driver.h"

/* Turns as steps of a simulation (sim/sim.h), which is on. */
struct tri_worker;

/* The turn in hand goes on only after so long, as if its thread had been preempted: unless those of
 * all other workers are interrupted, or no rule asks for delays. */
void tri_simulated_delay(struct tri_worker *worker, int64_t duration);

extern const struct tri_driver tri_simulated_driver;

#endif
