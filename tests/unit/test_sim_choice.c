/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <stdio.h>
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

/* ---- the bound of PCT ---- */

/* Participants that have so many steps to take each; who is able to takes part. */
static uint32_t left[4];
static uint32_t participants;

static uint64_t nth_able(uint32_t index)
{
    for (uint32_t i = 0; i < participants; i++) {
        if (left[i] > 0 && index-- == 0)
            return i;
    }
    return UINT64_MAX;
}

static uint32_t count_able(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < participants; i++)
        count += left[i] > 0;
    return count;
}

/* Takes all their steps; who took them, a letter each. */
static void run_participants(const char *steps_of_each, uint32_t seed, char *ret_order)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%u,strategy=%s", (unsigned)seed, ret_order);
    begin(text);
    participants = (uint32_t)strlen(steps_of_each);
    for (uint32_t i = 0; i < participants; i++)
        left[i] = (uint32_t)(steps_of_each[i] - '0');
    for (uint32_t count; (count = count_able()) > 0;) {
        uint64_t who = nth_able(tri_sim_choose_step(count, nth_able));
        tri_sim_count_step(who);
        left[who]--;
        *ret_order++ = (char)('a' + who);
    }
    *ret_order = '\0';
    tri_sim_end();
}

/* In how many of so many runs the order is that one. */
static uint32_t count_order(const char *strategy, const char *steps_of_each, const char *wanted,
                            uint32_t runs)
{
    uint32_t found = 0;
    char order[32];

    for (uint32_t seed = 1; seed <= runs; seed++) {
        (void)snprintf(order, sizeof order, "%s", strategy);
        run_participants(steps_of_each, seed, order);
        found += strcmp(order, wanted) == 0;
    }
    return found;
}

Test(sim_choice, pct_finds_bugs_as_often_as_it_promises)
{
    /* depth 1, n = 3: c goes before all others, then b; of six orders, one */
    cr_assert_geq(count_order("pct:1:3", "111", "cba", 6000), 6000 / 6 * 9 / 10);
    /* depth 2, n = 2, k = 4: b comes between the first steps of a; 1 in 8 at least */
    cr_assert_geq(count_order("pct:2:4", "31", "abaa", 4000), 4000 / 8 * 9 / 10);
    /* depth 3, n = 2, k = 4: two changes; 1 in 32 at least */
    cr_assert_geq(count_order("pct:3:4", "22", "abab", 6400), 6400 / 32 * 9 / 10);
    /* never by a lower depth */
    cr_assert_eq(count_order("pct:1:4", "31", "abaa", 1000), 0);
    cr_assert_eq(count_order("pct:2:4", "22", "abab", 1000), 0);
}
