/* SPDX-License-Identifier: BSD-2-Clause */

/* Asks and answers, starts, stops and names: rows of gen_server_SUITE (G) and process_SUITE. */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

struct server_ask     { int how; int number; };
struct server_answer  { int number; };
struct server_other   { int number; };
struct server_release { int number; };

#define SERVER_MESSAGES(M) M(server_ask) M(server_answer) M(server_other) M(server_release)
TR_PROTOCOL(server, 9003, SERVER_MESSAGES);

enum { REPLY, REPLY_OTHERWISE, REFUSE, HOLD, SILENCE, CRASH, STOP };

enum { HELD_MAX = 4 };

struct server { int held; tr_caller callers[HELD_MAX]; };

TR_ON(server, server_ask, self, me, msg)
{
    switch (msg->how) {
    case REPLY:
        return tr_reply(self, server_answer, .number = msg->number);
    case REPLY_OTHERWISE:
        return tr_reply(self, server_other, .number = msg->number);
    case REFUSE:
        return tr_refuse(self, -EPERM);
    case HOLD:
        return me->held < HELD_MAX ? tr_call_hold(self, &me->callers[me->held++]) : -ENOSPC;
    case CRASH:
        return -EIO;
    case STOP:
        return TR_STOP;
    default:
        return TR_OK;
    }
}

/* Answers all on hold, the latest first; one whose deadline has passed is not on hold any more. */
TR_ON(server, server_release, self, me, msg)
{
    while (me->held > 0) {
        int err = tr_answer(self, me->callers[--me->held], server_answer, .number = msg->number);
        if (err < 0 && err != -ENOENT)
            return err;
    }
    return TR_OK;
}

static const tr_actor_type server_actor = {
    TR_STATE(server), .capacity = 256,
    .on = TR_TABLE(TR_HANDLES(server, server_ask), TR_HANDLES(server, server_release)),
};

/* ---- a client: asks on command, and records what comes of it ---- */

struct outcome {
    int number;  /* of the answer */
    int error;   /* of the failure */
    void *context;
    uint64_t call;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct outcome list[64];
    unsigned count;
    unsigned read;
} outcomes = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void record(tr_self *self, int number, int error)
{
    pthread_mutex_lock(&outcomes.lock);
    if (outcomes.count < 64)
        outcomes.list[outcomes.count++] = (struct outcome){
            number, error, tr_context(self), tr_call_answered(self).bits,
        };
    pthread_cond_broadcast(&outcomes.changed);
    pthread_mutex_unlock(&outcomes.lock);
}

static struct outcome next_outcome(void)
{
    struct outcome outcome = { .error = -ENODATA };
    struct timespec deadline;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PROBE_PATIENCE / TR_SEC(1);
    pthread_mutex_lock(&outcomes.lock);
    while (outcomes.read == outcomes.count && err == 0)
        err = pthread_cond_timedwait(&outcomes.changed, &outcomes.lock, &deadline);
    if (outcomes.read < outcomes.count)
        outcome = outcomes.list[outcomes.read++];
    pthread_mutex_unlock(&outcomes.lock);
    cr_assert_neq(outcome.error, -ENODATA, "no outcome has come");
    return outcome;
}

static unsigned outcomes_left(void)
{
    pthread_mutex_lock(&outcomes.lock);
    unsigned left = outcomes.count - outcomes.read;
    pthread_mutex_unlock(&outcomes.lock);
    return left;
}

struct client { int unused; };

TR_ON(client, probe_call, self, me, msg)
{
    return tr_reply(self, probe_result, .value = msg->action(self, msg->arg));
}

TR_ON(client, server_answer, self, me, msg)
{
    record(self, msg->number, 0);
    return TR_OK;
}

TR_ON(client, tr_failed, self, me, msg)
{
    cr_expect_eq(msg->call.bits, tr_call_answered(self).bits);
    record(self, 0, msg->error);
    return TR_OK;
}

static const tr_actor_type client_actor = {
    TR_STATE(client), .capacity = 256,
    .on = TR_TABLE(TR_HANDLES(client, probe_call), TR_HANDLES(client, server_answer),
                   TR_HANDLES(client, tr_failed)),
};

/* ---- set-up ---- */

static tr_system *sys;
static tr_ref server, client;

static const tr_ask_policy patient = { .timeout = PROBE_PATIENCE };
static const tr_ask_policy hasty = { .timeout = TR_MS(30) };

static void set_up(void)
{
    sys = probe_system(0);
    server = tr_spawn(sys, server, .held = 0);
    client = tr_spawn(sys, client, .unused = 0);
}

static void tear_down(void)
{
    probe_stop(sys);
}

TestSuite(otp_server, .init = set_up, .fini = tear_down, .timeout = 60);

/* An ask from outside: the answer's number, or the error. */
static int ask_outside(int how, int number, const tr_ask_policy *policy)
{
    struct server_ask question = { .how = how, .number = number };
    struct server_answer answer = { .number = -1 };
    int err = tr_ask_wait(sys, server, policy, server_ask, &question, server_answer, &answer);

    if (err < 0)
        cr_assert_eq(answer.number, -1, "untouched on failure");
    return err < 0 ? err : answer.number;
}

struct asking {
    const tr_ask_policy *policy;
    int how;
    int number;
    void *context;
    tr_call call;
};

static int do_ask(tr_self *self, void *arg)
{
    struct asking *asking = arg;

    asking->call = tr_ask_with(self, server, asking->policy, asking->context, server_ask,
                               .how = asking->how, .number = asking->number);
    return tr_call_error(asking->call);
}

/* An ask by the client; its outcome comes by next_outcome. */
static void ask_inside(struct asking *asking)
{
    cr_assert_eq(probe_do(sys, client, do_ask, asking), 0);
}

static void release(int number)
{
    cr_assert_eq(tr_send(sys, server, server_release, .number = number), 0);
}

/* ---- G: start and stop ---- */

Test(otp_server, G01_start_call_stop)
{
    cr_assert_eq(ask_outside(REPLY, 42, &patient), 42);
    cr_assert_eq(tr_stop(sys, server), 0);
    probe_await_end(sys, server);
    cr_assert_eq(ask_outside(REPLY, 42, &patient), -ESRCH);
}

Test(otp_server, G05_one_actor_a_name)
{
    tr_spawn_options named = { .name = "registered" };
    tr_ref first = tr_spawn_with(sys, &named, server, .held = 0);
    tr_ref second = tr_spawn_with(sys, &named, server, .held = 0);

    cr_assert_eq(tr_ref_error(first), 0);
    cr_assert_eq(tr_ref_error(second), -EEXIST);
    cr_assert(tr_ref_equal(tr_lookup(sys, "registered"), first));
    cr_assert_eq(tr_stop(sys, first), 0);
    probe_await_end(sys, first);
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "registered")));
    cr_assert_eq(tr_ref_error(tr_spawn_with(sys, &named, server, .held = 0)), 0);
}

Test(otp_server, X12_names_that_are_refused)
{
    char longest[65];

    memset(longest, 'n', 64);
    longest[64] = '\0';
    cr_assert_eq(tr_name(sys, server, longest), -EINVAL);
    cr_assert_eq(tr_name(sys, server, ""), -EINVAL);
    cr_assert_eq(tr_name(sys, server, NULL), -EINVAL);
    longest[63] = '\0';
    cr_assert_eq(tr_name(sys, server, longest), 0);
    cr_assert_eq(tr_name(sys, server, "another"), -EEXIST, "it has one");
    cr_assert_eq(tr_name(sys, client, longest), -EEXIST, "it is taken");
    cr_assert(tr_ref_equal(tr_lookup(sys, longest), server));
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "another")));
    cr_assert_eq(tr_kill(sys, client), 0);
    probe_await_end(sys, client);
    cr_assert_eq(tr_name(sys, client, "late"), -ESRCH);
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "late")));
}

Test(otp_server, G07_stopping_again)
{
    cr_assert_eq(tr_stop(sys, server), 0);
    probe_await_end(sys, server);
    cr_assert_eq(tr_stop(sys, server), -ESRCH);
    cr_assert_eq(tr_kill(sys, server), -ESRCH);
    cr_assert_eq(tr_suspend(sys, server), -ESRCH);
    cr_assert_eq(tr_send(sys, server, server_release, .number = 0), -ESRCH);
}

Test(otp_server, G08_stopping_with_a_reason)
{
    struct probe_book *book = probe_book();
    tr_ref watcher = probe_spawn(sys, book);
    tr_reason reason = { .kind = TR_ERROR, .code = -EPIPE, .text = "other" };

    probe_monitor(sys, watcher, server);
    cr_assert_eq(tr_exit(sys, server, &reason), 0);
    struct tr_down down = probe_expect(book, TR_TAG_tr_down).down;
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EPIPE, "other"));
}

Test(otp_server, G10_stopping_by_name)
{
    cr_assert_eq(tr_name(sys, server, "by name"), 0);
    cr_assert_eq(tr_stop(sys, tr_lookup(sys, "by name")), 0);
    probe_await_end(sys, server);
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "by name")));
}

/* An orderly end is not worth a report; a crash is worth one, and not two. */
Test(otp_server, G12_reports)
{
    struct probe_book *book = probe_book();

    cr_assert_eq(tr_stop(sys, server), 0);
    probe_await_end(sys, server);
    tr_ref quitter = probe_spawn(sys, book);
    probe_make_return(sys, quitter, TR_STOP);
    probe_await_end(sys, quitter);
    probe_quiet(sys);
    cr_assert_eq(probe_complaints(), 0);

    tr_ref crasher = probe_spawn(sys, book);
    probe_make_return(sys, crasher, -EIO);
    probe_await_end(sys, crasher);
    probe_quiet(sys);
    cr_assert_eq(probe_complaints(), 1);
}

Test(otp_server, G16_goodbye_is_said_at_each_end_but_a_kill)
{
    struct probe_book *book = probe_book();
    tr_ref probe = probe_spawn(sys, book);

    probe_make_return(sys, probe, TR_STOP);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_end).end.reason.kind, TR_NORMAL);
    probe = probe_spawn(sys, book);
    probe_make_return(sys, probe, -EIO);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_end).end.reason.kind, TR_ERROR);
    probe = probe_spawn(sys, book);
    probe_sync(sys, probe);
    cr_assert_eq(tr_stop(sys, probe), 0);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    probe = probe_spawn(sys, book);
    probe_sync(sys, probe);
    cr_assert_eq(tr_kill(sys, probe), 0);
    probe_await_end(sys, probe);
    cr_assert_eq(probe_count(book, TR_TAG_probe_end), 3);
}

Test(otp_server, G20_goodbye_is_said_when_the_parent_ends)
{
    struct probe_book *book = probe_book();
    tr_ref parent = probe_spawn(sys, probe_book());
    tr_ref child = probe_spawn(sys, book);

    probe_link(sys, parent, child);
    probe_make_return(sys, parent, -EIO);
    tr_reason reason = probe_expect(book, TR_TAG_probe_end).end.reason;
    cr_assert(probe_reason_is(&reason, TR_ERROR, -EIO, NULL));
}

/* ---- G: calls from outside ---- */

Test(otp_server, G13_no_answer_in_time)
{
    cr_assert_eq(ask_outside(HOLD, 0, &hasty), -ETIMEDOUT);
    release(1);
    cr_assert_eq(ask_outside(REPLY, 2, &patient), 2, "the late answer is not mistaken for this");
}

Test(otp_server, G13_refused)
{
    cr_assert_eq(ask_outside(REFUSE, 0, &patient), -EPERM);
}

Test(otp_server, G14_no_answer_at_all)
{
    cr_assert_eq(ask_outside(SILENCE, 0, &patient), -ENOMSG);
    cr_assert_eq(ask_outside(STOP, 0, &patient), -ENOMSG);
}

Test(otp_server, G14_another_answer_than_expected)
{
    cr_assert_eq(ask_outside(REPLY_OTHERWISE, 0, &patient), -EPROTO);
}

Test(otp_server, G14_a_crash_answers_at_once)
{
    cr_assert_eq(ask_outside(CRASH, 0, &patient), -ECONNRESET);
}

Test(otp_server, G13_a_policy_that_makes_no_sense)
{
    tr_ask_policy none = { .timeout = 0 };
    tr_ask_policy past = { .timeout = -TR_SEC(1) };
    tr_ask_policy often = { .timeout = TR_SEC(1), .attempts = 3 };

    cr_assert_eq(ask_outside(REPLY, 1, &none), -EINVAL);
    cr_assert_eq(ask_outside(REPLY, 1, &past), -EINVAL);
    cr_assert_eq(ask_outside(REPLY, 1, &often), -EINVAL, "the message is not idempotent");
    cr_assert_eq(ask_outside(REPLY, 1, NULL), -EINVAL);
}

/* ---- G: calls between actors ---- */

Test(otp_server, G13_the_answer_is_a_message_with_its_context)
{
    int here = 0;
    struct asking asking = { .policy = &patient, .how = REPLY, .number = 5, .context = &here };

    ask_inside(&asking);
    struct outcome outcome = next_outcome();
    cr_assert_eq(outcome.number, 5);
    cr_assert_eq(outcome.context, &here);
    cr_assert_eq(outcome.call, asking.call.bits);
}

Test(otp_server, G13_delayed_answers)
{
    int contexts[3];
    bool seen[3] = { false };

    for (int i = 0; i < 3; i++)
        ask_inside(&(struct asking){ .policy = &patient, .how = HOLD, .context = &contexts[i] });
    probe_quiet(sys);
    cr_assert_eq(outcomes_left(), 0);
    release(9);
    for (int i = 0; i < 3; i++) {
        struct outcome outcome = next_outcome();
        cr_assert_eq(outcome.number, 9);
        seen[(int *)outcome.context - contexts] = true;
    }
    cr_assert(seen[0] && seen[1] && seen[2]);
}

Test(otp_server, G13_a_call_that_times_out)
{
    ask_inside(&(struct asking){ .policy = &hasty, .how = HOLD });
    cr_assert_eq(next_outcome().error, -ETIMEDOUT);
    release(1);
    tr_stats stats = probe_quiet(sys);
    cr_assert_eq(outcomes_left(), 0, "a late answer is dropped");
    cr_assert_leq(stats.late_replies, 1);
}

Test(otp_server, G14_failures_are_messages)
{
    static const int hows[] = { REFUSE, SILENCE, CRASH };
    static const int errors[] = { -EPERM, -ENOMSG, -ECONNRESET };

    for (int i = 0; i < 3; i++) {
        ask_inside(&(struct asking){ .policy = &patient, .how = hows[i] });
        cr_assert_eq(next_outcome().error, errors[i]);
    }
    ask_inside(&(struct asking){ .policy = &patient, .how = REPLY });
    cr_assert_eq(next_outcome().error, -ESRCH, "it has ended: an outcome, no error of the ask");
}

/* What was on hold is reset, what was queued finds nobody; both at once, whatever the timeout. */
Test(otp_server, G15_killed_during_calls)
{
    ask_inside(&(struct asking){ .policy = &patient, .how = HOLD });
    probe_quiet(sys);
    cr_assert_eq(tr_suspend(sys, server), 0);
    ask_inside(&(struct asking){ .policy = &patient, .how = REPLY });
    cr_assert_eq(tr_kill(sys, server), 0);
    int first = next_outcome().error;
    int second = next_outcome().error;
    cr_assert(first + second == -ECONNRESET - ESRCH, "%d and %d", first, second);
}

static int do_cancel_call(tr_self *self, void *arg)
{
    return tr_call_cancel(self, ((struct asking *)arg)->call);
}

Test(otp_server, G13_a_call_that_is_given_up)
{
    struct asking asking = { .policy = &patient, .how = HOLD };

    ask_inside(&asking);
    cr_assert_eq(probe_do(sys, client, do_cancel_call, &asking), 0);
    cr_assert_eq(probe_do(sys, client, do_cancel_call, &asking), -ENOENT);
    release(1);
    probe_quiet(sys);
    cr_assert_eq(outcomes_left(), 0);
}

/* ---- G: misuse of answers ---- */

struct answer_twice { int unused; };

TR_ON(answer_twice, server_ask, self, me, msg)
{
    tr_caller caller = { 7 };
    int first = tr_reply(self, server_answer, .number = 1);

    cr_expect_eq(first, 0);
    cr_expect_eq(tr_reply(self, server_answer, .number = 2), -EALREADY);
    cr_expect_eq(tr_refuse(self, -EIO), -EALREADY);
    cr_expect_eq(tr_call_hold(self, &caller), -EALREADY);
    cr_expect_eq(caller.bits, 7, "untouched");
    cr_expect_eq(tr_answer(self, caller, server_answer, .number = 3), -ENOENT);
    return TR_OK;
}

TR_ON(answer_twice, server_release, self, me, msg)
{
    cr_expect_eq(tr_reply(self, server_answer, .number = 1), -EINVAL, "nobody asked");
    cr_expect_eq(tr_refuse(self, -EIO), -EINVAL);
    return TR_OK;
}

static const tr_actor_type answer_twice_actor = {
    TR_STATE(answer_twice),
    .on = TR_TABLE(TR_HANDLES(answer_twice, server_ask), TR_HANDLES(answer_twice, server_release)),
};

Test(otp_server, G14_an_answer_is_given_once)
{
    server = tr_spawn(sys, answer_twice, .unused = 0);
    cr_assert_eq(ask_outside(REPLY, 0, &patient), 1);
    release(0);
    probe_quiet(sys);
}

/* ---- G: messages ---- */

/* Nobody there, nobody waits. */
Test(otp_server, G17_a_send_to_nobody_returns)
{
    cr_assert_eq(tr_kill(sys, server), 0);
    probe_await_end(sys, server);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(tr_send(sys, server, server_release, .number = i), -ESRCH);
    cr_assert_eq(tr_send(sys, tr_none(), server_release, .number = 0) < 0, true);
    cr_assert_geq(probe_quiet(sys).rejected, 1000);
}

Test(otp_server, G18_a_message_nobody_knows_is_a_dead_letter)
{
    uint64_t before = probe_quiet(sys).dead_letters;

    cr_assert_eq(tr_send(sys, server, server_other, .number = 1), 0);
    cr_assert_eq(probe_quiet(sys).dead_letters, before + 1);
    cr_assert_eq(ask_outside(REPLY, 3, &patient), 3);
}
