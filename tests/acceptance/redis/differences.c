/* SPDX-License-Identifier: BSD-2-Clause */

/* Where Troupe's service answers otherwise than Redis 7.0, and why. See cases.h. */

#include "cases.h"

const struct redis_difference redis_differences[] = {
    { "CONFIG GET", "CONFIG GET APPENDONLY", "[$appendonly *]",
      "A parameter is called by its own name, not by what the client called it." },
};

const size_t redis_differences_count = sizeof redis_differences / sizeof redis_differences[0];
