/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Simulated connections: an end, from the call to its close.
 *
 *     CONNECTING ──somebody listens──► OPEN ──wire breaks──► BROKEN
 *          │ nobody does                │                      │
 *          └──► FAILED                  └─────► closed ◄───────┘
 *
 * Each event tells its owner one thing, and comes again while there is more: what lies between two
 * of them is for the seed to say.
 *
 * Rules as those of uv_stream.c: reads need credit, and so does the news of an end, unless there
 * were bytes queued that will never be sent; one `written` for each time that the queue empties.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "io/simulated.h"

#define TRIES_MAX 5u

static struct tri_sim_fault fault_refuse = TRI_SIM_FAULT("net.refuse");

static struct tri_simio_stream *stream_of(struct tri_simio_object *object)
{
    return TRI_CONTAINER_OF(object, struct tri_simio_stream, base);
}

static struct tri_simio_pipe *out_of(const struct tri_simio_stream *stream)
{
    return &stream->wire->pipes[stream->side];
}

static struct tri_simio_pipe *into(const struct tri_simio_stream *stream)
{
    return &stream->wire->pipes[1 - stream->side];
}

/* ---- telling -------------------------------------------------------------------------------- */

static bool can_read(const struct tri_simio_stream *stream)
{
    return stream->wire != NULL && stream->credit > 0 && !stream->is_at_end
           && tri_simio_pipe_readable(into(stream)) > 0;
}

static bool can_tell_end(const struct tri_simio_stream *stream)
{
    if (stream->wire == NULL || stream->is_at_end)
        return false;
    if (stream->wants_eof)
        return true;
    return stream->credit > 0 && tri_simio_pipe_readable(into(stream)) == 0
           && (stream->broken != 0 || into(stream)->has_end_arrived);
}

static bool can_tell_written(const struct tri_simio_stream *stream)
{
    return stream->wants_written
           && (stream->broken != 0 || tri_simio_pipe_queued(out_of(stream)) == 0);
}

static void attend_if_needed(struct tri_simio_stream *stream)
{
    if (stream->wants_connected || can_read(stream) || can_tell_end(stream)
        || can_tell_written(stream))
        tri_simio_attend(&stream->base, tri_sim_between(0, 5 * TRI_NS_PER_US));
}

static bool tell(struct tri_simio_stream *stream, const struct tri_io_event *event)
{
    if (tri_simio_tell(&stream->base, event) == 0)
        return true;
    tri_simio_attend(&stream->base, TRI_IO_RETRY_MS * TRI_NS_PER_MS);
    return false;
}

static void tell_connected(struct tri_simio_stream *stream)
{
    const struct tri_io_event event = { .kind = TRI_IO_CONNECTED, .error = stream->connect_error,
                                        .target = stream->base.object.target };

    stream->wants_connected = !tell(stream, &event);
}

static void tell_written(struct tri_simio_stream *stream)
{
    const int error = stream->broken != 0 ? stream->broken
                                          : (out_of(stream)->is_cut ? -EPIPE : 0);
    const struct tri_io_event event = { .kind = TRI_IO_WRITTEN, .error = error,
                                        .target = stream->base.object.target };

    stream->wants_written = !tell(stream, &event);
}

static void tell_end(struct tri_simio_stream *stream)
{
    const struct tri_io_event event = { .kind = TRI_IO_EOF, .error = stream->broken,
                                        .target = stream->base.object.target };

    stream->is_at_end = tell(stream, &event);
}

static size_t choose_size(uint64_t readable)
{
    uint64_t size = readable < TRI_READ_BYTES ? readable : TRI_READ_BYTES;

    if (size > 1 && tri_sim_choose(8) == 7)
        size = (uint64_t)tri_sim_between(1, (int64_t)size);
    return (size_t)size;
}

/* Data that cannot be delivered ends the connection: a stream with a hole is worse than none. */
static void tell_data(struct tri_simio_stream *stream)
{
    struct tri_io_event event = { .kind = TRI_IO_DATA, .target = stream->base.object.target };

    event.bytes = tri_simio_pipe_read(into(stream),
                                      choose_size(tri_simio_pipe_readable(into(stream))));
    stream->credit--;
    if (event.bytes != NULL && tri_simio_tell(&stream->base, &event) == 0)
        return;
    tr_bytes_drop(event.bytes);
    stream->broken = stream->broken != 0 ? stream->broken : -ENOMEM;
    stream->wants_eof = true;
}

static void tell_something(struct tri_simio_stream *stream)
{
    if (stream->wants_connected)
        tell_connected(stream);
    else if (can_tell_written(stream) && (!can_read(stream) || tri_sim_choose(2) == 0))
        tell_written(stream);
    else if (can_tell_end(stream))
        tell_end(stream);
    else if (can_read(stream))
        tell_data(stream);
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void connect_ends(struct tri_simio_stream *stream, int error)
{
    stream->is_connecting = false;
    stream->connect_error = error;
    stream->was_connected = error == 0;
    stream->wants_connected = true;
}

/* Nobody answers: as a kernel asks again, less and less often. */
static void try_again(struct tri_simio_stream *stream)
{
    if (stream->tries++ == TRIES_MAX)
        connect_ends(stream, -ETIMEDOUT);
    else
        tri_simio_attend(&stream->base, TRI_NS_PER_S << stream->tries);
}

static struct tri_simio_listener *find_listener(struct tri_simio_stream *stream)
{
    struct tri_simio_listener *listener = tri_simio_listener_at(&stream->peer);

    if (listener != NULL || !stream->is_localhost)
        return listener;
    (void)tri_simio_address_read("::1", stream->peer.port, &stream->peer);
    listener = tri_simio_listener_at(&stream->peer);
    if (listener == NULL)
        (void)tri_simio_address_read("127.0.0.1", stream->peer.port, &stream->peer);
    return listener;
}

static int join(struct tri_simio_stream *stream, struct tri_simio_listener *listener)
{
    struct tri_simio_wire *wire = tri_simio_wire_new(stream);

    if (wire == NULL)
        return -ENOMEM;
    wire->addresses[0] = stream->peer;
    wire->addresses[0].port = tri_simio_port();
    wire->addresses[1] = stream->peer;
    if (!tri_simio_listener_offer(listener, wire)) {
        wire->has_left[1] = true;
        tri_simio_wire_leave(wire, 0, false);
        return -EAGAIN;
    }
    stream->wire = wire;
    return 0;
}

static void try_to_connect(struct tri_simio_stream *stream)
{
    struct tri_simio_listener *listener = find_listener(stream);
    int err = -ECONNREFUSED;

    if (tri_simio_machine_is_down()) {
        try_again(stream);
        return;
    }
    if (listener != NULL && !tri_sim_strikes(&fault_refuse, NULL, NULL))
        err = join(stream, listener);
    if (err == -EAGAIN)
        try_again(stream);
    else
        connect_ends(stream, err);
}

static void happen(void *context)
{
    struct tri_simio_stream *stream = stream_of(context);

    if (stream->is_connecting)
        try_to_connect(stream);
    else
        tell_something(stream);
    attend_if_needed(stream);
}

static struct tri_simio_stream *stream_new(struct tri_simio *io,
                                           const struct tri_io_target *target)
{
    struct tri_simio_stream *stream = tri_alloc_zeroed(sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->base.kind = TRI_SIMIO_STREAM;
    stream->base.event.happen = happen;
    tri_simio_object_init(&stream->base, io, target);
    return stream;
}

int tri_simio_connect(void *implementation, const struct tri_io_target *target,
                      const struct tri_io_peer *peer, struct tri_io_object **ret_connection)
{
    struct tri_simio_stream *stream = stream_new(implementation, target);
    bool is_localhost = strcmp(peer->host, "localhost") == 0;
    const char *host = is_localhost ? "127.0.0.1" : peer->host;

    if (stream == NULL)
        return -ENOMEM;
    stream->is_localhost = is_localhost;
    stream->is_connecting = true;
    if (tri_simio_address_read(host, peer->port, &stream->peer) < 0)
        connect_ends(stream, -ENOENT); /* there is no name service */
    tri_simio_attend(&stream->base, tri_sim_between(20 * TRI_NS_PER_US, 200 * TRI_NS_PER_US));
    *ret_connection = &stream->base.object;
    return 0;
}

struct tri_simio_stream *tri_simio_stream_accepted(struct tri_simio *io,
                                                   const struct tri_io_target *target,
                                                   struct tri_simio_wire *wire)
{
    struct tri_simio_stream *stream = stream_new(io, target);

    if (stream == NULL)
        return NULL;
    stream->wire = wire;
    stream->side = 1;
    stream->was_connected = true;
    stream->broken = wire->is_broken ? wire->error : 0;
    wire->ends[1] = stream;
    return stream;
}

/* ---- from the wire -------------------------------------------------------------------------- */

void tri_simio_stream_stirs(struct tri_simio_stream *stream)
{
    attend_if_needed(stream);
}

void tri_simio_stream_breaks(struct tri_simio_stream *stream, int error)
{
    if (stream->broken == 0)
        stream->broken = error;
    if (tri_simio_pipe_queued(out_of(stream)) > 0)
        stream->wants_eof = true;
    attend_if_needed(stream);
}

/* ---- operations ----------------------------------------------------------------------------- */

int tri_simio_stream_grant(struct tri_simio_object *object, uint32_t credits)
{
    struct tri_simio_stream *stream = stream_of(object);
    int err = tri_simio_credit(&stream->credit, credits);

    if (err == 0)
        attend_if_needed(stream);
    return err;
}

/* Why nothing may be written now, or 0. */
static int refusal(const struct tri_simio_stream *stream)
{
    if (stream->is_ended)
        return -EPIPE;
    if (!stream->was_connected)
        return -ENOTCONN;
    if (stream->broken != 0)
        return stream->broken;
    return out_of(stream)->is_cut ? -EPIPE : 0;
}

int tri_simio_stream_write(struct tri_io_object *object, const void *data, size_t size,
                           tr_bytes *bytes)
{
    struct tri_simio_stream *stream = TRI_CONTAINER_OF(object, struct tri_simio_stream,
                                                       base.object);
    int err = refusal(stream);

    if (err < 0 || size == 0 || stream->base.is_down)
        return err;
    if (tri_simio_pipe_queued(out_of(stream)) >= TRI_WRITE_QUEUE_MAX)
        return -ENOBUFS;
    err = tri_simio_pipe_write(out_of(stream), data, size, bytes);
    if (err < 0)
        return err;
    uint64_t queued = tri_simio_pipe_queued(out_of(stream));
    stream->wants_written |= queued > 0;
    return queued < INT_MAX ? (int)queued : INT_MAX;
}

int tri_simio_stream_write_end(struct tri_io_object *object)
{
    struct tri_simio_stream *stream = TRI_CONTAINER_OF(object, struct tri_simio_stream,
                                                       base.object);
    int err = refusal(stream);

    if (err < 0)
        return err;
    stream->is_ended = true;
    if (!stream->base.is_down)
        tri_simio_pipe_end(out_of(stream));
    return 0;
}

int tri_simio_stream_address(struct tri_simio_object *object, bool peer, tr_address *ret_address)
{
    const struct tri_simio_stream *stream = stream_of(object);

    if (!stream->was_connected || stream->broken != 0)
        return -ENOTCONN;
    tri_simio_address_write(&stream->wire->addresses[peer ? 1 - stream->side : stream->side],
                            ret_address);
    return 0;
}

bool tri_simio_stream_is_at_rest(struct tri_io_object *object)
{
    const struct tri_simio_stream *stream = TRI_CONTAINER_OF(object, struct tri_simio_stream,
                                                             base.object);

    return stream->credit == 0 && stream->was_connected && !stream->wants_connected
           && !stream->wants_written && !stream->wants_eof;
}

void tri_simio_stream_close(struct tri_simio_object *object)
{
    struct tri_simio_stream *stream = stream_of(object);

    if (stream->wire != NULL)
        tri_simio_wire_leave(stream->wire, stream->side, object->is_down);
    tri_simio_object_free(object);
}

void tri_simio_stream_goes_down(struct tri_simio_object *object)
{
    struct tri_simio_stream *stream = stream_of(object);

    if (stream->wire == NULL || stream->side == 0)
        return;
    object->is_down = true;
    tri_sim_cancel(&object->event);
    tri_simio_wire_crash(stream->wire);
}
