/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_SCHED_TASK_H
#define TRI_SCHED_TASK_H

/* What the scheduler runs: it sees this link of an actor and nothing else of it. */

struct tri_task {
    struct tri_task *next;  /* the scheduler's, from submitting to running */
};

enum tri_turn {
    TRI_TURN_DONE,   /* asleep, ended, or somebody else's: the task must not be touched any more */
    TRI_TURN_AGAIN,  /* it has more to do: it goes to the tail of the queue */
};

#endif
