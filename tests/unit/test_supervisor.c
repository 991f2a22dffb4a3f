/* SPDX-License-Identifier: BSD-2-Clause */

/* Behaviours of OTP's supervisor suite carry their row in its table: S and a number. */

#include "actors/supervisor.h"

#include "base/clock.h"
#include "support/probe.h"

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
