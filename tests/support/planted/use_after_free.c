/* SPDX-License-Identifier: BSD-2-Clause */

/* Reads what it has freed: shows that AddressSanitizer sees. */

#include "support/test.h"

Test(planted, use_after_free)
{
    char *volatile gone = malloc(100);

    cr_assert_not_null(gone);
    free(gone);
    cr_assert(gone[1] == 0 || gone[1] != 0);
}
