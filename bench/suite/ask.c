/* SPDX-License-Identifier: BSD-2-Clause */

/* One actor asks another, with a timeout armed; the answer is a message; then it asks again. */

#include "harness.h"

#define ASKS 2000000

struct ask_question { uint64_t number; };
struct ask_answer { uint64_t number; };
struct ask_begin { uint64_t none; };

#define ASK_MESSAGES(M) M(ask_question) M(ask_answer) M(ask_begin)
TR_PROTOCOL(ask, 110, ASK_MESSAGES);

struct answerer { uint64_t answered; };
struct asker { tr_ref answerer; uint64_t left; };

static const tr_ask_policy patient = { .timeout = TR_SEC(5) };

TR_ON(answerer, ask_question, self, me, msg)
{
    me->answered++;
    bench_must(tr_reply(self, ask_answer, .number = msg->number));
    return TR_OK;
}

static const tr_actor_type answerer_actor = {
    TR_STATE(answerer), .on = TR_TABLE(TR_HANDLES(answerer, ask_question)),
};

static int ask_next(tr_self *self, const struct asker *me)
{
    tr_call call = tr_ask(self, me->answerer, &patient, ask_question, .number = me->left);

    bench_must(tr_call_error(call));
    return TR_OK;
}

TR_ON(asker, ask_begin, self, me, msg)
{
    return ask_next(self, me);
}

TR_ON(asker, ask_answer, self, me, msg)
{
    if (msg->number != me->left)
        bench_fail("the answer to another question");
    if (--me->left > 0)
        return ask_next(self, me);
    bench_finish();
    return TR_OK;
}

TR_ON(asker, tr_failed, self, me, msg)
{
    bench_fail("an ask failed: %s", tr_strerror(msg->error));
}

static const tr_actor_type asker_actor = {
    TR_STATE(asker),
    .on = TR_TABLE(TR_HANDLES(asker, ask_begin), TR_HANDLES(asker, ask_answer),
                   TR_HANDLES(asker, tr_failed)),
};

static void run(tr_system *sys)
{
    tr_ref answerer = bench_must_spawn(tr_spawn(sys, answerer, .answered = 0));
    tr_ref asker = bench_must_spawn(tr_spawn(sys, asker, .answerer = answerer, .left = ASKS));

    bench_start();
    bench_must(tr_send(sys, asker, ask_begin, .none = 0));
}

const struct bench bench_ask = {
    .name = "ask", .about = "one actor asks another, timeout armed, and asks again",
    .operation = "ask", .operations = ASKS,
    .parameters = { { "asks", ASKS }, { "timeout_ms", 5000 } }, .run = run,
};
