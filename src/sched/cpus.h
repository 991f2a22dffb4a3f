/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_CPUS_H
#define TRI_SCHED_CPUS_H

/* How many processors the process may use, and which. */

#include <stdint.h>

/* At least 1: the processors in the affinity mask, or fewer where a cgroup (v1 or v2) allows less
 * time than that; what is left of one is rounded up. */
uint32_t tri_cpus_allowed(void);

/* Ties the calling thread to the `index`th processor (modulo their number) of those that the
 * process was allowed when it was first asked. Errors: a negative errno. */
int tri_cpus_pin(uint32_t index);

/* The quota of a cgroup, in hundredths of a processor, or 0 for none; `root` stands for "/". */
uint32_t tri_cpus_quota(const char *root);

#endif
