/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The loop that everything in a simulation happens in: one of the steps that are ready is chosen
 * and taken; when none is, the clock goes on to the next thing that becomes ready by itself.
 *
 * Each step takes a microsecond of virtual time, so that a program that never rests still sees its
 * deadlines come.
 *
 * The program's own thread is one that comes and goes: what it does between two blocking calls
 * happens at once, but when it calls the system, steps may come first (interleave), as if workers
 * had been running all along.
 */

#include <errno.h>

#include "base/assert.h"
#include "sim/inside.h"

#define STEP_TAKES TRI_NS_PER_US

/* Steps that others may be ahead when the program's thread calls. */
#define AHEAD_MAX 4u

static struct tri_list sources = { { &sources.ring, &sources.ring } };
static bool is_in_step;
static bool is_scripted;

void tri_sim_source_add(struct tri_sim_source *source)
{
    tri_list_push_back(&sources, &source->link);
}

void tri_sim_source_remove(struct tri_sim_source *source)
{
    tri_link_remove(&source->link);
}

/* ---- what is ready -------------------------------------------------------------------------- */

/* The source whose step has this index among all, which becomes its index in that source. */
static struct tri_sim_source *source_of(uint32_t *index)
{
    TRI_LIST_EACH(&sources, link) {
        struct tri_sim_source *source = TRI_CONTAINER_OF(link, struct tri_sim_source, link);
        uint32_t ready = source->ready(source->context);
        if (*index < ready)
            return source;
        *index -= ready;
    }
    return NULL;
}

static uint64_t identify(uint32_t index)
{
    struct tri_sim_source *source = source_of(&index);

    return source->identify(source->context, index);
}

static uint32_t count_ready(void)
{
    uint32_t count = 0;

    TRI_LIST_EACH(&sources, link) {
        struct tri_sim_source *source = TRI_CONTAINER_OF(link, struct tri_sim_source, link);
        count += source->ready(source->context);
    }
    return count;
}

static int64_t next_time(void)
{
    int64_t next = INT64_MAX;

    TRI_LIST_EACH(&sources, link) {
        struct tri_sim_source *source = TRI_CONTAINER_OF(link, struct tri_sim_source, link);
        int64_t when = source->next(source->context);
        next = when < next ? when : next;
    }
    return next;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* Whatever was stepped: a step of one may break another. */
static void audit(void)
{
#ifdef TRI_AUDIT
    TRI_LIST_EACH(&sources, link) {
        struct tri_sim_source *source = TRI_CONTAINER_OF(link, struct tri_sim_source, link);
        if (source->audit != NULL)
            source->audit(source->context);
    }
#endif
}

bool tri_sim_step_now(void)
{
    uint32_t count = count_ready();
    uint32_t index;

    tri_assert(!is_in_step);
    if (count == 0)
        return false;
    index = tri_sim_choose_step(count, identify);
    struct tri_sim_source *source = source_of(&index);
    tri_sim_count_step(source->identify(source->context, index));
    is_in_step = true;
    source->take(source->context, index);
    is_in_step = false;
    tri_sim_set_now(tri_sim_now() + STEP_TAKES);
    audit();
    return true;
}

bool tri_sim_advance(int64_t deadline)
{
    int64_t next = next_time();

    if (next <= tri_sim_now())
        return true;
    if (next <= deadline && next != INT64_MAX) {
        tri_sim_set_now(next);
        return true;
    }
    if (deadline != INT64_MAX && deadline > tri_sim_now())
        tri_sim_set_now(deadline);
    return false;
}

static bool is_beyond_limits(void)
{
    const struct tri_sim_options *options = tri_sim_options();

    return tri_sim_steps() >= options->steps_max
           || tri_sim_now() - TRI_SIM_BEGINS_AT >= options->until;
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

void tri_sim_sleep(int64_t duration)
{
    (void)tri_sim_drive(never, NULL, tri_sim_now() + duration);
}

int tri_sim_drive(bool (*done)(const void *context), const void *context, int64_t deadline)
{
    while (!done(context)) {
        if (tri_sim_now() >= deadline)
            return -ETIMEDOUT;
        if (is_beyond_limits() && tri_sim_lift_limits())
            return -ECANCELED;
        if (tri_sim_step_now() || tri_sim_advance(deadline))
            continue;
        if (deadline == INT64_MAX)
            return -EDEADLK;
    }
    return 0;
}

void tri_sim_let_script(void)
{
    is_scripted = true;
}

void tri_sim_loop_begin(void)
{
    is_scripted = false;
}

void tri_sim_interleave(void)
{
    if (!tri_sim_is_here())
        tri_sim_fail("a thread of the program's own uses the runtime: only one can be simulated");
    if (is_in_step || is_scripted)
        return;
    for (uint32_t steps = tri_sim_choose(AHEAD_MAX + 1); steps > 0; steps--) {
        if (!tri_sim_step_now())
            return;
    }
}
