/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_PROTOCOL_H
#define TRI_ACTORS_PROTOCOL_H

/*
 * The descriptions of messages that this process uses, by tag.
 *
 * Why. A description stands in every translation unit that includes its protocol, and two libraries
 * may have picked one number. The first description of a tag that is used becomes the one that
 * counts; every later one must agree with it. What was found is kept beside the description, so
 * that a send looks at one word: how a message of that kind is made, or that it must not be.
 *
 *     31         TRI_KIND_SIMPLE   8 to 40 bytes and nothing else, without an envelope: in a block
 *     23 .. 16                     … of this size class
 *     15 .. 0                      … whose cache stands so many bytes behind a thread's first
 *     30         TRI_KIND_KNOWN    the description agrees; the rest is valid
 *     29         TRI_KIND_OWNS     the payload owns something: it has a drop function
 *     28         TRI_KIND_WIDE     its alignment is above 8: it needs an envelope before it
 *     15 .. 0    the error, where it is not KNOWN
 *
 * Partners: actors/behaviour.c checks the tables of handlers, actors/send.c what is sent.
 */

#include <stdint.h>

#include <troupe/message.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/thread.h"

#define TRI_KIND_SIMPLE (UINT32_C(1) << 31)
#define TRI_KIND_KNOWN  (UINT32_C(1) << 30)
#define TRI_KIND_OWNS   (UINT32_C(1) << 29)
#define TRI_KIND_WIDE   (UINT32_C(1) << 28)
#define TRI_KIND_ERROR  UINT32_C(0xffff)
#define TRI_KIND_CLASS_SHIFT 16

uint32_t tri_kind_find(const tr_message_info *info);

static inline unsigned tri_kind_class(uint32_t kind)
{
    return (uint8_t)(kind >> TRI_KIND_CLASS_SHIFT);
}

/* The thread's cache for the blocks of a simple kind. */
static inline struct tri_pool_cache *tri_kind_cache(struct tri_thread *thread, uint32_t kind)
{
    return (struct tri_pool_cache *)(void *)((char *)thread->pool + (uint16_t)kind);
}

/* How messages of this description are made; an error has no KNOWN bit: see tri_kind_error. */
static inline uint32_t tri_kind_of(const tr_message_info *info)
{
    if (TRI_LIKELY(info != NULL && info->state != NULL)) {
        /* relaxed: the word alone says all; the table has its own lock. */
        uint32_t kind = tri_load_relaxed_32(&info->state->checked);
        if (TRI_LIKELY(kind & TRI_KIND_KNOWN))
            return kind;
    }
    return tri_kind_find(info);
}

/* The negative errno constant in a kind that is not KNOWN. */
static inline int tri_kind_error(uint32_t kind)
{
    return -(int)(kind & TRI_KIND_ERROR);
}

/* The description that counts for a tag, or NULL. Threads: any. */
const tr_message_info *tri_protocol_find(uint32_t tag);

#endif
