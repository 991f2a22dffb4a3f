/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_HANDLE_H
#define TRI_IO_HANDLE_H

/*
 * Handles: what a tr_io stands for, and whose it is.
 *
 *               open                       close, end of the incarnation
 *     ┌──────┐ ───────────► ┌───────┐ ──────────────────────────────────► ┌──────┐
 *     │ free │              │ owned │ ──┐ give (a new token)              │ free │
 *     └──────┘ ──┐          └───────┘ ◄─┼──┐ take                         └──────┘
 *                │ accepted    ┌───────┐│  │                                 ▲
 *                └───────────► │ loose │◄──┘ ── its message is dropped ──────┘
 *                              └───────┘
 *
 * A tr_io is {sequence:40, place:24}. Places belong to the process and are never unmapped: any
 * value may be looked up, and a stale one, of any system, is found out by its sequence.
 *
 * Rules
 *   1. An owned handle is touched by its actor alone. `token`, `owner`, `incarnation` and `loose`
 *      are read by any thread.
 *   2. A loose one belongs to whoever swaps `loose` from its token to 0: who takes it, gives it on,
 *      or drops its message.
 *
 * Partners: io/system.c, which has the owners; io/messages.c drops loose ones.
 */

#include <stdbool.h>
#include <stdint.h>

#include "actors/system.h"
#include "base/list.h"
#include "io/ops.h"

struct tri_io;

enum tri_io_kind {
    TRI_IO_LISTENER,
    TRI_IO_CONNECTION,
    TRI_IO_FILE,
    TRI_IO_SIGNALS,
};

struct tri_io_handle {
    /* any thread */
    uint64_t token;       /* whoever lives here now, 0: nobody */
    uint64_t owner;       /* the bits of its ref; 0: loose or free */
    uint64_t loose;       /* the token while it is loose, else 0 */
    uint32_t incarnation; /* of the owner */

    /* whoever has it */
    enum tri_io_kind kind;
    struct tri_io *io;
    struct tri_io_object *object;
    struct tri_link mine; /* in its owner's list */

    /* under the table's lock */
    uint64_t sequence;
    uint32_t place;
    struct tri_io_handle *next_free;
};

/* A handle that nobody knows yet. Errors: -ENOMEM; -ENOSPC, there are TRI_HANDLES_MAX. */
int tri_io_handle_new(struct tri_io *io, enum tri_io_kind kind, struct tri_io_handle **ret_handle);

/* Gives a place back: its token is stale from now on. */
void tri_io_handle_free(struct tri_io_handle *handle);

/* Another token for the same handle; the one before is stale. */
void tri_io_handle_renew(struct tri_io_handle *handle);

/* Brings the token before the last renewal back, which nobody has seen. */
void tri_io_handle_restore(struct tri_io_handle *handle, tr_io before);

/* The handle at a token's place, if it is still the same; else NULL. Threads: any. */
struct tri_io_handle *tri_io_handle_at(tr_io io);

/* Calls `visit` with every handle of `io` that is in use. */
void tri_io_handle_each(struct tri_io *io, void (*visit)(struct tri_io_handle *handle));

/* Rule 2: false if somebody else was faster, or it is not loose. */
bool tri_io_handle_catch(struct tri_io_handle *handle, tr_io io);
void tri_io_handle_let_go(struct tri_io_handle *handle);

static inline tr_io tri_io_token(const struct tri_io_handle *handle)
{
    tr_io io = { tri_load_relaxed_64(&handle->token) };
    return io;
}

static inline tr_io tri_io_failed(int error)
{
    tr_io io = { (uint64_t)-error };
    return io;
}

/* The handle of that kind which is `self`'s. Errors: -EINVAL, -EPERM, -ENOENT. */
static inline int tri_io_mine(tr_self *self, tr_io io, enum tri_io_kind kind,
                              struct tri_io_handle **ret_handle)
{
    int err = tri_self_check(self);

    if (TRI_UNLIKELY(err < 0))
        return err;
    struct tri_io_handle *handle = tri_io_handle_at(io);
    /* relaxed: if the handle is ours, we wrote this; else it only has to differ. */
    if (handle == NULL || tri_load_relaxed_64(&handle->owner) != tri_self_ref(self).bits
        || tri_load_relaxed_32(&handle->incarnation) != self->actor->incarnation)
        return -ENOENT;
    if (TRI_UNLIKELY(handle->kind != kind))
        return -EINVAL;
    *ret_handle = handle;
    return 0;
}

#endif
