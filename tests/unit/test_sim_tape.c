/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sim/inside.h"
#include "sim/tape.h"

static void begin(const char *text)
{
    struct tri_sim_options options;
    char error[128];

    cr_assert(tri_sim_options_parse(text, &options, error), "%s", error);
    tri_sim_begin(&options);
}

/* A path that nobody has, to be unlinked. */
static void name_file(char path[32])
{
    (void)snprintf(path, 32, "/tmp/troupe.tape.XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    (void)close(file);
}

Test(sim_tape, what_is_recorded_decides_again)
{
    struct tri_sim_tape tape;
    char path[32], error[TRI_SIM_TAPE_ERROR];
    uint32_t decided[100];

    name_file(path);
    begin("7");
    cr_assert_eq(tri_sim_record(path, "7"), 0);
    for (uint32_t i = 0; i < 100; i++)
        decided[i] = tri_sim_choose(1000);
    tri_sim_count_step(5);
    uint64_t hash = tri_sim_hash();
    cr_assert_eq(tri_sim_tape_read(path, &tape, error), 0);
    tri_sim_end();

    cr_assert_eq(tape.count, 100);
    cr_assert_eq(tape.steps, 1);
    cr_assert_eq(tape.hash, hash);
    cr_assert_str_eq(tape.text, "7");
    cr_assert_eq(tape.decisions[3].of, 1000);
    begin("8");
    tri_sim_replay(&tape);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(tri_sim_choose(1000), decided[i]);
    cr_assert_eq(tri_sim_choose(1000), 0);
    cr_assert(!tri_sim_chance(UINT32_MAX));
    tri_sim_end();
    (void)unlink(path);
}

Test(sim_tape, a_recording_grows)
{
    struct tri_sim_tape tape;
    char path[32], error[TRI_SIM_TAPE_ERROR];

    name_file(path);
    begin("7");
    cr_assert_eq(tri_sim_record(path, "7"), 0);
    for (uint32_t i = 0; i < 50000; i++)
        tri_sim_tape_note(i, 50000);
    tri_sim_end();
    cr_assert_eq(tri_sim_tape_read(path, &tape, error), 0);
    cr_assert_eq(tape.count, 50000);
    for (uint32_t i = 0; i < 50000; i++)
        cr_assert_eq(tape.decisions[i].value, i);
    tri_sim_tape_free(&tape);
    cr_assert_eq(truncate(path, 2000), 0);
    cr_assert_eq(tri_sim_tape_read(path, &tape, error), -EINVAL);
    cr_assert_str_eq(error, "a recording that is cut short");
    (void)unlink(path);
}

Test(sim_tape, a_value_that_does_not_fit_is_0)
{
    static const struct tri_sim_decision decisions[] = { { 4, 5 }, { 4, 5 }, { 1, 2 } };
    struct tri_sim_tape tape = { .count = 3 };

    tape.decisions = tri_alloc(sizeof decisions);
    memcpy(tape.decisions, decisions, sizeof decisions);
    begin("1");
    cr_assert_null(tri_sim_played());
    tri_sim_replay(&tape);
    cr_assert_null(tape.decisions);
    cr_assert_eq(tri_sim_played()->count, 3);
    cr_assert_eq(tri_sim_choose(5), 4);
    cr_assert_eq(tri_sim_choose(4), 0);
    cr_assert_eq(tri_sim_choose(1), 0); /* no decision: the tape does not go on */
    cr_assert(tri_sim_chance(1));
    tri_sim_end();
}

Test(sim_tape, nothing_is_recorded_where_no_file_can_be)
{
    begin("1");
    cr_assert_eq(tri_sim_record("/nowhere/at/all", "1"), -ENOENT);
    (void)tri_sim_choose(5);
    tri_sim_end();
}
