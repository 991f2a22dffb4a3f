/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_RUN_H
#define TRI_ACTORS_RUN_H

/* What tr_run waits for: one word of the system, of bits that are only ever set. */

#include "actors/system.h"

enum {
    TRI_TOLD_STOP = 1,  /* by a signal, or by a shutdown verb */
    TRI_TOLD_ENDED = 2, /* its tree has ended: told_error says how */
};

/* Threads: any; async-signal-safe. */
void tri_run_tell(tr_system *sys, uint32_t what);

/* The tree has ended; `has_run`: not before all its children had started. */
void tri_run_tell_end(tr_system *sys, const tr_reason *reason, bool has_run);

#endif
