/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/run_queue.c */

/*
 * A run queue of four places: its owner pushes, takes, and makes room; thieves steal from it, or
 * from one another.
 *
 * What is demanded: each task is had by exactly one thread, what the owner takes comes in order,
 * and a push is refused only by a full queue. The counts start just before 2^64, so that they wrap.
 */

#include "explorer.h"

#include <string.h>

#include "sched/run_queue.h"

enum { TASKS_MAX = 8, THIEVES_MAX = 2 };

struct setup {
    int tasks;
    int thieves;
    int raids;      /* of each thief */
    int takes;      /* the owner takes one after each so many pushes; 0: never */
    bool is_chain;  /* the second thief steals from the first */
};

static const struct setup *setup;
static struct tri_run_queue queue, loot[THIEVES_MAX];
static struct tri_task tasks[TASKS_MAX];
static int had[TASKS_MAX];
static int last_taken;

static int number_of(const struct tri_task *task)
{
    return (int)(task - tasks);
}

static void have(const struct tri_task *task)
{
    EXPECT(task >= tasks && number_of(task) < setup->tasks);
    explorer_touch(task);
    EXPECT(had[number_of(task)]++ == 0);
}

static void take_in_order(void)
{
    struct tri_task *task = tri_run_queue_take(&queue);

    if (task == NULL)
        return;
    have(task);
    EXPECT(number_of(task) > last_taken);
    last_taken = number_of(task);
}

static void make_room(void)
{
    struct tri_task *first = NULL, *last = NULL;
    uint32_t count = tri_run_queue_take_list(&queue, TRI_RUN_QUEUE_LENGTH / 2, &first, &last);

    for (uint32_t i = 0; i < count; i++, first = first->next) {
        have(first);
        EXPECT(number_of(first) > last_taken);
        last_taken = number_of(first);
        EXPECT((first == last) == (i + 1 == count));
    }
}

static void owner(int number)
{
    (void)number;
    for (int i = 0; i < setup->tasks; i++) {
        explorer_touch(&tasks[i]);
        while (!tri_run_queue_push(&queue, &tasks[i])) {
            EXPECT(i >= (int)TRI_RUN_QUEUE_LENGTH);
            make_room();
        }
        if (setup->takes != 0 && i % setup->takes == 0)
            take_in_order();
    }
}

static void thief(int number)
{
    struct tri_run_queue *mine = &loot[number];
    struct tri_run_queue *from = setup->is_chain && number > 0 ? &loot[number - 1] : &queue;

    for (int i = 0; i < setup->raids; i++) {
        uint32_t count = tri_run_queue_steal(from, mine);
        EXPECT(count <= TRI_STEAL_MAX);
        for (struct tri_task *task; (task = tri_run_queue_take(mine)) != NULL;)
            have(task);
    }
}

static void empty(struct tri_run_queue *one)
{
    memset(one, 0, sizeof(*one));
    one->head = one->tail = UINT64_MAX - 1;
}

static void start(const void *chosen)
{
    setup = chosen;
    empty(&queue);
    memset(tasks, 0, sizeof(tasks));
    memset(had, 0, sizeof(had));
    last_taken = -1;
    explorer_name(&queue.head, "head");
    explorer_name(&queue.tail, "tail");
    explorer_thread(owner, 0);
    for (int i = 0; i < setup->thieves; i++) {
        empty(&loot[i]);
        explorer_thread(thief, i);
    }
}

static void check(void)
{
    for (struct tri_task *task; (task = tri_run_queue_take(&queue)) != NULL;)
        have(task);
    for (int i = 0; i < setup->tasks; i++)
        EXPECT(had[i] == 1);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "run_queue/" name_, .start = start, .check = check,                                  \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 3, .searched = 500000, .random = 15000 }

static const struct explorer_model models[] = {
    MODEL("one-thief", .tasks = 4, .thieves = 1, .raids = 2, .takes = 1),
    MODEL("two-thieves", .tasks = 4, .thieves = 2, .raids = 2, .takes = 2),
    MODEL("full", .tasks = 8, .thieves = 1, .raids = 3),
    MODEL("full-two", .tasks = 7, .thieves = 2, .raids = 2, .takes = 3),
    MODEL("chain", .tasks = 5, .thieves = 2, .raids = 2, .is_chain = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
