/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_ASK_H
#define TROUPE_ASK_H

/*
 * Asks: a message that wants an answer, with a deadline.
 *
 * In a handler the answer is an ordinary message: the reply itself, or a tr_failed. Every ask that
 * was accepted has exactly one such outcome. An ask's target answers with tr_reply or tr_refuse, or
 * holds the caller and answers later; a handler that returns without any of these answers -ENOMSG.
 *
 * The end of the target answers all its asks at once: -ECONNRESET for what it was serving or had on
 * hold, -ESRCH for what was still queued. A restart answers what was being served or on hold;
 * queued asks stay in the queue. A reply that comes after its ask's outcome is dropped and counted.
 */

#include <troupe/actor.h>

TR_BEGIN_DECLS

typedef enum tr_jitter {
    TR_FULL_JITTER, /* a wait between 0 and the backoff (AWS architecture blog, "full jitter") */
    TR_NO_JITTER,
} tr_jitter;

typedef struct tr_ask_policy {
    tr_time timeout;         /* of the whole call; must be above 0 */
    tr_time attempt_timeout; /* of one attempt; 0: the whole call */
    uint32_t attempts;       /* the first included; 0: 1; more only if TR_IDEMPOTENT, at most 100 */
    tr_time backoff;         /* before the second attempt, then doubling; 0: 50 ms */
    tr_time backoff_max;     /* 0: 5 s */
    tr_jitter jitter;
} tr_ask_policy;

/*
 * Asks an actor: sends a message whose answer, or failure, comes to this actor as a message.
 *
 * Ownership: as tr_send; the policy must stay until the outcome (policies are static data).
 * Order:     as tr_send; the answer arrives in order with the answerer's other messages.
 * Errors:    as the call's error, and then no outcome follows: -EINVAL, no timeout or
 *            contradictory policy; -ENOMEM; -ENOBUFS, a million asks in flight. A target that has
 *            ended or is full is an outcome: a tr_failed.
 * Cost:      two pooled allocations; the timeout is armed without a lock as a rule.
 */
TR_API tr_call tr_ask_raw(tr_self *self, tr_ref to, const tr_ask_policy *policy,
                          const tr_message_info *info, const void *value);

/* As tr_ask_raw; tr_context gives `context` back with the outcome. */
TR_API tr_call tr_ask_context(tr_self *self, tr_ref to, const tr_ask_policy *policy,
                              const tr_message_info *info, const void *value, void *context);

/* Gives an ask up: no outcome follows. Errors: -ENOENT, it has its outcome. */
TR_API int tr_call_cancel(tr_self *self, tr_call call);

/* While an outcome is in hand: the ask's token and context; zero and NULL otherwise. */
TR_API tr_call tr_call_answered(const tr_self *self);
TR_API void *tr_context(const tr_self *self);

/*
 * Asks from outside and waits for the answer, of which up to `reply`'s size bytes go to `ret`.
 *
 * Threads: any that is not running an actor (-EDEADLK there).
 * Blocks:  up to the policy's timeout.
 * Errors:  as a tr_failed would say, or as tr_send; -EINVAL, no timeout; -EPROTO, the answer is not
 *          `reply`.
 */
TR_API int tr_system_ask_wait(tr_system *sys, tr_ref to, const tr_ask_policy *policy,
                              const tr_message_info *info, const void *value,
                              const tr_message_info *reply, void *ret);

/* Answers the ask in hand. 0 also when nobody waits any more: no error of the answerer.
 * Errors: -EALREADY, answered, held, or forwarded before; -EINVAL, the message in hand is no ask;
 * -ENOMEM, and the ask stays unanswered. */
TR_API int tr_reply_raw(tr_self *self, const tr_message_info *info, const void *value);

/* Answers the ask in hand with a tr_failed of `error`, which must be negative. Never fails for lack
 * of memory. Errors: as tr_reply. */
TR_API int tr_refuse(tr_self *self, int error);

/* Keeps the ask in hand to be answered later by this incarnation; counts against the mailbox's
 * capacity until then. Dropped at the ask's deadline. Errors: as tr_reply. */
TR_API int tr_call_hold(tr_self *self, tr_caller *ret_caller);

/* Answers, or refuses, an ask on hold. 0 also when nobody waits any more.
 * Errors: -ENOENT, not on hold by this incarnation; -ENOMEM, and it stays on hold. */
TR_API int tr_answer_raw(tr_self *self, tr_caller caller, const tr_message_info *info,
                         const void *value);
TR_API int tr_answer_refuse(tr_self *self, tr_caller caller, int error);

#ifndef __cplusplus
#define tr_ask(self, to, policy, ...) TR__ASK(self, to, policy, __VA_ARGS__, )
#define TR__ASK(self, to, policy, T, ...)                                                          \
    tr_ask_raw((self), (to), (policy), &T##_info, TR__VALUE(T, __VA_ARGS__))
#define tr_ask_with(self, to, policy, context, ...)                                                \
    TR__ASK_WITH(self, to, policy, context, __VA_ARGS__, )
#define TR__ASK_WITH(self, to, policy, context, T, ...)                                            \
    tr_ask_context((self), (to), (policy), &T##_info, TR__VALUE(T, __VA_ARGS__), (context))
#define tr_ask_wait(sys, to, policy, T, value, R, ret)                                             \
    tr_system_ask_wait((sys), (to), (policy), &T##_info, (1 ? (value) : (const struct T *)0),      \
                       &R##_info, (1 ? (ret) : (struct R *)0))
#define tr_reply(self, ...) TR__REPLY(self, __VA_ARGS__, )
#define TR__REPLY(self, T, ...) tr_reply_raw((self), &T##_info, TR__VALUE(T, __VA_ARGS__))
#define tr_reply_copy(self, T, value)                                                              \
    tr_reply_raw((self), &T##_info, (1 ? (value) : (const struct T *)0))
#define tr_answer(self, caller, ...) TR__ANSWER(self, caller, __VA_ARGS__, )
#define TR__ANSWER(self, caller, T, ...)                                                           \
    tr_answer_raw((self), (caller), &T##_info, TR__VALUE(T, __VA_ARGS__))
#define tr_answer_copy(self, caller, T, value)                                                     \
    tr_answer_raw((self), (caller), &T##_info, (1 ? (value) : (const struct T *)0))
#endif

TR_END_DECLS

#endif
