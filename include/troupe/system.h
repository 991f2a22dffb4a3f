/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_SYSTEM_H
#define TROUPE_SYSTEM_H

/*
 * Systems: one runtime each, with its workers, timers and names. Several may live in one process.
 * After fork() every call in the child answers -ESHUTDOWN.
 */

#include <troupe/supervise.h>

TR_BEGIN_DECLS

typedef enum tr_log_level {
    TR_LOG_ERROR,
    TR_LOG_WARNING,
    TR_LOG_INFO,
} tr_log_level;

typedef struct tr_config {
    uint32_t workers;       /* 0: the processors this process may use (affinity, quota); <= 256 */
    bool pinned;            /* each worker stays on a processor of its own */
    tr_time stop_within;    /* tr_run: how long an orderly stop may take; 0: 10 s */
    /* NULL: errors and warnings go to stderr */
    void (*log)(void *context, tr_log_level level, const char *text);
    void *log_context;
} tr_config;

/*
 * Starts a system; `config` may be NULL. Blocks: until its workers run.
 * Errors: -EINVAL, more than 256 workers or a negative duration; -ENOMEM; -EAGAIN, a thread could
 * not be made; -ENOSPC, 64 systems are there. tr_system_start reports the error to the log and
 * returns NULL, which every verb takes as -EINVAL.
 */
TR_API TR_NODISCARD int tr_system_open(const tr_config *config, tr_system **ret_sys);
TR_API tr_system *tr_system_start(const tr_config *config);

/*
 * Stops a system: refuses outside verbs, lets the work in it go on until no actor is runnable or
 * half of `within` is gone, then stops unsupervised actors and the trees in reverse order, kills
 * what is left at the deadline, and releases everything. Held actors and pending timers do not keep
 * it going. The pointer stays valid for verbs, which answer -ESHUTDOWN.
 *
 * Threads: any that is not running an actor (-EDEADLK).
 * Blocks:  up to `within`, 0 or more; where handlers do not return, up to 3 s beyond it: their
 *          threads are then left to themselves, with what they use.
 * Errors:  -ETIMEDOUT, actors had to be killed: the log says which; -ESHUTDOWN, stopped before.
 */
TR_API int tr_system_stop(tr_system *sys, tr_time within);

/*
 * Runs a tree until it ends or the process is told to: starts a system and the tree, turns SIGTERM
 * and SIGINT into an orderly stop with a deadline, and a second SIGINT into an end at once. Returns
 * 0 after an orderly stop, -ETIMEDOUT when actors had to be killed (their names go to the log),
 * -ECONNRESET when the tree gave up, or the error of the start. Handlers that were installed before
 * are put back. One tr_run at a time in a process (-EBUSY).
 */
TR_API int tr_run(const tr_config *config, const tr_supervisor *tree);

/* Tells tr_run to stop, as SIGTERM does. Threads: any, actors included. */
TR_API int tr_self_shutdown(tr_self *self);
TR_API int tr_system_shutdown(tr_system *sys);

/* Counters since the start. At a quiet point, exactly:
 * attempted = accepted + rejected,
 * accepted = handled + crashed + dead_letters + dropped + expired + queued. */
typedef struct tr_stats {
    uint64_t attempted, accepted, rejected;
    uint64_t handled, crashed, dead_letters, dropped, expired, queued;
    uint64_t spawned, ended, restarts, alive;
    uint64_t late_replies; /* replies after their ask's outcome; also counted as dropped */
    uint64_t turns, wakes, steals, parks; /* of the whole system; 0 in a type's figures */
} tr_stats;

/* Adds up the workers' counters, of all actors or of those of one type. Threads: any. Exact when
 * nothing runs; a snapshot that may be a little apart otherwise. */
TR_API int tr_system_stats(tr_system *sys, tr_stats *ret_stats);
TR_API int tr_type_stats(tr_system *sys, const tr_actor_type *type, tr_stats *ret_stats);

TR_END_DECLS

#endif
