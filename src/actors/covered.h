/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_COVERED_H
#define TRI_ACTORS_COVERED_H

/*
 * What simulated runs have covered of actors: one table, a row for each edge of the lifecycle and
 * for each policy that exists. A new policy adds its row here and one line where it decides.
 *
 * Cost: one flag is read; none of these places is on the usual way of a message.
 */

#include "sim/sim.h"

#define TRI_COVERED(R)                                                                             \
    R(LIFE_RUNNING, "life: starting -> running")                                                   \
    R(LIFE_START_HELD, "life: starting -> held")                                                   \
    R(LIFE_START_ENDED, "life: starting -> ended")                                                 \
    R(LIFE_HELD, "life: running -> held")                                                          \
    R(LIFE_ENDED, "life: running -> ended")                                                        \
    R(LIFE_HELD_ENDED, "life: held -> ended")                                                      \
    R(LIFE_RESTARTED, "life: held -> starting")                                                    \
    R(END_NORMAL, "end: normal")                                                                   \
    R(END_SHUTDOWN, "end: shutdown")                                                               \
    R(END_KILLED, "end: killed")                                                                   \
    R(END_ERROR, "end: an error")                                                                  \
    R(EXIT_OBEYED, "link: an exit obeyed")                                                         \
    R(EXIT_TRAPPED, "link: an exit trapped")                                                       \
    R(QUEUE_KEPT, "restart: the queue kept")                                                       \
    R(QUEUE_DISCARDED, "restart: the queue became dead letters")                                   \
    R(RESTART_PERMANENT, "restart: a permanent child")                                             \
    R(RESTART_TRANSIENT, "restart: a transient child")                                             \
    R(RESTART_LATER, "restart: after a backoff")                                                   \
    R(SUPERVISOR_GAVE_UP, "supervisor: gave up")                                                   \
    R(SUPERVISOR_KILLED, "supervisor: killed a child after its grace")                             \
    R(ASK_ATTEMPT, "ask: another attempt")                                                         \
    R(ASK_TIMED_OUT, "ask: timed out")                                                             \
    R(ASK_FAILED, "ask: failed")                                                                   \
    R(ASK_LATE, "ask: an answer after the outcome")                                                \
    R(MAILBOX_FULL, "mailbox: refused as full")                                                    \
    R(MAILBOX_WAITED, "mailbox: a thread waited for room")                                         \
    R(DEAD_UNHANDLED, "dead letter: unhandled")                                                    \
    R(DEAD_ENDED, "dead letter: its receiver ended")                                               \
    R(DEAD_STALE, "dead letter: for an earlier life")                                              \
    R(DEAD_EXPIRED, "dead letter: expired")

#define TRI_COVERED_NAME(name, text) TRI_COVERED_##name,
enum tri_covered { TRI_COVERED(TRI_COVERED_NAME) TRI_COVERED_COUNT };
#undef TRI_COVERED_NAME

void tri_covered_hit(enum tri_covered what);

/* All rows appear in the table, hit or not. */
void tri_covered_declare(void);

static inline void tri_cover(enum tri_covered what)
{
    if (tri_sim_is_on())
        tri_covered_hit(what);
}

#endif
