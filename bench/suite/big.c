/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A thousand actors: each sends a ping to one drawn by chance, waits for the pong, and sends the
 * next. Many to many, one ping of each under way, so that no mailbox can overflow.
 */

#include "harness.h"

#define ACTORS 1000
#define PINGS 5000000
#define PINGS_EACH (PINGS / ACTORS)

struct big_ping { tr_ref from; };
struct big_pong { uint64_t one; };
struct big_done { uint64_t pongs; };

#define BIG_MESSAGES(M) M(big_ping) M(big_pong) M(big_done)
TR_PROTOCOL(big, 109, BIG_MESSAGES);

struct peer { uint32_t random; uint32_t pongs; tr_ref umpire; };
struct umpire { uint64_t done; uint64_t pongs; };

static tr_ref peers[ACTORS];  /* written before the first message */

/* Marsaglia's xorshift, as in the original of this benchmark's kin. */
static uint32_t next_random(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

TR_ON(peer, big_ping, self, me, msg)
{
    bench_must(tr_send(self, msg->from, big_pong, .one = 1));
    return TR_OK;
}

/* The first pong is the start. */
TR_ON(peer, big_pong, self, me, msg)
{
    if (me->pongs == PINGS_EACH) {
        bench_must(tr_send(self, me->umpire, big_done, .pongs = me->pongs));
        return TR_OK;
    }
    me->pongs += (uint32_t)msg->one;
    me->random = next_random(me->random);
    bench_must(tr_send(self, peers[me->random % ACTORS], big_ping, .from = tr_me(self)));
    return TR_OK;
}

static const tr_actor_type peer_actor = {
    TR_STATE(peer), .on = TR_TABLE(TR_HANDLES(peer, big_ping), TR_HANDLES(peer, big_pong)),
};

TR_ON(umpire, big_done, self, me, msg)
{
    me->pongs += msg->pongs;
    if (++me->done < ACTORS)
        return TR_OK;
    if (me->pongs != PINGS)
        bench_fail("%llu pongs came", (unsigned long long)me->pongs);
    bench_finish();
    return TR_OK;
}

static const tr_actor_type umpire_actor = {
    TR_STATE(umpire), .on = TR_TABLE(TR_HANDLES(umpire, big_done)),
};

static void run(tr_system *sys)
{
    tr_ref umpire = bench_must_spawn(tr_spawn(sys, umpire, .done = 0));

    for (uint32_t i = 0; i < ACTORS; i++)
        peers[i] = bench_must_spawn(
            tr_spawn(sys, peer, .random = i * UINT32_C(2654435761) | 1, .umpire = umpire));
    bench_start();
    for (int i = 0; i < ACTORS; i++)
        bench_must(tr_send(sys, peers[i], big_pong, .one = 1));
}

const struct bench bench_big = {
    .name = "big", .about = "a thousand actors ping each other by chance",
    .operation = "ping+pong", .operations = PINGS,
    .parameters = { { "actors", ACTORS }, { "pings", PINGS } }, .run = run,
};
