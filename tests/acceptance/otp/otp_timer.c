/* SPDX-License-Identifier: BSD-2-Clause */

/* Time: rows of OTP's timer_SUITE and timer_bif_SUITE (T). None of them measures how late a timer
 * is, which only a bench can; that none is early, lost or doubled is checked here. */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>

struct clock_ring { uint32_t id; tr_time due; unsigned char load[160]; };

#define CLOCK_MESSAGES(M) M(clock_ring)
TR_PROTOCOL(clock, 9002, CLOCK_MESSAGES);

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

TestSuite(otp_timer, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- many timers: each once, none early, none changed ---- */

enum { TIMERS = 2000 };

struct tally {
    pthread_mutex_t lock;
    uint32_t fired[TIMERS];
    uint32_t early;
    uint32_t damaged;
    uint32_t total;
};

static struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct alarm { tr_ref done; uint32_t first; uint32_t count; };

static void write_down(const struct clock_ring *ring, tr_time now)
{
    bool damaged = ring->id >= TIMERS;

    for (size_t i = 0; i < sizeof ring->load; i++)
        damaged = damaged || ring->load[i] != (unsigned char)ring->id;
    pthread_mutex_lock(&tally.lock);
    tally.early += now < ring->due;
    tally.damaged += damaged;
    tally.total++;
    if (ring->id < TIMERS)
        tally.fired[ring->id]++;
    pthread_mutex_unlock(&tally.lock);
}

TR_START(alarm, self, me)
{
    for (uint32_t id = me->first; id < me->first + me->count; id++) {
        tr_time delay = TR_US(id * 7919 % 60000);
        struct clock_ring ring = { .id = id, .due = tr_now(self) + delay };

        memset(ring.load, (int)(id & 0xff), sizeof ring.load);
        int err = tr_timer_error(tr_after_raw(self, delay, &clock_ring_info, &ring));
        if (err < 0)
            return err;
    }
    return TR_OK;
}

TR_ON(alarm, clock_ring, self, me, msg)
{
    write_down(msg, tr_now(self));
    if (--me->count > 0)
        return TR_OK;
    int err = tr_send(self, me->done, probe_note, .number = (int)me->first);
    return err < 0 ? err : TR_STOP;
}

static const tr_actor_type alarm_actor = {
    TR_STATE(alarm), .start = TR_STARTS(alarm), .on = TR_TABLE(TR_HANDLES(alarm, clock_ring)),
};

Test(otp_timer, T01_T09_many_timers_once_and_never_early)
{
    enum { ACTORS = 20 };

    for (uint32_t i = 0; i < ACTORS; i++)
        cr_assert(tr_ref_is_some(tr_spawn(sys, alarm, .done = watcher,
                                          .first = i * (TIMERS / ACTORS),
                                          .count = TIMERS / ACTORS)));
    for (int i = 0; i < ACTORS; i++)
        probe_expect(book, TR_TAG_probe_note);
    probe_quiet(sys);
    cr_assert_eq(tally.early, 0);
    cr_assert_eq(tally.damaged, 0);
    cr_assert_eq(tally.total, TIMERS);
    for (int i = 0; i < TIMERS; i++)
        cr_assert_eq(tally.fired[i], 1);
}

/* ---- one timer of a probe ---- */

struct timing {
    tr_time delay;
    int number;
    bool again_and_again;
    tr_timer timer;
    tr_time at;
};

static int do_start(tr_self *self, void *arg)
{
    struct timing *timing = arg;
    struct probe_note note = { .number = timing->number };

    timing->at = tr_now(self);
    timing->timer = timing->again_and_again
                        ? tr_every_raw(self, timing->delay, &probe_note_info, &note)
                        : tr_after_raw(self, timing->delay, &probe_note_info, &note);
    return tr_timer_error(timing->timer);
}

static int do_cancel(tr_self *self, void *arg)
{
    return tr_cancel(self, ((struct timing *)arg)->timer);
}

static void start(struct timing *timing)
{
    cr_assert_eq(probe_do(sys, watcher, do_start, timing), 0);
}

static int cancel(struct timing *timing)
{
    return probe_do(sys, watcher, do_cancel, timing);
}

/* Waits until the watcher's clock has gone on by `span`, told by a timer of its own. */
static void let_pass(tr_time span)
{
    struct timing pause = { .delay = span, .number = -1 };

    start(&pause);
    while (probe_expect(book, TR_TAG_probe_note).note.number != -1)
        continue;
}

Test(otp_timer, T02_an_interval_until_it_is_cancelled)
{
    struct timing every = { .delay = TR_MS(3), .number = 1, .again_and_again = true };

    start(&every);
    for (int i = 0; i < 10; i++)
        probe_expect(book, TR_TAG_probe_note);
    cr_assert_geq(tr_system_now(sys) - every.at, 10 * TR_MS(3));
    cr_assert_eq(cancel(&every), 0);
    unsigned ticks = probe_count(book, TR_TAG_probe_note);
    let_pass(TR_MS(20));
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), ticks + 1);
    cr_assert_eq(cancel(&every), -ENOENT);
}

static int do_dawdle(tr_self *self, void *arg)
{
    tr_time until = tr_now(self) + *(tr_time *)arg;

    while (tr_now(self) < until)
        continue;
    return TR_OK;
}

/* At most one tick waits, however long its actor is busy. */
Test(otp_timer, T02_ticks_do_not_pile_up)
{
    struct timing every = { .delay = TR_MS(1), .number = 1, .again_and_again = true };
    tr_time busy = TR_MS(60);

    start(&every);
    probe_expect(book, TR_TAG_probe_note);
    unsigned before = probe_count(book, TR_TAG_probe_note);
    cr_assert_eq(probe_do(sys, watcher, do_dawdle, &busy), 0);
    cr_assert_eq(cancel(&every), 0);
    cr_assert_leq(probe_count(book, TR_TAG_probe_note), before + 20);
}

Test(otp_timer, T03_fires_once)
{
    struct timing once = { .delay = TR_MS(20), .number = 1 };

    start(&once);
    probe_expect(book, TR_TAG_probe_note);
    cr_assert_geq(tr_system_now(sys) - once.at, TR_MS(20));
    cr_assert_eq(cancel(&once), -ENOENT);
    let_pass(TR_MS(30));
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 2);
}

Test(otp_timer, T03_cancelled_in_time)
{
    struct timing once = { .delay = TR_MS(30), .number = 1 };

    start(&once);
    cr_assert_eq(cancel(&once), 0);
    cr_assert_eq(cancel(&once), -ENOENT);
    let_pass(TR_MS(50));
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 1);
}

Test(otp_timer, T03_no_delay_at_all)
{
    struct timing now = { .delay = 0, .number = 7 };

    start(&now);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_note).note.number, 7);
}

struct race {
    struct timing timing;
    int cancelled;
};

static int do_start_wait_cancel(tr_self *self, void *arg)
{
    struct race *race = arg;
    tr_time patience = race->timing.delay + TR_MS(3);

    if (do_start(self, &race->timing) < 0)
        return -EIO;
    do_dawdle(self, &patience);
    race->cancelled = tr_cancel(self, race->timing.timer);
    return TR_OK;
}

/* A message that is queued already is not handled any more once its timer was cancelled. */
Test(otp_timer, T03_cancelled_when_it_is_queued)
{
    for (int i = 0; i < 20; i++) {
        struct race race = { .timing = { .delay = TR_US(100 * i), .number = 1 } };

        cr_assert_eq(probe_do(sys, watcher, do_start_wait_cancel, &race), 0);
        cr_assert_eq(race.cancelled, 0);
    }
    let_pass(TR_MS(10));
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 1);
}

Test(otp_timer, T05_very_far_away)
{
    struct timing far = { .delay = TR_MS(INT64_C(1) << 31), .number = 1 };
    struct timing farther = { .delay = TR_FOREVER - 1, .number = 2 };

    start(&far);
    start(&farther);
    let_pass(TR_MS(10));
    cr_assert_eq(cancel(&far), 0);
    cr_assert_eq(cancel(&farther), 0);
    cr_assert_eq(probe_count(book, TR_TAG_probe_note), 1);
}

static int do_start_without_self(tr_self *self, void *arg)
{
    (void)self, (void)arg;
    return tr_timer_error(tr_after_raw(NULL, TR_MS(1), &probe_note_info, NULL));
}

Test(otp_timer, T06_what_makes_no_sense_is_refused)
{
    struct timing past = { .delay = -1, .number = 1 };
    struct timing too_often = { .delay = TR_US(10), .number = 1, .again_and_again = true };
    struct timing unknown = { .timer = { UINT64_MAX } };
    struct timing none = { .timer = { 0 } };

    cr_assert_eq(probe_do(sys, watcher, do_start, &past), -EINVAL);
    cr_assert_eq(probe_do(sys, watcher, do_start, &too_often), -EINVAL);
    cr_assert_eq(probe_do(sys, watcher, do_start_without_self, NULL), -EINVAL);
    cr_assert_eq(cancel(&unknown), -ENOENT);
    cr_assert_eq(cancel(&none), -ENOENT);
}

Test(otp_timer, T06_only_its_owner_cancels_a_timer)
{
    struct timing once = { .delay = TR_MS(20), .number = 1 };
    tr_ref stranger = probe_spawn(sys, probe_book());

    start(&once);
    cr_assert_eq(probe_do(sys, stranger, do_cancel, &once), -ENOENT);
    cr_assert_eq(probe_expect(book, TR_TAG_probe_note).note.number, 1);
}

static int do_start_many(tr_self *self, void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        tr_timer timer = tr_after(self, TR_MS(1 + i % 10), probe_note, .number = i);
        if (tr_timer_error(timer) < 0)
            return tr_timer_error(timer);
    }
    return TR_OK;
}

Test(otp_timer, T12_timers_end_with_their_actor)
{
    struct probe_book *others = probe_book();
    tr_ref owner = probe_spawn(sys, others);
    int many = 5000;

    cr_assert_eq(tr_suspend(sys, owner), 0);
    probe_tell(sys, owner, do_start_many, &many);
    cr_assert_eq(tr_resume(sys, owner), 0);
    cr_assert_eq(tr_kill(sys, owner), 0);
    probe_await_end(sys, owner);
    unsigned handled = probe_count(others, TR_TAG_probe_note);
    let_pass(TR_MS(20));
    cr_assert_eq(probe_count(others, TR_TAG_probe_note), handled);
}

Test(otp_timer, T12_timers_end_with_their_incarnation)
{
    struct probe_book *others = probe_book();
    tr_supervisor tree = {
        .restarts_max = 1, .within = TR_SEC(60),
        .children = TR_CHILDREN({ .name = "owner", TR_CHILD(probe, .book = others) }),
    };
    struct timing once = { .delay = TR_MS(30), .number = 1 };

    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    tr_ref owner = tr_lookup(sys, "owner");
    cr_assert_eq(probe_do(sys, owner, do_start, &once), 0);
    probe_make_return(sys, owner, -EIO);
    probe_sync(sys, owner);
    cr_assert_eq(probe_do(sys, owner, do_cancel, &once), -ENOENT);
    let_pass(TR_MS(50));
    cr_assert_eq(probe_count(others, TR_TAG_probe_note), 0);
}

static int do_idle_after(tr_self *self, void *arg)
{
    return tr_idle_after(self, *(tr_time *)arg);
}

/* Once for each time of idleness; a message begins the next one. */
Test(otp_timer, G18_idle)
{
    tr_time short_while = TR_MS(10);
    tr_time off = 0;

    cr_assert_eq(probe_do(sys, watcher, do_idle_after, &short_while), 0);
    cr_assert_eq(probe_expect(book, TR_TAG_tr_idle).idle.duration, TR_MS(10));
    probe_quiet(sys);
    cr_assert_eq(probe_count(book, TR_TAG_tr_idle), 1);
    probe_send_note(sys, watcher, 1);
    probe_expect(book, TR_TAG_tr_idle);
    cr_assert_eq(probe_do(sys, watcher, do_idle_after, &off), 0);
    unsigned idle = probe_count(book, TR_TAG_tr_idle);
    let_pass(TR_MS(30));
    cr_assert_eq(probe_count(book, TR_TAG_tr_idle), idle);
}
