/* SPDX-License-Identifier: BSD-2-Clause */

/* What is asked of a running supervisor, by threads outside and by actors, and all of it at
 * once. */

#include "actors/supervisor.h"

#include <pthread.h>

#include "base/random.h"
#include "support/probe.h"

TestSuite(supervise, .init = open_system, .fini = close_system, .timeout = 60);

/* ---- at run time ---------------------------------------------------------------------------- */

static int add(tr_ref supervisor, const char *name, int id, tr_restart restart)
{
    return tr_system_child_start(
        sys, supervisor, &(tr_child){ .name = name, TR_CHILD(probe, .id = id), .restart = restart },
        NULL);
}

Test(supervise, S15_S52_children_come_and_go)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref child = tr_none();
    const tr_child spec = { .name = "a", TR_CHILD(probe, .id = 1, .value = 3) };

    cr_assert_eq(tr_system_child_start(sys, root, &spec, &child), 0);
    cr_assert(tr_ref_equal(child, look("a")));
    cr_assert_eq(ask(child).value, 3);
    cr_assert_eq(add(root, "a", 2, TR_PERMANENT), -EEXIST);
    crash(child);
    wait_for_incarnation(child, 1);
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), 0);
    cr_assert(is_gone(child));
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), -ENOENT);
    cr_assert_eq(add(root, "a", 3, TR_TEMPORARY), 0);
    child = look("a");
    crash(child);
    WAIT_FOR(is_gone(child));
    cr_assert_eq(add(root, "a", 4, TR_PERMANENT), 0);
}

/* The name is free in the supervisor's list, too, when others know of the end. */
Test(supervise, a_temporary_child_has_left_as_soon_as_it_has_ended)
{
    const tr_child spec = { .name = "a", TR_CHILD(probe, .id = 1), .restart = TR_TEMPORARY };
    const tr_supervisor tree = {
        .children = TR_CHILDREN({ .name = "b", TR_CHILD(probe, .id = 2), .restart = TR_TEMPORARY })
    };
    tr_ref root = tr_supervise(sys, &tree), child = look("b");

    cr_assert_eq(tr_kill(sys, child), 0);
    while (tr_kill(sys, child) == 0)
        continue;
    cr_assert_eq(add(root, "b", 2, TR_TEMPORARY), 0);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(tr_system_child_start(sys, root, &spec, &child), 0, "round %d", i);
        cr_assert_eq(tr_kill(sys, child), 0);
        while (tr_kill(sys, child) == 0)
            continue;
    }
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), -ENOENT);
}

Test(supervise, a_child_added_whose_start_fails_is_forgotten)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });

    tri_store_release_32(&fail_from[1], 1);
    tri_store_release_32(&fail_to[1], 3);
    cr_assert_eq(add(root, "a", 1, TR_PERMANENT), -EIO);
    cr_assert_eq(add(root, "a", 1, TR_TEMPORARY), -EIO);
    WAIT_FOR(add(root, "a", 1, TR_PERMANENT) == 0);
    cr_assert_eq(ask(look("a")).incarnation, 0);
}

Test(supervise, S20_run_time_verbs_refuse_what_makes_no_sense)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref plain = tr_spawn(sys, probe, .id = 1);

    cr_assert_eq(add(plain, "a", 2, TR_PERMANENT), -EINVAL);
    cr_assert_eq(add(tr_none(), "a", 2, TR_PERMANENT), -ESRCH);
    cr_assert_eq(add(root, "", 2, TR_PERMANENT), -EINVAL);
    cr_assert_eq(tr_system_child_start(sys, root, NULL, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_start(sys, root, &(tr_child){ .name = "a" }, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_start(NULL, root, NULL, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_stop(sys, root, NULL), -EINVAL);
    cr_assert_eq(tr_system_child_stop(sys, plain, "a"), -EINVAL);
    tr_stop(sys, root);
    WAIT_FOR(tr_stop(sys, root) == -ESRCH);
    cr_assert_eq(add(root, "a", 2, TR_PERMANENT), -ESRCH);
    cr_assert_eq(tr_system_child_stop(sys, root, "a"), -ESRCH);
}

Test(supervise, trees_come_and_go_too)
{
    tr_ref root = tr_supervise(sys, &(tr_supervisor){ .restarts_max = 5 });
    tr_ref sup;

    cr_assert_eq(
        tr_system_child_start(sys, root, &(tr_child){ .name = "inner", TR_TREE(inner) }, &sup), 0);
    tr_ref one = look("one");
    crash(one);
    wait_for_incarnation(one, 1);
    cr_assert_eq(tr_system_child_stop(sys, root, "inner"), 0);
    cr_assert(is_gone(one));
    cr_assert_not(tr_ref_is_some(look("inner")));
}

Test(supervise, a_static_child_that_is_stopped_is_forgotten)
{
    tr_ref root = tr_supervise(sys, &inner);
    tr_ref one = look("one");

    cr_assert_eq(tr_system_child_stop(sys, root, "one"), 0);
    cr_assert(is_gone(one));
    cr_assert_eq(add(root, "one", 3, TR_PERMANENT), 0);
}

/* ---- by an actor ---------------------------------------------------------------------------- */

struct boss_do { int what; tr_ref supervisor; };
struct boss_did { int error; tr_ref ref; };
struct boss { int unused; };

#define BOSS_MESSAGES(M) M(boss_do) M(boss_did)
TR_PROTOCOL(boss, 2, BOSS_MESSAGES);

enum { SUPERVISE, BAD_SUPERVISE, START, STOP, SUPERVISE_OUTSIDE };

TR_ON(boss, boss_do, self, me, msg)
{
    static const tr_supervisor bad = { .within = -1 };
    const tr_child child = { .name = "new", TR_CHILD(probe, .id = 3) };
    tr_ref ref = tr_none();
    int error = 0;

    (void)me;
    switch (msg->what) {
    case SUPERVISE:
        ref = tr_supervise(self, &inner);
        break;
    case BAD_SUPERVISE:
        ref = tr_supervise(self, &bad);
        break;
    case START:
        error = tr_self_child_start(self, msg->supervisor, &child);
        break;
    case STOP:
        error = tr_self_child_stop(self, msg->supervisor, "new");
        break;
    default:
        ref = tr_supervise(tr_system_of(self), &inner);
    }
    return tr_reply(self, boss_did, .error = error, .ref = ref);
}

static const tr_actor_type boss_actor = {
    TR_STATE(boss), .on = TR_TABLE(TR_HANDLES(boss, boss_do)),
};

static struct boss_did tell_boss(tr_ref boss, int what, tr_ref supervisor)
{
    struct boss_do order = { what, supervisor };
    struct boss_did did;

    cr_assert_eq(tr_ask_wait(sys, boss, &patient, boss_do, &order, boss_did, &did), 0);
    return did;
}

Test(supervise, an_actor_starts_trees_and_children_without_waiting)
{
    tr_ref boss = tr_spawn(sys, boss, .unused = 0);
    struct boss_did did = tell_boss(boss, SUPERVISE, tr_none());

    cr_assert_eq(tr_ref_error(did.ref), 0);
    WAIT_FOR(tr_ref_is_some(look("two")));
    cr_assert_eq(tell_boss(boss, START, did.ref).error, 0);
    WAIT_FOR(tr_ref_is_some(look("new")));
    tr_ref new = look("new");
    cr_assert_eq(tell_boss(boss, STOP, did.ref).error, 0);
    WAIT_FOR(is_gone(new));
    cr_assert_eq(tell_boss(boss, START, boss).error, -EINVAL);
    cr_assert_eq(tr_ref_error(tell_boss(boss, BAD_SUPERVISE, tr_none()).ref), -EINVAL);
    cr_assert_eq(tr_ref_error(tell_boss(boss, SUPERVISE_OUTSIDE, tr_none()).ref), -EDEADLK);
    cr_assert_eq(tr_self_child_start(NULL, did.ref, NULL), -EINVAL);
    cr_assert_eq(tr_ref_error(tr_self_supervise(NULL, &inner)), -EINVAL);
}

Test(supervise, a_tree_of_an_actor_that_does_not_start_ends)
{
    tr_ref boss = tr_spawn(sys, boss, .unused = 0);

    tri_store_release_32(&fail_from[2], 1);
    tri_store_release_32(&fail_to[2], 99);
    tr_ref root = tell_boss(boss, SUPERVISE, tr_none()).ref;
    cr_assert_eq(tr_ref_error(root), 0);
    WAIT_FOR(is_gone(root));
    EXPECT_JOURNAL(1, -1);
}

/* ---- races ---------------------------------------------------------------------------------- */

/* Crashes, stops and kills from two threads while a third adds and takes away children: in the end
 * everything can still be stopped, and nothing is left over. */
static tr_ref race_root;

static void *trouble(void *seed)
{
    struct tri_random random;
    static const char *const names[] = { "one", "two", "six", "inner", "dyn" };

    tri_random_seed(&random, (uintptr_t)seed);
    for (int i = 0; i < 400; i++) {
        tr_ref victim = tr_lookup(sys, names[tri_random_below(&random, 5)]);
        switch (tri_random_below(&random, 3)) {
        case 0:
            (void)tr_send(sys, victim, probe_crash, .code = -EIO);
            break;
        case 1:
            (void)tr_stop(sys, victim);
            break;
        default:
            (void)tr_kill(sys, victim);
        }
        if (i % 16 == 0)
            nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    return NULL;
}

/* What it does is noted nowhere: the journal would not hold it. */
static const tr_actor_type mute_actor = {
    .name = "mute", .state_size = sizeof(struct probe), .state_align = TR_ALIGNOF(struct probe),
    .on = TR_TABLE(TR_HANDLES(probe, probe_get), TR_HANDLES(probe, probe_crash)),
};

static void *turnover(void *unused)
{
    const tr_child spec = { .name = "dyn", .type = &mute_actor };

    (void)unused;
    for (int i = 0; i < 100; i++) {
        (void)tr_system_child_start(sys, race_root, &spec, NULL);
        (void)tr_system_child_stop(sys, race_root, "dyn");
    }
    return NULL;
}

Test(supervise, survives_trouble_from_all_sides)
{
    const tr_supervisor nested = {
        .restarts_max = 50,
        .within = TR_MS(10),
        .children = TR_CHILDREN({ .name = "one", .type = &mute_actor },
                                { .name = "two", .type = &mute_actor, .restart = TR_TRANSIENT },
                                { .name = "six", .type = &mute_actor, .restart = TR_TEMPORARY }),
    };
    const tr_supervisor outer = {
        .restarts_max = UINT32_MAX,
        .within = TR_SEC(60),
        .backoff_min = TR_US(200),
        .children = TR_CHILDREN({ .name = "inner", TR_TREE(nested) }),
    };
    pthread_t threads[3];

    race_root = tr_supervise(sys, &outer);
    cr_assert_eq(tr_ref_error(race_root), 0);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, trouble, (void *)(i + 1));
    pthread_create(&threads[2], NULL, turnover, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    WAIT_FOR(tr_ref_is_some(look("inner")) || tr_stop(sys, race_root) != 0);
    tr_stop(sys, race_root);
    WAIT_FOR(tr_stop(sys, race_root) == -ESRCH);

    tr_stats stats;
    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    cr_assert_eq(stats.alive, 0);
}
