/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs of listeners and connections. */

#include <errno.h>
#include <string.h>

#include "io/system.h"

#define HOST_BYTES_MAX  255u
#define WRITE_BYTES_MAX (1u << 30)

/* ---- whose it is ---- */

int tr_io_take(tr_self *self, tr_io io)
{
    int err = tri_self_check(self);
    struct tri_io_handle *handle = tri_io_handle_at(io);

    if (err < 0)
        return err;
    if (handle == NULL || handle->io->sys != self->system || !tri_io_handle_catch(handle, io))
        return -ENOENT;
    err = tri_io_adopt(self, handle);
    if (err < 0)
        tri_io_handle_let_go(handle);
    return err;
}

/* Posts a handle that the caller has, as a loose one with a new token. */
static int give(tr_self *self, struct tri_io_handle *handle, tr_ref to)
{
    struct tr_given *msg = tr_new_raw(&tr_given_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    tr_io before = tri_io_token(handle);
    tri_io_handle_renew(handle);
    msg->io = tri_io_token(handle);
    tri_io_handle_let_go(handle);
    int err = tr_self_post(self, to, (void **)(void *)&msg);
    if (err < 0) {
        (void)tri_io_handle_catch(handle, msg->io); /* nobody else has seen it */
        tr_drop(msg);
        tri_io_handle_restore(handle, before);
    }
    return err;
}

static int give_own(tr_self *self, struct tri_io_handle *handle, tr_ref to)
{
    struct tri_link *place = handle->mine.next;

    if (!handle->io->ops->is_at_rest(handle->object))
        return -EBUSY;
    tri_link_remove(&handle->mine);
    int err = give(self, handle, to);
    if (err < 0) {
        tri_link_insert_before(place, &handle->mine);
        tri_store_relaxed_64(&handle->owner, tri_self_ref(self).bits);
    }
    return err;
}

int tr_io_give(tr_self *self, tr_io io, tr_ref to)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    if (err == 0)
        return give_own(self, handle, to);
    if (err != -ENOENT)
        return err;
    handle = tri_io_handle_at(io);
    if (handle == NULL || handle->io->sys != self->system || !tri_io_handle_catch(handle, io))
        return -ENOENT;
    err = give(self, handle, to);
    if (err < 0)
        tri_io_handle_let_go(handle);
    return err;
}

int tr_close(tr_self *self, tr_io io)
{
    struct tri_io_handle *handle = tri_io_handle_at(io);
    enum tri_io_kind kind = handle != NULL ? handle->kind : TRI_IO_CONNECTION;
    int err = tri_io_mine(self, io, kind, &handle);

    if (err == 0)
        tri_io_handle_close(handle);
    return err;
}

/* ---- making ---- */

tr_io tr_listen(tr_self *self, const tr_listen_options *options)
{
    static const tr_listen_options usual = { .host = NULL };
    struct tri_io_opening opening;
    int err = tri_io_open(self, TRI_IO_LISTENER, &opening);

    if (err < 0)
        return tri_io_failed(err);
    err = opening.io->ops->listen(opening.io->implementation, &opening.target,
                                  options != NULL ? options : &usual, &opening.handle->object);
    return tri_io_opened(&opening, err);
}

tr_io tr_connect(tr_self *self, const char *host, uint16_t port)
{
    const struct tri_io_peer peer = { host, port };
    struct tri_io_opening opening;

    if (host == NULL || host[0] == '\0' || strnlen(host, HOST_BYTES_MAX + 1) > HOST_BYTES_MAX)
        return tri_io_failed(-EINVAL);
    int err = tri_io_open(self, TRI_IO_CONNECTION, &opening);
    if (err < 0)
        return tri_io_failed(err);
    err = opening.io->ops->connect(opening.io->implementation, &opening.target, &peer,
                                   &opening.handle->object);
    return tri_io_opened(&opening, err);
}

/* ---- using ---- */

int tr_accept(tr_self *self, tr_io listener, uint32_t credits)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, listener, TRI_IO_LISTENER, &handle);

    return err < 0 ? err : handle->io->ops->grant(handle->object, credits);
}

int tr_read(tr_self *self, tr_io io, uint32_t credits)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    return err < 0 ? err : handle->io->ops->grant(handle->object, credits);
}

int tr_write(tr_self *self, tr_io io, const void *data, size_t size)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    if (err < 0)
        return err;
    if ((data == NULL && size > 0) || size > WRITE_BYTES_MAX)
        return -EINVAL;
    return handle->io->ops->write(handle->object, data, size, NULL);
}

int tr_write_bytes(tr_self *self, tr_io io, tr_bytes *bytes)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    if (err < 0)
        return err;
    if (bytes == NULL)
        return -EINVAL;
    return handle->io->ops->write(handle->object, bytes->data, bytes->size, bytes);
}

int tr_write_end(tr_self *self, tr_io io)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    return err < 0 ? err : handle->io->ops->write_end(handle->object);
}

/* Listeners have an address as well. */
static int address(tr_self *self, tr_io io, bool peer, tr_address *ret_address)
{
    struct tri_io_handle *handle = NULL;
    int err = tri_io_mine(self, io, TRI_IO_CONNECTION, &handle);

    if (err == -EINVAL)
        err = tri_io_mine(self, io, TRI_IO_LISTENER, &handle);
    if (err < 0 || ret_address == NULL)
        return err < 0 ? err : -EINVAL;
    return handle->io->ops->address(handle->object, peer, ret_address);
}

int tr_local_address(tr_self *self, tr_io io, tr_address *ret_address)
{
    return address(self, io, false, ret_address);
}

int tr_peer_address(tr_self *self, tr_io io, tr_address *ret_address)
{
    return address(self, io, true, ret_address);
}
