/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "sim/inside.h"

static struct tri_sim_options options;
static char error[128];

static bool parse(const char *text)
{
    return tri_sim_options_parse(text, &options, error);
}

Test(sim_options, a_seed_alone)
{
    cr_assert(parse("7"));
    cr_assert_eq(options.seed, 7);
    cr_assert_eq(options.strategy, TRI_SIM_UNIFORM);
    cr_assert_eq(options.until, INT64_MAX);
    cr_assert_eq(options.rule_count, 0);
    cr_assert(parse("0x10"));
    cr_assert_eq(options.seed, 16);
}

Test(sim_options, everything_at_once)
{
    cr_assert(parse("1,strategy=pct:4,until=10m,steps=500,cover,quiet,drop=0.25,crash@feed=1"));
    cr_assert_eq(options.strategy, TRI_SIM_PCT);
    cr_assert_eq(options.pct_depth, 4);
    cr_assert_eq(options.until, 600 * TRI_NS_PER_S);
    cr_assert_eq(options.steps_max, 500);
    cr_assert(options.prints_cover);
    cr_assert(options.is_quiet);
    cr_assert_eq(options.rule_count, 2);
    cr_assert_str_eq(options.rules[0].fault, "drop");
    cr_assert_eq(options.rules[0].rate, UINT32_C(1) << 30);
    cr_assert_str_eq(options.rules[0].subject, "");
    cr_assert_str_eq(options.rules[1].fault, "crash");
    cr_assert_str_eq(options.rules[1].subject, "feed");
    cr_assert_eq(options.rules[1].rate, UINT32_MAX);
}

Test(sim_options, what_makes_no_sense_is_named)
{
    static const char *const wrong[] = {
        "", "seed", "7=1", "-1", "99999999999999999999", "7,strategy=best", "7,strategy=pct:0",
        "7,until=5", "7,until=-5s", "7,until=9999999999h", "7,steps=many", "7,cover=1", "7,drop",
        "7,drop=2", "7,drop=0,5", "7,drop=-1", "7,drop=nan", "7,@feed=1", "7,=1",
        "7,strategy=pct:17", "7,strategy=pct:", "7,strategy=pct:3:", "7,strategy=pct:3:0",
        "7,strategy=pct:3:5:7", "7,strategy=pcts", "7,record", "7,record=", "7,shrink=",
        "7,strategy=exhaustive:0", "7,strategy=exhaustive:x",
        "7,strategy=exhaustives",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.seed = 42;
        error[0] = '\0';
        cr_assert(!parse(wrong[i]), "%s", wrong[i]);
        cr_assert(error[0] != '\0', "%s", wrong[i]);
        cr_assert_eq(options.seed, 42);
    }
}

Test(sim_options, names_that_are_too_long_or_too_many)
{
    char text[4096] = "7";

    memset(text + 1, 'x', 2000);
    text[1] = ',';
    cr_assert(!parse(text));
    strcpy(text, "7");
    for (int i = 0; i < 33; i++)
        strcat(text, ",drop=1");
    cr_assert(parse(text)); /* one rule, said again */
    cr_assert_eq(options.rule_count, 1);
    strcpy(text, "7");
    for (int i = 0; i < 33; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",drop@x%d=1", i);
    cr_assert(!parse(text));
}

Test(sim_options, pct_has_a_depth_and_a_length)
{
    cr_assert(parse("7,strategy=pct"));
    cr_assert_eq(options.strategy, TRI_SIM_PCT);
    cr_assert_eq(options.pct_depth, 3);
    cr_assert_eq(options.pct_steps, 10000);
    cr_assert(parse("7,strategy=pct:2:50"));
    cr_assert_eq(options.pct_depth, 2);
    cr_assert_eq(options.pct_steps, 50);
}

Test(sim_options, what_is_done_with_a_run)
{
    cr_assert(parse("7,record=/tmp/a,shrink=b"));
    cr_assert_str_eq(options.record, "/tmp/a");
    cr_assert_str_eq(options.shrink, "b");
    cr_assert_eq(options.deviations, 0);
    cr_assert(parse("7,strategy=exhaustive"));
    cr_assert_eq(options.deviations, 2);
    cr_assert(parse("7,strategy=exhaustive:3"));
    cr_assert_eq(options.deviations, 3);
}

Test(sim_options, the_essence_is_what_decides_a_run)
{
    char essence[40];

    cr_assert(tri_sim_options_essence("7,record=x,drop=1,quiet,cover,shrink=y", essence, 40));
    cr_assert_str_eq(essence, "7,drop=1");
    cr_assert(tri_sim_options_essence("7,strategy=exhaustive:3,strategy=pct", essence, 40));
    cr_assert_str_eq(essence, "7,strategy=pct");
    cr_assert(tri_sim_options_essence("7", essence, 3));
    cr_assert(!tri_sim_options_essence("7,drop=1", essence, 5));
}
