/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include "base/assert.h"

Test(assert, what_holds_costs_nothing_more)
{
    int evaluated = 0;

    tri_assert(evaluated == 0);
    tri_audit(evaluated == 0);
}

Test(assert, a_failure_aborts, .signal = SIGABRT)
{
    tri_assert_failed("file.c", 1, "this is expected by the test");
}

#ifndef TRI_RELEASE
Test(assert, what_does_not_hold_aborts, .signal = SIGABRT)
{
    int expected_by_the_test = 0;

    tri_assert(expected_by_the_test == 1);
}
#endif
