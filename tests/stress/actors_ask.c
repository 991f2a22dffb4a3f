/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Asks of servers that answer, refuse, forget, hold, let time out, forward and crash, and are
 * restarted by their supervisor; some asks are given up. Every ask has exactly one outcome, and its
 * own; one that was given up has none.
 */

#include "support/stress.h"

#include <errno.h>

enum { SERVERS = 6, ASKERS = 24, AT_ONCE = 4, HELD_MAX = 8 };

struct ask_question { uint32_t how; uint64_t number; };
struct ask_answer   { uint64_t number; };
struct ask_begin    { uint32_t unused; };

#define ASK_MESSAGES(M) M(ask_question) M(ask_answer) M(ask_begin)
TR_PROTOCOL(ask, 9102, ASK_MESSAGES);

static tr_ref servers[SERVERS];
static struct stress_latch done = STRESS_LATCH(0);

/* ---- servers ---- */

struct server {
    uint32_t held;
    uint64_t random;
    tr_caller callers[HELD_MAX];
    uint64_t n[HELD_MAX];
};

static int hold(tr_self *self, struct server *me, const struct ask_question *msg)
{
    if (me->held == HELD_MAX) {  /* answer one that has waited; its asker may have given up */
        uint32_t i = stress_below(&me->random, HELD_MAX);
        int err = tr_answer(self, me->callers[i], ask_answer, .number = me->n[i]);
        STRESS_CHECK(err == 0 || err == -ENOENT, "%s", tr_strerror(err));
        me->held--;
        me->callers[i] = me->callers[me->held];
        me->n[i] = me->n[me->held];
    }
    me->n[me->held] = msg->number;
    return tr_call_hold(self, &me->callers[me->held++]);
}

TR_ON(server, ask_question, self, me, msg)
{
    switch (msg->how) {
    case 0:
        return tr_refuse(self, -EPERM);
    case 1:
        return TR_OK;
    case 2:
        return stress_below(&me->random, 16) == 0 ? -EIO : tr_refuse(self, -EIO);
    case 3:
    case 4:
        return hold(self, me, msg);
    case 5:
        if (stress_below(&me->random, 4) == 0)
            return tr_reply(self, ask_answer, .number = msg->number);
        if (tr_forward(self, servers[stress_below(&me->random, SERVERS)]) == 0)
            return TR_OK;
        return tr_refuse(self, -EBUSY);
    default:
        return tr_reply(self, ask_answer, .number = msg->number);
    }
}

static const tr_actor_type server_actor = {
    TR_STATE(server), .capacity = 256, .on = TR_TABLE(TR_HANDLES(server, ask_question)),
};

static const tr_supervisor tree = {
    .restarts_max = UINT32_MAX, .within = TR_SEC(1),
    .children = TR_CHILDREN({ .name = "0", TR_CHILD(server, .random = 0) },
                            { .name = "1", TR_CHILD(server, .random = 1) },
                            { .name = "2", TR_CHILD(server, .random = 2) },
                            { .name = "3", TR_CHILD(server, .random = 3) },
                            { .name = "4", TR_CHILD(server, .random = 4) },
                            { .name = "5", TR_CHILD(server, .random = 5) }),
};

/* ---- askers: a few asks under way each, the context says which ---- */

struct asker {
    uint64_t random;
    uint32_t left;
    uint32_t under_way;
    uint64_t number;
    struct place { uint64_t number; uint64_t call; bool is_used; } places[AT_ONCE];
};

static const tr_ask_policy hasty = { .timeout = TR_MS(2) };
static const tr_ask_policy patient = { .timeout = TR_MS(200) };

static int ask_one(tr_self *self, struct asker *me, struct place *place)
{
    const tr_ask_policy *policy = stress_below(&me->random, 2) ? &hasty : &patient;
    struct ask_question question = { stress_below(&me->random, 12), ++me->number };
    tr_call call = tr_ask_context(self, servers[stress_below(&me->random, SERVERS)], policy,
                                  &ask_question_info, &question, place);

    STRESS_OK(tr_call_error(call));
    *place = (struct place){ me->number, call.bits, true };
    me->left--;
    me->under_way++;
    return TR_OK;
}

static void give_one_up(tr_self *self, struct asker *me)
{
    struct place *place = &me->places[stress_below(&me->random, AT_ONCE)];

    if (!place->is_used || stress_below(&me->random, 20) != 0)
        return;
    STRESS_OK(tr_call_cancel(self, (tr_call){ place->call }));
    place->is_used = false;
    me->under_way--;
}

static int go_on(tr_self *self, struct asker *me)
{
    give_one_up(self, me);
    for (int i = 0; i < AT_ONCE && me->left > 0; i++)
        if (!me->places[i].is_used && ask_one(self, me, &me->places[i]) < 0)
            return -EIO;
    if (me->left > 0 || me->under_way > 0)
        return TR_OK;
    stress_latch_down(&done);
    return TR_STOP;
}

/* The outcome must be of an ask that is under way: of this place, and of its latest use. */
static struct place *place_of(tr_self *self, struct asker *me)
{
    struct place *place = tr_context(self);

    STRESS_CHECK(place >= me->places && place < me->places + AT_ONCE, "a strange context");
    STRESS_CHECK(place->is_used, "an outcome of nothing");
    STRESS_CHECK(place->call == tr_call_answered(self).bits, "the outcome of another ask");
    place->is_used = false;
    me->under_way--;
    return place;
}

TR_ON(asker, ask_begin, self, me, msg)
{
    return go_on(self, me);
}

TR_ON(asker, ask_answer, self, me, msg)
{
    const struct place *place = place_of(self, me);

    STRESS_CHECK(place->number == msg->number, "the answer to another question");
    return go_on(self, me);
}

TR_ON(asker, tr_failed, self, me, msg)
{
    STRESS_CHECK(msg->call.bits == place_of(self, me)->call, "the failure of another ask");
    STRESS_CHECK(msg->error == -EPERM || msg->error == -EIO || msg->error == -EBUSY ||
                     msg->error == -ENOMSG || msg->error == -ETIMEDOUT ||
                     msg->error == -ECONNRESET || msg->error == -ENOBUFS,
                 "%s", tr_strerror(msg->error));
    return go_on(self, me);
}

static const tr_actor_type asker_actor = {
    TR_STATE(asker), .capacity = 64,
    .on = TR_TABLE(TR_HANDLES(asker, ask_begin), TR_HANDLES(asker, ask_answer),
                   TR_HANDLES(asker, tr_failed)),
};

static void ask_from_outside(tr_system *sys, uint64_t *random)
{
    for (int i = 0; i < 300; i++) {
        struct ask_question question = { stress_below(random, 12), stress_random(random) };
        struct ask_answer answer = { 0 };
        int err = tr_ask_wait(sys, servers[stress_below(random, SERVERS)], &hasty, ask_question,
                              &question, ask_answer, &answer);
        STRESS_CHECK(err < 0 || answer.number == question.number, "another answer");
    }
}

static void run(uint32_t workers, const struct stress *stress)
{
    static const char *const names[SERVERS] = { "0", "1", "2", "3", "4", "5" };
    tr_system *sys = stress_system(workers);
    uint64_t random = stress->seed * 1000 + workers;

    stress_latch_set(&done, ASKERS);
    stress_ref(tr_supervise(sys, &tree));
    for (int i = 0; i < SERVERS; i++)
        servers[i] = stress_ref(tr_lookup(sys, names[i]));
    for (int i = 0; i < ASKERS; i++) {
        tr_ref asker = stress_ref(tr_spawn(sys, asker, .random = stress_random(&random),
                                           .left = (uint32_t)stress->rounds));
        STRESS_OK(tr_send(sys, asker, ask_begin, .unused = 0));
    }
    ask_from_outside(sys, &random);
    stress_latch_await(&done);
    tr_stats stats = stress_quiet(sys);
    STRESS_OK(tr_system_stop(sys, TR_SEC(20)));
    printf("ask: %u workers: %llu messages, %llu restarts, %llu late replies\n", workers,
           (unsigned long long)stats.accepted, (unsigned long long)stats.restarts,
           (unsigned long long)stats.late_replies);
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 400);

    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        run(workers, &stress);
    return 0;
}
