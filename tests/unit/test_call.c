/* SPDX-License-Identifier: BSD-2-Clause */

/* Asks on the asker's side: outcomes, time, further attempts. */

#include "actors/call.h"

#include "support/puppet.h"

/* ---- one who answers as it is told ---------------------------------------------------------- */

struct oracle_ask {
    int what;
};
struct oracle_say {
    int value;
};
#define ORACLE_MESSAGES(M) M(oracle_ask, TR_IDEMPOTENT) M(oracle_say)
TR_PROTOCOL(oracle, 901, ORACLE_MESSAGES);

enum { REPLIES, REFUSES, SILENT, HOLDS, CRASHES, STOPS, REPLIES_TWICE, ANSWERS_HELD, THIRD_TIME,
       FAILS_AND_REPLIES };

struct oracle {
    tr_caller held;
    int asked;
};

static int twice_result;
static uint32_t asked_times;

TR_ON(oracle, oracle_ask, self, me, msg)
{
    (void)tri_fetch_add_acq_rel_32(&asked_times, 1);
    switch (msg->what) {
    case REPLIES:
        return tr_reply(self, oracle_say, .value = 42);
    case REFUSES:
        return tr_refuse(self, -EPERM);
    case HOLDS:
        return tr_call_hold(self, &me->held);
    case CRASHES:
        return -EIO;
    case STOPS:
        return TR_STOP;
    case REPLIES_TWICE:
        (void)tr_reply(self, oracle_say, .value = 1);
        twice_result = tr_reply(self, oracle_say, .value = 2);
        return TR_OK;
    case ANSWERS_HELD:
        twice_result = tr_answer(self, me->held, oracle_say, .value = 7);
        (void)tr_reply(self, oracle_say, .value = 8);
        return TR_OK;
    case FAILS_AND_REPLIES:
        cr_assert_eq(tr_fail(self, 1, "no error"), -EINVAL);
        twice_result = tr_reply(self, oracle_say, .value = 3);
        return TR_OK;
    case THIRD_TIME:
        return ++me->asked < 3 ? tr_call_hold(self, &me->held)
                               : tr_reply(self, oracle_say, .value = me->asked);
    default:
        return TR_OK;
    }
}

static const tr_actor_type oracle_actor = {
    TR_STATE(oracle), .on = TR_TABLE(TR_HANDLES(oracle, oracle_ask)),
};

static const tr_ask_policy patient = { .timeout = TR_SEC(20) };
static const tr_ask_policy hasty = { .timeout = TR_MS(20) };

static int ask(tr_system *sys, tr_ref oracle, int what, const tr_ask_policy *policy)
{
    struct oracle_ask request = { what };
    struct oracle_say answer = { -1 };
    int error = tr_ask_wait(sys, oracle, policy, oracle_ask, &request, oracle_say, &answer);

    return error < 0 ? error : answer.value;
}

Test(call, every_kind_of_answer_from_outside)
{
    tr_system *sys = puppet_system(2);
    tr_ref oracle = tr_spawn(sys, oracle);

    cr_assert_eq(ask(sys, oracle, REPLIES, &patient), 42);
    cr_assert_eq(ask(sys, oracle, REFUSES, &patient), -EPERM);
    cr_assert_eq(ask(sys, oracle, SILENT, &patient), -ENOMSG);
    cr_assert_eq(ask(sys, oracle, REPLIES_TWICE, &patient), 1);
    cr_assert_eq(twice_result, -EALREADY);
    cr_assert_eq(ask(sys, oracle, HOLDS, &hasty), -ETIMEDOUT);
    cr_assert_eq(ask(sys, oracle, CRASHES, &patient), -ECONNRESET);
    cr_assert_eq(ask(sys, oracle, REPLIES, &patient), -ESRCH);
    cr_assert_eq(ask(sys, tr_none(), REPLIES, &patient), -ESRCH);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

/* What it does after tr_fail is done all the same: only its own end is settled. */
Test(call, one_that_fails_may_reply)
{
    tr_system *sys = puppet_system(2);
    tr_ref oracle = tr_spawn(sys, oracle);

    cr_assert_eq(ask(sys, oracle, FAILS_AND_REPLIES, &patient), 3);
    cr_assert_eq(twice_result, 0);
    cr_assert_eq(ask(sys, oracle, REPLIES, &patient), -ESRCH);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, misuse_from_outside)
{
    tr_system *sys = puppet_system(1);
    tr_ref oracle = tr_spawn(sys, oracle);
    static const tr_ask_policy none = { .timeout = 0 };

    cr_assert_eq(ask(sys, oracle, REPLIES, &none), -EINVAL);
    cr_assert_eq(ask(sys, oracle, REPLIES, NULL), -EINVAL);
    cr_assert_eq(ask(NULL, oracle, REPLIES, &patient), -EINVAL);

    struct oracle_ask request = { REPLIES };
    struct puppet_note wrong;
    cr_assert_eq(tr_ask_wait(sys, oracle, &patient, oracle_ask, &request, puppet_note, &wrong),
                 -EPROTO);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    cr_assert_eq(ask(sys, oracle, REPLIES, &patient), -ESHUTDOWN);
}

Test(call, one_on_hold_is_answered_later)
{
    tr_system *sys = puppet_system(2);
    tr_ref oracle = tr_spawn(sys, oracle);

    cr_assert_eq(ask(sys, oracle, HOLDS, &hasty), -ETIMEDOUT);
    /* Its deadline has passed: the hold is gone, or the asker. Neither is the answerer's error. */
    cr_assert_eq(ask(sys, oracle, ANSWERS_HELD, &patient), 8);
    cr_assert(twice_result == 0 || twice_result == -ENOENT);
    cr_assert_eq(ask(sys, oracle, ANSWERS_HELD, &patient), 8);
    cr_assert_eq(twice_result, -ENOENT);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

/* ---- from an actor -------------------------------------------------------------------------- */

struct asking {
    tr_ref to;
    int what;
    const tr_ask_policy *policy;
    tr_call call;
};

TR_ON(puppet, oracle_say, self, me, msg)
{
    diary_write(DIARY_DONE, msg->value, (uint64_t)(uintptr_t)tr_context(self),
                (tr_ref){ tr_call_answered(self).bits });
    return TR_OK;
}

static const tr_actor_type asker_actor = {
    .name = "asker", .state_size = sizeof(struct puppet), .state_align = _Alignof(struct puppet),
    .on = TR_TABLE(TR_HANDLES(puppet, puppet_act), TR_HANDLES(puppet, oracle_say),
                   TR_HANDLES(puppet, tr_failed), TR_HANDLES(puppet, puppet_then)),
};
struct asker {
    int notes;
};

static int asks(tr_self *self, void *arg)
{
    struct asking *asking = arg;

    asking->call = tr_ask_with(self, asking->to, asking->policy, asking, oracle_ask,
                               .what = asking->what);
    return tr_call_error(asking->call);
}

static int cancels(tr_self *self, void *arg)
{
    return tr_call_cancel(self, ((struct asking *)arg)->call);
}

static int asks_and_cancels(tr_self *self, void *arg)
{
    int error = asks(self, arg);

    return error < 0 ? error : cancels(self, arg);
}

Test(call, the_answer_comes_with_its_context)
{
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_spawn(sys, oracle);
    struct asking asking = { oracle, REPLIES, &patient, { 0 } };

    cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
    WAIT_FOR(diary_count(DIARY_DONE) == 1);
    const struct diary_entry *done = diary_find(DIARY_DONE, 0);
    cr_assert_eq(done->code, 42);
    cr_assert_eq(done->value, (uint64_t)(uintptr_t)&asking);
    cr_assert_eq(done->who.bits, asking.call.bits);
    cr_assert_eq(puppet_do(sys, asker, cancels, &asking), -ENOENT);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, every_failure_comes_as_a_message)
{
    static const struct {
        int what, error;
    } cases[] = {
        { REFUSES, -EPERM }, { SILENT, -ENOMSG }, { CRASHES, -ECONNRESET }, { STOPS, -ENOMSG },
    };
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_none();

    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oracle = tr_spawn(sys, oracle);
        struct asking asking = { oracle, cases[i].what, &patient, { 0 } };
        cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
        WAIT_FOR(diary_count(DIARY_FAILED) == i + 1);
        const struct diary_entry *failed = diary_find(DIARY_FAILED, i);
        cr_assert_eq(failed->code, cases[i].error);
        cr_assert_eq(failed->value, (uint64_t)(uintptr_t)&asking);
        cr_assert(tr_ref_equal(failed->who, oracle));
    }
    WAIT_FOR(tr_send(sys, oracle, oracle_ask, .what = SILENT) == -ESRCH);
    struct asking late = { oracle, REPLIES, &patient, { 0 } };
    cr_assert_eq(puppet_do(sys, asker, asks, &late), 0);
    WAIT_FOR(diary_count(DIARY_FAILED) == 5);
    cr_assert_eq(diary_find(DIARY_FAILED, 4)->code, -ESRCH);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, a_deadline_is_an_outcome_and_a_late_answer_none)
{
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_spawn(sys, oracle);
    struct asking asking = { oracle, HOLDS, &hasty, { 0 } };
    tr_time before = tr_now(sys);

    cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
    WAIT_FOR(diary_count(DIARY_FAILED) == 1);
    cr_assert_eq(diary_find(DIARY_FAILED, 0)->code, -ETIMEDOUT);
    cr_assert_geq(tr_now(sys) - before, TR_MS(20));
    cr_assert_eq(ask(sys, oracle, ANSWERS_HELD, &patient), 8);
    cr_assert_eq(diary_count(DIARY_DONE), 0);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, a_cancelled_ask_has_no_outcome)
{
    tr_system *sys = puppet_system(1);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_spawn(sys, oracle);
    struct asking asking = { oracle, REPLIES, &patient, { 0 } };
    tr_stats stats;

    cr_assert_eq(puppet_do(sys, asker, asks_and_cancels, &asking), 0);
    cr_assert_eq(ask(sys, oracle, REPLIES, &patient), 42);
    cr_assert_eq(puppet_do(sys, asker, cancels, &asking), -ENOENT);
    cr_assert_eq(diary_count(DIARY_DONE), 0);
    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.late_replies, 1);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, further_attempts_until_one_is_answered)
{
    static const tr_ask_policy again = {
        .timeout = TR_SEC(20), .attempt_timeout = TR_MS(10), .attempts = 5, .backoff = TR_MS(1),
    };
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_spawn(sys, oracle);
    struct asking asking = { oracle, THIRD_TIME, &again, { 0 } };

    cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
    WAIT_FOR(diary_count(DIARY_DONE) == 1);
    cr_assert_eq(diary_find(DIARY_DONE, 0)->code, 3);
    cr_assert_eq(asked_times, 3);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, attempts_run_out)
{
    static const tr_ask_policy again = {
        .timeout = TR_SEC(20), .attempt_timeout = TR_MS(2), .attempts = 3, .backoff = TR_MS(1),
        .jitter = TR_NO_JITTER,
    };
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker), oracle = tr_spawn(sys, oracle);
    struct asking asking = { oracle, HOLDS, &again, { 0 } };

    cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
    WAIT_FOR(diary_count(DIARY_FAILED) == 1);
    cr_assert_eq(diary_find(DIARY_FAILED, 0)->code, -ETIMEDOUT);
    cr_assert_eq(tri_load_acquire_32(&asked_times), 3);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

static int asks_wrongly(tr_self *self, void *arg)
{
    static const tr_ask_policy often = { .timeout = TR_SEC(1), .attempts = 2 };
    static const tr_ask_policy too_often = { .timeout = TR_SEC(1), .attempts = 101 };
    static const tr_ask_policy backwards = { .timeout = -1 };
    static const tr_ask_policy odd = { .timeout = TR_SEC(1), .jitter = (tr_jitter)2 };
    tr_ref to = tr_me(self);

    (void)arg;
    cr_assert_eq(tr_call_error(tr_ask(self, to, NULL, oracle_ask)), -EINVAL);
    cr_assert_eq(tr_call_error(tr_ask(self, to, &backwards, oracle_ask)), -EINVAL);
    cr_assert_eq(tr_call_error(tr_ask(self, to, &odd, oracle_ask)), -EINVAL);
    cr_assert_eq(tr_call_error(tr_ask(self, to, &too_often, oracle_ask)), -EINVAL);
    /* oracle_say is not marked: it may not be handled twice. */
    cr_assert_eq(tr_call_error(tr_ask(self, to, &often, oracle_say)), -EINVAL);
    cr_assert_eq(tr_call_cancel(self, (tr_call){ 0 }), -ENOENT);
    cr_assert_eq(tr_call_answered(self).bits, 0u);
    cr_assert_null(tr_context(self));
    cr_assert_eq(tr_answer(self, (tr_caller){ 0 }, oracle_say), -ENOENT);
    return 0;
}

Test(call, misuse_from_an_actor)
{
    tr_system *sys = puppet_system(1);
    tr_ref asker = tr_spawn(sys, asker);

    cr_assert_eq(puppet_do(sys, asker, asks_wrongly, NULL), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, an_ask_waits_in_the_queue_of_one_who_ends, .timeout = 60)
{
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker);

    for (uint32_t i = 1; i <= 500; i++) {
        tr_ref oracle = tr_spawn(sys, oracle);
        struct asking asking = { oracle, HOLDS, &patient, { 0 } };

        cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
        cr_assert_eq(tr_kill(sys, oracle), 0);
        WAIT_FOR(diary_count(DIARY_FAILED) == i);
        int error = diary_find(DIARY_FAILED, i - 1)->code;
        cr_assert(error == -ECONNRESET || error == -ESRCH);
    }
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(call, a_thousand_in_flight_all_time_out)
{
    tr_system *sys = puppet_system(2);
    tr_ref asker = tr_spawn(sys, asker);
    tr_ref oracle = tr_spawn_with(sys, &(tr_spawn_options){ .capacity = 2000 }, oracle);
    struct asking asking = { oracle, HOLDS, &hasty, { 0 } };

    for (int i = 0; i < 1000; i++)
        cr_assert_eq(puppet_do(sys, asker, asks, &asking), 0);
    WAIT_FOR(diary_count(DIARY_FAILED) + diary_count(DIARY_DONE) == 1000);
    cr_assert_eq(diary_count(DIARY_DONE), 0);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}
