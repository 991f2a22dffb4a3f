/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_SUPERVISE_H
#define TROUPE_SUPERVISE_H

/*
 * Supervision: which actors a service consists of, and what happens when one crashes, as data.
 *
 *     static const tr_supervisor app = {
 *         .strategy = TR_ONE_FOR_ONE, .restarts_max = 5, .within = TR_SEC(10),
 *         .children = TR_CHILDREN(
 *             { .name = "feed", TR_CHILD(feed, .path = "quotes"), .restart = TR_PERMANENT },
 *             { .name = "web",  TR_TREE(web), .restart = TR_PERMANENT }),
 *     };
 *
 * A restart keeps the ref, the name, the queued messages and the watches, and counts an
 * incarnation; everything else of the old incarnation ends with it. A supervisor that has had more
 * than `restarts_max` restarts within `within` gives up: it ends, and its own supervisor decides.
 */

#include <troupe/actor.h>

TR_BEGIN_DECLS

typedef enum tr_strategy {
    TR_ONE_FOR_ONE, /* only the child that ended is restarted */
} tr_strategy;

typedef enum tr_restart {
    TR_PERMANENT, /* restarted whenever it ends */
    TR_TRANSIENT, /* restarted unless it ends with TR_NORMAL or TR_SHUTDOWN */
    TR_TEMPORARY, /* never restarted, and forgotten when it ends */
} tr_restart;

/* What becomes of the messages that were queued when a child crashed. */
typedef enum tr_queue_fate {
    TR_QUEUE_KEEP,
    TR_QUEUE_DEAD_LETTER,
} tr_queue_fate;

struct tr_supervisor;

typedef struct tr_child {
    const char *name;                 /* registered in the system; NULL: none */
    const tr_actor_type *type;        /* or a tree, not both */
    const void *initial;              /* state_size bytes; NULL: zeroes */
    const struct tr_supervisor *tree;
    tr_restart restart;
    tr_queue_fate queue;
    tr_time grace;                    /* between stop and kill; 0: 5 s, TR_FOREVER for a tree */
    uint32_t capacity;                /* 0: as the type says */
    tr_overflow overflow;             /* TR_OVERFLOW_DEFAULT: as the type says */
} tr_child;

typedef struct tr_supervisor {
    tr_strategy strategy;
    uint32_t restarts_max;    /* 0: none is forgiven; above 4096: there is no limit */
    tr_time within;           /* 0: 5 s (OTP) */
    tr_time backoff_min;      /* full jitter: a restart waits at random up to this, doubled for each
                                 restart since the child was up for `within`; 0: at once */
    tr_time backoff_max;      /* 0: 64 times backoff_min */
    const tr_child *children; /* ends with a zero entry; NULL: none */
} tr_supervisor;

#ifndef __cplusplus
#define TR_CHILDREN(...) ((const tr_child[]){ __VA_ARGS__, { .name = NULL } })
#define TR_CHILD(...) TR__CHILD(__VA_ARGS__, )
#define TR__CHILD(A, ...) .type = &A##_actor, .initial = TR__VALUE(A, __VA_ARGS__)
#define TR_TREE(supervisor) .tree = &(supervisor)
#endif

/*
 * Starts a tree: children in order, each one's .start having returned before the next is spawned.
 *
 * Ownership: copies the tree, initial values and names included; types must outlive the system.
 * Blocks:    the outside form until all have started (-EDEADLK inside an actor); the actor's form
 *            never: it returns the supervisor's ref at once, and a child that fails to start ends
 *            it.
 * Errors:    as the ref's error: -EINVAL, a child has neither type nor tree, or both, two children
 *            have one name, a duration is negative; -EEXIST; -ENOMEM; what the first failing
 *            .start returned, after those before it were stopped in reverse order.
 */
TR_API tr_ref tr_self_supervise(tr_self *self, const tr_supervisor *tree);
TR_API tr_ref tr_system_supervise(tr_system *sys, const tr_supervisor *tree);

/* Adds a child to a running supervisor. The outside form waits until it has started, at most 5 s;
 * the actor's form returns when the request is queued. Errors: -EEXIST, a child of that name is
 * there; -ESRCH; -EINVAL as above; -ETIMEDOUT; what its .start returned. */
TR_API int tr_self_child_start(tr_self *self, tr_ref supervisor, const tr_child *child);
TR_API int tr_system_child_start(tr_system *sys, tr_ref supervisor, const tr_child *child,
                                 tr_ref *ret_child);

/* Stops a child for good, by its name, and forgets it. Errors: -ENOENT; -ESRCH; -ETIMEDOUT. */
TR_API int tr_self_child_stop(tr_self *self, tr_ref supervisor, const char *name);
TR_API int tr_system_child_stop(tr_system *sys, tr_ref supervisor, const char *name);

#ifndef __cplusplus
#define tr_supervise(from, ...) TR__FROM(from, supervise)((from), __VA_ARGS__)
#endif

TR_END_DECLS

#endif
