/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/tape.h"

#define HEAD "troupe replay 1\nprogram sim_x 0123456789abcdef\noptions 7,crash@feed=0.01\n"
#define RUN  "run 43 steps, hash 00000000000000ff\n"

static char error[TRI_SIM_TAPE_ERROR];

static int parse(const char *text, struct tri_sim_tape *ret_tape)
{
    error[0] = '\0';
    return tri_sim_tape_parse(text, strlen(text), ret_tape, error);
}

/* The text and a last line that is right. */
static int parse_ended(const char *text, struct tri_sim_tape *ret_tape)
{
    char whole[2048];

    (void)snprintf(whole, sizeof whole, "%send %016" PRIx64 "\n", text,
                   tri_sim_tape_sum(text, strlen(text)));
    return parse(whole, ret_tape);
}

static void refuses(const char *text, const char *why)
{
    struct tri_sim_tape tape = { .count = 77 };

    cr_assert_eq(parse_ended(text, &tape), -EINVAL, "%s", text);
    cr_assert_not_null(strstr(error, why), "%s: %s", text, error);
    cr_assert_eq(tape.count, 77); /* untouched */
}

Test(sim_tape_file, a_replay_file_is_read)
{
    struct tri_sim_tape tape;

    cr_assert_eq(parse_ended(HEAD RUN "3:1 17:2\n18:4294967295\n", &tape), 0, "%s", error);
    cr_assert_str_eq(tape.program.name, "sim_x");
    cr_assert_eq(tape.program.build, UINT64_C(0x0123456789abcdef));
    cr_assert_str_eq(tape.text, "7,crash@feed=0.01");
    cr_assert_eq(tape.steps, 43);
    cr_assert_eq(tape.hash, 255);
    cr_assert_eq(tape.count, 19);
    for (size_t i = 0; i < tape.count; i++)
        cr_assert_eq(tape.decisions[i].value,
                     i == 3 ? 1u : i == 17 ? 2u : i == 18 ? UINT32_MAX : 0u);
    tri_sim_tape_free(&tape);
    cr_assert_null(tape.decisions);
}

Test(sim_tape_file, a_run_without_decisions_is_one)
{
    struct tri_sim_tape tape;

    cr_assert_eq(parse_ended(HEAD RUN, &tape), 0, "%s", error);
    cr_assert_eq(tape.count, 0);
    cr_assert_null(tape.decisions);
}

Test(sim_tape_file, what_is_written_is_read)
{
    struct tri_sim_decision decisions[300] = { { 0, 1 } };
    struct tri_sim_tape tape = { .text = "9", .steps = 5, .hash = 6, .count = 300,
                                 .decisions = decisions }, again;
    char path[] = "/tmp/troupe.replay.XXXXXX";
    int file = mkstemp(path);

    cr_assert_geq(file, 0);
    (void)close(file);
    tri_sim_program_self(&tape.program);
    cr_assert_neq(tape.program.name[0], '\0');
    for (uint32_t i = 0; i < 300; i++)
        decisions[i].value = i % 3;
    cr_assert_eq(tri_sim_tape_write(path, &tape), 0);
    cr_assert_eq(tri_sim_tape_read(path, &again, error), 0, "%s", error);
    cr_assert_str_eq(again.program.name, tape.program.name);
    cr_assert_eq(again.program.build, tape.program.build);
    cr_assert_eq(again.hash, 6);
    cr_assert_eq(again.count, 300);
    for (uint32_t i = 0; i < 300; i++)
        cr_assert_eq(again.decisions[i].value, i % 3);
    tri_sim_tape_free(&again);
    (void)unlink(path);
    cr_assert_eq(tri_sim_tape_read(path, &again, error), -ENOENT);
    cr_assert_str_eq(error, "No such file or directory");
    cr_assert_eq(tri_sim_tape_write("/nowhere/at/all", &tape), -ENOENT);
}

Test(sim_tape_file, a_long_quiet_run_is_read_as_it_was)
{
    enum { COUNT = 20000, LAST = 15000 };
    struct tri_sim_decision *decisions = calloc(COUNT, sizeof *decisions);
    struct tri_sim_tape tape = { .text = "9", .program.name = "x", .count = COUNT,
                                 .decisions = decisions }, again;
    char path[] = "/tmp/troupe.replay.XXXXXX";
    int file = mkstemp(path);

    cr_assert_geq(file, 0);
    (void)close(file);
    cr_assert_not_null(decisions);
    decisions[4095].value = 2;
    decisions[LAST].value = 1;
    cr_assert_eq(tri_sim_tape_write(path, &tape), 0);
    cr_assert_eq(tri_sim_tape_read(path, &again, error), 0, "%s", error);
    cr_assert_eq(again.count, LAST + 1); /* zeros at the end are not written */
    for (size_t i = 0; i <= LAST; i++)
        cr_assert_eq(again.decisions[i].value, decisions[i].value);
    tri_sim_tape_free(&again);
    free(decisions);
    (void)unlink(path);
}

Test(sim_tape_file, what_makes_no_sense_is_refused_by_line)
{
    refuses("", "line 1: neither");
    refuses("troupe replay 2\n", "line 1: neither");
    refuses("troupe replay 1\n", "line 2: begins with \"program\"");
    refuses("troupe replay 1\nprogram x\n", "line 2: a program's name");
    refuses("troupe replay 1\nprogram x 0123\n", "line 2: a program's name");
    refuses("troupe replay 1\nprogram x 0123456789abcdeg\n", "line 2: a program's name");
    refuses("troupe replay 1\nprogram x 0123456789abcdef\noptions \n", "line 3: a seed");
    refuses(HEAD "run\n", "line 4: begins with");
    refuses(HEAD "run 5 steps\n", "line 4: \"run N steps");
    refuses(HEAD RUN "3\n", "line 5: decisions like");
    refuses(HEAD RUN "3:\n", "line 5: decisions like");
    refuses(HEAD RUN "3:1  4:1\n", "line 5: decisions like");
    refuses(HEAD RUN "3:1 \n", "line 5: decisions like");
    refuses(HEAD RUN "\n", "line 5: decisions like");
    refuses(HEAD RUN "3:1\n3:1\n", "line 6: decision 3 is not behind");
    refuses(HEAD RUN "16777216:1\n", "line 5: a decision out of bounds");
    refuses(HEAD RUN "4096:1\n", "line 5: more than 4095 decisions are left out");
    refuses(HEAD RUN "7:1\n4104:1\n", "line 6: more than 4095 decisions are left out");
    refuses(HEAD RUN "3:4294967296\n", "line 5: a decision out of bounds");
    refuses(HEAD RUN "3:99999999999999999999999\n", "line 5: decisions like");
    refuses(HEAD RUN "end 0123456789abcdef\n", "line 5: the sum is not");
    refuses(HEAD RUN "end 5\n", "line 5: \"end\" and 16");
}

Test(sim_tape_file, every_beginning_of_a_file_is_refused)
{
    static const char text[] = HEAD RUN "3:1 17:2\n";
    struct tri_sim_tape tape;
    char whole[512];

    (void)snprintf(whole, sizeof whole, "%send %016" PRIx64 "\n", text,
                   tri_sim_tape_sum(text, strlen(text)));
    for (size_t size = 0; size < strlen(whole); size++) {
        error[0] = '\0';
        cr_assert_eq(tri_sim_tape_parse(whole, size, &tape, error), -EINVAL, "%zu", size);
        cr_assert_neq(error[0], '\0');
    }
    cr_assert_eq(parse(whole, &tape), 0);
    tri_sim_tape_free(&tape);
}

Test(sim_tape_file, every_damaged_byte_is_noticed)
{
    static const char text[] = HEAD RUN "3:1 17:2\n";
    struct tri_sim_tape tape;
    char whole[512];

    (void)snprintf(whole, sizeof whole, "%send %016" PRIx64 "\n", text,
                   tri_sim_tape_sum(text, strlen(text)));
    for (size_t at = 0; at < strlen(whole); at++) {
        whole[at] ^= 1;
        cr_assert_eq(tri_sim_tape_parse(whole, strlen(whole), &tape, error), -EINVAL, "%zu", at);
        whole[at] ^= 1;
    }
}
