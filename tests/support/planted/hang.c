/* SPDX-License-Identifier: BSD-2-Clause */

/* Never ends: shows that a test's time limit holds. */

#include "support/test.h"

#include <unistd.h>

Test(planted, hangs, .timeout = 0.2)
{
    for (;;)
        pause();
}
