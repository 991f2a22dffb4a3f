/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Systems that are stopped at a moment drawn by chance, by the thousand, while actors talk, are
 * born and end, timers fire and outside threads send and ask. A stop returns, in time or with
 * -ETIMEDOUT; after it every verb answers -ESHUTDOWN.
 */

#include "support/stress.h"

#include <errno.h>

/* A rally that outlasts the shorter limits, and not much more: a stop with time lets it end. */
enum { THREADS = 2, SEND_LIMIT = 20000, LONG_RALLY = 20000 };

struct stop_ball { uint32_t bounces; };
struct stop_tick { uint32_t unused; };

#define STOP_MESSAGES(M) M(stop_ball) M(stop_tick)
TR_PROTOCOL(stop, 9104, STOP_MESSAGES);

struct player { tr_ref partner; uint64_t seen; };
struct short_lived { uint32_t unused; };

static const tr_ask_policy hasty = { .timeout = TR_MS(1) };

TR_ON(short_lived, stop_ball, self, me, msg)
{
    return msg->bounces % 2 ? TR_STOP : -EIO;
}

static const tr_actor_type short_lived_actor = {
    TR_STATE(short_lived), .on = TR_TABLE(TR_HANDLES(short_lived, stop_ball)), .capacity = 4,
};

TR_START(player, self, me)
{
    return tr_timer_error(tr_every(self, TR_MS(1), stop_tick, .unused = 0));
}

TR_ON(player, stop_tick, self, me, msg)
{
    tr_ref child = tr_spawn(self, short_lived, .unused = 0);

    if (tr_ref_is_some(child))
        (void)tr_send(self, child, stop_ball, .bounces = (uint32_t)me->seen);
    return TR_OK;
}

TR_ON(player, stop_ball, self, me, msg)
{
    tr_ref partner = tr_ref_is_some(me->partner) ? me->partner : tr_sender(self);

    me->seen++;
    if (msg->bounces > 0)
        (void)tr_send(self, partner, stop_ball, .bounces = msg->bounces - 1);
    return TR_OK;
}

static const tr_actor_type player_actor = {
    TR_STATE(player), .start = TR_STARTS(player), .capacity = 64,
    .on = TR_TABLE(TR_HANDLES(player, stop_ball), TR_HANDLES(player, stop_tick)),
};

static const tr_supervisor tree = {
    .restarts_max = 1000, .within = TR_SEC(1),
    .children = TR_CHILDREN({ .name = "goal", TR_CHILD(player, .seen = 0), .grace = TR_MS(100) },
                            { .name = "bench", TR_CHILD(player, .seen = 0), .grace = TR_MS(100) }),
};

struct outsider {
    tr_system *sys;
    tr_ref to;
    uint64_t random;
};

static bool is_expected(int err)
{
    return err == 0 || err == -ENOBUFS || err == -ESRCH || err == -ETIMEDOUT || err == -ENOMSG ||
           err == -ECONNRESET || err == -ESHUTDOWN;
}

static int bother(struct outsider *me)
{
    struct stop_ball ball = { .bounces = 3 };
    struct stop_ball answer;

    switch (stress_below(&me->random, 8)) {
    case 0:
        return tr_send_wait(me->sys, me->to, stop_ball, &ball, TR_MS(1));
    case 1:
        return tr_ask_wait(me->sys, me->to, &hasty, stop_ball, &ball, stop_ball, &answer);
    case 2:
        return tr_ref_error(tr_spawn(me->sys, short_lived, .unused = 0));
    case 3:
        return tr_kill(me->sys, tr_lookup(me->sys, "goal"));
    default:
        return tr_send_copy(me->sys, me->to, stop_ball, &ball);
    }
}

static void *run_outsider(void *arg)
{
    struct outsider *me = arg;
    int err = 0;

    for (int i = 0; i < SEND_LIMIT && err != -ESHUTDOWN; i++) {
        err = bother(me);
        STRESS_CHECK(is_expected(err) || err == -EINVAL, "%s", tr_strerror(err));
    }
    return NULL;
}

static void spin(uint32_t turns)
{
    for (volatile uint32_t i = 0; i < turns; i++)
        continue;
}

static int stop_some_time(tr_system *sys, uint64_t *random)
{
    static const tr_time limits[] = { 0, TR_US(200), TR_MS(2), TR_SEC(10) };

    spin(stress_below(random, 4) == 0 ? 0 : stress_below(random, 200000));
    return tr_system_stop(sys, limits[stress_below(random, 4)]);
}

static void check_stopped(tr_system *sys, tr_ref player)
{
    tr_stats stats;

    STRESS_CHECK(tr_send(sys, player, stop_ball, .bounces = 1) == -ESHUTDOWN, "a send");
    STRESS_CHECK(tr_ref_error(tr_spawn(sys, player, .seen = 0)) == -ESHUTDOWN, "a spawn");
    STRESS_CHECK(tr_system_stats(sys, &stats) == -ESHUTDOWN, "the stats");
    STRESS_CHECK(tr_system_stop(sys, 0) == -ESHUTDOWN, "a second stop");
}

static int run_once(uint32_t workers, uint64_t *random)
{
    tr_system *sys = stress_system(workers);
    tr_ref pong = stress_ref(tr_spawn(sys, player, .seen = 0));
    tr_ref ping = stress_ref(tr_spawn(sys, player, .partner = pong));
    struct outsider outsiders[THREADS];
    pthread_t threads[THREADS];

    if (stress_below(random, 2) == 0)
        stress_ref(tr_supervise(sys, &tree));
    for (int i = 0; i < 4; i++)
        STRESS_OK(tr_send(sys, ping, stop_ball,
                          .bounces = stress_below(random, 2) ? 50 : LONG_RALLY));
    for (int i = 0; i < THREADS; i++) {
        outsiders[i] = (struct outsider){ sys, i == 0 ? ping : pong, stress_random(random) };
        STRESS_OK(pthread_create(&threads[i], NULL, run_outsider, &outsiders[i]));
    }
    int err = stop_some_time(sys, random);
    STRESS_CHECK(err == 0 || err == -ETIMEDOUT, "%s", tr_strerror(err));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check_stopped(sys, pong);
    return err;
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 250);
    uint64_t random = stress.seed;

    for (uint32_t workers = 1; workers <= 8; workers *= 2) {
        unsigned late = 0;
        for (uint64_t i = 0; i < stress.rounds; i++)
            late += run_once(workers, &random) != 0;
        printf("stop: %u workers: %llu stops, %u of them late\n", workers,
               (unsigned long long)stress.rounds, late);
    }
    return 0;
}
