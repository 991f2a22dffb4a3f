/* SPDX-License-Identifier: BSD-2-Clause */

/* See handle.h. Places come in chunks, which are made when they are needed and stay. */

#include "io/handle.h"

#include <errno.h>

#include "base/memory.h"
#include "base/spin.h"

#define PLACE_BITS 24
#define CHUNK      TRI_LIMIT(1024u, 16u)
#define CHUNKS     (TRI_HANDLES_MAX / CHUNK)

_Static_assert(TRI_HANDLES_MAX <= 1u << PLACE_BITS, "a place fits a token");

static struct tri_io_handle *chunks[CHUNKS];
static struct tri_spin lock; /* of what follows, and of adding chunks */
static struct tri_io_handle *free_handles;
static uint32_t used;

static uint64_t token_of(const struct tri_io_handle *handle)
{
    return handle->sequence << PLACE_BITS | handle->place;
}

/* Under the lock: a place that was never used, or NULL. */
static struct tri_io_handle *next_place(void)
{
    if (used == CHUNKS * CHUNK)
        return NULL;
    struct tri_io_handle *chunk = chunks[used / CHUNK];
    struct tri_io_handle *handle = chunk != NULL ? &chunk[used % CHUNK] : NULL;
    if (handle != NULL)
        handle->place = used++;
    return handle;
}

/* Under the lock: one that is free, or NULL. */
static struct tri_io_handle *pop(void)
{
    struct tri_io_handle *handle = free_handles;

    if (handle == NULL)
        return next_place();
    free_handles = handle->next_free;
    return handle;
}

/* Makes the chunk that `used` has reached; somebody else may have done so meanwhile. */
static int grow(void)
{
    struct tri_io_handle *chunk = tri_alloc_zeroed(CHUNK * sizeof(*chunk));
    int err = chunk == NULL ? -ENOMEM : 0;

    tri_spin_lock(&lock);
    if (used == CHUNKS * CHUNK)
        err = -ENOSPC;
    else if (err == 0 && chunks[used / CHUNK] == NULL) {
        /* release: the zeroed places; pairs with the acquire in tri_io_handle_at. */
        tri_store_release_ptr(&chunks[used / CHUNK], chunk);
        chunk = NULL;
    }
    tri_spin_unlock(&lock);
    tri_free(chunk);
    return err;
}

int tri_io_handle_new(struct tri_io *io, enum tri_io_kind kind, struct tri_io_handle **ret_handle)
{
    struct tri_io_handle *handle;

    for (;;) {
        tri_spin_lock(&lock);
        handle = pop();
        if (handle != NULL)
            break;
        tri_spin_unlock(&lock);
        int err = grow();
        if (err < 0)
            return err;
    }
    handle->sequence++;
    handle->io = io;
    tri_spin_unlock(&lock);

    handle->kind = kind;
    handle->object = NULL;
    tri_link_init(&handle->mine);
    tri_store_relaxed_64(&handle->owner, 0);
    tri_store_relaxed_64(&handle->loose, 0);
    /* release: the fields above; pairs with the acquire in tri_io_handle_at. */
    tri_store_release_64(&handle->token, token_of(handle));
    *ret_handle = handle;
    return 0;
}

void tri_io_handle_free(struct tri_io_handle *handle)
{
    tri_store_relaxed_64(&handle->token, 0);
    tri_store_relaxed_64(&handle->owner, 0);
    tri_store_relaxed_64(&handle->loose, 0);
    tri_spin_lock(&lock);
    handle->io = NULL;
    handle->next_free = free_handles;
    free_handles = handle;
    tri_spin_unlock(&lock);
}

void tri_io_handle_renew(struct tri_io_handle *handle)
{
    handle->sequence++;
    /* release: as in tri_io_handle_new. */
    tri_store_release_64(&handle->token, token_of(handle));
}

void tri_io_handle_restore(struct tri_io_handle *handle, tr_io before)
{
    /* release: as in tri_io_handle_new. */
    tri_store_release_64(&handle->token, before.bits);
}

struct tri_io_handle *tri_io_handle_at(tr_io io)
{
    uint32_t place = (uint32_t)(io.bits & ((1u << PLACE_BITS) - 1));

    if (io.bits >> PLACE_BITS == 0 || place >= CHUNKS * CHUNK)
        return NULL;
    /* acquire: the places; pairs with the release in grow. */
    struct tri_io_handle *chunk = tri_load_acquire_ptr(&chunks[place / CHUNK]);
    if (chunk == NULL)
        return NULL;
    struct tri_io_handle *handle = &chunk[place % CHUNK];
    /* acquire: the handle's fields; pairs with the release in new and renew. */
    return tri_load_acquire_64(&handle->token) == io.bits ? handle : NULL;
}

bool tri_io_handle_catch(struct tri_io_handle *handle, tr_io io)
{
    uint64_t expected = io.bits;

    /* acquire: what its last owner did; pairs with the release in let_go. */
    return tri_cas_acq_rel_64(&handle->loose, &expected, 0);
}

void tri_io_handle_let_go(struct tri_io_handle *handle)
{
    tri_store_relaxed_64(&handle->owner, 0);
    /* release: the handle as it is; pairs with the acquire in catch. */
    tri_store_release_64(&handle->loose, tri_load_relaxed_64(&handle->token));
}

void tri_io_handle_each(struct tri_io *io, void (*visit)(struct tri_io_handle *handle))
{
    for (uint32_t i = 0; i < CHUNKS * CHUNK; i++) {
        tri_spin_lock(&lock);
        struct tri_io_handle *handle = i < used ? &chunks[i / CHUNK][i % CHUNK] : NULL;
        bool is_its = handle != NULL && handle->io == io;
        tri_spin_unlock(&lock);
        if (handle == NULL)
            return;
        if (is_its)
            visit(handle);
    }
}
