/* SPDX-License-Identifier: BSD-2-Clause */

/* The runtime's own messages, and counted bytes. */

#include <troupe/actor.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/memory.h"

#define INFO(T)                                                                                    \
    static tr_message_state T##_state;                                                             \
    const tr_message_info T##_info = {                                                             \
        .name = #T, .tag = TR_TAG_##T, .size = sizeof(struct T), .align = _Alignof(struct T),      \
        .state = &T##_state,                                                                       \
    };

INFO(tr_down)
INFO(tr_exited)
INFO(tr_ended)
INFO(tr_failed)
INFO(tr_idle)
INFO(tr_dead_letter)

/* ---- tr_bytes ------------------------------------------------------------------------------- */

#define BYTES_MAX ((size_t)1 << 30)

struct counted {
    uint32_t references;
    tr_bytes public;
};

tr_bytes *tr_bytes_new(size_t size)
{
    struct counted *counted = size <= BYTES_MAX ? tri_alloc(sizeof *counted + size) : NULL;

    if (counted == NULL)
        return NULL;
    counted->references = 1;
    counted->public.size = size;
    counted->public.data = (unsigned char *)(counted + 1);
    return &counted->public;
}

tr_bytes *tr_bytes_share(tr_bytes *bytes)
{
    if (bytes != NULL)
        /* relaxed: who shares has a reference, which keeps it. */
        (void)tri_fetch_add_relaxed_32(&TRI_CONTAINER_OF(bytes, struct counted, public)->references,
                                       1);
    return bytes;
}

void tr_bytes_drop(tr_bytes *bytes)
{
    struct counted *counted;

    if (bytes == NULL)
        return;
    counted = TRI_CONTAINER_OF(bytes, struct counted, public);
    /* release, acquire: who frees has seen all uses of the others. */
    if (tri_fetch_sub_acq_rel_32(&counted->references, 1) == 1)
        tri_free(counted);
}
