/* SPDX-License-Identifier: BSD-2-Clause */

/* Monitors, links, watches and exits, from the side of who uses them. */

#include "actors/bond.h"

#include "support/puppet.h"

static tr_token token;

static int monitors(tr_self *self, void *arg)
{
    return tr_monitor(self, *(tr_ref *)arg, &token);
}

static int demonitors(tr_self *self, void *arg)
{
    (void)arg;
    return tr_demonitor(self, token, false);
}

static int demonitors_and_flushes(tr_self *self, void *arg)
{
    (void)arg;
    return tr_demonitor(self, token, true);
}

static int watches(tr_self *self, void *arg)
{
    return tr_watch(self, *(tr_ref *)arg, &token);
}

static int unwatches(tr_self *self, void *arg)
{
    (void)arg;
    return tr_unwatch(self, token);
}

/* For those whose tokens nobody asks for again. */
static int monitors_only(tr_self *self, void *arg)
{
    return tr_monitor(self, *(tr_ref *)arg, NULL);
}

static int watches_only(tr_self *self, void *arg)
{
    return tr_watch(self, *(tr_ref *)arg, NULL);
}

static int links(tr_self *self, void *arg)
{
    return tr_link(self, *(tr_ref *)arg);
}

static int unlinks(tr_self *self, void *arg)
{
    return tr_unlink(self, *(tr_ref *)arg);
}

static int traps(tr_self *self, void *arg)
{
    return tr_trap(self, *(bool *)arg);
}

static int nothing(tr_self *self, void *arg)
{
    (void)self;
    (void)arg;
    return 0;
}

static bool has_ended(tr_system *sys, tr_ref actor)
{
    return puppet_do(sys, actor, nothing, NULL) == -ESRCH;
}

static void crash(tr_system *sys, tr_ref actor, int code)
{
    cr_assert_eq(tr_send(sys, actor, puppet_then, .result = code), 0);
}

static const tr_supervisor tree = {
    .restarts_max = 100, .within = TR_SEC(100),
    .children = TR_CHILDREN({ .name = "b", TR_CHILD(puppet), .restart = TR_PERMANENT }),
};

static void finish(tr_system *sys)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(bond, monitor_tells_of_the_end_once)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, monitors, &b), 0);
    crash(sys, b, -EIO);
    WAIT_FOR(diary_count(DIARY_DOWN) == 1);
    const struct diary_entry *down = diary_find(DIARY_DOWN, 0);
    cr_assert_eq(down->code, (int)TR_ERROR);
    cr_assert_eq(down->value, token.bits);
    cr_assert(tr_ref_equal(down->who, b));
    cr_assert_eq(puppet_do(sys, a, demonitors, NULL), -ENOENT);
    finish(sys);
    cr_assert_eq(diary_count(DIARY_DOWN), 1);
}

Test(bond, monitor_of_one_that_has_ended_answers_at_once)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet), nobody = tr_none();

    crash(sys, b, TR_STOP);
    WAIT_FOR(has_ended(sys, b));
    cr_assert_eq(puppet_do(sys, a, monitors, &b), 0);
    cr_assert_eq(puppet_do(sys, a, monitors, &nobody), 0);
    WAIT_FOR(diary_count(DIARY_DOWN) == 2);
    cr_assert_eq(diary_find(DIARY_DOWN, 0)->code, (int)TR_LOST);
    finish(sys);
}

Test(bond, demonitor_before_the_end_means_no_word_of_it)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, monitors, &b), 0);
    cr_assert_eq(puppet_do(sys, a, demonitors, NULL), 0);
    cr_assert_eq(puppet_do(sys, a, demonitors_and_flushes, NULL), -ENOENT);
    crash(sys, b, -EIO);
    WAIT_FOR(has_ended(sys, b));
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(diary_count(DIARY_DOWN), 0);
    finish(sys);
}

/* Monitors another actor, waits in its handler until that has ended, then changes its mind. */
static int monitors_waits_demonitors(tr_self *self, void *arg)
{
    tr_ref other = *(tr_ref *)arg;
    bool flush = *((bool *)arg + sizeof(tr_ref));
    int error = tr_monitor(self, other, &token);

    if (error == 0)
        error = tr_send(self, other, puppet_then, .result = -EIO);
    WAIT_FOR(diary_count(DIARY_STOP) >= 1);
    /* What is told at the end is told right after the goodbye. */
    WAIT_FOR(tr_send(self, other, puppet_note, .value = 0) == -ESRCH);
    return error < 0 ? error : tr_demonitor(self, token, flush);
}

Test(bond, a_queued_down_stays_without_flush_and_goes_with_it)
{
    for (int flush = 0; flush < 2; flush++) {
        tr_system *sys = puppet_system(2);
        tr_ref a = tr_spawn(sys, puppet);
        unsigned char arg[sizeof(tr_ref) + sizeof(bool)];
        tr_ref b = tr_spawn(sys, puppet);
        bool flushes = flush;

        diary_length = 0;
        memcpy(arg, &b, sizeof b);
        memcpy(arg + sizeof b, &flushes, sizeof flushes);
        cr_assert_eq(puppet_do(sys, a, monitors_waits_demonitors, arg), 0);
        cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
        cr_assert_eq(diary_count(DIARY_DOWN), flush ? 0u : 1u);
        finish(sys);
    }
}

Test(bond, link_shares_a_crash_both_ways)
{
    for (int which = 0; which < 2; which++) {
        tr_system *sys = puppet_system(2);
        tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

        cr_assert_eq(puppet_do(sys, a, links, &b), 0);
        cr_assert_eq(puppet_do(sys, a, links, &b), 0);
        cr_assert_eq(puppet_do(sys, a, links, &a), 0);
        crash(sys, which == 0 ? a : b, -EIO);
        WAIT_FOR(has_ended(sys, a) && has_ended(sys, b));
        finish(sys);
    }
}

Test(bond, a_normal_end_does_not_end_who_is_linked)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, links, &b), 0);
    crash(sys, b, TR_STOP);
    WAIT_FOR(has_ended(sys, b));
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    finish(sys);
}

Test(bond, one_who_traps_gets_a_message)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);
    bool on = true;

    cr_assert_eq(puppet_do(sys, a, traps, &on), 0);
    cr_assert_eq(puppet_do(sys, a, links, &b), 0);
    crash(sys, b, -EIO);
    WAIT_FOR(diary_count(DIARY_EXITED) == 1);
    cr_assert_eq(diary_find(DIARY_EXITED, 0)->code, (int)TR_ERROR);
    cr_assert_eq((int64_t)diary_find(DIARY_EXITED, 0)->value, -EIO);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    finish(sys);
}

Test(bond, unlink_from_either_side_ends_it)
{
    for (int which = 0; which < 2; which++) {
        tr_system *sys = puppet_system(2);
        tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

        cr_assert_eq(puppet_do(sys, a, links, &b), 0);
        cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
        cr_assert_eq(which == 0 ? puppet_do(sys, a, unlinks, &b) : puppet_do(sys, b, unlinks, &a),
                     0);
        crash(sys, b, -EIO);
        WAIT_FOR(has_ended(sys, b));
        cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
        finish(sys);
    }
}

Test(bond, exits_end_who_does_not_trap_unless_normal)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);
    bool on = true;

    cr_assert_eq(tr_exit(sys, a, &(tr_reason){ .kind = TR_NORMAL }), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(puppet_do(sys, b, traps, &on), 0);
    cr_assert_eq(tr_exit(sys, b, &(tr_reason){ .kind = TR_ERROR, .code = -EPIPE }), 0);
    WAIT_FOR(diary_count(DIARY_EXITED) == 1);
    cr_assert_eq(tr_exit(sys, a, &(tr_reason){ .kind = TR_ERROR, .code = -EPIPE }), 0);
    WAIT_FOR(has_ended(sys, a));
    cr_assert_eq(tr_exit(sys, a, &(tr_reason){ .kind = TR_ERROR }), -ESRCH);
    cr_assert_eq(tr_exit(sys, b, NULL), -EINVAL);
    finish(sys);
}

Test(bond, a_watch_tells_the_final_end)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, watches, &b), 0);
    crash(sys, b, -EIO);
    WAIT_FOR(diary_count(DIARY_ENDED) == 1);
    cr_assert_eq(diary_find(DIARY_ENDED, 0)->code, 1);
    cr_assert_eq(diary_find(DIARY_ENDED, 0)->value, 1u);
    cr_assert_eq(puppet_do(sys, a, unwatches, NULL), -ENOENT);
    finish(sys);
}

Test(bond, a_watch_survives_restarts_and_adds_ends_up)
{
    tr_system *sys = puppet_system(2);
    tr_ref root = tr_supervise(sys, &tree), a = tr_spawn(sys, puppet), b = tr_lookup(sys, "b");

    cr_assert_eq(tr_ref_error(root), 0);
    cr_assert_eq(puppet_do(sys, a, watches, &b), 0);
    for (int i = 0; i < 10; i++)
        crash(sys, b, -EIO);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    uint32_t times = 0;
    for (uint32_t i = 0; i < diary_count(DIARY_ENDED); i++) {
        times += (uint32_t)diary_find(DIARY_ENDED, i)->code;
        cr_assert_eq(diary_find(DIARY_ENDED, i)->value, 0u);
    }
    cr_assert_eq(times, 10);
    cr_assert_eq(puppet_do(sys, a, unwatches, NULL), 0);
    finish(sys);
    cr_assert_eq(diary_count(DIARY_ENDED) > 0, true);
}

Test(bond, ends_on_both_sides_at_once_leave_nothing, .timeout = 60)
{
    tr_system *sys = puppet_system(2);

    for (int i = 0; i < 2000; i++) {
        tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

        cr_assert_eq(tr_send(sys, a, puppet_act, .act = links, .arg = &b), 0);
        cr_assert_eq(tr_send(sys, a, puppet_act, .act = monitors_only, .arg = &b), 0);
        cr_assert_eq(tr_send(sys, b, puppet_act, .act = watches_only, .arg = &a), 0);
        cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
        cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
        (void)tr_kill(sys, a);
        (void)tr_kill(sys, b);
    }
    puppet_check_stats(sys);
    finish(sys);
}

/* ---- one that waits to be restarted --------------------------------------------------------- */

static const tr_supervisor slow_tree = {
    .restarts_max = 100, .within = TR_SEC(100), .backoff_min = TR_SEC(1000),
    .children = TR_CHILDREN({ .name = "b", TR_CHILD(puppet), .restart = TR_PERMANENT }),
};

Test(bond, who_never_comes_back_from_its_wait_is_told_of_all_the_same)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), c = tr_spawn(sys, puppet);
    tr_ref root = tr_supervise(sys, &slow_tree), b = tr_lookup(sys, "b");
    bool on = true;

    cr_assert_eq(puppet_do(sys, a, watches_only, &b), 0);
    crash(sys, b, -EIO);
    WAIT_FOR(diary_count(DIARY_ENDED) == 1);
    cr_assert_eq(puppet_do(sys, a, traps, &on), 0);
    cr_assert_eq(puppet_do(sys, a, monitors, &b), 0);
    cr_assert_eq(puppet_do(sys, a, links, &b), 0);
    cr_assert_eq(puppet_do(sys, c, links, &b), 0);
    cr_assert_eq(tr_system_child_stop(sys, root, "b"), 0);
    WAIT_FOR(diary_count(DIARY_DOWN) == 1);
    cr_assert_eq(diary_find(DIARY_DOWN, 0)->value, token.bits);
    WAIT_FOR(diary_count(DIARY_EXITED) == 1);
    WAIT_FOR(diary_count(DIARY_ENDED) == 2);
    cr_assert_eq(diary_find(DIARY_ENDED, 1)->value, true, "finally");
    WAIT_FOR(has_ended(sys, c));
    finish(sys);
}
