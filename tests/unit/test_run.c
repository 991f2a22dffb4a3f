/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/run.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <troupe/troupe.h>

#include "support/test.h"
#include "support/waiting.h"

struct part_do { int what; };
struct part { int what; };

#define PART_MESSAGES(M) M(part_do)
TR_PROTOCOL(part, 1, PART_MESSAGES);

enum { WAIT, SHUTDOWN, CRASH, FAIL_START, RUN_AGAIN, BLOCK };

static uint32_t started, said_goodbye, heard, may_go_on;
static int result_of_second = 1;
static int ready[2], ready_to = -1; /* where BLOCK says that it is there */
static const tr_supervisor nothing = { .restarts_max = 1 };

TR_START(part, self, me)
{
    if (me->what == FAIL_START)
        return -EIO;
    tri_fetch_add_acq_rel_32(&started, 1);
    return tr_send(self, tr_me(self), part_do, .what = me->what);
}

static void part_stop(tr_self *self, void *me, const tr_reason *reason)
{
    (void)self;
    (void)me;
    (void)reason;
    tri_fetch_add_acq_rel_32(&said_goodbye, 1);
}

TR_ON(part, part_do, self, me, msg)
{
    (void)me;
    switch (msg->what) {
    case SHUTDOWN:
        return tr_self_shutdown(self);
    case CRASH:
        return -EIO;
    case RUN_AGAIN:
        result_of_second = tr_run(NULL, &nothing);
        return tr_self_shutdown(self);
    case BLOCK:
        if (ready_to >= 0)
            cr_assert_eq(write(ready_to, "x", 1), 1);
        while (!tri_load_acquire_32(&may_go_on))
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        return TR_OK;
    default:
        return TR_OK;
    }
}

static const tr_actor_type part_actor = {
    TR_STATE(part), .start = TR_STARTS(part), .stop = part_stop,
    .on = TR_TABLE(TR_HANDLES(part, part_do)),
};

static void keep_still(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

static const tr_config config = { .workers = 2, .stop_within = TR_SEC(20), .log = keep_still };

static int run_one(int what, uint32_t restarts_max)
{
    const tr_supervisor tree = { .restarts_max = restarts_max,
                                 .children = TR_CHILDREN({ TR_CHILD(part, .what = what) }) };

    return tr_run(&config, &tree);
}

TestSuite(run, .timeout = 60);

Test(run, an_actor_may_end_it)
{
    cr_assert_eq(run_one(SHUTDOWN, 1), 0);
    cr_assert_eq(said_goodbye, 1);
    cr_assert_eq(run_one(SHUTDOWN, 1), 0, "and again");
}

Test(run, says_when_the_tree_gave_up)
{
    cr_assert_eq(run_one(CRASH, 3), -ECONNRESET);
    cr_assert_eq(started, 4);
}

Test(run, says_why_the_start_failed)
{
    cr_assert_eq(run_one(FAIL_START, 3), -EIO);
    cr_assert_eq(tr_run(&config, NULL), -EINVAL);
    cr_assert_eq(tr_run(&config, &(tr_supervisor){ .within = -1 }), -EINVAL);
    cr_assert_eq(tr_run(&(tr_config){ .stop_within = -1 }, &nothing), -EINVAL);
}

static void *stop_root(void *unused)
{
    (void)unused;
    WAIT_FOR(tri_load_acquire_32(&started) == 1);
    kill(getpid(), SIGTERM);
    return NULL;
}

Test(run, a_signal_ends_it_in_order)
{
    pthread_t thread;

    pthread_create(&thread, NULL, stop_root, NULL);
    cr_assert_eq(run_one(WAIT, 1), 0);
    pthread_join(thread, NULL);
    cr_assert_eq(said_goodbye, 1);
}

static void on_term(int signal_number)
{
    (void)signal_number;
    tri_fetch_add_acq_rel_32(&heard, 1);
}

Test(run, who_listened_before_hears_it_too_and_is_put_back)
{
    struct sigaction mine = { .sa_handler = on_term }, after;
    pthread_t thread;

    sigaction(SIGTERM, &mine, NULL);
    pthread_create(&thread, NULL, stop_root, NULL);
    cr_assert_eq(run_one(WAIT, 1), 0);
    pthread_join(thread, NULL);
    cr_assert_eq(heard, 1);
    sigaction(SIGTERM, NULL, &after);
    cr_assert_eq(after.sa_handler, on_term);
    sigaction(SIGINT, NULL, &after);
    cr_assert_eq(after.sa_handler, SIG_DFL);
}

Test(run, a_blocked_signal_is_let_in)
{
    sigset_t term, now;
    pthread_t thread;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    pthread_create(&thread, NULL, stop_root, NULL);
    cr_assert_eq(run_one(WAIT, 1), 0);
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    cr_assert(sigismember(&now, SIGTERM), "the mask is put back");
}

Test(run, one_at_a_time)
{
    cr_assert_eq(run_one(RUN_AGAIN, 1), 0);
    cr_assert(result_of_second == -EDEADLK || result_of_second == -EBUSY);
}

static int second_result;

static void *run_second(void *unused)
{
    (void)unused;
    WAIT_FOR(tri_load_acquire_32(&started) == 1);
    second_result = tr_run(&config, &nothing);
    kill(getpid(), SIGINT);
    return NULL;
}

Test(run, a_second_one_is_refused)
{
    pthread_t thread;

    pthread_create(&thread, NULL, run_second, NULL);
    cr_assert_eq(run_one(WAIT, 1), 0);
    pthread_join(thread, NULL);
    cr_assert_eq(second_result, -EBUSY);
}

Test(run, who_blocks_it_is_killed)
{
    const tr_supervisor tree = { .children = TR_CHILDREN({ TR_CHILD(part, .what = BLOCK) }) };
    pthread_t thread;

    pthread_create(&thread, NULL, stop_root, NULL);
    cr_assert_eq(tr_run(&(tr_config){ .workers = 2, .stop_within = TR_MS(30), .log = keep_still },
                        &tree), -ETIMEDOUT);
    pthread_join(thread, NULL);
    _exit(0); /* one worker is left to itself */
}

/* In a process of its own, which the second SIGINT ends while an actor hangs. */
static void hang_until_interrupted(void)
{
    const tr_supervisor tree = { .children = TR_CHILDREN({ TR_CHILD(part, .what = BLOCK) }) };
    pid_t me = getpid();

    cr_assert_eq(pipe(ready), 0);
    ready_to = ready[1];
    if (fork() == 0) { /* before any system lives: it only sends signals, until nobody is there */
        char byte;
        if (read(ready[0], &byte, 1) == 1) {
            for (int i = 0; i < 3000 && kill(me, SIGINT) == 0; i++)
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        _exit(0);
    }
    (void)tr_run(&(tr_config){ .workers = 2, .stop_within = TR_SEC(60), .log = keep_still }, &tree);
    _exit(3);
}

Test(run, a_second_interrupt_ends_at_once)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        hang_until_interrupted();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "status %x", (unsigned)status);
}
