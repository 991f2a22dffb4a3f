/* SPDX-License-Identifier: BSD-2-Clause */

/* The search runs the very program it is in: so it is told what to run by its words. What it finds
 * is tested from outside, by tests/sim/search.sh; here, how it ends. */

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/inside.h"

/* Runs a search in a child; its status. */
static int search(const char *text)
{
    struct tri_sim_options options;
    char error[128];
    int status = 0;

    cr_assert(tri_sim_options_parse(text, &options, error), "%s", error);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        tri_sim_search(&options, text);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(sim_search, nowhere_to_keep_a_run_ends_it)
{
    cr_assert_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    cr_assert_eq(search("1,shrink=/nowhere/file"), TRI_SIM_FAILED);
    cr_assert_eq(search("1,strategy=exhaustive:1"), TRI_SIM_FAILED);
}

Test(sim_search, options_too_long_to_be_handed_on_end_it)
{
    char text[TRI_SIM_PATH_MAX * 8];

    (void)snprintf(text, sizeof text, "1,shrink=/nowhere/file");
    while (strlen(text) < 1100)
        (void)strcat(text, ",crash@an_actor=0.1");
    cr_assert_eq(search(text), TRI_SIM_FAILED);
}
