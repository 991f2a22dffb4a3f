/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_SIMULATED_H
#define TRI_SCHED_SIMULATED_H

#include "sched/driver.h"

/* Turns as steps of a simulation (sim/sim.h), which is on. */
extern const struct tri_driver tri_simulated_driver;

#endif
