/* SPDX-License-Identifier: BSD-2-Clause */

/* Monitors: rows of OTP's monitor_SUITE (M), erl_link_SUITE (L) and of watches, which are ours. */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

static tr_system *sys;
static struct probe_book *book;
static tr_ref watcher;

static void set_up(void)
{
    sys = probe_system(0);
    book = probe_book();
    watcher = probe_spawn(sys, book);
}

static void tear_down(void)
{
    probe_stop(sys);
}

TestSuite(otp_monitor, .init = set_up, .fini = tear_down, .timeout = 60);

struct demonitor {
    tr_token token;
    bool flush;
};

static int do_demonitor(tr_self *self, void *arg)
{
    const struct demonitor *what = arg;

    return tr_demonitor(self, what->token, what->flush);
}

static int demonitor(tr_ref probe, tr_token token, bool flush)
{
    struct demonitor what = { .token = token, .flush = flush };

    return probe_do(sys, probe, do_demonitor, &what);
}

static struct tr_down expect_down(tr_token token, tr_ref who)
{
    struct tr_down down = probe_expect(book, TR_TAG_tr_down).down;

    cr_assert_eq(down.monitor.bits, token.bits);
    cr_assert(tr_ref_equal(down.who, who));
    return down;
}

/* ---- M ---- */

static int do_kill(tr_self *self, void *arg)
{
    return tr_kill(self, *(tr_ref *)arg);
}

Test(otp_monitor, M01_owner_killed_by_its_target)
{
    struct probe_book *others = probe_book();

    for (int i = 0; i < 100; i++) {
        tr_ref target = probe_spawn(sys, others);
        tr_ref owner = probe_spawn(sys, others);

        probe_monitor(sys, owner, target);
        tr_token token = probe_monitor(sys, watcher, owner);
        probe_tell(sys, target, do_kill, &owner);
        cr_assert_eq(expect_down(token, owner).reason.kind, TR_KILLED);
        probe_make_return(sys, target, TR_STOP);
        probe_await_end(sys, target);
    }
    cr_assert_eq(probe_count(others, TR_TAG_tr_down), 0);
}

static int do_misuse(tr_self *self, void *arg)
{
    tr_token token = { 77 };

    cr_expect_eq(tr_monitor(NULL, *(tr_ref *)arg, &token), -EINVAL);
    cr_expect_eq(token.bits, 77, "untouched");
    cr_expect_eq(tr_demonitor(NULL, token, false), -EINVAL);
    return tr_demonitor(self, token, true);
}

Test(otp_monitor, M03_bad_arguments_change_nothing)
{
    tr_ref target = probe_spawn(sys, probe_book());

    cr_assert_eq(probe_do(sys, watcher, do_misuse, &target), -ENOENT);
    cr_assert_eq(tr_kill(sys, target), 0);
    probe_await_end(sys, target);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 0);
}

Test(otp_monitor, M04_unknown_token_is_refused)
{
    cr_assert_eq(demonitor(watcher, (tr_token){ 0 }, false), -ENOENT);
    cr_assert_eq(demonitor(watcher, (tr_token){ UINT64_MAX }, true), -ENOENT);
    cr_assert_eq(demonitor(watcher, (tr_token){ UINT64_C(1) << 32 }, false), -ENOENT);
}

Test(otp_monitor, M05_itself)
{
    tr_token token = probe_monitor(sys, watcher, watcher);

    probe_sync(sys, watcher);
    demonitor(watcher, token, true);  /* there may be nothing to undo */
    probe_monitor(sys, watcher, watcher);
    cr_assert_eq(tr_stop(sys, watcher), 0);
    probe_await_end(sys, watcher);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 0);
}

Test(otp_monitor, M05_undone_before_the_end)
{
    tr_ref target = probe_spawn(sys, probe_book());
    tr_token undone = probe_monitor(sys, watcher, target);
    tr_token kept = probe_monitor(sys, watcher, target);

    cr_assert_eq(demonitor(watcher, undone, false), 0);
    cr_assert_eq(demonitor(watcher, undone, false), -ENOENT);
    cr_assert_eq(tr_stop(sys, target), 0);
    expect_down(kept, target);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 1);
}

Test(otp_monitor, M06_four_monitors_four_downs)
{
    tr_ref target = probe_spawn(sys, probe_book());
    tr_token tokens[4];
    bool seen[4] = { false };

    for (int i = 0; i < 4; i++)
        tokens[i] = probe_monitor(sys, watcher, target);
    cr_assert_eq(tr_kill(sys, target), 0);
    for (int i = 0; i < 4; i++) {
        struct tr_down down = probe_expect(book, TR_TAG_tr_down).down;
        for (int k = 0; k < 4; k++)
            if (tokens[k].bits == down.monitor.bits) {
                cr_assert_not(seen[k], "a second one of the same monitor");
                seen[k] = true;
            }
    }
    cr_assert(seen[0] && seen[1] && seen[2] && seen[3]);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 4);
}

struct late_demonitor {
    struct demonitor what;
    struct probe_gate gate;
    int result;
};

static int do_demonitor_behind_the_gate(tr_self *self, void *arg)
{
    struct late_demonitor *late = arg;
    int err = probe_gate_await(&late->gate);

    late->result = err < 0 ? err : tr_demonitor(self, late->what.token, late->what.flush);
    return TR_OK;
}

/* Has the watcher undo a monitor whose DOWN lies in its mailbox already: two others, who monitor
 * before and after it, have theirs. */
static int demonitor_with_down_queued(bool flush)
{
    tr_ref target = probe_spawn(sys, probe_book());
    struct probe_book *others = probe_book();
    tr_ref before = probe_spawn(sys, others);
    tr_ref after = probe_spawn(sys, others);
    static struct late_demonitor late;

    late = (struct late_demonitor){ .what.flush = flush, .gate = PROBE_GATE_CLOSED };
    probe_monitor(sys, before, target);
    late.what.token = probe_monitor(sys, watcher, target);
    probe_monitor(sys, after, target);
    probe_tell(sys, watcher, do_demonitor_behind_the_gate, &late);
    cr_assert_eq(tr_kill(sys, target), 0);
    probe_expect(others, TR_TAG_tr_down);
    probe_expect(others, TR_TAG_tr_down);
    probe_gate_open(&late.gate);
    probe_sync(sys, watcher);
    probe_quiet(sys);
    return late.result;
}

Test(otp_monitor, M06_flush_removes_a_queued_down)
{
    cr_assert_eq(demonitor_with_down_queued(true), 0);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 0);
}

Test(otp_monitor, M06_without_flush_a_queued_down_stays)
{
    demonitor_with_down_queued(false);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 1);
}

Test(otp_monitor, M08_reason_normal)
{
    tr_ref target = probe_spawn(sys, probe_book());
    tr_token token = probe_monitor(sys, watcher, target);

    probe_make_return(sys, target, TR_STOP);
    struct tr_down down = expect_down(token, target);
    cr_assert_eq(down.reason.kind, TR_NORMAL);
    cr_assert_eq(down.incarnation, 0);
    cr_assert_not(down.restarting);
}

Test(otp_monitor, M08_reason_as_given)
{
    tr_reason given = { .kind = TR_ERROR, .code = -EIO, .text = "as given" };
    tr_ref target = probe_spawn(sys, probe_book());
    tr_token token = probe_monitor(sys, watcher, target);

    cr_assert_eq(tr_exit(sys, target, &given), 0);
    struct tr_down down = expect_down(token, target);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, "as given"));
}

Test(otp_monitor, M08_reasons_of_stop_kill_and_crash)
{
    tr_ref target = probe_spawn(sys, probe_book());
    tr_token token = probe_monitor(sys, watcher, target);

    cr_assert_eq(tr_stop(sys, target), 0);
    cr_assert_eq(expect_down(token, target).reason.kind, TR_SHUTDOWN);

    target = probe_spawn(sys, probe_book());
    token = probe_monitor(sys, watcher, target);
    cr_assert_eq(tr_kill(sys, target), 0);
    cr_assert_eq(expect_down(token, target).reason.kind, TR_KILLED);

    target = probe_spawn(sys, probe_book());
    token = probe_monitor(sys, watcher, target);
    probe_make_return(sys, target, -EPROTO);
    struct tr_down down = expect_down(token, target);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EPROTO, NULL));
}

Test(otp_monitor, M08_already_ended)
{
    tr_ref target = probe_spawn(sys, probe_book());

    cr_assert_eq(tr_stop(sys, target), 0);
    probe_await_end(sys, target);
    tr_token token = probe_monitor(sys, watcher, target);
    cr_assert_eq(expect_down(token, target).reason.kind, TR_LOST);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 1);
}

static int do_fail_at_length(tr_self *self, void *arg)
{
    return tr_fail(self, -EIO, arg);
}

/* A reason's text is cut at 39 bytes; what fits arrives as it is. */
Test(otp_monitor, M10_long_reasons_arrive_intact)
{
    char text[] = "a reason that fills all of its 39 bytes";

    cr_assert_eq(strlen(text), sizeof((tr_reason *)0)->text - 1);
    for (int i = 0; i < 100; i++) {
        tr_ref target = probe_spawn(sys, probe_book());
        tr_token token = probe_monitor(sys, watcher, target);

        probe_tell(sys, target, do_fail_at_length, text);
        struct tr_down down = expect_down(token, target);
        cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, text));
    }
}

Test(otp_monitor, M13_the_name_is_free_at_the_down)
{
    for (int i = 0; i < 200; i++) {
        tr_ref target = probe_spawn(sys, probe_book());

        cr_assert_eq(tr_name(sys, target, "someone"), 0, "round %d", i);
        tr_token token = probe_monitor(sys, watcher, target);
        cr_assert_eq(tr_kill(sys, target), 0);
        expect_down(token, target);
    }
}

/* A stale ref is told so at once, and is never taken for who has its place now. */
Test(otp_monitor, M14_the_place_has_another_owner)
{
    struct probe_book *others = probe_book();
    tr_ref old = probe_spawn(sys, others);
    tr_ref now = tr_none();

    cr_assert_eq(tr_kill(sys, old), 0);
    probe_await_end(sys, old);
    for (int i = 0; i < 20000 && (uint32_t)now.bits != (uint32_t)old.bits; i++) {
        if (tr_ref_is_some(now))
            cr_assert_eq(tr_kill(sys, now), 0);
        now = tr_spawn(sys, probe, .book = others);
        cr_assert_eq(tr_ref_error(now), 0);
    }
    cr_assert_not(tr_ref_equal(old, now));
    cr_assert_eq(tr_send(sys, old, probe_note, .number = 1), -ESRCH);

    tr_token token = probe_monitor(sys, watcher, old);
    cr_assert_eq(expect_down(token, old).reason.kind, TR_LOST);
    probe_sync(sys, now);
    cr_assert_eq(tr_stop(sys, now), 0);
    probe_await_end(sys, now);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), 1);
    cr_assert_eq(probe_count(others, TR_TAG_probe_note), 0);
}

/* ---- L ---- */

/* Undoing and ending at the same time: undone, and no DOWN; or too late, and exactly one. */
Test(otp_monitor, L05_no_down_after_demonitor)
{
    unsigned too_late = 0;

    for (int i = 0; i < 500; i++) {
        tr_ref target = probe_spawn(sys, probe_book());
        tr_token token = probe_monitor(sys, watcher, target);

        cr_assert_eq(tr_kill(sys, target), 0);
        int err = demonitor(watcher, token, true);
        cr_assert(err == 0 || err == -ENOENT);
        if (err == 0)
            continue;
        too_late++;
        expect_down(token, target);
    }
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_down), too_late);
}

Test(otp_monitor, L06_only_its_owner_undoes_a_monitor)
{
    struct probe_book *others = probe_book();
    tr_ref target = probe_spawn(sys, others);
    tr_ref stranger = probe_spawn(sys, others);
    tr_token token = probe_monitor(sys, watcher, target);

    cr_assert_eq(demonitor(stranger, token, true), -ENOENT);
    cr_assert_eq(tr_kill(sys, target), 0);
    expect_down(token, target);
    cr_assert_eq(demonitor(watcher, token, false), -ENOENT, "it has served");
}

/* ---- watches ---- */

struct watch {
    tr_ref who;
    tr_token token;
};

static int do_watch(tr_self *self, void *arg)
{
    struct watch *watch = arg;

    return tr_watch(self, watch->who, &watch->token);
}

static int do_unwatch(tr_self *self, void *arg)
{
    return tr_unwatch(self, ((struct watch *)arg)->token);
}

/* However many ends come between two readings, their sum is right and the last one is said so. */
Test(otp_monitor, watch_counts_ends_across_incarnations)
{
    struct probe_book *others = probe_book();
    tr_supervisor tree = {
        .restarts_max = 10, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "watched", TR_CHILD(probe, .book = others),
                                  .restart = TR_PERMANENT }),
    };
    tr_ref supervisor = tr_supervise(sys, &tree);
    struct watch watch = { .who = tr_lookup(sys, "watched") };
    uint32_t times = 0;

    cr_assert_eq(tr_ref_error(supervisor), 0);
    cr_assert_eq(probe_do(sys, watcher, do_watch, &watch), 0);
    for (int i = 0; i < 5; i++)
        probe_make_return(sys, watch.who, -EIO);
    while (times < 5) {
        struct tr_ended ended = probe_expect(book, TR_TAG_tr_ended).ended;
        cr_assert_eq(ended.watch.bits, watch.token.bits);
        cr_assert_not(ended.finally);
        times += ended.times;
    }
    cr_assert_eq(times, 5);
    probe_sync(sys, watch.who);
    cr_assert_eq(tr_system_child_stop(sys, supervisor, "watched"), 0);
    struct tr_ended last = probe_expect(book, TR_TAG_tr_ended).ended;
    cr_assert(last.finally);
    cr_assert_eq(last.times, 1);
}

Test(otp_monitor, watch_undone)
{
    struct watch watch = { .who = probe_spawn(sys, probe_book()) };

    cr_assert_eq(probe_do(sys, watcher, do_watch, &watch), 0);
    cr_assert_eq(probe_do(sys, watcher, do_unwatch, &watch), 0);
    cr_assert_eq(probe_do(sys, watcher, do_unwatch, &watch), -ENOENT);
    cr_assert_eq(tr_kill(sys, watch.who), 0);
    probe_await_end(sys, watch.who);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_ended), 0);
}
