/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/place.h"

#include <errno.h>

#include "base/memory.h"
#include "support/test.h"

struct leaf { int number; };

static const tr_actor_type leaf_actor = { TR_STATE(leaf) };

static const tr_supervisor inner = {
    .restarts_max = 3, .backoff_min = TR_MS(1),
    .children = TR_CHILDREN({ .name = "d", TR_CHILD(leaf, .number = 4) }),
};

static const tr_supervisor outer = {
    .restarts_max = 3,
    .children = TR_CHILDREN({ .name = "a", TR_CHILD(leaf, .number = 1), .grace = TR_MS(7) },
                            { .name = "b", TR_TREE(inner), .restart = TR_TRANSIENT },
                            { TR_CHILD(leaf, .number = 3) }),
};

static struct tri_place *nth(const struct tri_tree *tree, int n)
{
    struct tri_link *link = tree->places.ring.next;

    while (n-- > 0)
        link = link->next;
    return tri_place_of(link);
}

Test(tree, copies_all_of_it)
{
    struct tri_tree *tree;

    cr_assert_eq(tri_tree_new(&outer, &tree), 0);
    cr_assert_eq(tree->count, 3);
    cr_assert_str_eq(nth(tree, 0)->spec.name, "a");
    cr_assert_neq(nth(tree, 0)->spec.name, outer.children[0].name);
    cr_assert_eq(((const struct leaf *)nth(tree, 0)->child.initial)->number, 1);
    cr_assert_eq(nth(tree, 1)->child.restart, TR_TRANSIENT);
    cr_assert_eq(nth(tree, 1)->tree->count, 1);
    cr_assert_null(nth(tree, 2)->spec.name);
    cr_assert_eq(tri_tree_find(tree, "b"), nth(tree, 1));
    cr_assert_null(tri_tree_find(tree, "d"), "a nested name is not one's own");
    tri_tree_free(tree);
}

Test(tree, fills_in_what_is_not_said)
{
    struct tri_tree *tree;

    cr_assert_eq(tri_tree_new(&outer, &tree), 0);
    cr_assert_eq(tree->spec.within, TR_MS(TRI_CHILD_USUAL_MS));
    cr_assert_eq(tree->spec.backoff_max, 0);
    cr_assert_eq(nth(tree, 1)->tree->spec.backoff_max, TR_MS(64));
    cr_assert_eq(nth(tree, 0)->spec.grace, TR_MS(7));
    cr_assert_eq(nth(tree, 1)->spec.grace, TR_FOREVER);
    cr_assert_eq(nth(tree, 2)->spec.grace, TR_MS(TRI_CHILD_USUAL_MS));
    tri_tree_free(tree);
    tri_tree_free(NULL);
}

Test(tree, a_temporary_child_that_has_left_frees_its_name)
{
    const tr_supervisor spec = {
        .children = TR_CHILDREN({ .name = "a", TR_CHILD(leaf, .number = 1),
                                  .restart = TR_TEMPORARY }),
    };
    struct tri_tree *tree;

    cr_assert_eq(tri_tree_new(&spec, &tree), 0);
    cr_assert_not_null(tri_tree_find(tree, "a"));
    tree->phase = TRI_TREE_RUNNING;
    cr_assert_null(tri_tree_find(tree, "a"));
    nth(tree, 0)->state = TRI_PLACE_UP;
    cr_assert_not_null(tri_tree_find(tree, "a"));
    nth(tree, 0)->state = TRI_PLACE_ABSENT;
    tri_tree_free(tree);
}

Test(tree, supervisors_draw_differently_and_repeat_themselves)
{
    struct tri_tree *tree;
    uint64_t seed = 5, same = 5, first, second;

    cr_assert_eq(tri_tree_new(&outer, &tree), 0);
    tri_tree_seed(tree, &seed);
    first = tri_random_next(&tree->random);
    second = tri_random_next(&nth(tree, 1)->tree->random);
    cr_assert_neq(first, second);
    tri_tree_seed(tree, &same);
    cr_assert_eq(tri_random_next(&tree->random), first);
    cr_assert_eq(tri_random_next(&nth(tree, 1)->tree->random), second);
    tri_tree_free(tree);
}

/* ---- without memory ------------------------------------------------------------------------- */

static int left;

static void *sparing(void *context, size_t alignment, size_t size)
{
    (void)context;
    (void)alignment;
    return left-- > 0 ? malloc(size) : NULL;
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

Test(tree, each_allocation_may_fail)
{
    const struct tri_memory_hook hook = { sparing, release, NULL };
    struct tri_tree *tree = NULL;
    int error = -ENOMEM, tries = 0;

    tri_memory_hook_set(&hook);
    for (; error == -ENOMEM && tries < 100; tries++) {
        left = tries;
        error = tri_tree_new(&outer, &tree);
    }
    cr_assert_eq(error, 0);
    cr_assert_gt(tries, 10);
    tri_tree_free(tree);
}
