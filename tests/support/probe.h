/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_PROBE_H
#define TROUPE_TESTS_SUPPORT_PROBE_H

/*
 * A child that does as it is told, and what tests of supervisors do with it.
 *
 * Every start and every goodbye is noted in a journal, whose order tells in which order a
 * supervisor started and stopped its children; a start may be told to fail.
 */

#include <errno.h>

#include <troupe/troupe.h>

#include "base/ck.h"
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

TR_UNUSED static void note(int what)
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

TR_UNUSED static void probe_stop(tr_self *self, void *me, const tr_reason *reason)
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

TR_UNUSED static void count_lines(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)text;
    if (level != TR_LOG_INFO)
        tri_fetch_add_relaxed_32(&log_lines, 1);
}

TR_UNUSED static void open_system(void)
{
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 2, .log = count_lines }, &sys), 0);
}

TR_UNUSED static void close_system(void)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

TR_UNUSED static tr_ref look(const char *name)
{
    return tr_lookup(sys, name);
}

TR_UNUSED static struct probe_is ask(tr_ref ref)
{
    struct probe_is is = { .value = -1 };
    struct probe_get get = { 0 };
    int error = tr_ask_wait(sys, ref, &patient, probe_get, &get, probe_is, &is);

    cr_assert_eq(error, 0, "%s", tr_error_name(error));
    return is;
}

TR_UNUSED static void wait_for_incarnation(tr_ref ref, uint32_t incarnation)
{
    WAIT_FOR(ask(ref).incarnation >= incarnation);
    cr_assert_eq(ask(ref).incarnation, incarnation);
}

TR_UNUSED static bool is_gone(tr_ref ref)
{
    return tr_send(sys, ref, probe_add, .value = 0) == -ESRCH;
}

TR_UNUSED static void crash(tr_ref ref)
{
    cr_assert_eq(tr_send(sys, ref, probe_crash, .code = -EIO), 0);
}

TR_UNUSED static void expect_journal(const int *expected, uint32_t count)
{
    cr_assert_eq(tri_load_acquire_32(&journal_length), count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(journal[i], expected[i], "entry %u is %d", (unsigned)i, journal[i]);
}

#define EXPECT_JOURNAL(...)                                                                        \
    expect_journal((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* Gives up after one restart; of each kind one child. */
TR_UNUSED static const tr_supervisor inner = {
    .restarts_max = 1, .within = TR_SEC(3600),
    .children = TR_CHILDREN({ .name = "one", TR_CHILD(probe, .id = 1) },
                            { .name = "two", TR_CHILD(probe, .id = 2), .restart = TR_TRANSIENT },
                            { .name = "six", TR_CHILD(probe, .id = 6), .restart = TR_TEMPORARY }),
};

#endif
