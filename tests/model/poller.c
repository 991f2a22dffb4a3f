/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/poller.c */

/*
 * The poller's role alone: workers that take and release it, somebody who wakes whoever is inside,
 * and somebody who sets a poller and takes it away.
 *
 * What is demanded: one worker at a time is in it, and sees what the last one did there; the poller
 * is complete for whoever gets it; when it has been taken away nobody uses it any more, and what
 * was done in it is seen.
 */

#include "explorer.h"

#include "base/ck.h"
#include "sched/poller.h"

struct setup {
    int workers;
    int wakers;
};

static const struct setup *setup;
static struct tri_poll_role role;
static char made, state, used[4]; /* the poller's fields, what it keeps, by each thread's wake */
static int inside, left;
static bool is_there;

static void fake_poll(void *context, tr_time timeout)
{
    (void)context, (void)timeout;
    EXPECT(is_there);
}

static void fake_wake(void *context)
{
    (void)context;
    EXPECT(is_there);
    explorer_see(&made);
    explorer_touch(&used[explorer_self()]);
}

static const struct tri_poller poller = { .poll = fake_poll, .wake = fake_wake };

static void worker(int number)
{
    (void)number;
    for (int i = 0; i < 2; i++) {
        const struct tri_poller *mine = tri_poll_role_take(&role);
        if (mine == NULL)
            continue;
        EXPECT(inside++ == 0);
        explorer_see(&made);
        explorer_touch(&state);
        mine->poll(mine->context, 0);
        explorer_point("polls");
        EXPECT(is_there);
        inside--;
        tri_poll_role_release(&role);
    }
    left++;
}

static void waker(int number)
{
    (void)number;
    tri_poll_role_wake(&role);
    left++;
}

static void setter(int number)
{
    (void)number;
    explorer_touch(&made);
    is_there = true;
    tri_poll_role_set(&role, &poller);
    tri_poll_role_set(&role, NULL);
    is_there = false;
    EXPECT(inside == 0);
    explorer_touch(&state);
    for (int i = 0; i < 4; i++)
        explorer_touch(&used[i]);
    left++;
}

static void start(const void *chosen)
{
    setup = chosen;
    for (int i = 0; i < setup->workers; i++)
        explorer_thread(worker, i);
    for (int i = 0; i < setup->wakers; i++)
        explorer_thread(waker, i);
    explorer_thread(setter, 0);
    explorer_name(&role.word, "role");
    explorer_name(&role.wakers, "wakers");
    explorer_name(&role.poller, "poller");
}

static void check(void)
{
    EXPECT(left == setup->workers + setup->wakers + 1);
    EXPECT(role.wakers == 0 && role.poller == NULL);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "poller/" name_, .start = start, .check = check,                                     \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 3, .searched = 100000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("worker", .workers = 1),
    MODEL("workers", .workers = 2),
    MODEL("waker", .wakers = 1),
    MODEL("both", .workers = 1, .wakers = 1),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
