/* SPDX-License-Identifier: BSD-2-Clause */

/* See covered.h. */

#include "actors/covered.h"

#define ROW(name, text) TRI_SIM_ROW(text),
static struct tri_sim_row rows[] = { TRI_COVERED(ROW) };

void tri_covered_hit(enum tri_covered what)
{
    tri_sim_cover(&rows[what]);
}

void tri_covered_declare(void)
{
    for (uint32_t i = 0; i < TRI_COVERED_COUNT; i++)
        tri_sim_declare(&rows[i]);
}
