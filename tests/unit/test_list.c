/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include "base/list.h"

struct item {
    int number;
    struct tri_link link;
};

static struct tri_list list;
static struct item items[4];

static void fill(void)
{
    tri_list_init(&list);
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        tri_list_push_back(&list, &items[i].link);
    }
}

static int number_of(const struct tri_link *link)
{
    return TRI_CONTAINER_OF(link, struct item, link)->number;
}

Test(list, an_empty_one)
{
    tri_list_init(&list);
    cr_assert(tri_list_is_empty(&list));
    cr_assert_null(tri_list_first(&list));
    cr_assert_null(tri_list_last(&list));
    cr_assert_null(tri_list_pop_front(&list));
    TRI_LIST_EACH(&list, link)
        cr_assert_fail("%d", number_of(link));
}

Test(list, both_ends)
{
    fill();
    cr_assert_eq(number_of(tri_list_first(&list)), 0);
    cr_assert_eq(number_of(tri_list_last(&list)), 3);
    tri_link_remove(&items[2].link);
    tri_list_push_front(&list, &items[2].link);
    cr_assert_eq(number_of(tri_list_pop_front(&list)), 2);
    cr_assert_eq(number_of(tri_list_pop_front(&list)), 0);
}

Test(list, removing_twice_does_nothing)
{
    fill();
    tri_link_remove(&items[1].link);
    cr_assert(tri_link_is_alone(&items[1].link));
    tri_link_remove(&items[1].link);
    int seen = 0;
    TRI_LIST_EACH(&list, link)
        seen += 1 + number_of(link);
    cr_assert_eq(seen, 1 + 3 + 4);
}

Test(list, a_walk_may_remove_where_it_is)
{
    int expected = 0;

    fill();
    TRI_LIST_EACH(&list, link) {
        cr_assert_eq(number_of(link), expected);
        expected++;
        tri_link_remove(link);
    }
    cr_assert_eq(expected, 4);
    cr_assert(tri_list_is_empty(&list));
}
