/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a run has covered, and the faults that it may suffer.
 *
 * Why by name. Rows are declared where the thing happens; nobody keeps a list of them. So a new
 * capability brings its own rows, and the table says what it has.
 *
 * A fault is decided by the most special rule that fits: name@subject, then name, then faults.
 */

#include <stdio.h>
#include <string.h>

#include "sim/inside.h"

static struct tri_sim_row *first;
static struct tri_sim_row **end = &first;

void tri_sim_cover_begin(void)
{
    for (struct tri_sim_row *row = first, *next; row != NULL; row = next) {
        next = row->next;
        *row = (struct tri_sim_row){ .name = row->name };
    }
    first = NULL;
    end = &first;
}

void tri_sim_declare(struct tri_sim_row *row)
{
    if (row->is_listed)
        return;
    row->is_listed = true;
    row->next = NULL;
    *end = row;
    end = &row->next;
}

void tri_sim_cover(struct tri_sim_row *row)
{
    tri_sim_declare(row);
    row->hits++;
}

void tri_sim_cover_print(void)
{
    for (const struct tri_sim_row *row = first; row != NULL; row = row->next)
        (void)fprintf(stderr, "troupe: covered %10llu  %s\n", (unsigned long long)row->hits,
                      row->name);
}

uint64_t tri_sim_covered(const char *name)
{
    for (const struct tri_sim_row *row = first; row != NULL; row = row->next) {
        if (strcmp(row->name, name) == 0)
            return row->hits;
    }
    return 0;
}

/* ---- faults --------------------------------------------------------------------------------- */

static bool is(const char *wanted, const char *name)
{
    return name != NULL && strcmp(wanted, name) == 0;
}

/* How special a rule is for what may be struck: 0, it does not fit. */
static unsigned fits(const struct tri_sim_rule *rule, const char *fault, const char *a,
                     const char *b)
{
    bool is_for_all = strcmp(rule->fault, "faults") == 0;

    if (!is_for_all && strcmp(rule->fault, fault) != 0)
        return 0;
    if (rule->subject[0] == '\0')
        return is_for_all ? 1 : 3;
    if (!is(rule->subject, a) && !is(rule->subject, b))
        return 0;
    return is_for_all ? 2 : 4;
}

static uint32_t rate_of(const char *fault, const char *a, const char *b)
{
    const struct tri_sim_options *options = tri_sim_options();
    unsigned best = 0;
    uint32_t rate = 0;

    for (uint32_t i = 0; i < options->rule_count; i++) {
        unsigned fit = fits(&options->rules[i], fault, a, b);
        if (fit != 0 && fit >= best) {
            best = fit;
            rate = options->rules[i].rate;
        }
    }
    return rate;
}

bool tri_sim_wants(const char *fault)
{
    const struct tri_sim_options *options = tri_sim_options();

    for (uint32_t i = 0; i < options->rule_count; i++) {
        if (is(fault, options->rules[i].fault) || is("faults", options->rules[i].fault))
            return true;
    }
    return false;
}

bool tri_sim_strikes(struct tri_sim_fault *fault, const char *a, const char *b)
{
    if (tri_sim_options()->rule_count == 0)
        return false;
    tri_sim_declare(&fault->row);
    fault->asked++;
    if (!tri_sim_chance(rate_of(fault->row.name, a, b)))
        return false;
    fault->row.hits++;
    return true;
}
