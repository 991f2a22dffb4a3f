/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

/*
 * Actors: a state, the reactions to its messages, and the verbs that actors live by.
 *
 *     struct greeter { int count; };
 *
 *     TR_ON(greeter, hello_greet, self, me, msg)
 *     {
 *         printf("%d: hello, %s\n", ++me->count, msg->name);
 *         return TR_OK;
 *     }
 *
 *     static const tr_actor_type greeter_actor = {
 *         TR_STATE(greeter), .on = TR_TABLE(TR_HANDLES(greeter, hello_greet)),
 *     };
 *
 * A macro only adds types to a documented function: tr_send(from, …) calls tr_self_send or
 * tr_system_send by the type of `from`. Verbs that both parties have come in such pairs, described
 * once; the outside form may be called by any thread.
 *
 * Errors that every verb may give: -EINVAL, an argument is NULL or out of its range, or a ref is of
 * another system; -EPERM, `self` is used outside its handler or by another thread; -ESHUTDOWN, the
 * system has stopped, is stopping (outside verbs), or this process was forked from the one that
 * started it. No verb is async-signal-safe.
 */

#include <troupe/message.h>

TR_BEGIN_DECLS

/* ---- types ---------------------------------------------------------------------------------- */

typedef int tr_thunk(tr_self *self, void *me, const void *msg);

/* A reaction; a table of them ends with a zero entry. */
typedef struct tr_handler {
    const tr_message_info *info;
    tr_thunk *call;
} tr_handler;

/* What a full mailbox does. */
typedef enum tr_overflow {
    TR_OVERFLOW_DEFAULT, /* TR_REJECT */
    TR_REJECT,           /* the send is refused with -ENOBUFS */
    TR_UNBOUNDED,        /* memory is the only limit */
} tr_overflow;

typedef struct tr_type_state {
    void *compiled;
} tr_type_state;

typedef struct tr_actor_type {
    const char *name;
    size_t state_size;
    size_t state_align;
    const tr_handler *on;
    int (*otherwise)(tr_self *self, void *me, const tr_any *msg);
    int (*start)(tr_self *self, void *me);
    void (*stop)(tr_self *self, void *me, const tr_reason *reason);
    uint32_t capacity;    /* unsolicited messages; 0: 1024, at most 16383 */
    tr_overflow overflow;
    tr_type_state *state; /* written by the library; NULL is allowed, and slower to spawn */
} tr_actor_type;

#ifndef __cplusplus

/* The first fields of a type: name, state and the library's own word. At file scope. */
#define TR_STATE(A)                                                                                \
    .name = #A, .state_size = sizeof(struct A), .state_align = TR_ALIGNOF(struct A),               \
    .state = &(tr_type_state){ NULL }

#define TR_TABLE(...) ((const tr_handler[]){ __VA_ARGS__, { NULL, NULL } })
#define TR_HANDLES(A, T) { &T##_info, A##_on_##T##_thunk }

/* A reaction of A to T: a function body follows. Returns TR_OK, TR_STOP or a negative error. */
#define TR_ON(A, T, self, me, msg)                                                                 \
    static int A##_on_##T(tr_self *, struct A *, const struct T *);                                \
    static int A##_on_##T##_thunk(tr_self *tr__self, void *tr__me, const void *tr__msg)            \
    {                                                                                              \
        return A##_on_##T(tr__self, (struct A *)tr__me, (const struct T *)tr__msg);                \
    }                                                                                              \
    static int A##_on_##T(TR_UNUSED tr_self *self, TR_UNUSED struct A *me,                         \
                          TR_UNUSED const struct T *msg)

/* The reaction to whatever is not in the table; `msg` is a const tr_any *. */
#define TR_OTHERWISE(A, self, me, msg)                                                             \
    static int A##_otherwise(tr_self *, struct A *, const tr_any *);                               \
    static int A##_otherwise_thunk(tr_self *tr__self, void *tr__me, const tr_any *tr__msg)         \
    {                                                                                              \
        return A##_otherwise(tr__self, (struct A *)tr__me, tr__msg);                               \
    }                                                                                              \
    static int A##_otherwise(TR_UNUSED tr_self *self, TR_UNUSED struct A *me,                      \
                             TR_UNUSED const tr_any *msg)
#define TR_ANYTHING_ELSE(A) A##_otherwise_thunk

/* Runs at each incarnation, before its first message: acquires, and defers the release. */
#define TR_START(A, self, me)                                                                      \
    static int A##_start(tr_self *, struct A *);                                                   \
    static int A##_start_thunk(tr_self *tr__self, void *tr__me)                                    \
    {                                                                                              \
        return A##_start(tr__self, (struct A *)tr__me);                                            \
    }                                                                                              \
    static int A##_start(TR_UNUSED tr_self *self, TR_UNUSED struct A *me)
#define TR_STARTS(A) A##_start_thunk

/* Says goodbye at an incarnation's end; not after a fault or a kill, when tr_defer still runs. */
#define TR_END(A, self, me, reason)                                                                \
    static void A##_end(tr_self *, struct A *, const tr_reason *);                                 \
    static void A##_end_thunk(tr_self *tr__self, void *tr__me, const tr_reason *tr__reason)        \
    {                                                                                              \
        A##_end(tr__self, (struct A *)tr__me, tr__reason);                                         \
    }                                                                                              \
    static void A##_end(TR_UNUSED tr_self *self, TR_UNUSED struct A *me,                           \
                        TR_UNUSED const tr_reason *reason)
#define TR_ENDS(A) A##_end_thunk

#define TR__FROM(from, verb)                                                                       \
    _Generic((from), tr_self *: tr_self_##verb, tr_system *: tr_system_##verb)

#endif

/* ---- spawn ---------------------------------------------------------------------------------- */

typedef struct tr_spawn_options {
    const char *name;      /* registered with it: -EEXIST when taken */
    bool link;             /* by an actor: as by tr_link, without a moment in between */
    bool monitor;          /* by an actor: as by tr_monitor */
    tr_token *ret_monitor; /* where that token goes; may be NULL */
    uint32_t capacity;     /* 0: as the type says */
    tr_overflow overflow;  /* TR_OVERFLOW_DEFAULT: as the type says */
} tr_spawn_options;

/*
 * Makes an actor with a copy of `initial` (state_size bytes; NULL: zeroes) as its state and returns
 * its ref, which may be sent to at once. Its .start runs in its own first turn.
 *
 * Ownership: copies the state and the name; `type` and its tables must outlive the system.
 * Threads:   self: the actor itself; sys: any.
 * Blocks:    never.
 * Errors:    as the ref's error: -ENOMEM; -EINVAL, the type is malformed (no name, a handler
 *            without a function, two for one message, state larger than 1 MiB, a capacity above
 *            16383); -EEXIST, the name is taken, or a message's tag is described in two ways;
 *            -ENOSPC, the process has 16 million actors or 1024 types.
 * Cost:      constant; no allocation for states up to 16 bytes once slots were in use.
 */
TR_API tr_ref tr_self_spawn(tr_self *self, const tr_spawn_options *options,
                            const tr_actor_type *type, const void *initial);
TR_API tr_ref tr_system_spawn(tr_system *sys, const tr_spawn_options *options,
                              const tr_actor_type *type, const void *initial);

/* Options of more than one field stand in a variable, or in parentheses: a macro takes a comma
 * between braces for its own. */
#ifndef __cplusplus
#define tr_spawn(from, ...) TR__SPAWN(from, NULL, __VA_ARGS__, )
#define tr_spawn_with(from, options, ...) TR__SPAWN(from, options, __VA_ARGS__, )
#define TR__SPAWN(from, options, A, ...)                                                           \
    TR__FROM(from, spawn)((from), (options), &A##_actor, TR__VALUE(A, __VA_ARGS__))
#endif

/* ---- send ----------------------------------------------------------------------------------- */

/*
 * Sends a copy of the message that `info` describes.
 *
 * Ownership: copies info->size bytes; what the message owns goes over on success only.
 * Threads:   self: the actor itself; sys: any.
 * Blocks:    never.
 * Order:     messages of one sender to one receiver arrive in sending order.
 * Errors:    -ESRCH the actor has ended; -ENOBUFS its mailbox is full; -ENOMEM; -EEXIST the tag is
 *            described in two ways. All are counted as rejected.
 * Cost:      one pooled allocation, one atomic read-modify-write.
 */
TR_API int tr_self_send(tr_self *self, tr_ref to, const tr_message_info *info, const void *value);
TR_API int tr_system_send(tr_system *sys, tr_ref to, const tr_message_info *info,
                          const void *value);

/* As tr_send for a message that ends in a flexible array: `size` bytes, info->size at least and
 * 16 MiB at most (-EMSGSIZE). The receiver finds the size by tr_size. */
TR_API int tr_self_send_raw(tr_self *self, tr_ref to, const tr_message_info *info,
                            const void *bytes, size_t size);
TR_API int tr_system_send_raw(tr_system *sys, tr_ref to, const tr_message_info *info,
                              const void *bytes, size_t size);

/* Makes an empty (zeroed) message to be filled in place and posted. It is the caller's until then;
 * tr_drop gives it back. Threads: any. Errors: NULL, no memory, or the description is refused. */
TR_API TR_NODISCARD void *tr_new_raw(const tr_message_info *info, size_t size);

/* Drops a message made by tr_new or taken by tr_take, with what it owns. NULL is allowed.
 * Threads: any. */
TR_API void tr_drop(void *msg);

/* Moves a message made by tr_new or tr_take: on success the caller's pointer becomes NULL, on
 * failure it is still the caller's. Otherwise as tr_send; no copy, no allocation. */
TR_API TR_NODISCARD int tr_self_post(tr_self *self, tr_ref to, void **msg);
TR_API TR_NODISCARD int tr_system_post(tr_system *sys, tr_ref to, void **msg);

/*
 * As tr_system_send, but waits while the receiver's mailbox is full.
 *
 * Threads: any that is not running an actor (-EDEADLK there: an actor must not block).
 * Blocks:  up to `timeout`; several waiters are let in a few at a time, as room is made.
 * Errors:  -ETIMEDOUT the mailbox was full all the time; -ESRCH also when the actor ends meanwhile;
 *          -ESHUTDOWN also when the system stops meanwhile.
 */
TR_API int tr_system_send_wait(tr_system *sys, tr_ref to, const tr_message_info *info,
                               const void *value, tr_time timeout);

/* Sends the message in hand on to another actor, as if its sender had sent it there: an ask's
 * answer goes to who asked, whose one outcome is now the other actor's affair. On success the
 * handler has handed the message over and must not touch it any more; on failure it is still in
 * hand, to be answered, or forwarded elsewhere. Errors: as tr_send; -EALREADY, taken, held,
 * answered or forwarded before; -EINVAL also for what this actor alone can make sense of: a reply,
 * a timer, word of an end. */
TR_API int tr_forward(tr_self *self, tr_ref to);

#ifndef __cplusplus
#define tr_send(from, to, ...) TR__SEND(from, to, __VA_ARGS__, )
#define TR__SEND(from, to, T, ...)                                                                 \
    TR__FROM(from, send)((from), (to), &T##_info, TR__VALUE(T, __VA_ARGS__))
#define tr_send_copy(from, to, T, value)                                                           \
    TR__FROM(from, send)((from), (to), &T##_info, (1 ? (value) : (const struct T *)0))
#define tr_send_raw(from, to, T, bytes, size)                                                      \
    TR__FROM(from, send_raw)((from), (to), &T##_info, (bytes), (size))
#define tr_send_wait(sys, to, T, value, timeout)                                                   \
    tr_system_send_wait((sys), (to), &T##_info, (1 ? (value) : (const struct T *)0), (timeout))
#define tr_new(T) ((struct T *)tr_new_raw(&T##_info, sizeof(struct T)))
#define tr_post(from, to, msg) TR__FROM(from, post)((from), (to), (void **)(void *)(msg))
#endif

/* ---- the message in hand -------------------------------------------------------------------- */

/* The size of its payload in bytes; larger than the struct only after tr_send_raw. */
TR_API size_t tr_size(const tr_self *self);

/* Who sent it, or the zero ref: from outside, by the runtime, or the sender has ended. An ask from
 * outside has a sender, which lives as long as the wait. */
TR_API tr_ref tr_sender(const tr_self *self);

/* Keeps it beyond the handler: it is the actor's until tr_drop or tr_post, or until the incarnation
 * ends. It counts against the mailbox's capacity as long as it is kept. An ask that is taken must
 * have been held before. Errors: NULL, it was taken, answered or forwarded before; or no memory. */
TR_API TR_NODISCARD const void *tr_take_raw(tr_self *self);

#ifndef __cplusplus
#define tr_take(self, T) ((struct T *)(uintptr_t)tr_take_raw(self))
#endif

/* ---- behaviour ------------------------------------------------------------------------------ */

/* The actor's ref; the system; the number of its incarnation, 0 for the first. */
TR_API tr_ref tr_me(const tr_self *self);
TR_API tr_system *tr_system_of(const tr_self *self);
TR_API uint32_t tr_incarnation(const tr_self *self);

/* Reacts by another table from the next message on; a restart comes back to the type's own. The
 * table must outlive the system. Errors: -EINVAL as for spawn; -EEXIST; -ENOMEM. */
TR_API int tr_become(tr_self *self, const tr_handler *table);

/* Sends tr_idle to the actor when no message has come for `duration`, once per idle time; 0 turns
 * it off. Errors: -ENOMEM. */
TR_API int tr_idle_after(tr_self *self, tr_time duration);

/* ---- life ----------------------------------------------------------------------------------- */

/* Tells an actor to stop after the message in hand: overtakes what is queued, which becomes dead
 * letters. Never fails for lack of memory. Blocks: never. Errors: -ESRCH it has ended. */
TR_API int tr_self_stop(tr_self *self, tr_ref actor);
TR_API int tr_system_stop_actor(tr_system *sys, tr_ref actor);

/* As tr_stop, but .stop is not run and the reason is TR_KILLED. */
TR_API int tr_self_kill(tr_self *self, tr_ref actor);
TR_API int tr_system_kill(tr_system *sys, tr_ref actor);

/* Sends an exit with a reason: an actor that traps gets tr_exited, another one ends with it, unless
 * its kind is TR_NORMAL, which is ignored. Errors: -ESRCH, -ENOMEM. */
TR_API int tr_self_exit(tr_self *self, tr_ref actor, const tr_reason *reason);
TR_API int tr_system_exit(tr_system *sys, tr_ref actor, const tr_reason *reason);

/* Makes this activation a crash, whatever the handler returns; `text` may be NULL. Returns `code`,
 * or -EINVAL in its place when it is not negative: `return tr_fail(self, -EIO, "no disk");`. What
 * the handler does after it, a reply for example, is done all the same. */
TR_API int tr_fail(tr_self *self, int code, const char *text);

/* Holds an actor, and lets it go on: it takes no messages in between, but can be stopped. Counted;
 * what an actor has suspended goes on when that actor ends, what was suspended from outside after
 * 60 seconds at the latest. Errors: -ESRCH, -ENOMEM; resume also -EALREADY, not suspended by this
 * actor, or not from outside. */
TR_API int tr_self_suspend(tr_self *self, tr_ref actor);
TR_API int tr_system_suspend(tr_system *sys, tr_ref actor);
TR_API int tr_self_resume(tr_self *self, tr_ref actor);
TR_API int tr_system_resume(tr_system *sys, tr_ref actor);

#ifndef __cplusplus
#define tr_stop(from, actor)                                                                       \
    _Generic((from), tr_self *: tr_self_stop, tr_system *: tr_system_stop_actor)((from), (actor))
#define tr_kill(from, actor) TR__FROM(from, kill)((from), (actor))
#define tr_exit(from, actor, ...) TR__FROM(from, exit)((from), (actor), __VA_ARGS__)
#define tr_suspend(from, actor) TR__FROM(from, suspend)((from), (actor))
#define tr_resume(from, actor) TR__FROM(from, resume)((from), (actor))
#endif

/* ---- links, monitors, watches --------------------------------------------------------------- */

/* Shares the fate of another actor, both ways: when one incarnation ends other than normally, the
 * other one ends with it, or gets tr_exited if it traps. Idempotent; with itself a no-op. An actor
 * that has ended already counts as an exit with TR_LOST. Errors: -ENOMEM. */
TR_API int tr_link(tr_self *self, tr_ref actor);
TR_API int tr_unlink(tr_self *self, tr_ref actor);

/* Whether exits of linked actors, and tr_exit, arrive as messages (tr_exited). */
TR_API int tr_trap(tr_self *self, bool on);

/* Sends one tr_down to this actor when the present incarnation of `actor` ends; at once, with
 * TR_LOST, if it has ended already. Monitors are independent of each other. Errors: -ENOMEM. */
TR_API int tr_monitor(tr_self *self, tr_ref actor, tr_token *ret_monitor);

/* Undoes it: no tr_down of that monitor is sent from now on; with `flush`, one that is queued is
 * not handled either. Errors: -ENOENT, it has served or is not this incarnation's. */
TR_API int tr_demonitor(tr_self *self, tr_token monitor, bool flush);

/* As tr_monitor across incarnations: tr_ended for every end, several of them in one message when
 * they come faster than they are read. Stays when the watched actor is restarted; ends with the
 * incarnation that made it, or with the final end that it has told. */
TR_API int tr_watch(tr_self *self, tr_ref actor, tr_token *ret_watch);
TR_API int tr_unwatch(tr_self *self, tr_token watch);

/* ---- what an incarnation owns --------------------------------------------------------------- */

/* Memory, zeroed and suitably aligned for anything, that is freed when the incarnation ends.
 * Errors: NULL, no memory or size 0. */
TR_API TR_NODISCARD void *tr_alloc(tr_self *self, size_t size);

/* Has `release(arg)` called when the incarnation ends, however it ends; last deferred, first
 * called. If it cannot be registered it is called at once and the error returned.
 * Errors: -ENOMEM. */
TR_API int tr_defer(tr_self *self, void (*release)(void *arg), void *arg);

/* ---- names ---------------------------------------------------------------------------------- */

/* Gives an actor a name, which it has until its final end, across restarts. At most one name an
 * actor, one actor a name, 1 to 63 bytes. Errors: -EEXIST taken, or it has one; -ESRCH; -ENOMEM. */
TR_API int tr_self_name(tr_self *self, tr_ref actor, const char *name);
TR_API int tr_system_name(tr_system *sys, tr_ref actor, const char *name);

/* The actor of that name, or the zero ref. Cost: a lock and a hash look-up. */
TR_API tr_ref tr_self_lookup(tr_self *self, const char *name);
TR_API tr_ref tr_system_lookup(tr_system *sys, const char *name);

#ifndef __cplusplus
#define tr_name(from, actor, text) TR__FROM(from, name)((from), (actor), (text))
#define tr_lookup(from, text) TR__FROM(from, lookup)((from), (text))
#endif

/* ---- dead letters --------------------------------------------------------------------------- */

/* Sends tr_dead_letter to this actor for every message that nobody handled, until it ends or turns
 * it off. Best effort: a full mailbox or no memory loses the copy, never the count.
 * Errors: -EBUSY, 16 actors subscribe already. */
TR_API int tr_dead_letters(tr_self *self, bool on);

/* ---- messages of the runtime ---------------------------------------------------------------- */

enum {
    TR_TAG_tr_down = 1,
    TR_TAG_tr_exited,
    TR_TAG_tr_ended,
    TR_TAG_tr_failed,
    TR_TAG_tr_idle,
    TR_TAG_tr_dead_letter,
};

/* The end of a monitored incarnation. */
struct tr_down {
    tr_token monitor;
    tr_ref who;
    tr_reason reason;
    uint32_t incarnation;
    bool restarting; /* its child's specification restarts it for this reason */
};

/* The exit of a linked actor, or one sent by tr_exit, to an actor that traps. */
struct tr_exited {
    tr_ref who;
    tr_reason reason;
    uint32_t incarnation;
    bool restarting;
};

/* Ends of a watched actor since the last such message. */
struct tr_ended {
    tr_token watch;
    tr_ref who;
    tr_reason reason; /* of the latest */
    uint32_t times;
    bool finally;     /* it will not be restarted any more: the watch has served */
};

/* An ask that got no answer; tr_context tells which. */
struct tr_failed {
    tr_call call;
    tr_ref who;
    int error; /* -ETIMEDOUT, -ESRCH, -ECONNRESET, -ENOMSG, -ENOBUFS, or what was refused with */
};

struct tr_idle {
    tr_time duration;
};

/* Why a message was not handled. */
typedef enum tr_dead {
    TR_DEAD_UNHANDLED, /* neither in the table nor taken by .otherwise */
    TR_DEAD_ENDED,     /* its receiver ended before its turn came */
    TR_DEAD_STALE,     /* it was meant for an earlier actor of the slot */
    TR_DEAD_EXPIRED,   /* an ask whose deadline had passed */
} tr_dead;

struct tr_dead_letter {
    tr_ref to;
    const char *message; /* the name of its type */
    uint32_t tag;
    tr_dead why;
};

extern TR_API const tr_message_info tr_down_info;
extern TR_API const tr_message_info tr_exited_info;
extern TR_API const tr_message_info tr_ended_info;
extern TR_API const tr_message_info tr_failed_info;
extern TR_API const tr_message_info tr_idle_info;
extern TR_API const tr_message_info tr_dead_letter_info;

TR_END_DECLS

#endif
