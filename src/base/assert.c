/* SPDX-License-Identifier: BSD-2-Clause */

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void tri_assert_failed(const char *file, int line, const char *expression)
{
    fprintf(stderr, "troupe: %s:%d: this must hold and does not: %s\n", file, line, expression);
    fflush(stderr);
    abort();
}
