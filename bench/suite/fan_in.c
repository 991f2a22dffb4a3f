/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Eight actors flood one. The mailbox is bounded as it is by default: each producer has one batch
 * under way, all eight together less than the mailbox holds, and goes on by the receiver's word.
 */

#include "harness.h"

#define PRODUCERS 8
#define MESSAGES 10000000
#define BATCH 125

_Static_assert(MESSAGES % (PRODUCERS * BATCH) == 0, "whole batches");
_Static_assert(PRODUCERS * BATCH <= 1024, "the default capacity");

struct fan_in_item { uint64_t value; };
struct fan_in_last { tr_ref producer; uint64_t value; };  /* of a batch; it counts as well */
struct fan_in_more { uint64_t counted; };

#define FAN_IN_MESSAGES(M) M(fan_in_item) M(fan_in_last) M(fan_in_more)
TR_PROTOCOL(fan_in, 104, FAN_IN_MESSAGES);

struct sink { uint64_t count; };
struct source { tr_ref sink; uint64_t left; };

TR_ON(sink, fan_in_item, self, me, msg)
{
    me->count += msg->value;
    return TR_OK;
}

TR_ON(sink, fan_in_last, self, me, msg)
{
    me->count += msg->value;
    if (me->count == MESSAGES)
        bench_finish();
    else
        bench_must(tr_send(self, msg->producer, fan_in_more, .counted = me->count));
    return TR_OK;
}

static const tr_actor_type sink_actor = {
    TR_STATE(sink), .on = TR_TABLE(TR_HANDLES(sink, fan_in_item), TR_HANDLES(sink, fan_in_last)),
};

TR_ON(source, fan_in_more, self, me, msg)
{
    if (me->left == 0)
        return TR_OK;
    for (int i = 1; i < BATCH; i++)
        bench_must(tr_send(self, me->sink, fan_in_item, .value = 1));
    bench_must(tr_send(self, me->sink, fan_in_last, .producer = tr_me(self), .value = 1));
    me->left -= BATCH;
    return TR_OK;
}

static const tr_actor_type source_actor = {
    TR_STATE(source), .on = TR_TABLE(TR_HANDLES(source, fan_in_more)),
};

static void run(tr_system *sys)
{
    tr_ref sink = bench_must_spawn(tr_spawn(sys, sink, .count = 0));
    tr_ref sources[PRODUCERS];

    for (int i = 0; i < PRODUCERS; i++)
        sources[i] = bench_must_spawn(
            tr_spawn(sys, source, .sink = sink, .left = MESSAGES / PRODUCERS));
    bench_start();
    for (int i = 0; i < PRODUCERS; i++)
        bench_must(tr_send(sys, sources[i], fan_in_more, .counted = 0));
}

const struct bench bench_fan_in = {
    .name = "fan-in", .about = "eight producers flood one actor, by batches",
    .operation = "message", .operations = MESSAGES,
    .parameters = { { "producers", PRODUCERS }, { "messages", MESSAGES }, { "batch", BATCH } },
    .run = run,
};
