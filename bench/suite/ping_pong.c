/* SPDX-License-Identifier: BSD-2-Clause */

/* Two actors throw one message to and fro: the cost of a hop, with nothing else going on. */

#include "harness.h"

#define ROUND_TRIPS 5000000

struct ping_pong_ball { tr_ref from; };

#define PING_PONG_MESSAGES(M) M(ping_pong_ball)
TR_PROTOCOL(ping_pong, 101, PING_PONG_MESSAGES);

struct ping { tr_ref partner; uint64_t left; };
struct pong { uint64_t returned; };

TR_ON(ping, ping_pong_ball, self, me, msg)
{
    if (me->left-- == 0)
        bench_finish();
    else
        bench_must(tr_send(self, me->partner, ping_pong_ball, .from = tr_me(self)));
    return TR_OK;
}

TR_ON(pong, ping_pong_ball, self, me, msg)
{
    me->returned++;
    bench_must(tr_send(self, msg->from, ping_pong_ball, .from = tr_me(self)));
    return TR_OK;
}

static const tr_actor_type ping_actor = {
    TR_STATE(ping), .on = TR_TABLE(TR_HANDLES(ping, ping_pong_ball)),
};

static const tr_actor_type pong_actor = {
    TR_STATE(pong), .on = TR_TABLE(TR_HANDLES(pong, ping_pong_ball)),
};

static void run(tr_system *sys)
{
    tr_ref pong = bench_must_spawn(tr_spawn(sys, pong, .returned = 0));
    tr_ref ping = bench_must_spawn(tr_spawn(sys, ping, .partner = pong, .left = ROUND_TRIPS));

    bench_start();
    bench_must(tr_send(sys, ping, ping_pong_ball, .from = tr_none()));
}

const struct bench bench_ping_pong = {
    .name = "ping-pong", .about = "two actors, one message to and fro",
    .operation = "hop", .operations = UINT64_C(2) * ROUND_TRIPS,
    .parameters = { { "round_trips", ROUND_TRIPS } }, .run = run,
};
