/* SPDX-License-Identifier: BSD-2-Clause */

/* Leaks: shows that a leak fails its test, which Criterion alone would let pass. */

#include "support/test.h"

static void *volatile kept;

Test(planted, leaks)
{
    kept = malloc(100);
    cr_assert_not_null(kept);
    kept = NULL;
}
