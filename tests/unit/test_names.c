/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/names.h"

#include <errno.h>
#include <stdio.h>

#include <troupe/troupe.h>

#include "base/memory.h"
#include "support/test.h"
#include "support/waiting.h"

struct named_end { int unused; };
struct named { int unused; };

#define NAMED_MESSAGES(M) M(named_end)
TR_PROTOCOL(named, 1, NAMED_MESSAGES);

TR_ON(named, named_end, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    return TR_STOP;
}

static const tr_actor_type named_actor = {
    TR_STATE(named), .on = TR_TABLE(TR_HANDLES(named, named_end)),
};

static tr_system *sys;

static void open_system(void)
{
    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 2 }, &sys), 0);
}

static void close_system(void)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

static tr_ref spawn(const char *name)
{
    return tr_spawn_with(sys, &(tr_spawn_options){ .name = name }, named, .unused = 0);
}

static void end(tr_ref ref)
{
    cr_assert_eq(tr_kill(sys, ref), 0);
    WAIT_FOR(tr_kill(sys, ref) == -ESRCH);
}

TestSuite(names, .init = open_system, .fini = close_system, .timeout = 60);

Test(names, finds_who_was_named)
{
    tr_ref a = spawn("a"), b = tr_spawn(sys, named, .unused = 0);

    cr_assert(tr_ref_equal(tr_lookup(sys, "a"), a));
    cr_assert_eq(tr_lookup(sys, "b").bits, 0);
    cr_assert_eq(tr_name(sys, b, "b"), 0);
    cr_assert(tr_ref_equal(tr_lookup(sys, "b"), b));
    cr_assert(tr_ref_equal(tr_lookup(sys, "a"), a));
}

Test(names, one_actor_one_name)
{
    tr_ref a = spawn("a"), b = spawn("b");

    cr_assert_eq(tr_ref_error(spawn("a")), -EEXIST);
    cr_assert_eq(tr_name(sys, a, "b"), -EEXIST);
    cr_assert_eq(tr_name(sys, a, "c"), -EEXIST);
    cr_assert_eq(tr_name(sys, a, "a"), -EEXIST);
    cr_assert(tr_ref_equal(tr_lookup(sys, "b"), b));
    cr_assert_eq(tr_lookup(sys, "c").bits, 0);
}

Test(names, a_name_is_free_as_soon_as_its_actor_has_ended)
{
    tr_ref a = spawn("a");

    end(a);
    cr_assert_eq(tr_lookup(sys, "a").bits, 0);
    tr_ref next = spawn("a");
    cr_assert_eq(tr_ref_error(next), 0);
    cr_assert(tr_ref_equal(tr_lookup(sys, "a"), next));
}

Test(names, who_lives_there_next_has_not_the_name)
{
    /* The same slot again and again, named only now and then. */
    for (int i = 0; i < 200; i++) {
        tr_ref ref = i % 2 == 0 ? spawn("even") : tr_spawn(sys, named, .unused = 0);

        cr_assert_eq(tr_ref_error(ref), 0);
        cr_assert_eq(tr_ref_is_some(tr_lookup(sys, "even")), i % 2 == 0);
        if (i % 2 != 0)
            cr_assert_eq(tr_name(sys, ref, "odd"), 0);
        end(ref);
    }
}

Test(names, takes_1_to_63_bytes)
{
    char name[66];
    tr_ref a = tr_spawn(sys, named, .unused = 0);

    memset(name, 'x', sizeof name);
    name[64] = '\0';
    cr_assert_eq(tr_name(sys, a, ""), -EINVAL);
    cr_assert_eq(tr_name(sys, a, NULL), -EINVAL);
    cr_assert_eq(tr_name(sys, a, name), -EINVAL);
    cr_assert_eq(tr_ref_error(spawn("")), -EINVAL);
    name[63] = '\0';
    cr_assert_eq(tr_name(sys, a, name), 0);
    cr_assert(tr_ref_equal(tr_lookup(sys, name), a));
    cr_assert_eq(tr_lookup(sys, NULL).bits, 0);
    cr_assert_eq(tr_lookup(sys, "").bits, 0);
}

Test(names, who_has_ended_cannot_be_named)
{
    tr_ref a = tr_spawn(sys, named, .unused = 0);

    end(a);
    cr_assert_eq(tr_name(sys, a, "a"), -ESRCH);
    cr_assert_eq(tr_name(sys, tr_none(), "a"), -ESRCH);
    cr_assert_eq(tr_system_name(NULL, a, "a"), -EINVAL);
    cr_assert_eq(tr_ref_error(tr_system_lookup(NULL, "a")), -EINVAL);
}

Test(names, each_system_has_its_own)
{
    tr_system *other;

    cr_assert_eq(tr_system_open(&(tr_config){ .workers = 1 }, &other), 0);
    tr_ref here = spawn("a");
    tr_ref there = tr_spawn_with(other, &(tr_spawn_options){ .name = "a" }, named, .unused = 0);
    cr_assert(tr_ref_equal(tr_lookup(sys, "a"), here));
    cr_assert(tr_ref_equal(tr_lookup(other, "a"), there));
    cr_assert_eq(tr_name(sys, there, "b"), -EINVAL);
    cr_assert_eq(tr_system_stop(other, TR_SEC(20)), 0);
}

Test(names, many)
{
    enum { MANY = TRI_LIMIT(5000, 16) };
    static tr_ref refs[MANY];
    char name[24];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "%d.%d", round, i);
            refs[i] = spawn(name);
            cr_assert_eq(tr_ref_error(refs[i]), 0);
        }
        for (int i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "%d.%d", round, i);
            cr_assert(tr_ref_equal(tr_lookup(sys, name), refs[i]));
            cr_assert_eq(tr_kill(sys, refs[i]), 0);
        }
        WAIT_FOR(tr_kill(sys, refs[MANY - 1]) == -ESRCH);
    }
}

Test(names, are_given_and_released_before_birth)
{
    tr_ref unborn = tri_ref_make(1, TRI_SLOTS_MAX - 1);

    cr_assert_eq(tri_name_give(sys, unborn, "unborn"), 0);
    cr_assert_eq(tr_lookup(sys, "unborn").bits, 0, "nobody finds it yet");
    cr_assert_eq(tr_ref_error(spawn("unborn")), -EEXIST);
    tri_name_release(sys, unborn);
    tri_name_release(sys, unborn);
    cr_assert_eq(tr_ref_error(spawn("unborn")), 0);
}

Test(names, tell_who_it_is)
{
    char name[TRI_NAME_BYTES_MAX];
    tr_ref a = spawn("a"), b = tr_spawn(sys, named, .unused = 0);

    tri_name_of(sys, a, name);
    cr_assert_str_eq(name, "a");
    tri_name_of(sys, b, name);
    cr_assert_str_eq(name, "");
}

/* ---- without memory ------------------------------------------------------------------------- */

static uint32_t allowed; /* allocations that still succeed */

static void *sparing(void *context, size_t alignment, size_t size)
{
    (void)context;
    if (tri_load_relaxed_32(&allowed) == 0)
        return NULL;
    (void)tri_fetch_sub_acq_rel_32(&allowed, 1);
    return alignment > alignof(max_align_t) ? aligned_alloc(alignment, size) : malloc(size);
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

Test(names_memory, making_the_table_fails_cleanly)
{
    const struct tri_memory_hook hook = { sparing, release, NULL };

    tri_memory_hook_set(&hook);
    for (uint32_t i = 0; i < 3; i++) {
        tri_store_relaxed_32(&allowed, i);
        cr_assert_null(tri_names_new(1));
    }
    tri_store_relaxed_32(&allowed, 3);
    struct tri_names *names = tri_names_new(1);
    cr_assert_not_null(names);
    tri_names_free(names);
}

/* ---- races ---------------------------------------------------------------------------------- */

static void *compete(void *unused)
{
    uintptr_t won = 0;

    (void)unused;
    for (int i = 0; i < 500; i++) {
        tr_ref mine = spawn("contested");
        if (tr_ref_error(mine) < 0) {
            cr_assert_eq(tr_ref_error(mine), -EEXIST);
            continue;
        }
        won++;
        cr_assert(tr_ref_equal(tr_lookup(sys, "contested"), mine));
        end(mine);
    }
    return (void *)won;
}

Test(names, exactly_one_wins)
{
    pthread_t threads[3];
    uintptr_t won = 0;
    void *result;

    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, compete, NULL);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        won += (uintptr_t)result;
    }
    cr_assert_gt(won, 0);
    cr_assert_eq(tr_lookup(sys, "contested").bits, 0);
}

/* ---- who hears of an end finds the name free ------------------------------------------------ */

struct heir_begin { int rounds; };
struct heir { int rounds; tr_ref child; };

#define HEIR_MESSAGES(M) M(heir_begin)
TR_PROTOCOL(heir, 2, HEIR_MESSAGES);

static uint32_t inherited;

/* One who is linked, monitored and watched at once, and ends by itself. */
static int raise_next(tr_self *self, struct heir *me)
{
    const tr_spawn_options options = { .name = "crown", .link = true, .monitor = true };
    int error;

    me->child = tr_spawn_with(self, &options, named, .unused = 0);
    error = tr_ref_error(me->child);
    if (error == 0)
        error = tr_watch(self, me->child, NULL);
    if (error == 0)
        error = tr_exit(self, me->child, &(tr_reason){ .kind = TR_ERROR, .code = -EIO });
    return error < 0 ? tr_fail(self, error, "no heir") : TR_OK;
}

/* Whichever word of the end comes first, the name is free when it does. */
static int bury(tr_self *self, struct heir *me, tr_ref who)
{
    if (!tr_ref_equal(who, me->child))
        return TR_OK;
    if (tr_ref_is_some(tr_lookup(self, "crown")))
        return tr_fail(self, -EEXIST, "it is still known");
    (void)tri_fetch_add_acq_rel_32(&inherited, 1);
    return --me->rounds > 0 ? raise_next(self, me) : TR_STOP;
}

TR_START(heir, self, me)
{
    return tr_trap(self, true);
}

TR_ON(heir, heir_begin, self, me, msg)
{
    me->rounds = msg->rounds;
    return raise_next(self, me);
}

TR_ON(heir, tr_down, self, me, msg)
{
    return bury(self, me, msg->who);
}

TR_ON(heir, tr_exited, self, me, msg)
{
    return bury(self, me, msg->who);
}

TR_ON(heir, tr_ended, self, me, msg)
{
    return bury(self, me, msg->who);
}

static const tr_actor_type heir_actor = {
    TR_STATE(heir), .start = TR_STARTS(heir),
    .on = TR_TABLE(TR_HANDLES(heir, heir_begin), TR_HANDLES(heir, tr_down),
                   TR_HANDLES(heir, tr_exited), TR_HANDLES(heir, tr_ended)),
};

Test(names, who_hears_of_an_end_can_give_the_name_anew)
{
    enum { ROUNDS = 2000 };
    tr_ref heir = tr_spawn(sys, heir, .rounds = 0);

    cr_assert_eq(tr_send(sys, heir, heir_begin, .rounds = ROUNDS), 0);
    WAIT_FOR(tr_resume(sys, heir) == -ESRCH); /* it ends when it is done, or has failed */
    cr_assert_eq(tri_load_acquire_32(&inherited), ROUNDS);
}
