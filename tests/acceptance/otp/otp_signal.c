/* SPDX-License-Identifier: BSD-2-Clause */

/* Order and loss: rows of OTP's signal_SUITE (O) and process_SUITE (X). */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

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

TestSuite(otp_signal, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- O ---- */

static int do_send_exit_send(tr_self *self, void *arg)
{
    tr_ref to = *(tr_ref *)arg;
    tr_reason reason = { .kind = TR_ERROR, .code = -EIO, .text = "the signal" };

    for (int i = 1; i <= 3; i++)
        if (tr_send(self, to, probe_note, .number = i) < 0)
            return -EIO;
    if (tr_exit(self, to, &reason) < 0)
        return -EIO;
    for (int i = 4; i <= 6; i++)
        (void)tr_send(self, to, probe_note, .number = i);  /* it may have ended */
    return 0;
}

/* What is sent after an exit is never handled, and the exit's reason is the one that counts. */
Test(otp_signal, O01_nothing_behind_an_exit_is_handled)
{
    struct probe_book *victims = probe_book();
    tr_ref sender = probe_spawn(sys, probe_book());

    for (int i = 0; i < 1000; i++) {
        tr_ref victim = probe_spawn(sys, victims);

        probe_monitor(sys, watcher, victim);
        cr_assert_eq(probe_do(sys, sender, do_send_exit_send, &victim), 0);
        struct tr_down down = probe_expect(book, TR_TAG_tr_down).down;
        cr_assert(probe_reason_is(&down.reason, TR_ERROR, -EIO, "the signal"));
    }
    for (unsigned left = probe_count(victims, TR_TAG_probe_note); left > 0; left--)
        cr_assert_leq(probe_expect(victims, TR_TAG_probe_note).note.number, 3);
}

/* A trapped exit keeps its place among the messages. */
Test(otp_signal, O01_a_trapped_exit_is_in_order)
{
    tr_ref sender = probe_spawn(sys, probe_book());

    probe_trap(sys, watcher);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(probe_do(sys, sender, do_send_exit_send, &watcher), 0);
        for (int number = 1; number <= 3; number++)
            cr_assert_eq(probe_next(book).note.number, number);
        struct probe_entry exited = probe_next(book);
        cr_assert_eq(exited.tag, TR_TAG_tr_exited);
        cr_assert(tr_ref_equal(exited.exited.who, sender));
        for (int number = 4; number <= 6; number++)
            cr_assert_eq(probe_next(book).note.number, number);
    }
}

static int do_send_last_words(tr_self *self, void *arg)
{
    for (int i = 1; i <= 3; i++)
        if (tr_send(self, *(tr_ref *)arg, probe_note, .number = i) < 0)
            return -EIO;
    return tr_self_stop(self, tr_me(self));
}

Test(otp_signal, O01_down_comes_after_the_messages)
{
    for (int i = 0; i < 300; i++) {
        tr_ref sender = probe_spawn(sys, probe_book());

        probe_monitor(sys, watcher, sender);
        probe_tell(sys, sender, do_send_last_words, &watcher);
        for (int number = 1; number <= 3; number++) {
            struct probe_entry entry = probe_next(book);
            cr_assert_eq(entry.tag, TR_TAG_probe_note);
            cr_assert_eq(entry.note.number, number);
        }
        cr_assert_eq(probe_next(book).tag, TR_TAG_tr_down);
    }
}

/* Pairwise order, from several senders at once, each with messages of its own numbers. */
struct burst {
    tr_ref to;
    int from;
};

static int do_burst(tr_self *self, void *arg)
{
    const struct burst *burst = arg;

    for (int i = 0; i < 100; i++)
        if (tr_send(self, burst->to, probe_note, .number = burst->from + i) < 0)
            return -EIO;
    return 0;
}

Test(otp_signal, O01_first_in_first_out_for_each_sender)
{
    enum { SENDERS = 8, ROUNDS = 5 };
    struct probe_book *others = probe_book();
    struct burst bursts[SENDERS][ROUNDS];
    int next[SENDERS] = { 0 };

    for (int s = 0; s < SENDERS; s++) {
        tr_ref sender = probe_spawn(sys, others);
        for (int r = 0; r < ROUNDS; r++) {
            bursts[s][r] = (struct burst){ .to = watcher, .from = s * 1000 + r * 100 };
            probe_tell(sys, sender, do_burst, &bursts[s][r]);
        }
    }
    for (int i = 0; i < SENDERS * ROUNDS * 100; i++) {
        int number = probe_expect(book, TR_TAG_probe_note).note.number;
        cr_assert_eq(number % 1000, next[number / 1000], "%d has come", number);
        next[number / 1000]++;
    }
}

/* ---- X ---- */

static int do_suspend(tr_self *self, void *arg)
{
    return tr_suspend(self, *(tr_ref *)arg);
}

static int do_resume(tr_self *self, void *arg)
{
    return tr_resume(self, *(tr_ref *)arg);
}

/* A message that meets a suspend, a resume or a falling asleep is never lost. */
Test(otp_signal, X10_no_message_is_lost)
{
    tr_ref other = probe_spawn(sys, probe_book());
    tr_ref target = watcher;

    for (int i = 0; i < 1000; i++) {
        probe_tell(sys, other, do_suspend, &target);
        probe_send_note(sys, watcher, i);
        probe_tell(sys, other, do_resume, &target);
        if (i % 16 == 0)
            probe_sync(sys, other);
    }
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(probe_expect(book, TR_TAG_probe_note).note.number, i);
}

Test(otp_signal, X10_suspensions_count)
{
    cr_assert_eq(tr_suspend(sys, watcher), 0);
    cr_assert_eq(tr_suspend(sys, watcher), 0);
    probe_send_note(sys, watcher, 1);
    cr_assert_eq(tr_resume(sys, watcher), 0);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 0);
    cr_assert_eq(tr_resume(sys, watcher), 0);
    probe_expect(book, TR_TAG_probe_note);
}

Test(otp_signal, X10_a_suspension_ends_with_who_made_it)
{
    tr_ref other = probe_spawn(sys, probe_book());

    cr_assert_eq(probe_do(sys, other, do_suspend, &watcher), 0);
    probe_send_note(sys, watcher, 1);
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 0);
    cr_assert_eq(tr_kill(sys, other), 0);
    probe_expect(book, TR_TAG_probe_note);
}

Test(otp_signal, X10_a_suspended_actor_stops)
{
    tr_ref target = probe_spawn(sys, probe_book());

    probe_monitor(sys, watcher, target);
    cr_assert_eq(tr_suspend(sys, target), 0);
    probe_send_note(sys, target, 1);
    cr_assert_eq(tr_stop(sys, target), 0);
    cr_assert_eq(probe_expect(book, TR_TAG_tr_down).down.reason.kind, TR_SHUTDOWN);
    cr_assert_eq(probe_quiet(sys).dead_letters, 1);
}

struct loop_again { int unused; };

#define LOOP_MESSAGES(M) M(loop_again)
TR_PROTOCOL(loop, 9001, LOOP_MESSAGES);

struct looper { int unused; };

TR_ON(looper, loop_again, self, me, msg)
{
    return tr_send(self, tr_me(self), loop_again, .unused = 0);
}

static const tr_actor_type looper_actor = {
    TR_STATE(looper), .on = TR_TABLE(TR_HANDLES(looper, loop_again)),
};

/* Four that never rest, and two workers: the others go on. */
Test(otp_signal, X11_busy_actors_do_not_starve_others)
{
    tr_ref loopers[4];

    for (int i = 0; i < 4; i++) {
        loopers[i] = tr_spawn(sys, looper, .unused = 0);
        cr_assert_eq(tr_send(sys, loopers[i], loop_again, .unused = 0), 0);
    }
    for (int i = 0; i < 100; i++)
        probe_sync(sys, watcher);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(tr_stop(sys, loopers[i]), 0);
    for (int i = 0; i < 4; i++)
        probe_await_end(sys, loopers[i]);
}

static int do_stop_itself(tr_self *self, void *arg)
{
    (void)arg;
    return tr_stop(self, tr_me(self));
}

/* Whoever tells itself to stop handles nothing more, however much is queued. */
Test(otp_signal, X04_stopping_itself)
{
    struct probe_book *others = probe_book();
    tr_ref target = probe_spawn(sys, others);

    probe_monitor(sys, watcher, target);
    cr_assert_eq(tr_suspend(sys, target), 0);
    probe_tell(sys, target, do_stop_itself, NULL);
    for (int i = 0; i < 10; i++)
        probe_send_note(sys, target, i);
    cr_assert_eq(tr_resume(sys, target), 0);
    cr_assert_eq(probe_expect(book, TR_TAG_tr_down).down.reason.kind, TR_SHUTDOWN);
    cr_assert_eq(probe_count(others, TR_TAG_probe_note), 0);
    cr_assert_eq(probe_quiet(sys).dead_letters, 10);
}
