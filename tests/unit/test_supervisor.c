/* SPDX-License-Identifier: BSD-2-Clause */

/* Behaviours of OTP's supervisor suite carry their row in docs as S and a number. */

#include "actors/supervisor.h"

#include <errno.h>

#include <troupe/troupe.h>

#include "base/clock.h"
#include "support/test.h"
#include "support/waiting.h"

/* ---- a child that does as it is told -------------------------------------------------------- */

struct probe_get { int unused; };
struct probe_is { uint32_t incarnation; int value; tr_ref ref; };
struct probe_crash { int code; };
struct probe_leave { int unused; };
struct probe_add { int value; };
struct probe_block { int unused; };

#define PROBE_MESSAGES(M)                                                                          \
    M(probe_get) M(probe_is) M(probe_crash) M(probe_leave) M(probe_add) M(probe_block)
TR_PROTOCOL(probe, 1, PROBE_MESSAGES);

struct probe {
    int id;    /* what the journal knows it by */
    int value;
};

/* What happened, in order: +id started, -id said goodbye. */
static int journal[256];
static uint32_t journal_length;
static uint32_t starts[8];  /* tries, by id */
static uint32_t fail_from[8]; /* the try from which on .start fails; 0: never */
static uint32_t fail_to[8];
static uint32_t blocked, may_go_on;

static void note(int what)
{
    journal[tri_fetch_add_acq_rel_32(&journal_length, 1)] = what;
}

TR_START(probe, self, me)
{
    uint32_t nth = tri_fetch_add_acq_rel_32(&starts[me->id], 1) + 1;
    uint32_t from = tri_load_acquire_32(&fail_from[me->id]);

    (void)self;
    if (from != 0 && nth >= from && nth < tri_load_acquire_32(&fail_to[me->id]))
        return -EIO;
    note(me->id);
    return TR_OK;
}

static void probe_stop(tr_self *self, void *me, const tr_reason *reason)
{
    (void)self;
    (void)reason;
    note(-((struct probe *)me)->id);
}

TR_ON(probe, probe_get, self, me, msg)
{
    (void)msg;
    return tr_reply(self, probe_is, .incarnation = tr_incarnation(self), .value = me->value,
                    .ref = tr_me(self));
}

TR_ON(probe, probe_crash, self, me, msg)
{
    (void)self;
    (void)me;
    return msg->code;
}

TR_ON(probe, probe_leave, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    return TR_STOP;
}

TR_ON(probe, probe_add, self, me, msg)
{
    (void)self;
    me->value += msg->value;
    return TR_OK;
}

TR_ON(probe, probe_block, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    tri_store_release_32(&blocked, 1);
    WAIT_FOR(tri_load_acquire_32(&may_go_on));
    return TR_OK;
}

static const tr_actor_type probe_actor = {
    TR_STATE(probe), .start = TR_STARTS(probe), .stop = probe_stop,
    .on = TR_TABLE(TR_HANDLES(probe, probe_get), TR_HANDLES(probe, probe_crash),
                   TR_HANDLES(probe, probe_leave), TR_HANDLES(probe, probe_add),
                   TR_HANDLES(probe, probe_block)),
};

/* ---- what every test does ------------------------------------------------------------------- */

static const tr_ask_policy patient = { .timeout = TR_SEC(20) };
static tr_system *sys;
static uint32_t log_lines;

static void count_lines(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)text;
    if (level != TR_LOG_INFO)
        tri_fetch_add_relaxed_32(&log_lines, 1);
}

static void open_system(void)
{
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 2, .log = count_lines }, &sys), 0);
}

static void close_system(void)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

static tr_ref look(const char *name)
{
    return tr_lookup(sys, name);
}

static struct probe_is ask(tr_ref ref)
{
    struct probe_is is = { .value = -1 };
    struct probe_get get = { 0 };
    int error = tr_ask_wait(sys, ref, &patient, probe_get, &get, probe_is, &is);

    cr_assert_eq(error, 0, "%s", tr_error_name(error));
    return is;
}

static void wait_for_incarnation(tr_ref ref, uint32_t incarnation)
{
    WAIT_FOR(ask(ref).incarnation >= incarnation);
    cr_assert_eq(ask(ref).incarnation, incarnation);
}

static bool is_gone(tr_ref ref)
{
    return tr_send(sys, ref, probe_add, .value = 0) == -ESRCH;
}

static void crash(tr_ref ref)
{
    cr_assert_eq(tr_send(sys, ref, probe_crash, .code = -EIO), 0);
}

static void expect_journal(const int *expected, uint32_t count)
{
    cr_assert_eq(tri_load_acquire_32(&journal_length), count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(journal[i], expected[i], "entry %u is %d", (unsigned)i, journal[i]);
}

#define EXPECT_JOURNAL(...)                                                                        \
    expect_journal((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

TestSuite(supervisor, .init = open_system, .fini = close_system, .timeout = 60);

/* ---- start and stop ------------------------------------------------------------------------- */

Test(supervisor, S01_starts_without_children)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 1 });

    cr_assert_eq(tr_ref_error(root), 0);
    cr_assert_eq(tr_stop(sys, root), 0);
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
}

Test(supervisor, starts_in_order_and_stops_in_reverse)
{
    const tr_supervisor tree = { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1) },
                                                         { TR_CHILD(probe, .id = 2) },
                                                         { TR_CHILD(probe, .id = 3) }) };
    tr_ref root = tr_supervise(sys, &tree);

    cr_assert_eq(tr_ref_error(root), 0);
    EXPECT_JOURNAL(1, 2, 3);
    tr_stop(sys, root);
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
    EXPECT_JOURNAL(1, 2, 3, -3, -2, -1);
}

Test(supervisor, S08_a_failing_start_undoes_those_before_it)
{
    const tr_supervisor tree = { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1) },
                                                         { TR_CHILD(probe, .id = 2) },
                                                         { TR_CHILD(probe, .id = 3) }) };

    tri_store_release_32(&fail_from[3], 1);
    tri_store_release_32(&fail_to[3], 99);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EIO);
    EXPECT_JOURNAL(1, 2, -2, -1);

    tr_stats stats;
    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.alive, 0);
}

Test(supervisor, S22_bad_trees_start_nothing)
{
    static const tr_child nothing[] = { { .name = "a" }, { .name = NULL } };
    static const tr_supervisor inner = { .restarts_max = 1 };
    static const tr_actor_type nameless_actor = { .name = NULL };
    const tr_child both[] = { { .type = &probe_actor, .tree = &inner }, { .name = NULL } };
    const tr_supervisor bad[] = {
        { .children = nothing },
        { .children = both },
        { .children = TR_CHILDREN({ .name = "x", TR_CHILD(probe, .id = 1) },
                                  { .name = "x", TR_CHILD(probe, .id = 2) }) },
        { .children = TR_CHILDREN({ .name = "", TR_CHILD(probe, .id = 1) }) },
        { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1), .grace = -1 }) },
        { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1), .restart = (tr_restart)7 }) },
        { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1), .capacity = 1u << 20 }) },
        { .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1) }, { .type = &nameless_actor }) },
        { .strategy = (tr_strategy)9 },
        { .within = -1 },
        { .backoff_min = -1 },
        { .backoff_max = -1 },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(tr_ref_error(tr_supervise(sys, &bad[i])), -EINVAL, "tree %d", (int)i);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, NULL)), -EINVAL);
    cr_assert_eq(journal_length, 0);
}

Test(supervisor, a_tree_that_contains_itself_is_refused)
{
    tr_child children[3] = { { .name = NULL } };
    tr_supervisor tree = { .children = children };

    children[0].tree = &tree;
    children[1].tree = &tree;
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EINVAL);
}

Test(supervisor, a_name_that_is_taken_fails_the_start)
{
    const tr_supervisor tree = { .children = TR_CHILDREN(
        { .name = "first", TR_CHILD(probe, .id = 1) },
        { .name = "taken", TR_CHILD(probe, .id = 2) }) };
    tr_ref other = tr_spawn_with(sys, &(tr_spawn_options){ .name = "taken" }, probe, .id = 3);

    cr_assert_eq(tr_ref_error(other), 0);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EEXIST);
    cr_assert(tr_ref_equal(look("taken"), other));
    cr_assert_not(tr_ref_is_some(look("first")));
}

Test(supervisor, copies_its_tree)
{
    char name[8] = "copied";
    struct probe initial = { .id = 1, .value = 7 };
    tr_child children[2] = { { .name = name, .type = &probe_actor, .initial = &initial } };
    tr_supervisor tree = { .children = children, .restarts_max = 3 };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    memset(name, 'x', sizeof name - 1);
    memset(&initial, 0, sizeof initial);
    memset(children, 0, sizeof children);

    tr_ref child = look("copied");
    crash(child);
    wait_for_incarnation(child, 1);
    cr_assert_eq(ask(child).value, 7);
}

/* ---- restart -------------------------------------------------------------------------------- */

static tr_ref start_one(tr_restart restart)
{
    const tr_supervisor tree = {
        .restarts_max = 10, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1), .restart = restart },
                                { .name = "two", TR_CHILD(probe, .id = 2) }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    return look("one");
}

Test(supervisor, S34_restarts_only_who_crashed_and_keeps_ref_and_name)
{
    tr_ref one = start_one(TR_PERMANENT);

    tr_send(sys, one, probe_add, .value = 5);
    cr_assert_eq(ask(one).value, 5);
    crash(one);
    wait_for_incarnation(one, 1);
    cr_assert_eq(ask(one).value, 0);
    cr_assert(tr_ref_equal(look("one"), one));
    cr_assert_eq(ask(look("two")).incarnation, 0);
}

Test(supervisor, what_was_queued_survives_a_crash)
{
    tr_ref one = start_one(TR_PERMANENT);

    crash(one);
    for (int i = 0; i < 100; i++)
        while (tr_send(sys, one, probe_add, .value = 1) == -ENOBUFS)
            continue;
    WAIT_FOR(ask(one).value == 100);
    cr_assert_eq(ask(one).incarnation, 1);
}

Test(supervisor, S26_S27_permanent_comes_back_from_anything)
{
    const tr_reason failure = { .kind = TR_ERROR, .code = -EIO };
    tr_ref one = start_one(TR_PERMANENT);

    tr_send(sys, one, probe_leave, .unused = 0);
    wait_for_incarnation(one, 1);
    tr_stop(sys, one);
    wait_for_incarnation(one, 2);
    tr_kill(sys, one);
    wait_for_incarnation(one, 3);
    tr_exit(sys, one, &failure);
    wait_for_incarnation(one, 4);
}

Test(supervisor, S29_transient_that_is_done_stays_away)
{
    tr_ref one = start_one(TR_TRANSIENT);

    crash(one);
    wait_for_incarnation(one, 1);
    tr_send(sys, one, probe_leave, .unused = 0);
    WAIT_FOR(is_gone(one));
    cr_assert_not(tr_ref_is_some(look("one")));
    cr_assert_eq(ask(look("two")).incarnation, 0);
}

Test(supervisor, S30_transient_that_was_stopped_stays_away)
{
    tr_ref one = start_one(TR_TRANSIENT);

    tr_stop(sys, one);
    WAIT_FOR(is_gone(one));
}

Test(supervisor, S32_temporary_never_comes_back)
{
    tr_ref one = start_one(TR_TEMPORARY);

    crash(one);
    WAIT_FOR(is_gone(one));
    cr_assert_eq(ask(look("two")).incarnation, 0);
}

Test(supervisor, a_restart_that_fails_is_tried_again)
{
    tr_ref one = start_one(TR_PERMANENT);

    tri_store_release_32(&fail_from[1], 2);
    tri_store_release_32(&fail_to[1], 5);
    crash(one);
    WAIT_FOR(tri_load_acquire_32(&starts[1]) >= 5);
    cr_assert_eq(ask(one).incarnation, 4);
}

Test(supervisor, waits_before_a_restart)
{
    const tr_supervisor tree = {
        .restarts_max = 9, .backoff_min = TR_MS(200), .backoff_max = TR_MS(200),
        .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1) }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    tr_time begin = tri_clock_now();
    for (uint32_t i = 1; i <= 5; i++) {
        crash(look("one"));
        wait_for_incarnation(look("one"), i);
    }
    /* Five draws from 0 … 200 ms: less than 25 ms in all has a chance of one in 4 millions. */
    cr_assert_gt(tri_clock_now() - begin, TR_MS(25));
}

Test(supervisor, while_it_waits_a_child_can_be_stopped)
{
    const tr_supervisor tree = {
        .restarts_max = 9, .backoff_min = TR_SEC(1000), .backoff_max = TR_SEC(1000),
        .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1) }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    tr_ref one = look("one");
    crash(one);
    WAIT_FOR(tri_load_acquire_32(&journal_length) == 2);
    cr_assert_eq(tr_send(sys, one, probe_add, .value = 1), 0, "it is held, not gone");
    cr_assert_eq(tr_stop(sys, one), 0);
    WAIT_FOR(is_gone(one));
}

/* ---- giving up ------------------------------------------------------------------------------ */

Test(supervisor, S35_gives_up_and_takes_all_with_it)
{
    const tr_supervisor tree = {
        .restarts_max = 2, .within = TR_SEC(3600),
        .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1) },
                                { .name = "two", TR_CHILD(probe, .id = 2) }),
    };
    tr_ref root = tr_supervise(sys, &tree);
    tr_ref one = look("one"), two = look("two");

    for (uint32_t i = 1; i <= 2; i++) {
        crash(one);
        wait_for_incarnation(one, i);
    }
    crash(one);
    WAIT_FOR(is_gone(one));
    WAIT_FOR(is_gone(two));
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
}

static const tr_supervisor inner = {
    .restarts_max = 1, .within = TR_SEC(3600),
    .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1) },
                            { .name = "two", TR_CHILD(probe, .id = 2), .restart = TR_TRANSIENT },
                            { .name = "six", TR_CHILD(probe, .id = 6), .restart = TR_TEMPORARY }),
};

Test(supervisor, S46_an_ancestor_restarts_what_was_held)
{
    const tr_supervisor outer = {
        .restarts_max = 5, .within = TR_SEC(3600),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) },
                                { .name = "other", TR_CHILD(probe, .id = 4) }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &outer)), 0);
    tr_ref sup = look("inner"), one = look("one"), two = look("two"), six = look("six");
    cr_assert_eq(tr_system_child_start(
        sys, sup, &(tr_child){ .name = "five", TR_CHILD(probe, .id = 5) }, NULL), 0);
    tr_ref five = look("five");

    crash(one);
    wait_for_incarnation(one, 1);
    crash(one); /* one too many for the inner supervisor */
    wait_for_incarnation(one, 2);
    cr_assert(tr_ref_equal(look("inner"), sup));
    wait_for_incarnation(two, 1);
    WAIT_FOR(is_gone(five));
    WAIT_FOR(is_gone(six));
    WAIT_FOR(tr_ref_is_some(look("six")));
    cr_assert_eq(ask(look("other")).incarnation, 0);
}

Test(supervisor, a_nested_supervisor_that_is_stopped_comes_back_with_its_children)
{
    const tr_supervisor outer = { .restarts_max = 5,
                                  .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }) };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &outer)), 0);
    tr_ref one = look("one"), two = look("two");
    cr_assert_eq(tr_stop(sys, look("inner")), 0);
    wait_for_incarnation(one, 1);
    wait_for_incarnation(two, 1);
    cr_assert_eq(tr_kill(sys, look("inner")), 0);
    wait_for_incarnation(one, 2);
    wait_for_incarnation(two, 2);
}

Test(supervisor, held_children_go_when_nobody_restarts_them)
{
    const tr_supervisor outer = {
        .restarts_max = 5, .backoff_min = TR_SEC(1000), .backoff_max = TR_SEC(1000),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }),
    };
    tr_ref root = tr_supervise(sys, &outer);
    tr_ref one = look("one"), two = look("two");

    cr_assert_eq(tr_stop(sys, look("inner")), 0);
    WAIT_FOR(tri_load_acquire_32(&journal_length) == 6);
    cr_assert_not(is_gone(one), "it waits with its supervisor");
    cr_assert_not(is_gone(two));
    cr_assert_eq(tr_stop(sys, root), 0);
    WAIT_FOR(is_gone(one));
    WAIT_FOR(is_gone(two));
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
}

Test(supervisor, a_held_supervisor_can_be_stopped_for_good)
{
    const tr_supervisor outer = {
        .restarts_max = 5, .backoff_min = TR_SEC(1000), .backoff_max = TR_SEC(1000),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }),
    };
    tr_ref root = tr_supervise(sys, &outer);
    tr_ref one = look("one"), sup = look("inner");

    cr_assert_eq(tr_stop(sys, sup), 0);
    WAIT_FOR(tri_load_acquire_32(&journal_length) == 6);
    cr_assert_eq(tr_system_child_stop(sys, root, "inner"), 0);
    cr_assert(is_gone(one));
    cr_assert_eq(tr_stop(sys, sup), -ESRCH);
}

Test(supervisor, S48_a_nested_start_that_fails_fails_the_whole)
{
    const tr_supervisor outer = {
        .children = TR_CHILDREN({ TR_CHILD(probe, .id = 4) }, { TR_TREE(inner) }),
    };

    tri_store_release_32(&fail_from[2], 1);
    tri_store_release_32(&fail_to[2], 99);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &outer)), -EIO);
    EXPECT_JOURNAL(4, 1, -1, -4);
    tr_stats stats;
    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.alive, 0);
}

/* ---- stop: grace, kill ---------------------------------------------------------------------- */

Test(supervisor, S12_kills_who_overstays_its_grace)
{
    const tr_supervisor tree = {
        .children = TR_CHILDREN({ TR_CHILD(probe, .id = 1) },
                                { .name = "busy", TR_CHILD(probe, .id = 2), .grace = TR_MS(20) }),
    };
    tr_ref root = tr_supervise(sys, &tree);

    tr_send(sys, look("busy"), probe_block, .unused = 0);
    WAIT_FOR(tri_load_acquire_32(&blocked));
    tr_stop(sys, root);
    WAIT_FOR(tri_load_acquire_32(&log_lines) > 0);
    tri_store_release_32(&may_go_on, 1);
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
    EXPECT_JOURNAL(1, 2, -1); /* the killed one says no goodbye */
}

Test(supervisor, killing_it_kills_its_children)
{
    const tr_supervisor outer = { .children = TR_CHILDREN({ TR_TREE(inner) },
                                                          { TR_CHILD(probe, .id = 4) }) };
    tr_ref root = tr_supervise(sys, &outer);
    tr_ref one = look("one");

    cr_assert_eq(tr_kill(sys, root), 0);
    WAIT_FOR(tr_kill(sys, root) == -ESRCH);
    cr_assert(is_gone(one));
    EXPECT_JOURNAL(1, 2, 6, 4);
}

/* ---- at run time ---------------------------------------------------------------------------- */

static int add(tr_ref supervisor, const char *name, int id, tr_restart restart)
{
    return tr_system_child_start(
        sys, supervisor, &(tr_child){ .name = name, TR_CHILD(probe, .id = id), .restart = restart },
        NULL);
}

Test(supervisor, S15_S52_children_come_and_go)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref child = tr_none();
    const tr_child spec = { .name = "a", TR_CHILD(probe, .id = 1, .value = 3) };

    cr_assert_eq(tr_system_child_start(sys, root, &spec, &child), 0);
    cr_assert(tr_ref_equal(child, look("a")));
    cr_assert_eq(ask(child).value, 3);
    cr_assert_eq(add(root, "a", 2, TR_PERMANENT), -EEXIST);
    crash(child);
    wait_for_incarnation(child, 1);
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), 0);
    cr_assert(is_gone(child));
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), -ENOENT);
    cr_assert_eq(add(root, "a", 3, TR_TEMPORARY), 0);
    child = look("a");
    crash(child);
    WAIT_FOR(is_gone(child));
    WAIT_FOR(add(root, "a", 4, TR_PERMANENT) == 0);
}

Test(supervisor, a_child_added_whose_start_fails_is_forgotten)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });

    tri_store_release_32(&fail_from[1], 1);
    tri_store_release_32(&fail_to[1], 3);
    cr_assert_eq(add(root, "a", 1, TR_PERMANENT), -EIO);
    cr_assert_eq(add(root, "a", 1, TR_TEMPORARY), -EIO);
    WAIT_FOR(add(root, "a", 1, TR_PERMANENT) == 0);
    cr_assert_eq(ask(look("a")).incarnation, 0);
}

Test(supervisor, S20_run_time_verbs_refuse_what_makes_no_sense)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref plain = tr_spawn(sys, probe, .id = 1);

    cr_assert_eq(add(plain, "a", 2, TR_PERMANENT), -EINVAL);
    cr_assert_eq(add(tr_none(), "a", 2, TR_PERMANENT), -ESRCH);
    cr_assert_eq(add(root, "", 2, TR_PERMANENT), -EINVAL);
    cr_assert_eq(tr_system_child_start(sys, root, NULL, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_start(sys, root, &(tr_child){ .name = "a" }, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_start(NULL, root, NULL, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_stop(sys, root, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_stop(sys, plain, "a"), -EINVAL);
    tr_stop(sys, root);
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
    cr_assert_eq(add(root, "a", 2, TR_PERMANENT), -ESRCH);
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), -ESRCH);
}

Test(supervisor, trees_come_and_go_too)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref sup;

    cr_assert_eq(tr_system_child_start(
        sys, root, &(tr_child){ .name = "inner", TR_TREE(inner) }, &sup), 0);
    tr_ref one = look("one");
    crash(one);
    wait_for_incarnation(one, 1);
    cr_assert_eq(tr_system_child_stop(sys, root, "inner"), 0);
    cr_assert(is_gone(one));
    cr_assert_not(tr_ref_is_some(look("inner")));
}

Test(supervisor, a_static_child_that_is_stopped_is_forgotten)
{
    tr_ref one = start_one(TR_PERMANENT);
    tr_ref root = tri_supervisor_last_root(sys);

    cr_assert_eq(tr_system_child_stop(sys, root, "one"), 0);
    cr_assert(is_gone(one));
    cr_assert_eq(add(root, "one", 3, TR_PERMANENT), 0);
}

/* ---- by an actor ---------------------------------------------------------------------------- */

struct boss_do { int what; tr_ref supervisor; };
struct boss_did { int error; tr_ref ref; };
struct boss { int unused; };

#define BOSS_MESSAGES(M) M(boss_do) M(boss_did)
TR_PROTOCOL(boss, 2, BOSS_MESSAGES);

enum { SUPERVISE, BAD_SUPERVISE, START, STOP, SUPERVISE_OUTSIDE };

TR_ON(boss, boss_do, self, me, msg)
{
    static const tr_supervisor bad = { .within = -1 };
    const tr_child child = { .name = "new", TR_CHILD(probe, .id = 3) };
    tr_ref ref = tr_none();
    int error = 0;

    (void)me;
    switch (msg->what) {
    case SUPERVISE:
        ref = tr_supervise(self, &inner);
        break;
    case BAD_SUPERVISE:
        ref = tr_supervise(self, &bad);
        break;
    case START:
        error = tr_self_child_start(self, msg->supervisor, &child);
        break;
    case STOP:
        error = tr_self_child_stop(self, msg->supervisor, "new");
        break;
    default:
        ref = tr_supervise(tr_system_of(self), &inner);
    }
    return tr_reply(self, boss_did, .error = error, .ref = ref);
}

static const tr_actor_type boss_actor = {
    TR_STATE(boss), .on = TR_TABLE(TR_HANDLES(boss, boss_do)),
};

static struct boss_did tell_boss(tr_ref boss, int what, tr_ref supervisor)
{
    struct boss_do order = { what, supervisor };
    struct boss_did did;

    cr_assert_eq(tr_ask_wait(sys, boss, &patient, boss_do, &order, boss_did, &did), 0);
    return did;
}

Test(supervisor, an_actor_starts_trees_and_children_without_waiting)
{
    tr_ref boss = tr_spawn(sys, boss, .unused = 0);
    struct boss_did did = tell_boss(boss, SUPERVISE, tr_none());

    cr_assert_eq(tr_ref_error(did.ref), 0);
    WAIT_FOR(tr_ref_is_some(look("two")));
    cr_assert_eq(tell_boss(boss, START, did.ref).error, 0);
    WAIT_FOR(tr_ref_is_some(look("new")));
    tr_ref new = look("new");
    cr_assert_eq(tell_boss(boss, STOP, did.ref).error, 0);
    WAIT_FOR(is_gone(new));
    cr_assert_eq(tell_boss(boss, START, boss).error, -EINVAL);
    cr_assert_eq(tr_ref_error(tell_boss(boss, BAD_SUPERVISE, tr_none()).ref), -EINVAL);
    cr_assert_eq(tr_ref_error(tell_boss(boss, SUPERVISE_OUTSIDE, tr_none()).ref), -EDEADLK);
    cr_assert_eq(tr_self_child_start(NULL, did.ref, NULL), -EINVAL);
    cr_assert_eq(tr_ref_error(tr_self_supervise(NULL, &inner)), -EINVAL);
}

Test(supervisor, a_tree_of_an_actor_that_does_not_start_ends)
{
    tr_ref boss = tr_spawn(sys, boss, .unused = 0);

    tri_store_release_32(&fail_from[2], 1);
    tri_store_release_32(&fail_to[2], 99);
    tr_ref root = tell_boss(boss, SUPERVISE, tr_none()).ref;
    cr_assert_eq(tr_ref_error(root), 0);
    WAIT_FOR(is_gone(root));
    EXPECT_JOURNAL(1, -1);
}

/* ---- races ---------------------------------------------------------------------------------- */

/* Crashes, stops and kills from two threads while a third adds and takes away children: in the end
 * everything can still be stopped, and nothing is left over. */
static tr_ref race_root;

static void *trouble(void *seed)
{
    struct tri_random random;
    static const char *const names[] = { "one", "two", "six", "inner", "dyn" };

    tri_random_seed(&random, (uintptr_t)seed);
    for (int i = 0; i < 400; i++) {
        tr_ref victim = tr_lookup(sys, names[tri_random_below(&random, 5)]);
        switch (tri_random_below(&random, 3)) {
        case 0:
            (void)tr_send(sys, victim, probe_crash, .code = -EIO);
            break;
        case 1:
            (void)tr_stop(sys, victim);
            break;
        default:
            (void)tr_kill(sys, victim);
        }
        if (i % 16 == 0)
            nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    return NULL;
}

/* What it does is noted nowhere: the journal would not hold it. */
static const tr_actor_type mute_actor = {
    .name = "mute", .state_size = sizeof(struct probe), .state_align = TR_ALIGNOF(struct probe),
    .on = TR_TABLE(TR_HANDLES(probe, probe_get), TR_HANDLES(probe, probe_crash)),
};

static void *turnover(void *unused)
{
    const tr_child spec = { .name = "dyn", .type = &mute_actor };

    (void)unused;
    for (int i = 0; i < 100; i++) {
        (void)tr_system_child_start(sys, race_root, &spec, NULL);
        (void)tr_system_child_stop(sys, race_root, "dyn");
    }
    return NULL;
}

Test(supervisor, survives_trouble_from_all_sides)
{
    const tr_supervisor nested = {
        .restarts_max = 50, .within = TR_MS(10),
        .children = TR_CHILDREN(
            { .name = "one", .type = &mute_actor },
            { .name = "two", .type = &mute_actor, .restart = TR_TRANSIENT },
            { .name = "six", .type = &mute_actor, .restart = TR_TEMPORARY }),
    };
    const tr_supervisor outer = {
        .restarts_max = UINT32_MAX, .within = TR_SEC(60), .backoff_min = TR_US(200),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(nested) }),
    };
    pthread_t threads[3];

    race_root = tr_supervise(sys, &outer);
    cr_assert_eq(tr_ref_error(race_root), 0);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, trouble, (void *)(i + 1));
    pthread_create(&threads[2], NULL, turnover, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    WAIT_FOR(tr_ref_is_some(look("inner")) || tr_stop(sys, race_root) != 0);
    tr_stop(sys, race_root);
    WAIT_FOR(tr_stop(sys, race_root) == -ESRCH);

    tr_stats stats;
    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.alive, 0);
}
