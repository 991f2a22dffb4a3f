/* SPDX-License-Identifier: BSD-2-Clause */

/* Holds no test: shows that a program which tests nothing does not pass. */

#include "support/test.h"
