/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_TEST_H
#define TROUPE_TESTS_SUPPORT_TEST_H

/*
 * The one header of a test file: Criterion, or the same macros on a main of our own.
 *
 * Why. Criterion cannot run under ThreadSanitizer, and a test of lock-free code that never runs
 * there is worth little. So the same sources are built against support/test_plain.h in that build.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef TRI_TEST_PLAIN
#include "support/test_plain.h"
#else
#include <criterion/criterion.h>
#endif

#endif
