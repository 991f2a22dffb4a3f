/* SPDX-License-Identifier: BSD-2-Clause */

/* See protocol.h. */

#include "actors/protocol.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/spin.h"
#include "mailbox/message.h"

#define PLACES (2 * TRI_MESSAGE_TYPES_MAX)

_Static_assert((PLACES & (PLACES - 1)) == 0, "a power of two");

/* Open addressing; a place is filled once and never emptied, so that a look needs no lock. */
static const tr_message_info *places[PLACES];
static struct tri_spin filling;
static uint32_t filled;

static uint32_t place_of(uint32_t tag)
{
    return (tag * UINT32_C(2654435761)) % PLACES;
}

static const tr_message_info *look(uint32_t tag, uint32_t *ret_place)
{
    for (uint32_t place = place_of(tag);; place = (place + 1) % PLACES) {
        /* acquire: the description; pairs with the release in add. */
        const tr_message_info *info = tri_load_acquire_ptr(&places[place]);

        *ret_place = place;
        if (info == NULL || info->tag == tag)
            return info;
    }
}

const tr_message_info *tri_protocol_find(uint32_t tag)
{
    uint32_t place;

    return look(tag, &place);
}

static bool agree(const tr_message_info *a, const tr_message_info *b)
{
    return a == b || (a->size == b->size && a->align == b->align && a->version == b->version
                      && (a->drop == NULL) == (b->drop == NULL) && strcmp(a->name, b->name) == 0);
}

static int check(const tr_message_info *info)
{
    if (info == NULL || info->name == NULL || info->tag == 0 || info->tag >> 31 != 0)
        return EINVAL;
    if (info->align == 0 || info->align > TRI_CACHE_LINE || (info->align & (info->align - 1)) != 0)
        return EINVAL;
    return info->size > TRI_MESSAGE_BYTES_MAX - TRI_CACHE_LINE ? EMSGSIZE : 0;
}

/* Makes `info` the one that counts, unless another one does already. */
static int add(const tr_message_info *info)
{
    uint32_t place;
    int error = 0;

    tri_spin_lock(&filling);
    const tr_message_info *known = look(info->tag, &place);
    if (known != NULL)
        error = agree(known, info) ? 0 : EEXIST;
    else if (filled == TRI_MESSAGE_TYPES_MAX)
        error = ENOSPC;
    else {
        filled++;
        /* release: publishes the description; pairs with the acquire in look. */
        tri_store_release_ptr(&places[place], (void *)(uintptr_t)info);
    }
    tri_spin_unlock(&filling);
    return error;
}

uint32_t tri_kind_find(const tr_message_info *info)
{
    int error = check(info);

    if (error == 0)
        error = add(info);
    if (error != 0)
        return (uint32_t)error;

    unsigned size_class = tri_pool_class_of(info->size + TRI_MESSAGE_PLAIN_AT);
    uint32_t kind = TRI_KIND_KNOWN | (info->drop != NULL ? TRI_KIND_OWNS : 0)
                    | (info->align > 8 ? TRI_KIND_WIDE : 0);
    if (kind == TRI_KIND_KNOWN && info->size >= 8 && size_class <= TRI_POOL_64)
        kind |= TRI_KIND_SIMPLE | size_class << TRI_KIND_CLASS_SHIFT
                | size_class * (uint32_t)sizeof(struct tri_pool_cache);
    if (info->state != NULL)
        tri_store_relaxed_32(&info->state->checked, kind);
    return kind;
}
