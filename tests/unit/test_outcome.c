/* SPDX-License-Identifier: BSD-2-Clause */

#include "actors/outcome.h"

#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "support/test.h"

static void *tell(void *outcome)
{
    tri_outcome_tell(outcome, 0, (tr_ref){ 7 });
    return NULL;
}

Test(outcome, told_before_it_is_waited_for)
{
    struct tri_outcome *outcome = tri_outcome_new();
    tr_ref ref = { 1 };

    tri_outcome_tell(outcome, -EIO, (tr_ref){ 7 });
    cr_assert_eq(tri_outcome_wait(outcome, tri_clock_now(), &ref), -EIO);
    cr_assert_eq(ref.bits, 7);
}

Test(outcome, nobody_need_wait)
{
    tri_outcome_tell(NULL, 0, tr_none());
}

Test(outcome, who_gives_up_leaves_it_to_the_other)
{
    struct tri_outcome *outcome = tri_outcome_new();
    tr_ref ref = { 1 };

    cr_assert_eq(tri_outcome_wait(outcome, tri_clock_now() + TR_MS(2), &ref), -ETIMEDOUT);
    cr_assert_eq(ref.bits, 1, "untouched");
    tri_outcome_tell(outcome, 0, tr_none()); /* the last reference */
}

Test(outcome, told_while_it_is_waited_for, .timeout = 60)
{
    for (int i = 0; i < 500; i++) {
        struct tri_outcome *outcome = tri_outcome_new();
        pthread_t thread;
        tr_ref ref = { 1 };

        pthread_create(&thread, NULL, tell, outcome);
        cr_assert_eq(tri_outcome_wait(outcome, TR_FOREVER, &ref), 0);
        cr_assert_eq(ref.bits, 7);
        pthread_join(thread, NULL);
    }
}
