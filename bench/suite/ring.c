/* SPDX-License-Identifier: BSD-2-Clause */

/* One token goes round a ring of actors: a hop that leaves the caches of ping-pong. */

#include "harness.h"

#define ACTORS 100
#define HOPS 10000000

struct ring_join { tr_ref next; };
struct ring_token { uint64_t left; };

#define RING_MESSAGES(M) M(ring_join) M(ring_token)
TR_PROTOCOL(ring, 102, RING_MESSAGES);

struct node { tr_ref next; };

TR_ON(node, ring_join, self, me, msg)
{
    me->next = msg->next;
    return TR_OK;
}

TR_ON(node, ring_token, self, me, msg)
{
    if (msg->left == 0)
        bench_finish();
    else
        bench_must(tr_send(self, me->next, ring_token, .left = msg->left - 1));
    return TR_OK;
}

static const tr_actor_type node_actor = {
    TR_STATE(node), .on = TR_TABLE(TR_HANDLES(node, ring_join), TR_HANDLES(node, ring_token)),
};

static void run(tr_system *sys)
{
    tr_ref nodes[ACTORS];

    for (int i = 0; i < ACTORS; i++)
        nodes[i] = bench_must_spawn(tr_spawn(sys, node, .next = tr_none()));
    for (int i = 0; i < ACTORS; i++)
        bench_must(tr_send(sys, nodes[i], ring_join, .next = nodes[(i + 1) % ACTORS]));
    bench_start();
    bench_must(tr_send(sys, nodes[0], ring_token, .left = HOPS));
}

const struct bench bench_ring = {
    .name = "ring", .about = "one token round a ring of 100 actors",
    .operation = "hop", .operations = HOPS,
    .parameters = { { "actors", ACTORS }, { "hops", HOPS } }, .run = run,
};
