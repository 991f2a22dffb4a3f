/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * One actor floods another one, which counts. The mailbox is bounded as it is by default: the
 * producer has two batches under way, together less than the mailbox holds, and sends another one
 * whenever the counter says that a batch has been counted.
 */

#include "harness.h"

#define MESSAGES 10000000
#define BATCH 250
#define BATCHES_AHEAD 2

_Static_assert(MESSAGES % (BATCH * BATCHES_AHEAD) == 0, "whole batches");

struct counting_item { uint64_t value; };
struct counting_last { tr_ref producer; uint64_t value; };  /* of a batch; it counts as well */
struct counting_more { uint64_t counted; };

#define COUNTING_MESSAGES(M) M(counting_item) M(counting_last) M(counting_more)
TR_PROTOCOL(counting, 103, COUNTING_MESSAGES);

struct counter { uint64_t count; };
struct producer { tr_ref counter; uint64_t left; };

TR_ON(counter, counting_item, self, me, msg)
{
    me->count += msg->value;
    return TR_OK;
}

TR_ON(counter, counting_last, self, me, msg)
{
    me->count += msg->value;
    bench_must(tr_send(self, msg->producer, counting_more, .counted = me->count));
    return TR_OK;
}

static const tr_actor_type counter_actor = {
    TR_STATE(counter),
    .on = TR_TABLE(TR_HANDLES(counter, counting_item), TR_HANDLES(counter, counting_last)),
};

static void send_batch(tr_self *self, struct producer *me)
{
    for (int i = 1; i < BATCH; i++)
        bench_must(tr_send(self, me->counter, counting_item, .value = 1));
    bench_must(tr_send(self, me->counter, counting_last, .producer = tr_me(self), .value = 1));
    me->left -= BATCH;
}

TR_ON(producer, counting_more, self, me, msg)
{
    if (me->left > 0)
        send_batch(self, me);
    else if (msg->counted == MESSAGES)
        bench_finish();
    else if (msg->counted != MESSAGES - (BATCHES_AHEAD - 1) * BATCH)
        bench_fail("%llu messages were counted", (unsigned long long)msg->counted);
    return TR_OK;
}

static const tr_actor_type producer_actor = {
    TR_STATE(producer), .on = TR_TABLE(TR_HANDLES(producer, counting_more)),
};

static void run(tr_system *sys)
{
    tr_ref counter = bench_must_spawn(tr_spawn(sys, counter, .count = 0));
    tr_ref producer =
        bench_must_spawn(tr_spawn(sys, producer, .counter = counter, .left = MESSAGES));

    bench_start();
    for (int i = 0; i < BATCHES_AHEAD; i++)
        bench_must(tr_send(sys, producer, counting_more, .counted = 0));
}

const struct bench bench_counting = {
    .name = "counting", .about = "one producer floods one counter, by batches",
    .operation = "message", .operations = MESSAGES,
    .parameters = { { "messages", MESSAGES }, { "batch", BATCH }, { "ahead", BATCHES_AHEAD } },
    .run = run,
};
