/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/lifo_slot.c */

/*
 * The LIFO slot: its owner fills, swaps and takes without a fence, thieves steal with a heavy one.
 *
 * What is demanded: each task is had by exactly one thread, whether the heavy fence is a membarrier
 * or both halves are full fences.
 */

#include "explorer.h"

#include <string.h>

#include "sched/lifo_slot.h"

enum { TASKS_MAX = 4 };

struct setup {
    int tasks;
    int thieves;
    int raids;
    int takes;          /* the owner takes after each so many; 0: never */
    bool again;         /* the owner puts what was stolen there once more */
    bool is_symmetric;  /* no membarrier here */
};

static const struct setup *setup;
static struct tri_lifo_slot slot;
static struct tri_task tasks[TASKS_MAX];
static int had[TASKS_MAX];
static int put[TASKS_MAX];
static uint32_t stolen;  /* tasks[0] was: it may be put again */

static void have(const struct tri_task *task)
{
    if (task != NULL) {
        explorer_touch(task);
        had[task - tasks]++;
        EXPECT(had[task - tasks] <= put[task - tasks]);
    }
}

static void submit(struct tri_task *task)
{
    explorer_touch(task);
    put[task - tasks]++;
    if (!tri_lifo_slot_fill(&slot, task))
        have(tri_lifo_slot_swap(&slot, task));
}

static void owner(int number)
{
    (void)number;
    for (int i = 0; i < setup->tasks; i++) {
        submit(&tasks[i]);
        if (setup->takes != 0 && i % setup->takes == 0)
            have(tri_lifo_slot_take(&slot));
        if (setup->again && tri_load_acquire_32(&stolen) && put[0] == 1)
            submit(&tasks[0]);
    }
}

static void thief(int number)
{
    (void)number;
    for (int i = 0; i < setup->raids; i++) {
        struct tri_task *task = tri_lifo_slot_steal(&slot);
        have(task);
        if (task == &tasks[0])
            tri_store_release_32(&stolen, 1);
    }
}

static void start(const void *chosen)
{
    setup = chosen;
    memset(&slot, 0, sizeof(slot));
    memset(had, 0, sizeof(had));
    memset(put, 0, sizeof(put));
    stolen = 0;
    tri_fence_is_asymmetric = !setup->is_symmetric;
    explorer_name(&slot.task, "task");
    explorer_name(&slot.claim, "claim");
    explorer_thread(owner, 0);
    for (int i = 0; i < setup->thieves; i++)
        explorer_thread(thief, i);
}

static void check(void)
{
    have(tri_lifo_slot_take(&slot));
    for (int i = 0; i < setup->tasks; i++)
        EXPECT(had[i] == put[i]);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "lifo_slot/" name_, .start = start, .check = check,                                  \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 3, .searched = 500000, .random = 15000 }

static const struct explorer_model models[] = {
    MODEL("take", .tasks = 3, .thieves = 1, .raids = 2, .takes = 1),
    MODEL("swap", .tasks = 4, .thieves = 1, .raids = 2),
    MODEL("two-thieves", .tasks = 4, .thieves = 2, .raids = 2, .takes = 2),
    MODEL("again", .tasks = 2, .thieves = 1, .raids = 2, .again = true),
    MODEL("symmetric", .tasks = 4, .thieves = 2, .raids = 2, .takes = 2, .is_symmetric = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
