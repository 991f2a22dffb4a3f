/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c actors/system.c */

/*
 * Shutdown against spawn: threads from outside come through a system's gate to make an actor while
 * another one closes it, waits until nobody is inside, and takes everything apart.
 *
 * What is demanded: nobody is inside after that wait, whoever was let in has done all of it,
 * whoever came too late is told so and leaves nothing behind, and the wait ends (the explorer says
 * so).
 */

#include "explorer.h"

#include <errno.h>
#include <string.h>

#include "actors/deliver.h"
#include "actors/system.h"
#include "base/clock.h"
#include "base/futex.h"
#include "sim/inside.h"

struct setup {
    int callers;
    int calls;       /* of each */
    bool starts;     /* the system is closed first, and opened once */
    bool attaches;   /* its starter attaches something, which a caller may find */
};

static const struct setup *setup;
static tr_system sys;
static int inside, made, refused, left;
static bool is_apart, is_started;
static char touched[4]; /* by each caller */
static char started, attachment;

/* ---- in place of base ---- */

bool tri_sim_on;

int64_t tri_clock_now(void)
{
    return 0;
}

static int wakes;

/* As in the kernel: a word that changes wakes nobody. */
static bool is_woken(void *context)
{
    return wakes != *(const int *)context;
}

int tri_futex_wait(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    int before = wakes;

    if (*word != expected)
        return 0;
    if (deadline == TR_FOREVER)
        explorer_wait(is_woken, &before);
    else
        explorer_point("time may be up");
    return *word != expected ? 0 : -ETIMEDOUT;
}

void tri_futex_wake(const uint32_t *word, uint32_t count)
{
    (void)word, (void)count;
    wakes++;
}

void tri_sim_interleave(void)
{
}

/* ---- threads ---- */

static void call(int number)
{
    int error = tri_system_enter(&sys);

    if (error == 0) {
        EXPECT(!is_apart);
        inside++;
        explorer_point("inside");
        EXPECT(!is_apart);
        explorer_see(&started);
        if (tri_system_attached(&sys) != NULL)
            explorer_see(&attachment);
        explorer_touch(&touched[number]);
        made++;
        inside--;
        tri_system_leave(&sys);
    } else {
        EXPECT(error == -ESHUTDOWN);
        refused++;
    }
}

static void caller(int number)
{
    for (int i = 0; i < setup->calls; i++)
        call(number);
    left++;
}

static bool has_started(void *context)
{
    (void)context;
    return !setup->starts || is_started;
}

static void starter(int number)
{
    (void)number;
    explorer_touch(&started);
    tri_system_open_gate(&sys);
    if (setup->attaches) {
        explorer_touch(&attachment);
        EXPECT(tri_system_attach(&sys, &attachment, NULL, NULL) == 0);
    }
    is_started = true;
}

static void stopper(int number)
{
    (void)number;
    explorer_wait(has_started, NULL);
    tri_system_close_gate(&sys);
    EXPECT(tri_system_wait_empty(&sys, TR_FOREVER) == 0);
    EXPECT(inside == 0);
    for (int i = 0; i < setup->callers; i++)
        explorer_touch(&touched[i]);
    is_apart = true;
    explorer_point("apart");
    left++;
}

static void start(const void *chosen)
{
    setup = chosen;
    explorer_name(&sys.gate, "gate");
    for (int i = 0; i < setup->callers; i++)
        explorer_thread(caller, i);
    explorer_thread(stopper, 0);
    if (setup->starts) {
        sys.gate = TRI_GATE_CLOSING;
        explorer_thread(starter, 0);
    }
}

static void check(void)
{
    EXPECT(left == setup->callers + 1);
    EXPECT(made + refused == setup->callers * setup->calls);
    EXPECT(sys.gate == TRI_GATE_CLOSING);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "gate/" name_, .start = start, .check = check,                                       \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 3, .searched = 300000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("one", .callers = 1, .calls = 2),
    MODEL("two", .callers = 2, .calls = 2),
    MODEL("three", .callers = 3, .calls = 1),
    MODEL("start", .callers = 1, .calls = 2, .starts = true),
    MODEL("attach", .callers = 1, .calls = 2, .starts = true, .attaches = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
