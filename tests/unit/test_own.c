/* SPDX-License-Identifier: BSD-2-Clause */

/* What an incarnation owns, how it ends, and how its actor lives on. */

#include "actors/own.h"

#include "support/puppet.h"

static uint32_t released;
static int order[8];

/* Only ever by one actor at a time. */
static void release(void *arg)
{
    order[tri_load_relaxed_32(&released) % 8] = *(int *)arg;
    (void)tri_fetch_add_acq_rel_32(&released, 1);
}

static int one = 1, two = 2, three = 3;

static int owns(tr_self *self, void *arg)
{
    unsigned char *memory;

    (void)arg;
    if (tr_defer(self, release, &one) < 0 || tr_defer(self, release, &two) < 0)
        return -ENOMEM;
    memory = tr_alloc(self, 100);
    if (memory == NULL || (uintptr_t)memory % _Alignof(max_align_t) != 0 || memory[99] != 0)
        return -ENOMEM;
    memory[99] = 1;
    if (tr_alloc(self, 0) != NULL || tr_alloc(self, SIZE_MAX) != NULL)
        return -EINVAL;
    if (tr_defer(self, NULL, NULL) != -EINVAL)
        return -EINVAL;
    return tr_defer(self, release, &three);
}

static int nothing(tr_self *self, void *arg)
{
    (void)self;
    (void)arg;
    return 0;
}

static int fails(tr_self *self, void *arg)
{
    (void)arg;
    return tr_fail(self, -EIO, "the disk is gone, and this text is much too long for its place");
}

static void check_released(void)
{
    cr_assert_eq(order[0], 3);
    cr_assert_eq(order[1], 2);
    cr_assert_eq(order[2], 1);
}

Test(own, released_in_reverse_however_the_actor_ends)
{
    for (int how = 0; how < 5; how++) {
        tr_system *sys = puppet_system(2);
        tr_ref a = tr_spawn(sys, puppet);

        released = 0;
        cr_assert_eq(puppet_do(sys, a, owns, NULL), 0);
        if (how == 0)
            cr_assert_eq(tr_send(sys, a, puppet_then, .result = TR_STOP), 0);
        if (how == 1)
            cr_assert_eq(tr_send(sys, a, puppet_then, .result = -EIO), 0);
        if (how == 2)
            cr_assert_eq(tr_stop(sys, a), 0);
        if (how == 3)
            cr_assert_eq(tr_kill(sys, a), 0);
        if (how == 4)
            cr_assert_eq(puppet_do(sys, a, fails, NULL), -EIO);
        WAIT_FOR(tri_load_acquire_32(&released) == 3);
        check_released();
        cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    }
}

Test(own, the_goodbye_is_not_said_after_a_kill)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(tr_kill(sys, a), 0);
    cr_assert_eq(tr_stop(sys, b), 0);
    WAIT_FOR(diary_count(DIARY_STOP) == 1);
    cr_assert(tr_ref_equal(diary_find(DIARY_STOP, 0)->who, b));
    cr_assert_eq(diary_find(DIARY_STOP, 0)->code, (int)TR_SHUTDOWN);
    WAIT_FOR(puppet_do(sys, a, nothing, NULL) == -ESRCH);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    cr_assert_eq(diary_count(DIARY_STOP), 1);
}

/* ---- restarts ------------------------------------------------------------------------------- */

static const tr_supervisor tree = {
    .restarts_max = 1000, .within = TR_SEC(1000),
    .children = TR_CHILDREN(
        { .name = "keeps", TR_CHILD(puppet, .notes = 10), .restart = TR_PERMANENT },
        { .name = "loses", TR_CHILD(puppet, .notes = 20), .restart = TR_PERMANENT,
          .queue = TR_QUEUE_DEAD_LETTER }),
};

struct gate {
    uint32_t reached, open;
};

static int waits_at(tr_self *self, void *arg)
{
    struct gate *gate = arg;

    (void)self;
    tri_store_release_32(&gate->reached, 1);
    WAIT_FOR(tri_load_acquire_32(&gate->open));
    return 0;
}

static int tells_incarnation(tr_self *self, void *arg)
{
    (void)arg;
    return (int)tr_incarnation(self);
}

/* Queues two notes behind a crash. */
static void crash_with_a_queue(tr_system *sys, tr_ref actor)
{
    static struct gate gate;

    gate = (struct gate){ 0, 0 };
    cr_assert_eq(tr_send(sys, actor, puppet_act, .act = waits_at, .arg = &gate), 0);
    WAIT_FOR(tri_load_acquire_32(&gate.reached));
    cr_assert_eq(tr_send(sys, actor, puppet_then, .result = -EIO), 0);
    cr_assert_eq(tr_send(sys, actor, puppet_note, .value = 1), 0);
    cr_assert_eq(tr_send(sys, actor, puppet_note, .value = 2), 0);
    tri_store_release_32(&gate.open, 1);
}

Test(own, a_restart_keeps_the_ref_and_the_queue_and_nothing_else)
{
    tr_system *sys = puppet_system(2);
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    tr_ref a = tr_lookup(sys, "keeps");

    cr_assert_eq(puppet_do(sys, a, owns, NULL), 0);
    crash_with_a_queue(sys, a);
    WAIT_FOR(diary_count(DIARY_NOTE) == 2);
    check_released();
    cr_assert_eq(diary_find(DIARY_NOTE, 0)->code, 11, "the state is the initial one again");
    cr_assert_eq(diary_find(DIARY_NOTE, 0)->value, 1u);
    cr_assert_eq(diary_find(DIARY_NOTE, 1)->value, 2u);
    cr_assert_eq(puppet_do(sys, a, tells_incarnation, NULL), 1);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(own, a_child_may_lose_its_queue)
{
    tr_system *sys = puppet_system(2);
    tr_stats stats;
    cr_assert_eq(tr_ref_error(tr_supervise(sys, &tree)), 0);
    tr_ref a = tr_lookup(sys, "loses");

    crash_with_a_queue(sys, a);
    /* What comes before the restart may be lost with the queue. */
    WAIT_FOR(puppet_do(sys, a, tells_incarnation, NULL) == 1);
    cr_assert_eq(diary_count(DIARY_NOTE), 0);
    cr_assert_eq(tr_type_stats(sys, &puppet_actor, &stats), 0);
    cr_assert_geq(stats.dead_letters, 2);
    cr_assert_eq(stats.restarts, 1);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

/* ---- suspensions ---------------------------------------------------------------------------- */

static int suspends(tr_self *self, void *arg)
{
    return tr_suspend(self, *(tr_ref *)arg);
}

static int resumes(tr_self *self, void *arg)
{
    return tr_resume(self, *(tr_ref *)arg);
}

static bool is_held(tr_system *sys, tr_ref actor)
{
    static const tr_ask_policy hasty = { .timeout = TR_MS(30) };
    struct puppet_act request = { nothing, NULL };
    struct puppet_done done;

    return tr_ask_wait(sys, actor, &hasty, puppet_act, &request, puppet_done, &done) == -ETIMEDOUT;
}

Test(own, a_suspended_actor_takes_no_messages_and_loses_none)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, suspends, &b), 0);
    cr_assert_eq(puppet_do(sys, a, suspends, &b), 0);
    cr_assert(is_held(sys, b));
    cr_assert_eq(tr_send(sys, b, puppet_note, .value = 1), 0);
    cr_assert_eq(puppet_do(sys, a, resumes, &b), 0);
    cr_assert(is_held(sys, b));
    cr_assert_eq(puppet_do(sys, a, resumes, &b), 0);
    WAIT_FOR(diary_count(DIARY_NOTE) == 1);
    cr_assert_eq(puppet_do(sys, a, resumes, &b), -EALREADY);
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(own, a_suspension_ends_with_its_maker_and_does_not_stop_a_stop)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet), c = tr_spawn(sys, puppet);

    cr_assert_eq(puppet_do(sys, a, suspends, &b), 0);
    cr_assert_eq(puppet_do(sys, a, suspends, &c), 0);
    cr_assert(is_held(sys, b) && is_held(sys, c));
    cr_assert_eq(tr_stop(sys, c), 0);
    WAIT_FOR(tr_send(sys, c, puppet_note, .value = 1) == -ESRCH);
    cr_assert_eq(tr_kill(sys, a), 0);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(own, suspended_from_outside)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, puppet);

    cr_assert_eq(tr_resume(sys, a), -EALREADY);
    cr_assert_eq(tr_suspend(sys, tr_none()), -ESRCH);
    cr_assert_eq(tr_suspend(sys, a), 0);
    WAIT_FOR(is_held(sys, a));
    cr_assert_eq(tr_resume(sys, a), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(tr_suspend(sys, a), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(own, who_has_ended_is_neither_suspended_nor_resumed)
{
    tr_system *sys = puppet_system(2), *other = puppet_system(1);
    tr_ref a = tr_spawn(sys, puppet), b = tr_spawn(sys, puppet);
    tr_ref stranger = tr_spawn(other, puppet);

    cr_assert_eq(tr_kill(sys, b), 0);
    WAIT_FOR(tr_kill(sys, b) == -ESRCH);
    cr_assert_eq(puppet_do(sys, a, suspends, &b), -ESRCH);
    cr_assert_eq(puppet_do(sys, a, resumes, &b), -ESRCH);
    cr_assert_eq(tr_suspend(sys, b), -ESRCH);
    cr_assert_eq(tr_resume(sys, b), -ESRCH);
    cr_assert_eq(puppet_do(sys, a, suspends, &stranger), -EINVAL);
    cr_assert_eq(puppet_do(sys, a, resumes, &stranger), -EINVAL);
    cr_assert_eq(tr_suspend(sys, stranger), -EINVAL);
    cr_assert_eq(tr_resume(sys, stranger), -EINVAL);
    cr_assert_eq(tr_system_stop(other, TR_SEC(20)), 0);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}
