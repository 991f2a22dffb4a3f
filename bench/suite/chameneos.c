/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A hundred creatures meet in pairs at one mall: each says that it has come, the mall tells both of
 * a pair whom they met, and they come again. Four messages a meeting, all through one actor.
 */

#include "harness.h"

#define CREATURES 100
#define MEETINGS 1000000

struct mall_come { tr_ref who; };
struct mall_met { tr_ref whom; };

#define MALL_MESSAGES(M) M(mall_come) M(mall_met)
TR_PROTOCOL(mall, 108, MALL_MESSAGES);

struct mall { tr_ref waiting; uint64_t left; };
struct creature { tr_ref mall; uint64_t met; };

TR_ON(mall, mall_come, self, me, msg)
{
    tr_ref other = me->waiting;

    if (!tr_ref_is_some(other)) {
        me->waiting = msg->who;
        return TR_OK;
    }
    if (me->left == 0)
        return TR_OK;
    if (--me->left == 0) {
        bench_finish();
        return TR_OK;
    }
    me->waiting = tr_none();
    bench_must(tr_send(self, other, mall_met, .whom = msg->who));
    bench_must(tr_send(self, msg->who, mall_met, .whom = other));
    return TR_OK;
}

static const tr_actor_type mall_actor = {
    TR_STATE(mall), .on = TR_TABLE(TR_HANDLES(mall, mall_come)),
};

TR_ON(creature, mall_met, self, me, msg)
{
    me->met++;
    bench_must(tr_send(self, me->mall, mall_come, .who = tr_me(self)));
    return TR_OK;
}

static const tr_actor_type creature_actor = {
    TR_STATE(creature), .on = TR_TABLE(TR_HANDLES(creature, mall_met)),
};

static void run(tr_system *sys)
{
    tr_ref mall = bench_must_spawn(tr_spawn(sys, mall, .left = MEETINGS));
    tr_ref creatures[CREATURES];

    for (int i = 0; i < CREATURES; i++)
        creatures[i] = bench_must_spawn(tr_spawn(sys, creature, .mall = mall));
    bench_start();
    for (int i = 0; i < CREATURES; i++)
        bench_must(tr_send(sys, creatures[i], mall_met, .whom = tr_none()));
}

const struct bench bench_chameneos = {
    .name = "chameneos", .about = "a hundred actors meet in pairs through one",
    .operation = "meeting", .operations = MEETINGS,
    .parameters = { { "creatures", CREATURES }, { "meetings", MEETINGS } }, .run = run,
};
