/* SPDX-License-Identifier: BSD-2-Clause */

/* Supervisors: how they start, stop, give up and are administered; rows of OTP's supervisor_SUITE
 * (S) and starting rows of gen_server_SUITE (G). Restarts by reason are in restart.c. */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

static tr_system *sys;
static struct probe_book *first_book, *second_book;
static struct probe_book *downs;  /* of `watcher` */
static tr_ref watcher;

static void set_up(void)
{
    sys = probe_system(0);
    first_book = probe_book();
    second_book = probe_book();
    downs = probe_book();
    watcher = probe_spawn(sys, downs);
}

static void tear_down(void)
{
    probe_stop(sys);
}

TestSuite(otp_supervisor, .init = set_up, .fini = tear_down, .timeout = 60);

/* Two children, "first" and "second". */
static tr_supervisor pair(void)
{
    static tr_child children[3];
    static struct probe states[2];

    states[0].book = first_book;
    states[1].book = second_book;
    children[0] = (tr_child){ .name = "first", .type = &probe_actor, .initial = &states[0] };
    children[1] = (tr_child){ .name = "second", .type = &probe_actor, .initial = &states[1] };
    return (tr_supervisor){ .restarts_max = 5, .within = TR_SEC(60), .children = children };
}

static tr_ref must_supervise(const tr_supervisor *tree)
{
    tr_ref supervisor = tr_supervise(sys, tree);

    cr_assert_eq(tr_ref_error(supervisor), 0);
    return supervisor;
}

static void stop_and_await(tr_ref supervisor)
{
    probe_monitor(sys, watcher, supervisor);
    cr_assert_eq(tr_stop(sys, supervisor), 0);
    struct tr_down down = probe_expect_by(downs, watcher, TR_TAG_tr_down).down;
    cr_assert(tr_ref_equal(down.who, supervisor));
    cr_assert_eq(down.reason.kind, TR_SHUTDOWN);
}

/* ---- starting ---- */

Test(otp_supervisor, S01_without_children)
{
    stop_and_await(must_supervise(&(tr_supervisor){ .children = NULL }));
}

Test(otp_supervisor, S01_the_tree_is_copied)
{
    tr_supervisor tree = pair();
    tr_child *children = (tr_child *)(uintptr_t)tree.children;
    char name[] = "first";

    children[0].name = name;
    tr_ref supervisor = must_supervise(&tree);
    memset(name, 'x', 5);
    memset(children, 0, 2 * sizeof *children);
    tr_ref first = tr_lookup(sys, "first");
    probe_make_return(sys, first, -EIO);
    probe_sync(sys, first);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 2);
    stop_and_await(supervisor);
}

Test(otp_supervisor, S08_a_start_that_fails)
{
    tr_supervisor tree = pair();

    probe_book_fail_start(second_book, -EADDRINUSE);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EADDRINUSE);
    cr_assert_eq(probe_expect(first_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "first")));
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "second")));
    cr_assert_eq(probe_count(second_book, TR_TAG_probe_start), 1);
    probe_book_fail_start(second_book, 0);
    stop_and_await(must_supervise(&tree));
}

Test(otp_supervisor, S48_a_start_that_fails_in_a_nested_tree)
{
    tr_supervisor inner = pair();
    tr_supervisor outer = { .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }) };

    probe_book_fail_start(second_book, -EPROTO);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &outer)), -EPROTO);
    cr_assert_eq(probe_expect(first_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
}

/* Each child has started before the next one does. */
Test(otp_supervisor, S01_started_in_order)
{
    struct probe_book *one = probe_book();
    tr_supervisor tree = {
        .children = TR_CHILDREN({ .name = "1", TR_CHILD(probe, .book = one) },
                                { .name = "2", TR_CHILD(probe, .book = one) },
                                { .name = "3", TR_CHILD(probe, .book = one) }),
    };
    static const char *const names[] = { "1", "2", "3" };
    tr_ref refs[3];
    tr_ref supervisor = must_supervise(&tree);

    cr_assert_eq(probe_count(one, TR_TAG_probe_start), 3);
    for (int i = 0; i < 3; i++) {
        refs[i] = tr_lookup(sys, names[i]);
        cr_assert(tr_ref_equal(probe_expect(one, TR_TAG_probe_start).by, refs[i]));
    }
    stop_and_await(supervisor);
    for (int i = 2; i >= 0; i--)
        cr_assert(tr_ref_equal(probe_expect(one, TR_TAG_probe_end).by, refs[i]), "in reverse");
}

Test(otp_supervisor, S22_specifications_that_make_no_sense)
{
    tr_supervisor inner = pair();
    struct probe state = { .book = first_book };
    tr_child good = { .name = "good", .type = &probe_actor, .initial = &state };
    tr_child bad[] = {
        { .name = "neither" },
        { .name = "both", .type = &probe_actor, .initial = &state, .tree = &inner },
        { .name = "good", .type = &probe_actor, .initial = &state },
        { .name = "restart", .type = &probe_actor, .initial = &state, .restart = (tr_restart)9 },
        { .name = "grace", .type = &probe_actor, .initial = &state, .grace = -1 },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tr_child children[] = { good, bad[i], { .name = NULL } };
        tr_supervisor tree = { .children = children };
        cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EINVAL, "the one named %s",
                     bad[i].name);
    }
    probe_quiet(sys);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 0);
}

Test(otp_supervisor, S24_flags_that_make_no_sense)
{
    tr_supervisor tree = pair();

    tree.strategy = (tr_strategy)99;
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EINVAL);
    tree = pair();
    tree.within = -1;
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EINVAL);
    tree = pair();
    tree.backoff_min = -1;
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), -EINVAL);
    cr_assert_neq(tr_ref_error(tr_supervise(sys, NULL)), 0);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 0);
}

/* ---- stopping ---- */

Test(otp_supervisor, S11_patient_children_end_by_shutdown)
{
    tr_supervisor tree = pair();
    tr_child *children = (tr_child *)(uintptr_t)tree.children;

    children[0].grace = TR_FOREVER;
    children[1].grace = TR_FOREVER;
    stop_and_await(must_supervise(&tree));
    cr_assert_eq(probe_expect(first_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    cr_assert_eq(probe_expect(second_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
}

static int do_wait_at_gate(tr_self *self, void *arg)
{
    (void)self;
    return probe_gate_await(arg);
}

static int do_note_later(tr_self *self, void *arg)
{
    return tr_timer_error(tr_after(self, *(tr_time *)arg, probe_note, .number = 1));
}

/* The first child is stuck in a handler beyond its grace: it is killed, its sibling is not. */
Test(otp_supervisor, S12_a_child_that_takes_too_long)
{
    static struct probe_gate gate = PROBE_GATE_CLOSED;
    tr_supervisor tree = pair();
    tr_child *children = (tr_child *)(uintptr_t)tree.children;
    tr_time beyond = TR_MS(200);

    children[0].grace = TR_MS(20);
    tr_ref supervisor = must_supervise(&tree);
    tr_ref first = tr_lookup(sys, "first");
    probe_monitor(sys, watcher, first);
    probe_tell(sys, first, do_wait_at_gate, &gate);
    cr_assert_eq(tr_stop(sys, supervisor), 0);
    cr_assert_eq(probe_expect(second_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    cr_assert_eq(probe_do(sys, watcher, do_note_later, &beyond), 0);
    probe_expect(downs, TR_TAG_probe_note);
    probe_gate_open(&gate);
    cr_assert_eq(probe_expect(downs, TR_TAG_tr_down).down.reason.kind, TR_KILLED);
    probe_await_name(sys, "first", false);
}

/* ---- administration ---- */

Test(otp_supervisor, S15_a_name_that_is_there)
{
    tr_supervisor tree = pair();
    tr_ref supervisor = must_supervise(&tree);
    tr_ref other = { 5 };

    cr_assert_eq(tr_system_child_start(sys, supervisor, &tree.children[0], &other), -EEXIST);
    cr_assert_eq(other.bits, 5, "untouched");
}

Test(otp_supervisor, S17_S19_children_added_and_stopped)
{
    tr_ref supervisor = must_supervise(&(tr_supervisor){ .restarts_max = 3 });
    tr_child child = { .name = "added", TR_CHILD(probe, .book = first_book) };

    for (int i = 0; i < 10; i++) {
        tr_ref added = tr_none();
        cr_assert_eq(tr_system_child_start(sys, supervisor, &child, &added), 0);
        cr_assert(tr_ref_equal(tr_lookup(sys, "added"), added));
        probe_sync(sys, added);
        cr_assert_eq(tr_system_child_stop(sys, supervisor, "added"), 0);
        cr_assert_eq(tr_system_child_stop(sys, supervisor, "added"), -ENOENT);
        cr_assert_eq(tr_send(sys, added, probe_note, .number = 1), -ESRCH);
    }
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 10);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_end), 10);
}

Test(otp_supervisor, S17_a_child_nobody_knows)
{
    tr_supervisor tree = pair();
    tr_ref supervisor = must_supervise(&tree);

    cr_assert_eq(tr_system_child_stop(sys, supervisor, "third"), -ENOENT);
    probe_sync(sys, tr_lookup(sys, "first"));
}

Test(otp_supervisor, S18_an_added_child_is_restarted)
{
    tr_ref supervisor = must_supervise(&(tr_supervisor){ .restarts_max = 3 });
    tr_child child = { .name = "added", TR_CHILD(probe, .book = first_book) };
    tr_ref added;

    cr_assert_eq(tr_system_child_start(sys, supervisor, &child, &added), 0);
    probe_make_return(sys, added, -EIO);
    probe_sync(sys, added);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 2);
}

Test(otp_supervisor, S20_a_supervisor_that_has_ended)
{
    tr_supervisor tree = pair();
    tr_ref supervisor = must_supervise(&tree);
    tr_ref child;

    stop_and_await(supervisor);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &tree.children[0], &child), -ESRCH);
    cr_assert_eq(tr_system_child_stop(sys, supervisor, "first"), -ESRCH);
}

Test(otp_supervisor, S20_not_a_supervisor)
{
    tr_supervisor tree = pair();
    tr_ref child = { 5 };

    cr_assert_lt(tr_system_child_start(sys, watcher, &tree.children[0], &child), 0);
    cr_assert_lt(tr_system_child_stop(sys, watcher, "first"), 0);
    cr_assert_eq(child.bits, 5);
    probe_sync(sys, watcher);
}

Test(otp_supervisor, G03_a_child_that_declines_to_start)
{
    tr_ref supervisor = must_supervise(&(tr_supervisor){ .restarts_max = 3 });
    tr_child child = { .name = "added", TR_CHILD(probe, .book = first_book) };
    tr_ref added = { 5 };

    probe_book_fail_start(first_book, -EIO);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &child, &added), -EIO);
    cr_assert_eq(added.bits, 5, "untouched");
    cr_assert_not(tr_ref_is_some(tr_lookup(sys, "added")), "no name is left behind");
    probe_book_fail_start(first_book, 0);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &child, &added), 0);
}

/* ---- giving up ---- */

Test(otp_supervisor, S35_a_restart_that_always_fails)
{
    tr_supervisor tree = pair();
    tr_ref supervisor = must_supervise(&tree);
    tr_ref second = tr_lookup(sys, "second");

    probe_monitor(sys, watcher, supervisor);
    probe_book_fail_start(first_book, -EIO);
    probe_make_return(sys, tr_lookup(sys, "first"), -EIO);
    cr_assert(tr_ref_equal(probe_expect(downs, TR_TAG_tr_down).down.who, supervisor));
    cr_assert_eq(probe_expect_by(second_book, second, TR_TAG_probe_end).end.reason.kind,
                 TR_SHUTDOWN);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 1 + tree.restarts_max);
}

Test(otp_supervisor, S46_a_leaf_alone)
{
    tr_supervisor inner = pair();
    tr_supervisor outer = {
        .restarts_max = 1, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }),
    };

    must_supervise(&outer);
    tr_ref inner_ref = tr_lookup(sys, "inner");
    tr_ref first = tr_lookup(sys, "first");
    probe_make_return(sys, first, -EIO);
    probe_sync(sys, first);
    cr_assert_eq(probe_count(first_book, TR_TAG_probe_start), 2);
    cr_assert_eq(probe_count(second_book, TR_TAG_probe_start), 1);
    cr_assert(tr_ref_equal(tr_lookup(sys, "inner"), inner_ref));
}

/* An exhausted supervisor is restarted by its own, and its static children with it: the same refs,
 * the next incarnation. What was queued for them has waited. */
Test(otp_supervisor, S46_an_exhausted_branch_comes_back)
{
    struct probe_book *other_book = probe_book();
    tr_supervisor inner = pair();
    tr_supervisor outer = {
        .restarts_max = 2, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) },
                                { .name = "other", TR_CHILD(probe, .book = other_book) }),
    };

    inner.restarts_max = 0;
    must_supervise(&outer);
    tr_ref first = tr_lookup(sys, "first");
    tr_ref second = tr_lookup(sys, "second");
    probe_make_return(sys, first, -EIO);
    probe_send_note(sys, first, 7);
    cr_assert_eq(probe_expect(first_book, TR_TAG_probe_note).incarnation, 1);
    probe_sync(sys, second);
    cr_assert_eq(probe_count(second_book, TR_TAG_probe_start), 2);
    cr_assert_eq(probe_count(other_book, TR_TAG_probe_start), 1);
    cr_assert(tr_ref_equal(tr_lookup(sys, "first"), first));
}

Test(otp_supervisor, S46_added_children_do_not_come_back)
{
    tr_supervisor inner = pair();
    tr_supervisor outer = {
        .restarts_max = 2, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(inner) }),
    };
    struct probe_book *added_book = probe_book();
    tr_child child = { .name = "added", TR_CHILD(probe, .book = added_book) };
    tr_ref added;

    inner.restarts_max = 0;
    must_supervise(&outer);
    cr_assert_eq(tr_system_child_start(sys, tr_lookup(sys, "inner"), &child, &added), 0);
    tr_ref first = tr_lookup(sys, "first");
    probe_make_return(sys, first, -EIO);
    probe_sync(sys, first);
    cr_assert_eq(probe_expect(added_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    probe_await_name(sys, "added", false);
    cr_assert_eq(probe_count(added_book, TR_TAG_probe_start), 1);
}

/* While a child waits to be restarted: it can be stopped, and its supervisor can. */
Test(otp_supervisor, S49_waiting_to_restart)
{
    tr_supervisor tree = pair();

    tree.restarts_max = 1000;
    tree.backoff_min = TR_SEC(100);
    tree.backoff_max = TR_SEC(100);
    tr_ref supervisor = must_supervise(&tree);
    tr_ref first = tr_lookup(sys, "first");
    probe_book_fail_start(first_book, -EIO);
    probe_monitor(sys, watcher, first);
    probe_make_return(sys, first, -EIO);
    cr_assert(probe_expect(downs, TR_TAG_tr_down).down.restarting);
    probe_send_note(sys, first, 1);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &tree.children[0], &first), -EEXIST);
    cr_assert_eq(tr_system_child_stop(sys, supervisor, "first"), 0);
    probe_await_name(sys, "first", false);
    probe_book_fail_start(first_book, 0);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &tree.children[0], &first), 0);

    probe_monitor(sys, watcher, first);
    probe_make_return(sys, first, -EIO);
    cr_assert(probe_expect(downs, TR_TAG_tr_down).down.restarting);
    stop_and_await(supervisor);
}

static int do_supervise(tr_self *self, void *arg)
{
    tr_supervisor tree = pair();

    *(tr_ref *)arg = tr_supervise(self, &tree);
    return tr_ref_error(*(tr_ref *)arg);
}

static int do_add(tr_self *self, void *arg)
{
    tr_child child = { .name = "added", TR_CHILD(probe, .book = first_book) };

    return tr_self_child_start(self, *(tr_ref *)arg, &child);
}

static int do_remove(tr_self *self, void *arg)
{
    return tr_self_child_stop(self, *(tr_ref *)arg, "added");
}

Test(otp_supervisor, S01_led_by_an_actor)
{
    tr_ref supervisor = tr_none();

    cr_assert_eq(probe_do(sys, watcher, do_supervise, &supervisor), 0);
    probe_expect(first_book, TR_TAG_probe_start);
    probe_expect(second_book, TR_TAG_probe_start);
    cr_assert_eq(probe_do(sys, watcher, do_add, &supervisor), 0);
    probe_expect(first_book, TR_TAG_probe_start);
    cr_assert_eq(probe_do(sys, watcher, do_remove, &supervisor), 0);
    probe_expect(first_book, TR_TAG_probe_end);
    stop_and_await(supervisor);
}
