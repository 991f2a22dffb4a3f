/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A tree of actors, ten children each, down to a million leaves; every leaf gives its number to its
 * parent, every parent the sum of its children's to its own, and ends.
 */

#include "harness.h"

#define LEAVES 1000000
#define CHILDREN 10

struct skynet_grow { uint32_t first; uint32_t leaves; };
struct skynet_sum { uint64_t sum; };

#define SKYNET_MESSAGES(M) M(skynet_grow) M(skynet_sum)
TR_PROTOCOL(skynet, 107, SKYNET_MESSAGES);

/* `tally`: the sum so far times SUMS_UNIT, plus how many children have answered. */
struct branch { tr_ref parent; uint64_t tally; };

#define SUMS_UNIT 16

static const tr_actor_type branch_actor;

TR_ON(branch, skynet_grow, self, me, msg)
{
    uint32_t share = msg->leaves / CHILDREN;

    if (msg->leaves == 1) {
        bench_must(tr_send(self, me->parent, skynet_sum, .sum = msg->first));
        return TR_STOP;
    }
    for (uint32_t i = 0; i < CHILDREN; i++) {
        tr_ref child = bench_must_spawn(tr_spawn(self, branch, .parent = tr_me(self)));
        bench_must(tr_send(self, child, skynet_grow, .first = msg->first + i * share,
                           .leaves = share));
    }
    return TR_OK;
}

static void finish(uint64_t sum)
{
    if (sum != UINT64_C(1) * LEAVES * (LEAVES - 1) / 2)
        bench_fail("the leaves add up to %llu", (unsigned long long)sum);
    bench_finish();
}

TR_ON(branch, skynet_sum, self, me, msg)
{
    me->tally += msg->sum * SUMS_UNIT + 1;
    if (me->tally % SUMS_UNIT < CHILDREN)
        return TR_OK;
    if (tr_ref_is_some(me->parent))
        bench_must(tr_send(self, me->parent, skynet_sum, .sum = me->tally / SUMS_UNIT));
    else
        finish(me->tally / SUMS_UNIT);
    return TR_STOP;
}

static const tr_actor_type branch_actor = {
    TR_STATE(branch),
    .on = TR_TABLE(TR_HANDLES(branch, skynet_grow), TR_HANDLES(branch, skynet_sum)),
};

static void run(tr_system *sys)
{
    tr_ref root = bench_must_spawn(tr_spawn(sys, branch, .parent = tr_none()));

    bench_start();
    bench_must(tr_send(sys, root, skynet_grow, .first = 0, .leaves = LEAVES));
}

const struct bench bench_skynet = {
    .name = "skynet", .about = "a tree of actors grows to a million leaves and sums them up",
    .operation = "leaf", .operations = LEAVES,
    .parameters = { { "leaves", LEAVES }, { "children", CHILDREN } }, .run = run,
};
