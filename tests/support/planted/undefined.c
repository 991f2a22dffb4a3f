/* SPDX-License-Identifier: BSD-2-Clause */

/* Overflows a signed number: shows that UndefinedBehaviorSanitizer sees. */

#include "support/test.h"

#include <limits.h>

Test(planted, overflow)
{
    volatile int most = INT_MAX;

    most = most + 1;
    cr_assert(most != 0);
}
