/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Floods: actors and outside threads send more than a few small mailboxes can take. Every message
 * that was accepted is handled once, in the order of its sender; every other one was refused.
 */

#include "support/stress.h"

#include <errno.h>

enum { SINKS = 4, ACTORS = 8, THREADS = 3, SENDERS = ACTORS + THREADS, BURST = 100 };

struct flood_item  { uint32_t sender; uint32_t number; };
struct flood_again { uint32_t unused; };

#define FLOOD_MESSAGES(M) M(flood_item) M(flood_again)
TR_PROTOCOL(flood, 9100, FLOOD_MESSAGES);

struct sink   { uint32_t index; };
struct source { uint32_t index; uint32_t left; uint64_t random; };

/* Each line is written by one actor or thread, and read when the system has stopped. */
static struct {
    uint64_t handled;
    uint32_t last[SENDERS];
} sunk[SINKS];

static struct {
    uint64_t accepted[SINKS];
    uint64_t refused;
} sent[SENDERS];

static tr_ref sinks[SINKS];
static struct stress_latch done = STRESS_LATCH(0);

TR_ON(sink, flood_item, self, me, msg)
{
    STRESS_CHECK(msg->number > sunk[me->index].last[msg->sender], "out of order: %u after %u",
                 msg->number, sunk[me->index].last[msg->sender]);
    sunk[me->index].last[msg->sender] = msg->number;
    sunk[me->index].handled++;
    return TR_OK;
}

static const tr_actor_type sink_actor = {
    TR_STATE(sink), .on = TR_TABLE(TR_HANDLES(sink, flood_item)), .capacity = 64,
};

/* Whether the message was accepted. */
static bool account(uint32_t sender, uint32_t to, int err)
{
    if (err == 0)
        sent[sender].accepted[to]++;
    else
        sent[sender].refused++;
    STRESS_CHECK(err == 0 || err == -ENOBUFS || err == -ETIMEDOUT, "%s", tr_strerror(err));
    return err == 0;
}

/* A refused one ends the burst, and is tried again after whatever else there is to do. */
TR_ON(source, flood_again, self, me, msg)
{
    for (int i = 0; i < BURST && me->left > 0; i++, me->left--) {
        uint32_t to = stress_below(&me->random, SINKS);
        int err = tr_send(self, sinks[to], flood_item, .sender = me->index,
                          .number = UINT32_MAX - me->left);
        if (!account(me->index, to, err))
            break;
    }
    if (me->left > 0)
        return tr_send(self, tr_me(self), flood_again, .unused = 0);
    stress_latch_down(&done);
    return TR_OK;
}

static const tr_actor_type source_actor = {
    TR_STATE(source), .on = TR_TABLE(TR_HANDLES(source, flood_again)), .capacity = 4,
};

struct outsider {
    tr_system *sys;
    uint32_t index;
    uint32_t count;
    uint64_t random;
};

static void *run_outsider(void *arg)
{
    struct outsider *me = arg;

    for (uint32_t i = 1; i <= me->count; i++) {
        struct flood_item item = { .sender = me->index, .number = i };
        uint32_t to = stress_below(&me->random, SINKS);
        bool patient = stress_below(&me->random, 4) == 0;
        (void)account(me->index, to, patient ? tr_send_wait(me->sys, sinks[to], flood_item, &item,
                                                      TR_US(stress_below(&me->random, 2000)))
                                       : tr_send_copy(me->sys, sinks[to], flood_item, &item));
    }
    stress_latch_down(&done);
    return NULL;
}

static void start_actors(tr_system *sys, const struct stress *stress)
{
    for (uint32_t i = 0; i < SINKS; i++)
        sinks[i] = stress_ref(tr_spawn(sys, sink, .index = i));
    for (uint32_t i = 0; i < ACTORS; i++) {
        tr_ref source = stress_ref(tr_spawn(sys, source, .index = i,
                                            .left = (uint32_t)stress->rounds,
                                            .random = stress->seed * 100 + i));
        STRESS_OK(tr_send(sys, source, flood_again, .unused = 0));
    }
}

static void check(const tr_stats *sink_stats)
{
    uint64_t accepted = 0, handled = 0;

    for (int to = 0; to < SINKS; to++) {
        uint64_t to_this_one = 0;
        for (int s = 0; s < SENDERS; s++)
            to_this_one += sent[s].accepted[to];
        STRESS_CHECK(to_this_one == sunk[to].handled, "sink %d: %llu accepted, %llu handled", to,
                     (unsigned long long)to_this_one, (unsigned long long)sunk[to].handled);
        accepted += to_this_one;
        handled += sunk[to].handled;
    }
    STRESS_CHECK(sink_stats->accepted == accepted, "%llu", (unsigned long long)accepted);
    STRESS_CHECK(sink_stats->handled == handled, "%llu", (unsigned long long)handled);
}

static void run(uint32_t workers, const struct stress *stress)
{
    tr_system *sys = stress_system(workers);
    struct outsider outsiders[THREADS];
    pthread_t threads[THREADS];
    tr_stats sink_stats;

    memset(sunk, 0, sizeof sunk);
    memset(sent, 0, sizeof sent);
    stress_latch_set(&done, SENDERS);
    start_actors(sys, stress);
    for (uint32_t i = 0; i < THREADS; i++) {
        outsiders[i] = (struct outsider){ sys, ACTORS + i, (uint32_t)stress->rounds / 10,
                                          stress->seed * 100 + 50 + i };
        STRESS_OK(pthread_create(&threads[i], NULL, run_outsider, &outsiders[i]));
    }
    stress_latch_await(&done);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    tr_stats stats = stress_quiet(sys);
    STRESS_OK(tr_type_stats(sys, &sink_actor, &sink_stats));
    STRESS_OK(tr_system_stop(sys, TR_SEC(20)));
    check(&sink_stats);
    printf("flood: %u workers: %llu accepted, %llu refused\n", workers,
           (unsigned long long)stats.accepted, (unsigned long long)stats.rejected);
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 20000);

    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        run(workers, &stress);
    return 0;
}
