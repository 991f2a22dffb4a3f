/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <errno.h>

#include "sim/inside.h"

#define EVENTS 200

struct probe {
    struct tri_sim_event event;
    int64_t when;
};

static struct probe probes[EVENTS];
static int happened[EVENTS];
static int happened_count;
static int64_t latest;

static void happen(void *context)
{
    struct probe *probe = context;

    cr_assert_geq(tri_sim_now(), probe->when);
    cr_assert_geq(probe->when, latest);
    latest = probe->when;
    happened[happened_count++] = (int)(probe - probes);
}

static void begin(uint64_t seed)
{
    const struct tri_sim_options options = { .seed = seed, .until = INT64_MAX,
                                             .steps_max = UINT64_MAX };

    tri_sim_begin(&options);
    happened_count = 0;
    latest = 0;
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

static void schedule(int count, int64_t (*when)(int i))
{
    for (int i = 0; i < count; i++) {
        probes[i] = (struct probe){ .event = { .happen = happen, .context = &probes[i] } };
        probes[i].when = tri_sim_now() + when(i);
        tri_sim_at(&probes[i].event, probes[i].when);
    }
}

static int64_t scattered(int i)
{
    return (int64_t)(i * 7919 % EVENTS) * TRI_NS_PER_MS;
}

static int64_t together(int i)
{
    (void)i;
    return TRI_NS_PER_S;
}

Test(sim_event, they_happen_in_the_order_of_their_times)
{
    begin(1);
    schedule(EVENTS, scattered);
    cr_assert_eq(tri_sim_drive(never, NULL, INT64_MAX), -EDEADLK);
    cr_assert_eq(happened_count, EVENTS);
    tri_sim_end();
}

Test(sim_event, a_cancelled_one_does_not_happen)
{
    begin(1);
    schedule(EVENTS, scattered);
    for (int i = 0; i < EVENTS; i += 3)
        tri_sim_cancel(&probes[i].event);
    tri_sim_cancel(&probes[0].event);
    cr_assert_eq(tri_sim_drive(never, NULL, INT64_MAX), -EDEADLK);
    cr_assert_eq(happened_count, EVENTS - (EVENTS + 2) / 3);
    for (int i = 0; i < happened_count; i++)
        cr_assert_neq(happened[i] % 3, 0);
    tri_sim_end();
}

Test(sim_event, those_due_together_come_in_an_order_of_the_seeds)
{
    int first[EVENTS];
    uint64_t hash;
    int same = 0;

    begin(1);
    schedule(EVENTS, together);
    (void)tri_sim_drive(never, NULL, INT64_MAX);
    hash = tri_sim_hash();
    for (int i = 0; i < EVENTS; i++)
        first[i] = happened[i];
    tri_sim_end();

    begin(1);
    schedule(EVENTS, together);
    (void)tri_sim_drive(never, NULL, INT64_MAX);
    cr_assert_eq(tri_sim_hash(), hash);
    for (int i = 0; i < EVENTS; i++)
        cr_assert_eq(first[i], happened[i]);
    tri_sim_end();

    begin(2);
    schedule(EVENTS, together);
    (void)tri_sim_drive(never, NULL, INT64_MAX);
    cr_assert_neq(tri_sim_hash(), hash);
    for (int i = 0; i < EVENTS; i++)
        same += first[i] == happened[i];
    cr_assert_lt(same, EVENTS / 2);
    tri_sim_end();
}

Test(sim_event, a_deadline_ends_the_wait_and_moves_the_clock)
{
    int64_t begun;

    begin(1);
    begun = tri_sim_now();
    schedule(1, together);
    cr_assert_eq(tri_sim_drive(never, NULL, begun + TRI_NS_PER_MS), -ETIMEDOUT);
    cr_assert_eq(tri_sim_now(), begun + TRI_NS_PER_MS);
    cr_assert_eq(tri_clock_now(), tri_sim_now());
    cr_assert_eq(happened_count, 0);
    tri_sim_cancel(&probes[0].event);
    tri_sim_end();
    cr_assert_neq(tri_clock_now(), begun + TRI_NS_PER_MS);
}
