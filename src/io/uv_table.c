/* SPDX-License-Identifier: BSD-2-Clause */

/* The table of operations on libuv. */

#include "io/uv.h"

static int grant(struct tri_io_object *object, uint32_t credits)
{
    const struct tri_uv_object *any = TRI_CONTAINER_OF(object, struct tri_uv_object, object);

    return any->is_listener ? tri_uv_listener_grant(object, credits)
                            : tri_uv_stream_grant(object, credits);
}

const struct tri_io_ops tri_uv_ops = {
    .start = tri_uv_start,
    .stop = tri_uv_stop,
    .poll = tri_uv_poll,
    .wake = tri_uv_wake,
    .listen = tri_uv_listen,
    .connect = tri_uv_connect,
    .grant = grant,
    .write = tri_uv_stream_write,
    .write_end = tri_uv_stream_write_end,
    .address = tri_uv_address,
    .is_at_rest = tri_uv_stream_is_at_rest,
    .file_open = tri_uv_file_open,
    .file_start = tri_uv_file_start,
    .file_write = tri_uv_file_write,
    .path_start = tri_uv_path_start,
    .signal = tri_uv_signal,
    .close = tri_uv_close,
};
