/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Events become messages. Runs on whoever polls.
 *
 * Rule: on failure nothing has happened, and what the event owns is still the caller's.
 */

#include <errno.h>

#include "actors/deliver.h"
#include "io/system.h"

/* Sends a message off. Its receiver may have ended meanwhile: it is dropped with what it owns. */
static int post(struct tri_io *io, const struct tri_io_event *event, void *msg)
{
    if (tri_deliver(io->sys, event->target.owner, event->target.incarnation, &msg) < 0)
        tr_drop(msg);
    return 0;
}

/* The connection gets a handle that is nobody's, and travels in the message. */
static int accepted(struct tri_io *io, const struct tri_io_event *event)
{
    struct tri_io_handle *handle = NULL;
    struct tr_accepted *msg = tri_deliver_new(&tr_accepted_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_accepted){ .listener = event->target.io, .error = event->error };
    if (event->error == 0) {
        int err = tri_io_handle_new(io, TRI_IO_CONNECTION, &handle);
        if (err < 0) {
            tr_drop(msg);
            return err;
        }
        handle->object = event->accepted;
        msg->io = tri_io_token(handle);
        tri_io_handle_let_go(handle);
    }
    return post(io, event, msg);
}

static int connected(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_connected *msg = tri_deliver_new(&tr_connected_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_connected){ event->target.io, event->error };
    return post(io, event, msg);
}

static int data(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_data *msg = tri_deliver_new(&tr_data_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_data){ event->target.io, event->bytes };
    return post(io, event, msg);
}

static int eof(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_eof *msg = tri_deliver_new(&tr_eof_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_eof){ event->target.io, event->error };
    return post(io, event, msg);
}

static int written(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_written *msg = tri_deliver_new(&tr_written_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_written){ event->target.io, event->error };
    return post(io, event, msg);
}

static int file_done(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_file_done *msg = tri_deliver_new(&tr_file_done_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_file_done){
        .file = event->target.io, .verb = event->verb, .error = event->error,
        .size = event->size, .bytes = event->bytes, .context = event->context,
    };
    return post(io, event, msg);
}

static int signalled(struct tri_io *io, const struct tri_io_event *event)
{
    struct tr_signal *msg = tri_deliver_new(&tr_signal_info, sizeof(*msg));

    if (msg == NULL)
        return -ENOMEM;
    *msg = (struct tr_signal){ event->target.io, event->number };
    return post(io, event, msg);
}

int tri_io_complete(void *context, const struct tri_io_event *event)
{
    static int (*const by_kind[])(struct tri_io *, const struct tri_io_event *) = {
        [TRI_IO_ACCEPTED] = accepted,   [TRI_IO_CONNECTED] = connected, [TRI_IO_DATA] = data,
        [TRI_IO_EOF] = eof,             [TRI_IO_WRITTEN] = written,
        [TRI_IO_FILE_DONE] = file_done, [TRI_IO_SIGNAL] = signalled,
    };

    return by_kind[event->kind](context, event);
}
