/* SPDX-License-Identifier: BSD-2-Clause */

/* The message in hand: passed on, kept, and what its handler may not do to it any more. Whatever
 * becomes of an ask, who asked has exactly one outcome. */

#include "support/puppet.h"

struct relay_ask { int what; };
struct relay_say { int value; };

#define RELAY_MESSAGES(M) M(relay_ask, TR_IDEMPOTENT) M(relay_say)
TR_PROTOCOL(relay, 903, RELAY_MESSAGES);

enum { REPLIES, REFUSES, SILENT, CRASHES };

/* Answers as it is told; a relay without anybody to pass it on to does so, too. */
static int answer(tr_self *self, int what)
{
    switch (what) {
    case REPLIES:
        return tr_reply(self, relay_say, .value = 42);
    case REFUSES:
        return tr_refuse(self, -EPERM);
    case CRASHES:
        return -EIO;
    default:
        return TR_OK;
    }
}

struct relay { tr_ref next; };

static int forwarded, after_forward[4];
static bool was_bare;

/* Nothing of a message that was handed over can be had any more. */
static void try_all_again(tr_self *self, tr_ref next)
{
    tr_caller caller;

    after_forward[0] = tr_forward(self, next);
    after_forward[1] = tr_reply(self, relay_say, .value = 1);
    after_forward[2] = tr_refuse(self, -EPERM);
    after_forward[3] = tr_call_hold(self, &caller);
    was_bare = tr_take(self, relay_ask) == NULL && tr_size(self) == 0 &&
               !tr_ref_is_some(tr_sender(self));
}

TR_ON(relay, relay_ask, self, me, msg)
{
    int what = msg->what;

    if (!tr_ref_is_some(me->next))
        return answer(self, what);
    forwarded = tr_forward(self, me->next);
    if (forwarded < 0)
        return answer(self, what); /* it is still in hand */
    try_all_again(self, me->next);
    return TR_OK;
}

static const tr_actor_type relay_actor = {
    TR_STATE(relay), .on = TR_TABLE(TR_HANDLES(relay, relay_ask)),
};

static const tr_ask_policy patient = { .timeout = TR_SEC(20) };

static int ask(tr_system *sys, tr_ref to, int what)
{
    struct relay_ask request = { what };
    struct relay_say said = { -1 };
    int error = tr_ask_wait(sys, to, &patient, relay_ask, &request, relay_say, &said);

    return error < 0 ? error : said.value;
}

static void finish(tr_system *sys)
{
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

static uint64_t late_replies(tr_system *sys)
{
    tr_stats stats;

    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    return stats.late_replies;
}

/* ---- an ask that is passed on --------------------------------------------------------------- */

Test(take, whatever_its_last_receiver_answers_comes_to_who_asked)
{
    tr_system *sys = puppet_system(2);
    tr_ref last = tr_spawn(sys, relay), middle = tr_spawn(sys, relay, .next = last);
    tr_ref first = tr_spawn(sys, relay, .next = middle);

    cr_assert_eq(ask(sys, first, REPLIES), 42);
    cr_assert_eq(ask(sys, first, REFUSES), -EPERM);
    cr_assert_eq(ask(sys, first, SILENT), -ENOMSG);
    cr_assert_eq(ask(sys, first, CRASHES), -ECONNRESET);
    cr_assert_eq(late_replies(sys), 0);
    finish(sys);
}

Test(take, what_was_passed_on_cannot_be_touched_any_more)
{
    tr_system *sys = puppet_system(1);
    tr_ref last = tr_spawn(sys, relay), first = tr_spawn(sys, relay, .next = last);

    cr_assert_eq(ask(sys, first, REPLIES), 42);
    cr_assert_eq(forwarded, 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(after_forward[i], -EALREADY, "%d", i);
    cr_assert(was_bare);
    finish(sys);
}

Test(take, what_could_not_be_passed_on_is_still_in_hand)
{
    tr_system *sys = puppet_system(2), *other = puppet_system(1);
    const tr_spawn_options narrow = { .capacity = 1 };
    tr_ref ended = tr_spawn(sys, relay), full = tr_spawn_with(sys, &narrow, relay);
    tr_ref stranger = tr_spawn(other, relay);
    const struct {
        tr_ref to;
        int error;
    } cases[] = {
        { ended, -ESRCH },
        { full, -ENOBUFS },
        { stranger, -EINVAL },
    };

    cr_assert_eq(tr_kill(sys, ended), 0);
    WAIT_FOR(tr_kill(sys, ended) == -ESRCH);
    cr_assert_eq(tr_suspend(sys, full), 0);
    cr_assert_eq(tr_send(sys, full, relay_ask, .what = SILENT), 0);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tr_ref relay = tr_spawn(sys, relay, .next = cases[i].to);

        cr_assert_eq(ask(sys, relay, REPLIES), 42);
        cr_assert_eq(forwarded, cases[i].error);
        cr_assert_eq(ask(sys, relay, SILENT), -ENOMSG);
        cr_assert_eq(ask(sys, relay, REFUSES), -EPERM);
        cr_assert_eq(ask(sys, relay, CRASHES), -ECONNRESET);
    }
    cr_assert_eq(tr_resume(sys, full), 0);
    WAIT_FOR(ask(sys, full, REPLIES) == 42); /* what was queued is handled first */
    cr_assert_eq(tr_system_stop(other, TR_SEC(20)), 0);
    finish(sys);
}

/* One at a time, the usual turn, and many at once; with what only a crash would leave behind. */
Test(take, a_message_that_could_not_be_passed_on_is_done_as_usual)
{
    tr_system *sys = puppet_system(1);
    tr_ref ended = tr_spawn(sys, relay), relay;
    const tr_spawn_options wide = { .capacity = 200 };

    cr_assert_eq(tr_kill(sys, ended), 0);
    WAIT_FOR(tr_kill(sys, ended) == -ESRCH);
    relay = tr_spawn_with(sys, &wide, relay, .next = ended);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(tr_send(sys, relay, relay_ask, .what = SILENT), 0);
        cr_assert_eq(ask(sys, relay, REPLIES), 42);
    }
    cr_assert_eq(tr_suspend(sys, relay), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(tr_send(sys, relay, relay_ask, .what = SILENT), 0);
    cr_assert_eq(tr_resume(sys, relay), 0);
    cr_assert_eq(ask(sys, relay, SILENT), -ENOMSG);
    cr_assert_eq(tr_send(sys, relay, relay_ask, .what = CRASHES), 0);
    WAIT_FOR(tr_kill(sys, relay) == -ESRCH);
    finish(sys);
}

/* ---- what only one actor has open ----------------------------------------------------------- */

static tr_ref elsewhere;
static int solicited[3];
static uint32_t outcomes;

TR_ON(puppet, relay_say, self, me, msg)
{
    solicited[0] = tr_forward(self, elsewhere);
    diary_write(DIARY_DONE, msg->value, (uint64_t)(uintptr_t)tr_context(self), tr_sender(self));
    (void)tri_fetch_add_acq_rel_32(&outcomes, 1);
    return TR_OK;
}

static int on_failed(tr_self *self, void *me, const void *msg)
{
    (void)me;
    solicited[1] = tr_forward(self, elsewhere);
    diary_write(DIARY_FAILED, ((const struct tr_failed *)msg)->error, 0, tr_none());
    (void)tri_fetch_add_acq_rel_32(&outcomes, 1);
    return TR_OK;
}

static int on_down(tr_self *self, void *me, const void *msg)
{
    (void)me;
    solicited[2] = tr_forward(self, elsewhere);
    diary_write(DIARY_DOWN, 0, 0, ((const struct tr_down *)msg)->who);
    return TR_OK;
}

static const tr_actor_type asker_actor = {
    .name = "asker", .state_size = sizeof(struct puppet), .state_align = _Alignof(struct puppet),
    .on = TR_TABLE(TR_HANDLES(puppet, puppet_act), TR_HANDLES(puppet, relay_say),
                   { &tr_failed_info, on_failed }, { &tr_down_info, on_down }),
};
struct asker { int notes; };

static int asks_what;

static int asks(tr_self *self, void *arg)
{
    return tr_call_error(
        tr_ask_with(self, *(tr_ref *)arg, &patient, arg, relay_ask, .what = asks_what));
}

static int monitors(tr_self *self, void *arg)
{
    return tr_monitor(self, *(tr_ref *)arg, NULL);
}

/* A reply, a failure, a tr_down: nobody else could know what it is about. */
Test(take, what_an_actor_has_asked_for_cannot_be_passed_on)
{
    tr_system *sys = puppet_system(2);
    tr_ref last = tr_spawn(sys, relay), first = tr_spawn(sys, relay, .next = last);
    tr_ref asker = tr_spawn(sys, asker);

    elsewhere = tr_spawn(sys, asker);
    asks_what = REPLIES;
    cr_assert_eq(puppet_do(sys, asker, asks, &first), 0);
    WAIT_FOR(diary_count(DIARY_DONE) == 1);
    cr_assert_eq(solicited[0], -EINVAL);
    cr_assert_eq(diary_find(DIARY_DONE, 0)->code, 42);
    cr_assert_eq(diary_find(DIARY_DONE, 0)->value, (uint64_t)(uintptr_t)&first);
    cr_assert(tr_ref_equal(diary_find(DIARY_DONE, 0)->who, last), "it answers who has it last");
    cr_assert_eq(puppet_do(sys, asker, monitors, &last), 0);
    asks_what = CRASHES;
    cr_assert_eq(puppet_do(sys, asker, asks, &first), 0);
    WAIT_FOR(diary_count(DIARY_FAILED) == 1 && diary_count(DIARY_DOWN) == 1);
    cr_assert_eq(diary_find(DIARY_FAILED, 0)->code, -ECONNRESET);
    cr_assert_eq(solicited[1], -EINVAL);
    cr_assert_eq(solicited[2], -EINVAL);
    finish(sys);
}

/* ---- races ---------------------------------------------------------------------------------- */

/* Who it was passed on to is killed at any moment. */
Test(take, one_outcome_for_each_ask_whoever_ends_meanwhile)
{
    enum { ROUNDS = 400 };
    tr_system *sys = puppet_system(4);
    tr_ref asker = tr_spawn(sys, asker);

    asks_what = REPLIES;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        tr_ref last = tr_spawn(sys, relay), first = tr_spawn(sys, relay, .next = last);

        cr_assert_eq(puppet_do(sys, asker, asks, &first), 0);
        cr_assert_eq(tr_kill(sys, i % 3 == 0 ? first : last), 0);
        WAIT_FOR(tri_load_acquire_32(&outcomes) == i);
    }
    cr_assert_eq(late_replies(sys), 0);
    finish(sys);
    cr_assert_eq(outcomes, ROUNDS);
}
