/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/idle.h"

#include "support/test.h"

static struct tri_idle idle;

static void park(uint32_t worker)
{
    tri_idle_search(&idle);
    tri_idle_announce(&idle, worker);
}

static uint32_t parked(void)
{
    return tri_idle_parked_of(idle.counts);
}

static uint32_t searching(void)
{
    return tri_idle_searching_of(idle.counts);
}

Test(idle, nobody_needs_waking_while_all_run)
{
    cr_assert_not(tri_idle_wants_work(&idle));
    cr_assert_eq(tri_idle_choose_for_surplus(&idle), TRI_IDLE_NOBODY);
    cr_assert_eq(tri_idle_choose_for_new_work(&idle), TRI_IDLE_NOBODY);
}

Test(idle, a_parked_worker_is_woken_and_searches)
{
    park(3);
    cr_assert(tri_idle_wants_work(&idle));
    cr_assert_eq(tri_idle_choose_for_surplus(&idle), 3u);
    cr_assert_eq(parked(), 0u);
    cr_assert_eq(searching(), 1u);
    cr_assert_not(tri_idle_withdraw(&idle, 3), "its waker owes it a token");
    cr_assert(tri_idle_found(&idle), "it was the last searcher");
}

Test(idle, a_searcher_is_enough)
{
    park(0);
    tri_idle_search(&idle);
    cr_assert_not(tri_idle_wants_work(&idle));
    cr_assert_eq(tri_idle_choose_for_surplus(&idle), TRI_IDLE_NOBODY);
    cr_assert_eq(tri_idle_choose_for_new_work(&idle), TRI_IDLE_NOBODY);
    cr_assert(tri_idle_found(&idle));
    cr_assert_eq(tri_idle_choose_for_new_work(&idle), 0u);
}

Test(idle, a_worker_withdraws_by_itself)
{
    park(1);
    cr_assert(tri_idle_withdraw(&idle, 1));
    cr_assert_eq(parked(), 0u);
    cr_assert_eq(searching(), 0u);
    cr_assert_eq(tri_idle_choose_for_new_work(&idle), TRI_IDLE_NOBODY);
}

Test(idle, a_napper_is_woken_by_new_work_alone)
{
    park(0);
    tri_idle_search(&idle);
    tri_idle_nap(&idle, 5);
    cr_assert_eq(tri_idle_choose_for_surplus(&idle), TRI_IDLE_NOBODY, "it will search");
    cr_assert_eq(tri_idle_choose_for_new_work(&idle), 5u);
    cr_assert_not(tri_idle_nap_ends(&idle, 5), "it is owed a token");
    cr_assert_eq(searching(), 1u);
    cr_assert_eq(tri_idle_napping_of(idle.counts), 0u);
}

Test(idle, a_nap_ends_by_itself)
{
    tri_idle_search(&idle);
    tri_idle_nap(&idle, 5);
    cr_assert(tri_idle_nap_ends(&idle, 5));
    cr_assert_eq(searching(), 1u);
    cr_assert(tri_idle_found(&idle));
    cr_assert_eq(idle.counts, 0u);
}

Test(idle, the_last_one_awake_looks_for_more)
{
    tri_idle_search(&idle);
    tri_idle_search(&idle);
    tri_idle_nap(&idle, 1);
    cr_assert(tri_idle_found(&idle), "the other naps");

    tri_idle_search(&idle);
    tri_idle_search(&idle);
    cr_assert_not(tri_idle_found(&idle));
}

Test(idle, one_worker_is_chosen_by_name)
{
    park(0);
    park(7);
    cr_assert_not(tri_idle_choose_one(&idle, 1));
    cr_assert(tri_idle_choose_one(&idle, 7));
    cr_assert_not(tri_idle_choose_one(&idle, 7));
    cr_assert_eq(parked(), 1u);
}

Test(idle, every_worker_has_a_bit)
{
    for (uint32_t i = 0; i < TRI_WORKERS_MAX; i++)
        park(i);
    cr_assert_eq(parked(), TRI_WORKERS_MAX);
    for (uint32_t i = 0; i < TRI_WORKERS_MAX; i++) {
        cr_assert_eq(tri_idle_choose_for_new_work(&idle), i);
        tri_idle_found(&idle);
    }
    cr_assert_eq(parked(), 0u);
}
