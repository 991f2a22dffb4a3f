/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Which end is followed by a restart, and what a restart keeps: rows S26 to S32, S34, S52 and S55
 * of OTP's supervisor_SUITE. Where OTP says "a new pid", here it is the same ref, one incarnation
 * later.
 */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

static tr_system *sys;
static struct probe_book *book;    /* of the children */
static struct probe_book *downs;   /* of `watcher` */
static tr_ref watcher, supervisor, child;

static void set_up(void)
{
    sys = probe_system(0);
    book = probe_book();
    downs = probe_book();
    watcher = probe_spawn(sys, downs);
}

static void tear_down(void)
{
    probe_stop(sys);
}

TestSuite(otp_restart, .init = set_up, .fini = tear_down, .timeout = 60);

static void supervise(tr_restart restart)
{
    tr_supervisor tree = {
        .restarts_max = 100, .within = TR_SEC(60),
        .children = TR_CHILDREN(
            { .name = "child", TR_CHILD(probe, .book = book), .restart = restart }),
    };

    supervisor = tr_supervise(sys, &tree);
    cr_assert_eq(tr_ref_error(supervisor), 0);
    child = tr_lookup(sys, "child");
    cr_assert(tr_ref_is_some(child));
    probe_expect(book, TR_TAG_probe_start);
}

enum end { NORMAL, SHUTDOWN, ABNORMAL, KILLED };

static void end_child(enum end end)
{
    switch (end) {
    case NORMAL:
        probe_make_return(sys, child, TR_STOP);
        break;
    case SHUTDOWN:
        cr_assert_eq(tr_stop(sys, child), 0);
        break;
    case ABNORMAL:
        probe_make_return(sys, child, -EIO);
        break;
    case KILLED:
        cr_assert_eq(tr_kill(sys, child), 0);
        break;
    }
}

static struct tr_down end_and_await(enum end end)
{
    static const tr_reason_kind kinds[] = { TR_NORMAL, TR_SHUTDOWN, TR_ERROR, TR_KILLED };

    probe_monitor(sys, watcher, child);
    end_child(end);
    struct tr_down down = probe_expect(downs, TR_TAG_tr_down).down;
    cr_assert_eq(down.reason.kind, kinds[end]);
    return down;
}

static void expect_restart(enum end end)
{
    struct tr_down down = end_and_await(end);
    struct probe_entry started = probe_expect(book, TR_TAG_probe_start);

    cr_assert(down.restarting);
    cr_assert_eq(down.incarnation + 1, started.incarnation);
    cr_assert(tr_ref_equal(started.by, child));
    cr_assert(tr_ref_equal(tr_lookup(sys, "child"), child));
    probe_sync(sys, child);
}

static void expect_final_end(enum end end)
{
    cr_assert_not(end_and_await(end).restarting);
    probe_await_name(sys, "child", false);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_probe_start), 1);
    cr_assert_eq(tr_send(sys, child, probe_note, .number = 1), -ESRCH);
}

/* ---- the table: restart type and reason of the end ---- */

Test(otp_restart, S26_permanent_normal)
{
    supervise(TR_PERMANENT);
    expect_restart(NORMAL);
}

Test(otp_restart, S27_permanent_shutdown)
{
    supervise(TR_PERMANENT);
    expect_restart(SHUTDOWN);
}

Test(otp_restart, S28_permanent_abnormal)
{
    supervise(TR_PERMANENT);
    expect_restart(ABNORMAL);
    expect_restart(KILLED);
}

Test(otp_restart, S29_transient_normal)
{
    supervise(TR_TRANSIENT);
    expect_final_end(NORMAL);
}

Test(otp_restart, S30_transient_shutdown)
{
    supervise(TR_TRANSIENT);
    expect_final_end(SHUTDOWN);
}

Test(otp_restart, S31_transient_abnormal)
{
    supervise(TR_TRANSIENT);
    expect_restart(ABNORMAL);
    expect_restart(KILLED);
}

Test(otp_restart, S32_temporary_normal)
{
    supervise(TR_TEMPORARY);
    expect_final_end(NORMAL);
}

Test(otp_restart, S32_temporary_shutdown)
{
    supervise(TR_TEMPORARY);
    expect_final_end(SHUTDOWN);
}

Test(otp_restart, S32_temporary_abnormal)
{
    supervise(TR_TEMPORARY);
    expect_final_end(ABNORMAL);
}

/* ---- what a restart keeps, and what it does not ---- */

Test(otp_restart, S55_same_ref_and_name_each_time)
{
    supervise(TR_PERMANENT);
    for (int i = 0; i < 30; i++)
        expect_restart((enum end)(i % 4));
    cr_assert_eq(probe_quiet(sys).restarts, 30);
}

/* What waited is handled by the next incarnation; the message in hand has crashed. */
Test(otp_restart, queue_is_kept)
{
    supervise(TR_PERMANENT);
    cr_assert_eq(tr_suspend(sys, child), 0);
    probe_send_note(sys, child, 1);
    probe_make_return(sys, child, -EIO);
    probe_send_note(sys, child, 2);
    probe_send_note(sys, child, 3);
    cr_assert_eq(tr_resume(sys, child), 0);
    for (int number = 1; number <= 3; number++) {
        struct probe_entry entry = probe_expect(book, TR_TAG_probe_note);
        cr_assert_eq(entry.note.number, number);
        cr_assert_eq(entry.incarnation, number == 1 ? 0 : 1);
    }
    tr_stats stats = probe_quiet(sys);
    cr_assert_eq(stats.crashed, 1);
    cr_assert_eq(stats.dead_letters, 0);
}

Test(otp_restart, queue_becomes_dead_letters_where_asked)
{
    tr_supervisor tree = {
        .restarts_max = 100, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "child", TR_CHILD(probe, .book = book),
                                  .queue = TR_QUEUE_DEAD_LETTER }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    child = tr_lookup(sys, "child");
    cr_assert_eq(tr_suspend(sys, child), 0);
    probe_make_return(sys, child, -EIO);
    probe_send_note(sys, child, 1);
    probe_send_note(sys, child, 2);
    cr_assert_eq(tr_resume(sys, child), 0);
    probe_expect(book, TR_TAG_probe_start);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_start).incarnation, 1);
    cr_assert_eq(probe_quiet(sys).dead_letters, 2);
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 0);
    probe_sync(sys, child);
}

static void count_release(void *arg)
{
    ++*(int *)arg;
}

static int do_acquire(tr_self *self, void *arg)
{
    void *memory = tr_alloc(self, 1000);

    if (memory == NULL || tr_defer(self, count_release, arg) < 0)
        return -ENOMEM;
    memset(memory, 1, 1000);
    return tr_monitor(self, watcher, &(tr_token){ 0 });
}

/* Resources, monitors and links end with the incarnation; a kill is no exception. */
Test(otp_restart, what_an_incarnation_owns_ends_with_it)
{
    int released = 0;

    supervise(TR_PERMANENT);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(probe_do(sys, child, do_acquire, &released), 0);
        expect_restart((enum end)(i % 4));
        cr_assert_eq(released, i + 1);
    }
    cr_assert_eq(tr_kill(sys, watcher), 0);
    probe_await_end(sys, watcher);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 0);
}

/* ---- siblings and intensity ---- */

Test(otp_restart, S34_one_for_one)
{
    struct probe_book *sibling_book = probe_book();
    tr_supervisor tree = {
        .restarts_max = 2, .within = TR_SEC(3600),
        .children = TR_CHILDREN({ .name = "child", TR_CHILD(probe, .book = book) },
                                { .name = "sibling", TR_CHILD(probe, .book = sibling_book) }),
    };

    supervisor = tr_supervise(sys, &tree);
    cr_assert_eq(tr_ref_error(supervisor), 0);
    child = tr_lookup(sys, "child");
    tr_ref sibling = tr_lookup(sys, "sibling");
    probe_monitor(sys, watcher, supervisor);
    probe_expect(book, TR_TAG_probe_start);
    for (uint32_t incarnation = 1; incarnation <= 2; incarnation++) {
        end_child(ABNORMAL);
        cr_assert_eq(probe_expect(book, TR_TAG_probe_start).incarnation, incarnation);
        probe_sync(sys, sibling);
    }
    cr_assert_eq(probe_count(sibling_book, TR_TAG_probe_start), 1);
    end_child(ABNORMAL);
    cr_assert(tr_ref_equal(probe_expect(downs, TR_TAG_tr_down).down.who, supervisor));
    cr_assert_eq(probe_expect(sibling_book, TR_TAG_probe_end).end.reason.kind, TR_SHUTDOWN);
    probe_await_name(sys, "child", false);
    probe_await_name(sys, "sibling", false);
    cr_assert_eq(tr_send(sys, child, probe_note, .number = 1), -ESRCH);
}

Test(otp_restart, S34_no_restart_is_forgiven_by_default)
{
    tr_supervisor tree = {
        .children = TR_CHILDREN({ .name = "child", TR_CHILD(probe, .book = book) }),
    };

    supervisor = tr_supervise(sys, &tree);
    child = tr_lookup(sys, "child");
    probe_monitor(sys, watcher, supervisor);
    end_child(ABNORMAL);
    probe_expect(downs, TR_TAG_tr_down);
    cr_assert_eq(probe_count(book, TR_TAG_probe_start), 1);
}

/* An end that needs no restart does not count. */
Test(otp_restart, S34_only_restarts_count)
{
    struct probe_book *others = probe_book();
    tr_supervisor tree = {
        .restarts_max = 1, .within = TR_SEC(3600),
        .children = TR_CHILDREN(
            { .name = "one", TR_CHILD(probe, .book = others), .restart = TR_TEMPORARY },
            { .name = "two", TR_CHILD(probe, .book = others), .restart = TR_TRANSIENT },
            { .name = "three", TR_CHILD(probe, .book = others), .restart = TR_TEMPORARY },
            { .name = "child", TR_CHILD(probe, .book = book) }),
    };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    probe_make_return(sys, tr_lookup(sys, "one"), -EIO);
    probe_make_return(sys, tr_lookup(sys, "two"), TR_STOP);
    cr_assert_eq(tr_kill(sys, tr_lookup(sys, "three")), 0);
    probe_await_name(sys, "one", false);
    probe_await_name(sys, "two", false);
    probe_await_name(sys, "three", false);
    child = tr_lookup(sys, "child");
    probe_expect(book, TR_TAG_probe_start);
    expect_restart(ABNORMAL);
}

/* ---- S52: ids ---- */

/* The supervisor may learn of an end a moment after everybody else. */
static int start_again(const tr_child *spec)
{
    int err;

    do
        err = tr_system_child_start(sys, supervisor, spec, &child);
    while (err == -EEXIST);  /* the test's own limit of time bounds this */
    return err;
}

Test(otp_restart, S52_a_temporary_name_is_free_at_once)
{
    tr_child again = { .name = "child", TR_CHILD(probe, .book = book), .restart = TR_TEMPORARY };

    supervise(TR_TEMPORARY);
    for (int i = 0; i < 8; i++) {
        end_and_await((enum end)(i % 4));
        probe_await_name(sys, "child", false);
        cr_assert_eq(start_again(&again), 0, "round %d", i);
        cr_assert(tr_ref_equal(tr_lookup(sys, "child"), child));
    }
}

Test(otp_restart, S52_a_permanent_name_is_not)
{
    tr_child again = { .name = "child", TR_CHILD(probe, .book = book) };
    tr_ref other = tr_none();

    supervise(TR_PERMANENT);
    expect_restart(ABNORMAL);
    cr_assert_eq(tr_system_child_start(sys, supervisor, &again, &other), -EEXIST);
    cr_assert_not(tr_ref_is_some(other), "untouched");
}
