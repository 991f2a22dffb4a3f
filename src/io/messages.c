/* SPDX-License-Identifier: BSD-2-Clause */

/* The descriptions of this library's messages, and how what they own is dropped. */

#include "io/system.h"

/* A connection that nobody took. */
static void drop_loose(tr_io io)
{
    struct tri_io_handle *handle = tri_io_handle_at(io);

    if (handle != NULL && tri_io_handle_catch(handle, io))
        tri_io_handle_close(handle);
}

static void drop_accepted(void *msg)
{
    drop_loose(((struct tr_accepted *)msg)->io);
}

static void drop_given(void *msg)
{
    drop_loose(((struct tr_given *)msg)->io);
}

static void drop_data(void *msg)
{
    tr_bytes_drop(((struct tr_data *)msg)->bytes);
}

static void drop_file_done(void *msg)
{
    tr_bytes_drop(((struct tr_file_done *)msg)->bytes);
}

#define DESCRIBE(T, drop_)                                                                         \
    static tr_message_state T##_state;                                                             \
    const tr_message_info T##_info = {                                                             \
        .name = #T, .tag = TR_TAG_##T, .size = sizeof(struct T), .align = TR_ALIGNOF(struct T),    \
        .drop = (drop_), .state = &T##_state,                                                      \
    }

DESCRIBE(tr_accepted, drop_accepted);
DESCRIBE(tr_given, drop_given);
DESCRIBE(tr_connected, NULL);
DESCRIBE(tr_data, drop_data);
DESCRIBE(tr_eof, NULL);
DESCRIBE(tr_written, NULL);
DESCRIBE(tr_file_done, drop_file_done);
DESCRIBE(tr_signal, NULL);
