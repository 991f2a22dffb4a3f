/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A million actors with 16 bytes of state, each of which has handled one message and now sleeps:
 * what they take of memory is the growth of the process from before the system's start. They are
 * made in batches, so that no burst of messages is mistaken for their cost.
 */

#include "harness.h"

#define ACTORS 1000000
#define BATCH 250

_Static_assert(ACTORS % BATCH == 0, "whole batches");

struct idle_hello { tr_ref parent; };
struct idle_awake { uint64_t one; };

#define IDLE_MESSAGES(M) M(idle_hello) M(idle_awake)
TR_PROTOCOL(idle, 106, IDLE_MESSAGES);

struct sleeper { uint64_t greeted; uint64_t spare; };
struct nurse { uint32_t left; uint32_t waiting; };

_Static_assert(sizeof(struct sleeper) == 16, "what the figure is given for");

TR_ON(sleeper, idle_hello, self, me, msg)
{
    me->greeted++;
    bench_must(tr_send(self, msg->parent, idle_awake, .one = me->greeted));
    return TR_OK;
}

static const tr_actor_type sleeper_actor = {
    TR_STATE(sleeper), .on = TR_TABLE(TR_HANDLES(sleeper, idle_hello)),
};

static void spawn_batch(tr_self *self, struct nurse *me)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        tr_ref child = bench_must_spawn(tr_spawn(self, sleeper, .greeted = 0));
        bench_must(tr_send(self, child, idle_hello, .parent = tr_me(self)));
    }
    me->left -= BATCH;
    me->waiting = BATCH;
}

TR_ON(nurse, idle_hello, self, me, msg)
{
    spawn_batch(self, me);
    return TR_OK;
}

TR_ON(nurse, idle_awake, self, me, msg)
{
    if (msg->one != 1)
        bench_fail("a child was greeted %llu times", (unsigned long long)msg->one);
    if (--me->waiting > 0)
        return TR_OK;
    if (me->left > 0)
        spawn_batch(self, me);
    else
        bench_finish();
    return TR_OK;
}

static const tr_actor_type nurse_actor = {
    TR_STATE(nurse), .on = TR_TABLE(TR_HANDLES(nurse, idle_hello), TR_HANDLES(nurse, idle_awake)),
};

static void run(tr_system *sys)
{
    tr_ref nurse = bench_must_spawn(tr_spawn(sys, nurse, .left = ACTORS));

    bench_start();
    bench_must(tr_send(sys, nurse, idle_hello, .parent = tr_none()));
}

const struct bench bench_idle_memory = {
    .name = "idle-memory", .about = "a million idle actors, each has handled one message",
    .operation = "actor", .operations = ACTORS, .actors = ACTORS,
    .parameters = { { "actors", ACTORS }, { "state_bytes", sizeof(struct sleeper) } }, .run = run,
};
