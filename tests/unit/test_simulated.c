/* SPDX-License-Identifier: BSD-2-Clause */

/* The simulated driver by itself: tasks that are no actors. */

#include "sched/simulated.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sched/inside.h"
#include "sim/inside.h"
#include "support/sched.h"
#include "support/test.h"

static uint64_t number_of(void *context, struct tri_task *task)
{
    (void)context;
    return 100 + (uint64_t)(TRI_CONTAINER_OF(task, struct job, task) - jobs);
}

static struct tri_sched_options options = {
    .workers = 2, .run = job_run, .timer_due = jobs_timer_due, .identify = number_of,
    .driver = &tri_simulated_driver,
};

static void begin(const char *text)
{
    struct tri_sim_options parsed;
    char error[128];

    cr_assert(tri_sim_options_parse(text, &parsed, error), "%s", error);
    memset(jobs, 0, sizeof jobs);
    jobs_run = timers_fired = 0;
    tri_sim_begin(&parsed);
}

static void begin_seed(uint32_t seed, const char *more)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%u%s", (unsigned)seed, more);
    begin(text);
}

static struct tri_sched *start(uint32_t workers)
{
    struct tri_sched *sched;

    options.workers = workers;
    cr_assert_eq(tri_sched_start(&options, &sched), 0);
    return sched;
}

static void end(struct tri_sched *sched)
{
    jobs_stop(sched);
    tri_sim_end();
}

static void run_all(struct tri_sched *sched)
{
    cr_assert_eq(tri_sched_wait_quiet(sched, tri_sim_now() + TR_SEC(1000)), 0);
}

/* ---- which task is next ---- */

Test(simulated, the_oldest_first_where_that_is_asked_for)
{
    begin("1,strategy=first");
    struct tri_sched *sched = start(2);

    job_body = NULL;
    for (uint32_t i = 0; i < 1000; i++) /* more than its window holds */
        tri_sched_inject(sched, &jobs[i].task);
    cr_assert_eq(jobs_run, 0, "nothing happens by itself");
    run_all(sched);
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(jobs[i].runs, 1);
        cr_assert_eq(jobs[i].order, i + 1);
    }
    end(sched);
}

static uint64_t hash_of_run(uint32_t seed)
{
    begin_seed(seed, "");
    struct tri_sched *sched = start(2);

    job_body = NULL;
    for (uint32_t i = 0; i < 600; i++)
        tri_sched_inject(sched, &jobs[i].task);
    run_all(sched);
    for (uint32_t i = 0; i < 600; i++)
        cr_assert_eq(jobs[i].runs, 1);
    uint64_t hash = tri_sim_hash();
    end(sched);
    return hash;
}

Test(simulated, a_seed_gives_one_order_and_another_seed_another)
{
    uint64_t hash = hash_of_run(1);

    cr_assert_eq(hash_of_run(1), hash);
    cr_assert_neq(hash_of_run(2), hash);
}

static enum tri_turn submit_others(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[0] && job->runs == 1) {
        tri_sched_submit(worker, &jobs[1].task);
        tri_sched_submit_last(worker, &jobs[2].task);
        return TRI_TURN_AGAIN;
    }
    return TRI_TURN_DONE;
}

Test(simulated, what_becomes_runnable_stands_behind_and_again_behind_that)
{
    begin("1,strategy=first");
    struct tri_sched *sched = start(1);

    job_body = submit_others;
    tri_sched_inject(sched, &jobs[0].task);
    run_all(sched);
    cr_assert_eq(jobs[1].order, 2);
    cr_assert_eq(jobs[2].order, 3);
    cr_assert_eq(jobs[0].order, 4);
    end(sched);
}

static uint32_t budget_least, budget_most;

static enum tri_turn note_budget(struct tri_worker *worker, struct job *job)
{
    (void)job;
    uint32_t budget = (uint32_t)worker->budget + 1; /* the job has taken one */

    budget_least = budget < budget_least ? budget : budget_least;
    budget_most = budget > budget_most ? budget : budget_most;
    return TRI_TURN_DONE;
}

Test(simulated, a_turn_may_take_one_message_or_many)
{
    begin("3");
    struct tri_sched *sched = start(2);

    budget_least = UINT32_MAX;
    budget_most = 0;
    job_body = note_budget;
    for (uint32_t i = 0; i < 200; i++)
        tri_sched_inject(sched, &jobs[i].task);
    run_all(sched);
    cr_assert_eq(budget_least, TRI_TURN_MESSAGES < 3 ? TRI_TURN_MESSAGES : 1);
    cr_assert_eq(budget_most, TRI_TURN_MESSAGES);
    end(sched);
}

Test(simulated, what_did_not_run_can_be_taken_after_the_stop)
{
    begin("1");
    struct tri_sched *sched = start(2);

    tri_sched_inject(sched, &jobs[5].task);
    cr_assert_eq(tri_sched_stop(sched), 0);
    cr_assert_eq(tri_sched_take_any(sched), &jobs[5].task);
    cr_assert_null(tri_sched_take_any(sched));
    tri_sched_free(sched);
    tri_sim_end();
}

/* ---- interruptions ---- */

enum { SENDS = 20 };

static uint32_t sends_done;
static uint32_t seen_at[SENDS + 1]; /* how often the other one ran after so many sends */

/* Job 0 sends; the others look how far it has come. */
static enum tri_turn send_or_look(struct tri_worker *worker, struct job *job)
{
    if (job != &jobs[0]) {
        seen_at[sends_done]++;
        return TRI_TURN_DONE;
    }
    for (sends_done = 0; sends_done < SENDS;) {
        sends_done++;
        tri_worker_sent(worker);
        cr_assert_eq(tri_worker_current(), worker, "it goes on as the worker that it was");
    }
    return TRI_TURN_DONE;
}

static void look_at_sends(uint32_t seeds, uint32_t workers)
{
    memset(seen_at, 0, sizeof seen_at);
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        begin_seed(seed, "");
        struct tri_sched *sched = start(workers);
        sends_done = 0;
        job_body = send_or_look;
        for (uint32_t i = 0; i < 3; i++)
            tri_sched_inject(sched, &jobs[i].task);
        run_all(sched);
        cr_assert_eq(jobs_run, 3);
        cr_assert_eq(sends_done, SENDS);
        end(sched);
    }
}

Test(simulated, a_turn_is_interrupted_after_each_of_its_first_sends)
{
    look_at_sends(2000, 2);
    for (uint32_t sent = 1; sent <= 8; sent++)
        cr_assert_gt(seen_at[sent], 0, "never after send %u", sent);
    for (uint32_t sent = 9; sent < SENDS; sent++)
        cr_assert_eq(seen_at[sent], 0, "after send %u", sent);
    cr_assert_gt(seen_at[0], 0);
    cr_assert_gt(seen_at[SENDS], 0);
}

Test(simulated, the_only_worker_is_never_interrupted)
{
    look_at_sends(300, 1);
    cr_assert_eq(seen_at[0] + seen_at[SENDS], 600);
}

static uint32_t under_way, most_under_way;

static enum tri_turn all_send(struct tri_worker *worker, struct job *job)
{
    (void)job;
    under_way++;
    most_under_way = under_way > most_under_way ? under_way : most_under_way;
    for (uint32_t i = 0; i < SENDS; i++)
        tri_worker_sent(worker);
    under_way--;
    return TRI_TURN_DONE;
}

Test(simulated, as_many_turns_are_under_way_as_there_are_workers)
{
    begin("7");
    struct tri_sched *sched = start(3);

    under_way = most_under_way = 0;
    job_body = all_send;
    for (uint32_t i = 0; i < 2000; i++)
        tri_sched_inject(sched, &jobs[i].task);
    run_all(sched);
    cr_assert_eq(most_under_way, 3);
    cr_assert_eq(under_way, 0);
    end(sched);
}

Test(simulated, a_stop_finishes_interrupted_turns)
{
    uint32_t interrupted = 0;

    for (uint32_t seed = 1; seed < 500; seed++) {
        begin_seed(seed, "");
        struct tri_sched *sched = start(2);
        under_way = 0;
        job_body = all_send;
        tri_sched_inject(sched, &jobs[0].task);
        cr_assert(tri_sim_step_now());
        interrupted += under_way;
        cr_assert_eq(tri_sched_stop(sched), 0);
        cr_assert_eq(under_way, 0);
        tri_sched_free(sched);
        tri_sim_end();
    }
    cr_assert_gt(interrupted, 10);
}

static enum tri_turn be_delayed(struct tri_worker *worker, struct job *job)
{
    if (job == &jobs[0]) {
        tr_time before = tri_sim_now();
        tri_simulated_delay(worker, TR_MS(50));
        job->runs = (uint32_t)((tri_sim_now() - before) / TR_MS(1));
    }
    return TRI_TURN_DONE;
}

Test(simulated, a_delayed_turn_goes_on_in_its_time_and_others_meanwhile)
{
    begin("1,strategy=first,delay=0.5");
    struct tri_sched *sched = start(2);

    job_body = be_delayed;
    tri_sched_inject(sched, &jobs[0].task);
    tri_sched_inject(sched, &jobs[1].task);
    run_all(sched);
    cr_assert_geq(jobs[0].runs, 50);
    cr_assert_lt(jobs[1].order, jobs[0].order);
    end(sched);

    begin("1,strategy=first"); /* nobody asked for delays: nobody is delayed */
    sched = start(2);
    tri_sched_inject(sched, &jobs[0].task);
    run_all(sched);
    cr_assert_eq(jobs[0].runs, 0);
    end(sched);
}

/* ---- timers ---- */

static struct tri_timer pair[2];
static uint32_t first_fired[2];

static void note_first(void *context, struct tri_worker *worker, struct tri_timer *timer)
{
    (void)context, (void)worker;
    if (timers_fired++ == 0)
        first_fired[timer - pair]++;
}

Test(simulated, timers_due_together_fire_in_either_order)
{
    options.timer_due = note_first;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        begin_seed(seed, "");
        struct tri_sched *sched = start(2);
        tr_time when = tri_sim_now() + TR_MS(5);
        memset(pair, 0, sizeof pair);
        tri_timer_start(sched, NULL, &pair[0], when);
        tri_timer_start(sched, NULL, &pair[1], when);
        tri_sim_sleep(TR_MS(4));
        cr_assert_eq(timers_fired, 0);
        tri_sim_sleep(TR_MS(10));
        cr_assert_eq(timers_fired, 2);
        end(sched);
    }
    cr_assert_gt(first_fired[0], 20);
    cr_assert_gt(first_fired[1], 20);
}

Test(simulated, a_cancelled_timer_does_not_fire)
{
    options.timer_due = note_first;
    begin("1");
    struct tri_sched *sched = start(2);

    tri_timer_start(sched, NULL, &pair[0], tri_sim_now() + TR_MS(5));
    cr_assert(tri_timer_cancel(sched, &pair[0]));
    tri_sim_sleep(TR_SEC(1));
    cr_assert_eq(timers_fired, 0);
    end(sched);
}

/* ---- start ---- */

static int starts, stops;

static int start_two(void *context, struct tri_worker *worker)
{
    (void)context, (void)worker;
    return ++starts > 2 ? -ENOSPC : 0;
}

static void stop_one(void *context, struct tri_worker *worker)
{
    (void)context, (void)worker;
    stops++;
}

Test(simulated, a_worker_that_does_not_start_undoes_the_start)
{
    struct tri_sched *sched = NULL;

    begin("1");
    options.worker_start = start_two;
    options.worker_stop = stop_one;
    options.workers = 4;
    cr_assert_eq(tri_sched_start(&options, &sched), -ENOSPC);
    cr_assert_null(sched);
    cr_assert_eq(stops, 2);
    tri_sim_end();
}

/* However many processors the machine has, there are as many workers. */
Test(simulated, nothing_to_do_is_quiet_at_once)
{
    begin("1");
    struct tri_sched *sched = start(0);

    cr_assert_eq(tri_sched_worker_count(sched), TRI_LIMIT(4u, 2u));
    cr_assert_eq(tri_sched_wait_quiet(sched, tri_sim_now()), 0);
    tri_sched_inject(sched, &jobs[0].task);
    cr_assert_eq(tri_sched_wait_quiet(sched, tri_sim_now()), -ETIMEDOUT);
    run_all(sched);
    end(sched);
}
