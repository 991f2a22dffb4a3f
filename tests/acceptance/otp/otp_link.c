/* SPDX-License-Identifier: BSD-2-Clause */

/* Links, exits and trapping: rows of OTP's erl_link_SUITE (L) and process_SUITE (X). */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

static tr_system *sys;
static struct probe_book *book;   /* of `watcher` */
static struct probe_book *actors; /* of `a` and `b` */
static tr_ref watcher, a, b;

static void set_up(void)
{
    sys = probe_system(0);
    book = probe_book();
    actors = probe_book();
    watcher = probe_spawn(sys, book);
    a = probe_spawn(sys, actors);
    b = probe_spawn(sys, actors);
}

static void tear_down(void)
{
    probe_stop(sys);
}

TestSuite(otp_link, .init = set_up, .fini = tear_down, .timeout = 60);

static int do_unlink(tr_self *self, void *arg)
{
    return tr_unlink(self, *(tr_ref *)arg);
}

static void unlink_probes(tr_ref probe, tr_ref target)
{
    cr_assert_eq(probe_do(sys, probe, do_unlink, &target), 0);
}

/* Has the watcher wait for the end of an actor that is to die of what comes next. */
static struct tr_down down_after(tr_ref who, void (*cause)(void))
{
    probe_monitor(sys, watcher, who);
    cause();
    return probe_expect(book, TR_TAG_tr_down).down;
}

static void crash_b(void)
{
    probe_make_return(sys, b, -EIO);
}

static void crash_a(void)
{
    probe_make_return(sys, a, -EIO);
}

static void stop_b(void)
{
    cr_assert_eq(tr_stop(sys, b), 0);
}

static void kill_b(void)
{
    cr_assert_eq(tr_kill(sys, b), 0);
}

/* ---- L ---- */

Test(otp_link, L01_shared_fate_from_the_other_side)
{
    probe_link(sys, a, b);
    struct tr_down down = down_after(a, crash_b);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, NULL));
}

Test(otp_link, L01_shared_fate_from_this_side)
{
    probe_link(sys, a, b);
    struct tr_down down = down_after(b, crash_a);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, NULL));
}

Test(otp_link, L01_idempotent)
{
    probe_link(sys, a, b);
    probe_link(sys, a, b);
    probe_link(sys, b, a);
    unlink_probes(a, b);
    probe_sync(sys, b);
    kill_b();
    probe_await_end(sys, b);
    probe_quiet(sys);
    probe_sync(sys, a);
}

Test(otp_link, L01_unlinked_by_the_other_side)
{
    probe_link(sys, a, b);
    unlink_probes(b, a);
    probe_sync(sys, a);
    crash_b();
    probe_await_end(sys, b);
    probe_quiet(sys);
    probe_sync(sys, a);
}

Test(otp_link, L01_itself)
{
    probe_link(sys, a, a);
    probe_sync(sys, a);
    unlink_probes(a, a);
    probe_link(sys, a, a);
    struct tr_down down = down_after(a, crash_a);
    cr_assert_eq(down.reason.kind, TR_ERROR);
}

Test(otp_link, L01_stop_and_kill_are_shared)
{
    probe_link(sys, a, b);
    cr_assert_eq(down_after(a, stop_b).reason.kind, TR_SHUTDOWN);

    a = probe_spawn(sys, actors);
    b = probe_spawn(sys, actors);
    probe_link(sys, a, b);
    cr_assert_eq(down_after(a, kill_b).reason.kind, TR_KILLED);
}

Test(otp_link, L01_a_normal_end_is_not_shared)
{
    probe_link(sys, a, b);
    probe_make_return(sys, b, TR_STOP);
    probe_await_end(sys, b);
    probe_quiet(sys);
    probe_sync(sys, a);
}

Test(otp_link, L02_trapping)
{
    probe_trap(sys, a);
    probe_link(sys, a, b);
    crash_b();
    struct tr_exited exited = probe_expect(actors, TR_TAG_tr_exited).exited;
    cr_assert(tr_ref_equal(exited.who, b));
    cr_assert(probe_reason_is(&exited.reason, TR_ERROR, -EIO, NULL));
    cr_assert_not(exited.restarting);
    probe_sync(sys, a);
}

Test(otp_link, L02_a_chain_breaks_at_who_traps)
{
    tr_ref chain[20];

    for (int i = 0; i < 20; i++) {
        chain[i] = probe_spawn(sys, actors);
        if (i > 0)
            probe_link(sys, chain[i], chain[i - 1]);
    }
    probe_trap(sys, chain[0]);
    probe_make_return(sys, chain[19], -EIO);
    struct tr_exited exited = probe_expect(actors, TR_TAG_tr_exited).exited;
    cr_assert(tr_ref_equal(exited.who, chain[1]));
    cr_assert(probe_reason_is(&exited.reason, TR_ERROR, -EIO, NULL));
    probe_quiet(sys);
    cr_assert_eq(probe_count(actors, TR_TAG_tr_exited), 1);
    probe_sync(sys, chain[0]);
}

/* After an exit nothing is left of the link: a second end of the kind does not reach anybody. */
Test(otp_link, L03_nothing_is_left_behind)
{
    probe_trap(sys, a);
    for (int i = 0; i < 100; i++) {
        tr_ref peer = probe_spawn(sys, actors);

        probe_link(sys, a, peer);
        probe_make_return(sys, peer, -EIO);
        cr_assert(tr_ref_equal(probe_expect(actors, TR_TAG_tr_exited).exited.who, peer));
        unlink_probes(a, peer);
    }
    probe_quiet(sys);
    cr_assert_eq(probe_count(actors, TR_TAG_tr_exited), 100);
}

Test(otp_link, L03_one_exit_between_two)
{
    probe_trap(sys, a);
    probe_trap(sys, b);
    probe_link(sys, a, b);
    probe_link(sys, b, a);
    crash_b();
    probe_expect(actors, TR_TAG_tr_exited);
    probe_quiet(sys);
    cr_assert_eq(probe_count(actors, TR_TAG_tr_exited), 1);
}

Test(otp_link, L06_with_one_that_has_ended)
{
    kill_b();
    probe_await_end(sys, b);
    probe_trap(sys, a);
    probe_link(sys, a, b);
    struct tr_exited exited = probe_expect(actors, TR_TAG_tr_exited).exited;
    cr_assert(tr_ref_equal(exited.who, b));
    cr_assert_eq(exited.reason.kind, TR_LOST);
}

static int do_spawn_linked(tr_self *self, void *arg)
{
    tr_ref *ret_child = arg;

    *ret_child = tr_spawn_with(self, (&(tr_spawn_options){ .link = true }), probe, .book = actors);
    return tr_ref_error(*ret_child);
}

Test(otp_link, L01_spawned_with_a_link)
{
    tr_ref child = tr_none();

    cr_assert_eq(probe_do(sys, a, do_spawn_linked, &child), 0);
    probe_monitor(sys, watcher, child);
    crash_a();
    struct tr_down down = probe_expect(book, TR_TAG_tr_down).down;
    cr_assert(tr_ref_equal(down.who, child));
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, NULL));
}

/* ---- X ---- */

Test(otp_link, X01_a_full_text_reaches_a_trapping_peer)
{
    tr_reason reason = { .kind = TR_ERROR, .code = -EIO,
                         .text = "a reason that fills all of its 39 bytes" };

    probe_trap(sys, a);
    probe_link(sys, a, b);
    cr_assert_eq(tr_exit(sys, b, &reason), 0);
    struct tr_exited exited = probe_expect(actors, TR_TAG_tr_exited).exited;
    cr_assert(probe_reason_is(&exited.reason, TR_ERROR, -EIO, reason.text));
}

Test(otp_link, X02_a_normal_exit_from_another_is_ignored)
{
    tr_reason normal = { .kind = TR_NORMAL };

    cr_assert_eq(tr_exit(sys, a, &normal), 0);
    probe_sync(sys, a);
    probe_quiet(sys);
    probe_sync(sys, a);
}

static int do_exit_myself(tr_self *self, void *arg)
{
    return tr_exit(self, tr_me(self), (const tr_reason *)arg);
}

Test(otp_link, X03_an_exit_to_itself_while_trapping)
{
    tr_reason reason = { .kind = TR_ERROR, .code = -ECANCELED, .text = "myself" };

    probe_trap(sys, a);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(probe_do(sys, a, do_exit_myself, &reason), 0);
        struct tr_exited exited = probe_expect(actors, TR_TAG_tr_exited).exited;
        cr_assert(tr_ref_equal(exited.who, a));
        cr_assert(probe_reason_is(&exited.reason, TR_ERROR, -ECANCELED, "myself"));
    }
}

static tr_reason last_words = { .kind = TR_ERROR, .code = -ECANCELED, .text = "myself" };

static void exit_a_by_itself(void)
{
    probe_tell(sys, a, do_exit_myself, &last_words);
}

Test(otp_link, X04_an_exit_to_itself_without_trapping)
{
    struct tr_down down = down_after(a, exit_a_by_itself);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -ECANCELED, "myself"));
}

static int do_fail_and_go_on(tr_self *self, void *arg)
{
    (void)arg;
    tr_fail(self, -EIO, "from the depth");
    return TR_OK;
}

static void fail_a(void)
{
    probe_tell(sys, a, do_fail_and_go_on, NULL);
}

/* The handler returns TR_OK all the same: a failure that was declared is one. */
Test(otp_link, X06_a_failure_cannot_be_taken_back)
{
    struct tr_down down = down_after(a, fail_a);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, "from the depth"));
}

static int do_untrap(tr_self *self, void *arg)
{
    (void)arg;
    return tr_trap(self, false);
}

static void exit_a_from_outside(void)
{
    tr_exit(sys, a, &last_words);
}

Test(otp_link, X05_only_while_trapping)
{
    probe_trap(sys, a);
    exit_a_from_outside();
    probe_expect(actors, TR_TAG_tr_exited);
    cr_assert_eq(probe_do(sys, a, do_untrap, NULL), 0);
    struct tr_down down = down_after(a, exit_a_from_outside);
    cr_assert(probe_reason_is(&down.reason, TR_ERROR, -ECANCELED, "myself"));
}

Test(otp_link, X05_kill_is_not_trapped)
{
    probe_trap(sys, b);
    cr_assert_eq(down_after(b, kill_b).reason.kind, TR_KILLED);
    cr_assert_eq(probe_count(actors, TR_TAG_tr_exited), 0);
}
