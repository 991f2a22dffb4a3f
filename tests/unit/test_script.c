/* SPDX-License-Identifier: BSD-2-Clause */

/* <troupe/sim.h>: what tests of users' actors are written with. */

#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

#include <troupe/sim.h>
#include <troupe/troupe.h>

struct talk_ask   { int value; };
struct talk_reply { int value; };
struct talk_owns  { char *text; };
struct talk_start { tr_ref whom; };

static int owned;

static void drop_text(void *msg)
{
    free(((struct talk_owns *)msg)->text);
    owned--;
}

#define TALK_MESSAGES(M)                                                                           \
    M(talk_ask) M(talk_reply) M(talk_owns, TR_DROP(drop_text)) M(talk_start)
TR_PROTOCOL(talk, 9302, TALK_MESSAGES);

/* Echoes; asks whom it is told to, and passes the answer on to who told it. */
struct talker { tr_ref told_by; };

static const tr_ask_policy policy = { .timeout = TR_SEC(10) };

TR_ON(talker, talk_ask, self, me, msg)
{
    if (msg->value < 0)
        return msg->value;
    return tr_reply(self, talk_reply, .value = msg->value);
}

TR_ON(talker, talk_owns, self, me, msg)
{
    struct talk_owns *copy = tr_new(talk_owns);

    copy->text = malloc(8);
    owned++;
    return tr_post(self, tr_sender(self), &copy);
}

TR_ON(talker, talk_start, self, me, msg)
{
    me->told_by = tr_sender(self);
    return tr_call_error(tr_ask(self, msg->whom, &policy, talk_ask, .value = 5));
}

TR_ON(talker, talk_reply, self, me, msg)
{
    return tr_send(self, me->told_by, talk_reply, .value = msg->value + 1);
}

TR_ON(talker, tr_failed, self, me, msg)
{
    return tr_send(self, me->told_by, talk_reply, .value = msg->error);
}

static const tr_actor_type talker_actor = {
    TR_STATE(talker),
    .on = TR_TABLE(TR_HANDLES(talker, talk_ask), TR_HANDLES(talker, talk_owns),
                   TR_HANDLES(talker, talk_start), TR_HANDLES(talker, talk_reply),
                   TR_HANDLES(talker, tr_failed)),
};

static tr_sim *begin(uint64_t seed, const char *options)
{
    tr_sim *sim = tr_sim_start(seed, options);

    cr_assert_not_null(sim);
    return sim;
}

static tr_ref talker_of(tr_sim *sim)
{
    return tr_spawn(tr_sim_system(sim), talker, .told_by = tr_none());
}

Test(script, an_answer_is_expected_and_comes)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim);
    struct talk_reply reply = { 0 };

    cr_assert_eq(tr_sim_ask(sim, talker, talk_ask, .value = 3), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_reply, &reply), 0);
    cr_assert_eq(reply.value, 3);
    cr_assert_eq(tr_sim_expect_none(sim, TR_SEC(100)), 0);
    cr_assert_eq(tr_sim_stop(sim), 0);
}

Test(script, what_is_not_expected_stays)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim);

    cr_assert_eq(tr_sim_expect(sim, talk_reply, NULL), -ETIMEDOUT);
    cr_assert_eq(tr_sim_ask(sim, talker, talk_ask, .value = 3), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_ask, NULL), -ENOMSG);
    cr_assert_eq(tr_sim_expect_none(sim, 0), -ENOMSG);
    cr_assert_eq(tr_sim_expect(sim, talk_reply, NULL), 0);
    cr_assert_eq(tr_sim_stop(sim), 0);
}

Test(script, nothing_happens_but_by_steps)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim);
    tr_stats stats;

    for (int i = 0; i < 50; i++)
        cr_assert_eq(tr_sim_send(sim, talker, talk_ask, .value = 0), 0);
    cr_assert_eq(tr_type_stats(tr_sim_system(sim), &talker_actor, &stats), 0);
    cr_assert_eq(stats.queued, 50);
    cr_assert(tr_sim_step(sim));
    cr_assert_eq(tr_sim_idle(sim), 0);
    cr_assert(!tr_sim_step(sim));
    cr_assert_eq(tr_type_stats(tr_sim_system(sim), &talker_actor, &stats), 0);
    cr_assert_eq(stats.queued, 0);
    tr_time before = tr_now(tr_sim_system(sim));
    tr_sim_advance(sim, TR_SEC(5));
    cr_assert_eq(tr_now(tr_sim_system(sim)) - before, TR_SEC(5));
    cr_assert_eq(tr_sim_stop(sim), 0);
}

Test(script, the_test_plays_the_other_part)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim);
    struct talk_reply reply;
    struct talk_ask ask;

    cr_assert_eq(tr_sim_reply(sim, talk_reply, .value = 0), -ENOENT);
    cr_assert_eq(tr_sim_send(sim, talker, talk_start, .whom = tr_sim_me(sim)), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_ask, &ask), 0);
    cr_assert_eq(tr_sim_reply(sim, talk_reply, .value = ask.value * 10), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_reply, &reply), 0);
    cr_assert_eq(reply.value, 51);

    /* Unanswered: time passes until the talker is told. */
    cr_assert_eq(tr_sim_send(sim, talker, talk_start, .whom = tr_sim_me(sim)), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_ask, &ask), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_reply, &reply), 0);
    cr_assert_eq(reply.value, -ETIMEDOUT);
    cr_assert_eq(tr_sim_reply(sim, talk_reply, .value = 0), -ENOENT);
    cr_assert_eq(tr_sim_stop(sim), 0);
}

Test(script, what_a_message_owns_goes_with_the_copy_or_is_dropped)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim);
    struct talk_owns copy;

    for (int i = 0; i < 3; i++) {
        owned++; /* by what is sent */
        cr_assert_eq(tr_sim_send(sim, talker, talk_owns, .text = NULL), 0);
    }
    cr_assert_eq(tr_sim_expect(sim, talk_owns, &copy), 0);
    cr_assert_not_null(copy.text);
    drop_text(&copy);
    cr_assert_eq(tr_sim_expect(sim, talk_owns, NULL), 0);
    cr_assert_eq(tr_sim_idle(sim), 0);
    cr_assert_eq(owned, 1);
    cr_assert_eq(tr_sim_stop(sim), 0);
    cr_assert_eq(owned, 0);
}

Test(script, every_end_can_be_expected)
{
    tr_sim *sim = begin(1, NULL);
    tr_ref talker = talker_of(sim), other = talker_of(sim);
    tr_reason reason;

    cr_assert_eq(tr_sim_send(sim, talker, talk_ask, .value = -EIO), 0);
    cr_assert_eq(tr_stop(tr_sim_system(sim), other), 0);
    cr_assert_eq(tr_sim_idle(sim), 0);
    cr_assert_eq(tr_sim_expect_exit(sim, other, &reason), 0);
    cr_assert_eq(reason.kind, TR_SHUTDOWN);
    cr_assert_eq(tr_sim_expect_exit(sim, talker, &reason), 0);
    cr_assert_eq(reason.code, -EIO);
    cr_assert_eq(tr_sim_expect_exit(sim, talker, NULL), -ETIMEDOUT);
    cr_assert_eq(tr_sim_stop(sim), 0);
}

Test(script, a_fault_lasts_until_it_is_taken_back)
{
    tr_sim *sim = begin(1, "cover");
    tr_ref talker = talker_of(sim);

    cr_assert_eq(tr_sim_fault(sim, "drop@talk_ask", 1), 0);
    cr_assert_eq(tr_sim_send(sim, talker, talk_ask, .value = -EIO), 0);
    cr_assert_eq(tr_sim_idle(sim), 0);
    cr_assert_eq(tr_sim_fault(sim, "drop@talk_ask", 0), 0);
    cr_assert_eq(tr_sim_ask(sim, talker, talk_ask, .value = 1), 0);
    cr_assert_eq(tr_sim_expect(sim, talk_reply, NULL), 0);
    cr_assert_eq(tr_sim_fault(sim, "drop", 2), -EINVAL);
    cr_assert_eq(tr_sim_fault(sim, "", 1), -EINVAL);
    cr_assert_eq(tr_sim_fault(sim, "drop", -1), -EINVAL);
    cr_assert_eq(tr_sim_stop(sim), 0);
}

static uint64_t hash_of(uint64_t seed)
{
    tr_sim *sim = begin(seed, NULL);
    tr_ref talkers[8];

    for (int i = 0; i < 8; i++)
        talkers[i] = talker_of(sim);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(tr_sim_send(sim, talkers[i], talk_start, .whom = talkers[(i + 1) % 8]), 0);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(tr_sim_expect(sim, talk_reply, NULL), 0);
    uint64_t hash = tr_sim_hash(sim);
    cr_assert_eq(tr_sim_stop(sim), 0);
    return hash;
}

Test(script, a_seed_repeats_itself_and_another_one_does_not)
{
    cr_assert_eq(hash_of(5), hash_of(5));
    cr_assert_neq(hash_of(5), hash_of(6));
}

Test(script, one_at_a_time_and_options_that_make_sense)
{
    tr_sim *sim = begin(1, NULL);

    cr_assert_null(tr_sim_start(2, NULL));
    cr_assert_eq(tr_sim_stop(sim), 0);
    cr_assert_null(tr_sim_start(2, "crash=2"));
    tr_system *sys = tr_system_start(NULL);
    cr_assert_null(tr_sim_start(2, NULL));
    cr_assert_eq(tr_system_stop(sys, TR_SEC(5)), 0);
    cr_assert_eq(tr_sim_stop(NULL), 0);
}
