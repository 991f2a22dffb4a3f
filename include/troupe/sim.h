/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_SIM_H
#define TROUPE_SIM_H

/*
 * Tests of actors as scripts: a system on the calling thread alone, in virtual time, in which what
 * could come in any order comes in an order that a seed decides. Nothing waits for a real clock.
 *
 *     tr_sim *sim = tr_sim_start(7, NULL);
 *     tr_ref account = tr_spawn(tr_sim_system(sim), account, .cents = 1000);
 *     struct account_balance balance;
 *
 *     tr_sim_ask(sim, account, account_withdraw, .cents = 700);
 *     assert(tr_sim_expect(sim, account_balance, &balance) == 0 && balance.cents == 300);
 *     assert(tr_sim_expect_none(sim, TR_SEC(10)) == 0);
 *     assert(tr_sim_stop(sim) == 0);
 *
 * The script has an actor of its own, the probe: what the script sends, the probe sends, and what
 * comes to the probe waits there to be expected, in order. Nothing else happens while the script
 * runs: actors do their steps in tr_sim_step, idle, advance, the expectations, tr_sim_ask and
 * tr_sim_reply, and in verbs that block, which pass their time without waiting.
 *
 * An expectation that fails says on stderr what came in its place, at which step and by which seed.
 * With TROUPE_SIM in the environment the seed and the options there replace those of the test:
 * TROUPE_SIM=17 ./my_tests. Nothing here is for programs in service.
 *
 * Threads: all of it by the thread that started it; one simulation at a time.
 */

#include <troupe/ask.h>
#include <troupe/system.h>

TR_BEGIN_DECLS

typedef struct tr_sim tr_sim;

/*
 * Starts a simulation with a system of its own. `options` are those of TROUPE_SIM without the seed,
 * "strategy=pct:3,crash@feed=0.01", or NULL.
 *
 * Errors: NULL, and why on stderr: options that make no sense, another simulation or system is at
 * work, no memory.
 */
TR_API TR_NODISCARD tr_sim *tr_sim_start(uint64_t seed, const char *options);

/* Stops the system in an orderly way, and frees all. NULL is allowed. Errors: as tr_system_stop. */
TR_API int tr_sim_stop(tr_sim *sim);

/* The system, for every verb that takes one; the probe's ref, for actors that are to know it. */
TR_API tr_system *tr_sim_system(const tr_sim *sim);
TR_API tr_ref tr_sim_me(const tr_sim *sim);

/* Of all that has happened so far: equal in two runs exactly if they were equal. */
TR_API uint64_t tr_sim_hash(const tr_sim *sim);

/* ---- time ---- */

/* Takes one step: a turn of an actor, a timer that is due, an event. False: there is none now. */
TR_API bool tr_sim_step(tr_sim *sim);

/* Takes steps until there is none now; timers that are not due stay. Errors: -ETIMEDOUT, it does
 * not come to an end: a million steps were taken. */
TR_API int tr_sim_idle(tr_sim *sim);

/* Lets so much time pass, with everything that happens in it. */
TR_API void tr_sim_advance(tr_sim *sim, tr_time duration);

/* ---- messages ---- */

/* Sends as the probe: the receiver's tr_sender is the probe. Errors: as tr_self_send. */
TR_API int tr_sim_send_raw(tr_sim *sim, tr_ref to, const tr_message_info *info,
                           const void *value);

/* Asks as the probe, with a timeout of a minute: the answer, or a tr_failed, is to be expected.
 * Errors: as tr_ask_raw. */
TR_API int tr_sim_ask_raw(tr_sim *sim, tr_ref to, const tr_message_info *info, const void *value);

/*
 * Takes steps until a message has come to the probe, for a minute of virtual time at most, which
 * must be of that type, and copies it to `ret`; NULL: it is dropped.
 *
 * Ownership: what the message owns is the caller's with the copy.
 * Errors:    -ETIMEDOUT, nothing came; -ENOMSG, something else did, and stays the next one.
 */
TR_API int tr_sim_expect_raw(tr_sim *sim, const tr_message_info *info, void *ret);

/* Nothing comes to the probe in that time. Errors: -ENOMSG, something did, and stays. */
TR_API int tr_sim_expect_none(tr_sim *sim, tr_time duration);

/*
 * An incarnation of the actor ends, or has ended since the last expectation of its ends;
 * `ret_reason` may be NULL. Ends are told in their order, restarts included, without a monitor.
 *
 * Errors: -ETIMEDOUT, none did for a minute.
 */
TR_API int tr_sim_expect_exit(tr_sim *sim, tr_ref actor, tr_reason *ret_reason);

/* Answers the ask that was expected last, for tests that play the other part. Errors: -ENOENT, it
 * was no ask, or is answered, or has expired. */
TR_API int tr_sim_reply_raw(tr_sim *sim, const tr_message_info *info, const void *value);

/* ---- faults ---- */

/*
 * From now on that fault strikes in `rate` of its chances, 0 to 1: "crash@account", "drop",
 * "alloc@account_withdraw", "net.break"; with 0 it ends. All names stand in the design page of the
 * simulation. Errors: -EINVAL, a name or rate that makes no sense; -ENOSPC, more than 32 rules.
 */
TR_API int tr_sim_fault(tr_sim *sim, const char *fault, double rate);

#ifndef __cplusplus
#define tr_sim_send(sim, to, ...) TR__SIM(tr_sim_send_raw, sim, to, __VA_ARGS__, )
#define tr_sim_ask(sim, to, ...) TR__SIM(tr_sim_ask_raw, sim, to, __VA_ARGS__, )
#define TR__SIM(verb, sim, to, T, ...) verb((sim), (to), &T##_info, TR__VALUE(T, __VA_ARGS__))
#define tr_sim_expect(sim, T, ret)                                                                 \
    tr_sim_expect_raw((sim), &T##_info, (1 ? (ret) : (struct T *)0))
#define tr_sim_reply(sim, ...) TR__SIM_REPLY(sim, __VA_ARGS__, )
#define TR__SIM_REPLY(sim, T, ...) tr_sim_reply_raw((sim), &T##_info, TR__VALUE(T, __VA_ARGS__))
#endif

TR_END_DECLS

#endif
