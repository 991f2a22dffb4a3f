/* SPDX-License-Identifier: BSD-2-Clause */

/* Where Troupe's service answers otherwise than Redis 7.0, and why. See cases.h. */

#include "cases.h"

/* There are none at present. */
const struct redis_difference redis_differences[] = { { NULL, NULL, NULL, NULL } };

const size_t redis_differences_count = 0;
