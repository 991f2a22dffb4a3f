/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c sched/idle.c sched/park.c sched/quiet.c */
/* sources: sched/injector.c sched/run_queue.c sched/lifo_slot.c */

/*
 * Parking, waking and cancelling, with the asymmetric fence: the idle set and the parks alone, in
 * loops as short as can be, so that the search comes to its end. (seek.c has the workers' own.)
 *
 * What is demanded: nobody sleeps while there is work (the explorer says so), whose bit is
 * cleared gets one token, the counts are those of who is where, and quiet is said only if there was
 * quiet at some moment of the asking.
 */

#include "explorer.h"

#include <errno.h>
#include <string.h>

#include "base/fence.h"
#include "base/futex.h"
#include "sched/inside.h"

enum { WORKERS_MAX = 2, TASKS_MAX = 4 };

struct setup {
    uint32_t workers;
    int outsiders;
    int each;           /* tasks that one of them brings */
    int naps;           /* of each worker, before it parks */
    int timeouts;       /* of each worker's sleeps: cancelled */
    bool has_surplus;   /* the first task makes two more and waits until one of them is stolen */
    bool wakes_one;     /* somebody wakes the first worker for a flag of its own */
    bool asks;          /* somebody asks whether all is quiet */
    bool is_symmetric;
};

static const struct setup *setup;
static struct tri_sched sched;
static struct tri_worker workers[WORKERS_MAX];
static struct tri_worker *workers_of_sched[WORKERS_MAX];
static struct tri_task tasks[TASKS_MAX];
static int naps_left[WORKERS_MAX], timeouts_left[WORKERS_MAX];
static uint32_t flag;
static int given, had, stolen, busy;
static bool was_quiet, was_flagged;

/* ---- in place of base ---- */

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
    if (deadline == TR_FOREVER) {
        explorer_wait(is_woken, &before);
        return 0;
    }
    explorer_point("time may be up");
    return wakes != before ? 0 : -ETIMEDOUT;
}

void tri_futex_wake(const uint32_t *word, uint32_t count)
{
    (void)word, (void)count;
    wakes++;
}

/* ---- work ---- */

/* What is not done yet: brought or about to be. */
static void is_busy(int by)
{
    busy += by;
    if (busy <= 0)
        was_quiet = true;
}

static void wake(uint32_t worker)
{
    if (worker != TRI_IDLE_NOBODY)
        tri_park_give(&workers[worker].park);
}

static void wake_for_new_work(void)
{
    wake(tri_idle_choose_for_new_work(&sched.idle));
}

static void bring(struct tri_task *task)
{
    explorer_touch(task);
    tri_injector_add(&sched.injector, task, task, 1);
    tri_fence_full(); /* pairs with the heavy one in announce, and the one in tri_idle_found */
    is_busy(1);       /* until here nobody need have seen it */
    wake_for_new_work();
}

static bool is_one_stolen(void *context)
{
    (void)context;
    return stolen > 0;
}

static void make_surplus(struct tri_worker *worker)
{
    for (int i = 1; i <= 2; i++) {
        is_busy(1);
        explorer_touch(&tasks[TASKS_MAX - i]);
        EXPECT(tri_run_queue_push(&worker->queue, &tasks[TASKS_MAX - i]));
    }
    tri_fence_light(); /* pairs with the heavy one in announce */
    wake(tri_idle_choose_for_surplus(&sched.idle));
    explorer_wait(is_one_stolen, NULL);
}

static void run(struct tri_worker *worker, const struct tri_task *task)
{
    EXPECT(worker->announced == TRI_AWAKE);
    explorer_touch(task);
    if (task == &tasks[0] && setup->has_surplus)
        make_surplus(worker);
    explorer_point("runs");
    had++;
    is_busy(-1);
}

static bool is_over(void)
{
    return had == setup->outsiders * setup->each + (setup->has_surplus ? 2 : 0)
           && was_flagged == setup->wakes_one && given == setup->outsiders;
}

/* ---- a worker ---- */

static struct tri_worker *other_than(const struct tri_worker *worker)
{
    return setup->workers < 2 ? NULL : &workers[1 - worker->id];
}

static struct tri_task *find(struct tri_worker *worker)
{
    struct tri_worker *other = other_than(worker);
    struct tri_task *task = tri_run_queue_take(&worker->queue);

    if (task == NULL)
        task = tri_injector_take(&sched.injector, 1);
    if (task == NULL && other != NULL && tri_run_queue_length(&other->queue) > 1) {
        stolen += (int)tri_run_queue_steal(&other->queue, &worker->queue);
        task = tri_run_queue_take(&worker->queue);
    }
    return task;
}

static bool is_flagged(const struct tri_worker *worker)
{
    return worker->id == 0 && setup->wakes_one && !was_flagged && tri_load_acquire_32(&flag) != 0;
}

static bool is_work_in_sight(const struct tri_worker *worker)
{
    const struct tri_worker *other = other_than(worker);

    return tri_injector_length(&sched.injector) > 0 || is_flagged(worker) || is_over()
           || (worker->announced == TRI_PARKED && other != NULL
               && tri_run_queue_length(&other->queue) > 1);
}

static void search(struct tri_worker *worker)
{
    if (!worker->is_searching)
        tri_idle_search(&sched.idle);
    worker->is_searching = true;
}

static void found(struct tri_worker *worker)
{
    worker->is_searching = false;
    if (tri_idle_found(&sched.idle) && tri_injector_length(&sched.injector) > 0)
        wake_for_new_work();
}

static bool withdraw(struct tri_worker *worker)
{
    return worker->announced == TRI_PARKED ? tri_idle_withdraw(&sched.idle, worker->id)
                                           : tri_idle_nap_ends(&sched.idle, worker->id);
}

static void announce(struct tri_worker *worker, bool is_nap)
{
    worker->announced = is_nap ? TRI_NAPPING : TRI_PARKED;
    worker->is_searching = is_nap;
    if (is_nap)
        tri_idle_nap(&sched.idle, worker->id);
    else
        tri_idle_announce(&sched.idle, worker->id);
    tri_fence_heavy();
}

static void doze(struct tri_worker *worker, bool is_nap)
{
    bool has_token = false;
    bool has_deadline = is_nap || timeouts_left[worker->id]-- > 0;

    announce(worker, is_nap);
    if (!is_work_in_sight(worker)) {
        tri_quiet_note(&sched);
        has_token = tri_park_sleep(&worker->park, has_deadline ? 1 : TR_FOREVER);
    }
    if (!has_token && !withdraw(worker))
        has_token = tri_park_sleep(&worker->park, TR_FOREVER);
    if (has_token)
        worker->is_searching = true;
    worker->announced = TRI_AWAKE;
}

static bool is_stopping(void)
{
    return tri_load_relaxed_32(&sched.clock.stopping) != 0;
}

static void worker_thread(int number)
{
    struct tri_worker *worker = &workers[number];

    while (!is_stopping()) {
        search(worker);
        struct tri_task *task = find(worker);
        if (task != NULL) {
            found(worker);
            run(worker, task);
        } else if (is_flagged(worker)) {
            was_flagged = true;
        } else if (!is_over()) {
            doze(worker, naps_left[number]-- > 0);
        } else {
            break;
        }
    }
    if (worker->is_searching)
        tri_idle_found(&sched.idle);
    /* Whoever is the last to see the end lets the other one go, too. */
    tri_store_relaxed_32(&sched.clock.stopping, 1);
    tri_fence_full();
    for (uint32_t i = 0; i < setup->workers; i++) {
        if (tri_idle_choose_one(&sched.idle, i))
            tri_park_give(&workers[i].park);
    }
}

/* ---- those outside ---- */

static void outsider(int number)
{
    for (int i = 0; i < setup->each; i++)
        bring(&tasks[number * setup->each + i]);
    given++;
    /* Over, perhaps: nobody else would say so to those who sleep. */
    if (is_over()) {
        tri_fence_full();
        wake_for_new_work();
    }
}

static void flagger(int number)
{
    (void)number;
    tri_store_release_32(&flag, 1);
    tri_fence_full(); /* pairs with the heavy one in announce */
    if (tri_idle_choose_one(&sched.idle, 0))
        tri_park_give(&workers[0].park);
}

static void asker(int number)
{
    (void)number;
    for (int i = 0; i < 2; i++) {
        tri_fence_heavy(); /* as tri_sched_wait_quiet: what it asks is about now */
        was_quiet = busy <= 0;
        EXPECT(!tri_sched_is_quiet(&sched) || was_quiet);
    }
}

/* ---- one schedule ---- */

static void set_up_worker(uint32_t id)
{
    struct tri_worker *worker = &workers[id];

    worker->sched = &sched;
    worker->idle = &sched.idle;
    worker->id = id;
    workers_of_sched[id] = worker;
    naps_left[id] = setup->naps;
    timeouts_left[id] = setup->timeouts;
    explorer_name(&worker->park.word, id == 0 ? "park 0" : "park 1");
    explorer_thread(worker_thread, (int)id);
}

static void start(const void *chosen)
{
    setup = chosen;
    memset(&sched, 0, sizeof(sched));
    memset(workers, 0, sizeof(workers));
    memset(tasks, 0, sizeof(tasks));
    flag = 0;
    given = had = stolen = busy = 0;
    was_quiet = was_flagged = false;
    tri_fence_is_asymmetric = !setup->is_symmetric;
    sched.worker_count = setup->workers;
    sched.workers = workers_of_sched;
    explorer_name(&sched.idle.counts, "counts");
    explorer_name(&sched.idle.parked, "parked");
    explorer_name(&sched.idle.napping, "napping");
    explorer_name(&sched.injector.length, "injected");
    for (uint32_t i = 0; i < setup->workers; i++)
        set_up_worker(i);
    for (int i = 0; i < setup->outsiders; i++)
        explorer_thread(outsider, i);
    if (setup->wakes_one)
        explorer_thread(flagger, 0);
    if (setup->asks)
        explorer_thread(asker, 0);
}

static void check(void)
{
    EXPECT(is_over());
    EXPECT(busy == 0);
    EXPECT(sched.idle.counts % TRI_IDLE_LEFT == 0);
    EXPECT(sched.idle.parked.words[0] == 0);
    EXPECT(sched.idle.napping.words[0] == 0);
}

#define MODEL(name_, ...)                                                                          \
    { .name = "idle/" name_, .start = start, .check = check,                                       \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 3, .searched = 300000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("alone", .workers = 1, .outsiders = 1, .each = 2),
    MODEL("two-outside", .workers = 1, .outsiders = 2, .each = 1),
    MODEL("two", .workers = 2, .outsiders = 1, .each = 2),
    MODEL("cancel", .workers = 1, .outsiders = 1, .each = 2, .timeouts = 1),
    MODEL("cancel-two", .workers = 2, .outsiders = 1, .each = 1, .timeouts = 1),
    MODEL("nap", .workers = 1, .outsiders = 1, .each = 2, .naps = 1),
    MODEL("nap-two", .workers = 2, .outsiders = 1, .each = 1, .naps = 1),
    MODEL("one", .workers = 1, .outsiders = 1, .each = 1, .wakes_one = true),
    MODEL("surplus", .workers = 2, .outsiders = 1, .each = 1, .has_surplus = true),
    MODEL("quiet", .workers = 1, .outsiders = 1, .each = 1, .asks = true),
    MODEL("quiet-again", .workers = 1, .outsiders = 1, .each = 2, .asks = true),
    MODEL("symmetric", .workers = 2, .outsiders = 1, .each = 1, .is_symmetric = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
