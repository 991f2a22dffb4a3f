/* SPDX-License-Identifier: BSD-2-Clause */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/fence.h"

#include <linux/membarrier.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

bool tri_fence_is_asymmetric;

#ifdef TRI_CK_COMPILER

uint32_t tri_fence_word;

void tri_fence_init(void)
{
    /* The sanitizer sees no membarrier: both halves stay full fences on one word, which it sees. */
}

#else

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void tri_fence_init(void)
{
    tri_fence_is_asymmetric = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

#endif

void tri_fence_heavy(void)
{
#ifndef TRI_CK_COMPILER
    if (tri_fence_is_asymmetric) {
        long error = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
        tri_assert(error == 0);  /* registered, so it cannot fail */
        (void)error;
        return;
    }
#endif
    tri_fence_full();
}
