/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <string.h>

#include "sim/inside.h"

static void begin(const char *text)
{
    struct tri_sim_options options;
    char error[128];

    cr_assert(tri_sim_options_parse(text, &options, error), "%s", error);
    tri_sim_begin(&options);
}

Test(sim_choice, a_choice_is_below_its_bound_and_every_one_occurs)
{
    bool seen[7] = { false };

    begin("1");
    cr_assert_eq(tri_sim_choose(0), 0);
    cr_assert_eq(tri_sim_choose(1), 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t chosen = tri_sim_choose(7);
        cr_assert_lt(chosen, 7);
        seen[chosen] = true;
    }
    for (int i = 0; i < 7; i++)
        cr_assert(seen[i]);
    tri_sim_end();
}

Test(sim_choice, bytes_do_not_change_decisions)
{
    uint32_t decided[100];
    unsigned char bytes[13], again[13];

    begin("5");
    for (int i = 0; i < 100; i++)
        decided[i] = tri_sim_choose(1000);
    tri_sim_random(bytes, sizeof bytes);
    tri_sim_end();

    begin("5");
    tri_sim_random(again, sizeof again);
    cr_assert_eq(memcmp(bytes, again, sizeof bytes), 0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(tri_sim_choose(1000), decided[i]);
    cr_assert_geq(tri_sim_between(-3, 3), -3);
    cr_assert_leq(tri_sim_between(-3, 3), 3);
    cr_assert_eq(tri_sim_between(5, 5), 5);
    tri_sim_end();
}

Test(sim_choice, a_fault_strikes_by_the_most_special_rule)
{
    static struct tri_sim_fault drop = TRI_SIM_FAULT("drop"), crash = TRI_SIM_FAULT("crash");
    int dropped = 0;

    begin("1,drop=0.5,drop@feed=0,drop@quote=1,faults@other=1");
    for (int i = 0; i < 1000; i++) {
        dropped += tri_sim_strikes(&drop, "any", NULL);
        cr_assert(!tri_sim_strikes(&drop, "feed", NULL));
        cr_assert(tri_sim_strikes(&drop, "any", "quote"));
        cr_assert(!tri_sim_strikes(&crash, "any", NULL));
        cr_assert(tri_sim_strikes(&crash, NULL, "other"));
    }
    cr_assert(dropped > 400 && dropped < 600, "%d", dropped);
    cr_assert_eq(crash.row.hits, 1000);
    cr_assert_eq(crash.asked, 2000);
    tri_sim_end();
}

static uint64_t three(uint32_t index)
{
    return index;
}

Test(sim_choice, pct_changes_its_mind_as_often_as_it_may)
{
    int changes = 0;
    uint32_t last;

    begin("3,strategy=pct:3");
    last = tri_sim_choose_step(3, three);
    for (int i = 0; i < 20000; i++) {
        tri_sim_count_step(0);
        uint32_t chosen = tri_sim_choose_step(3, three);
        changes += chosen != last;
        last = chosen;
    }
    cr_assert_eq(changes, 2);
    tri_sim_end();
}
