/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A million short lives: spawn, a message to the child, a message back, the child ends. They come
 * in batches that fit the parent's mailbox.
 */

#include "harness.h"

#define ACTORS 1000000
#define BATCH 250

_Static_assert(ACTORS % BATCH == 0, "whole batches");

struct life_begin { uint64_t number; };
struct life_done { uint64_t number; };

#define LIFE_MESSAGES(M) M(life_begin) M(life_done)
TR_PROTOCOL(life, 105, LIFE_MESSAGES);

struct mayfly { tr_ref parent; };
struct spawner { uint32_t left; uint32_t waiting; uint64_t sum; };

TR_ON(mayfly, life_begin, self, me, msg)
{
    bench_must(tr_send(self, me->parent, life_done, .number = msg->number));
    return TR_STOP;
}

static const tr_actor_type mayfly_actor = {
    TR_STATE(mayfly), .on = TR_TABLE(TR_HANDLES(mayfly, life_begin)),
};

static void spawn_batch(tr_self *self, struct spawner *me)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        tr_ref child = bench_must_spawn(tr_spawn(self, mayfly, .parent = tr_me(self)));
        bench_must(tr_send(self, child, life_begin, .number = me->left--));
    }
    me->waiting = BATCH;
}

static void check_sum(uint64_t sum)
{
    if (sum != UINT64_C(1) * ACTORS * (ACTORS + 1) / 2)
        bench_fail("the children's numbers add up to %llu", (unsigned long long)sum);
}

TR_ON(spawner, life_begin, self, me, msg)
{
    spawn_batch(self, me);
    return TR_OK;
}

TR_ON(spawner, life_done, self, me, msg)
{
    me->sum += msg->number;
    if (--me->waiting > 0)
        return TR_OK;
    if (me->left > 0) {
        spawn_batch(self, me);
        return TR_OK;
    }
    check_sum(me->sum);
    bench_finish();
    return TR_OK;
}

static const tr_actor_type spawner_actor = {
    TR_STATE(spawner),
    .on = TR_TABLE(TR_HANDLES(spawner, life_begin), TR_HANDLES(spawner, life_done)),
};

static void run(tr_system *sys)
{
    tr_ref spawner = bench_must_spawn(tr_spawn(sys, spawner, .left = ACTORS));

    bench_start();
    bench_must(tr_send(sys, spawner, life_begin, .number = 0));
}

const struct bench bench_spawn_and_stop = {
    .name = "spawn-and-stop", .about = "spawn, a message there, a message back, stop",
    .operation = "actor", .operations = ACTORS,
    .parameters = { { "actors", ACTORS }, { "batch", BATCH } }, .run = run,
};
