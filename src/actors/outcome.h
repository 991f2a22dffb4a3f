/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_OUTCOME_H
#define TRI_ACTORS_OUTCOME_H

/*
 * What a thread outside waits for: one result, told once by whoever has it.
 *
 * Why counted. The waiter may give up before the result comes, and the one who tells it must not
 * care: each of the two has a reference, and whoever is last frees.
 */

#include <stdint.h>

#include <troupe/types.h>

struct tri_outcome {
    /* any thread */
    uint32_t holders;
    uint32_t told; /* 0 or 1: a futex */

    /* the teller's, until it has told; then the waiter's */
    int error;
    tr_ref ref;
};

/* With two references, the waiter's and the teller's. Errors: NULL, no memory. */
struct tri_outcome *tri_outcome_new(void);

/* Tells the result and gives the teller's reference up. NULL: nobody waits. */
void tri_outcome_tell(struct tri_outcome *outcome, int error, tr_ref ref);

/* Waits, gives the waiter's reference up, and returns the error that was told, or -ETIMEDOUT. */
int tri_outcome_wait(struct tri_outcome *outcome, tr_time deadline, tr_ref *ret_ref);

#endif
