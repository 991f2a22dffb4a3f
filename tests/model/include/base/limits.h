/* SPDX-License-Identifier: BSD-2-Clause */

/* Explorers reach the end of a ring, and of a thread's patience, in a few steps: tiny limits. */
#pragma GCC system_header

#ifndef TRI_TINY
#define TRI_TINY
#endif
#include_next "base/limits.h"

#undef TRI_POOL_CHUNK_BYTES
#define TRI_POOL_CHUNK_BYTES (4u << 10)
