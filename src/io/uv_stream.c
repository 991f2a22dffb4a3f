/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A connection, once there is one: reads with credit, writes, and its end.
 *
 *                        connected                write failed
 *     NO_TCP, LOOKUP ──────────────► TCP ─────────────────────────► CLOSING ──► NO_TCP
 *     (uv_connect.c, uv_listen.c)     │                                ▲          │
 *                                     │ owner closes       all sent,   │          │ owner closes
 *                                     └──► lingering ──────────────────┘          ▼
 *                                          (queued > 0)    time is up           freed
 *
 * Why. Reads go to one buffer of the loop's: a small one, nearly every one, is copied out of it at
 * its true size, a large one takes the buffer along. So a connection that waits has no buffer, and
 * a kept message of 40 bytes does not keep 64 KiB.
 *
 * Rules
 *   1. An event's target is read before the credit or the queued bytes that allowed it are taken
 *      away: from then on the object may be given to another actor.
 *   2. `broken` is set before `queued` falls, so that the owner, who looks at `queued` first, does
 *      not touch a descriptor that is about to be closed.
 */

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "io/uv.h"

/* Events that may be owed, in the order in which they are told. */
enum { OWES_CONNECTED = 1, OWES_WRITTEN = 2, OWES_EOF = 4 };

static struct tri_uv_stream *stream_of(struct tri_io_object *object)
{
    return TRI_CONTAINER_OF(object, struct tri_uv_stream, base.object);
}

static int broken_of(const struct tri_uv_stream *stream)
{
    return -(int)tri_load_relaxed_32(&stream->broken);
}

/* The first error is the one that counts. */
static void set_broken(struct tri_uv_stream *stream, int error)
{
    if (tri_load_relaxed_32(&stream->broken) == 0)
        tri_store_relaxed_32(&stream->broken, (uint32_t)-error);
}

/* ---- telling -------------------------------------------------------------------------------- */

static int complete(struct tri_uv_stream *stream, const struct tri_io_event *event)
{
    const struct tri_io_sink *sink = &stream->base.uv->sink;

    return stream->base.closing ? 0 : sink->complete(sink->context, event);
}

static bool tell(struct tri_uv_stream *stream, const struct tri_io_event *event, uint8_t owes)
{
    if (complete(stream, event) == 0)
        return true;
    stream->owed |= owes;
    tri_uv_owe(&stream->base);
    return false;
}

void tri_uv_stream_tell_connected(struct tri_uv_stream *stream, int error)
{
    stream->connect_error = error;
    struct tri_io_event event = { .kind = TRI_IO_CONNECTED, .error = error,
                                  .target = stream->base.object.target };
    tell(stream, &event, OWES_CONNECTED);
}

static void tell_written(struct tri_uv_stream *stream, const struct tri_io_target *target)
{
    struct tri_io_event event = { .kind = TRI_IO_WRITTEN, .error = broken_of(stream),
                                  .target = *target };

    tell(stream, &event, OWES_WRITTEN);
}

static void tell_eof(struct tri_uv_stream *stream, int error)
{
    if (stream->at_end)
        return;
    stream->at_end = true;
    stream->eof_error = error;
    struct tri_io_event event = { .kind = TRI_IO_EOF, .error = error,
                                  .target = stream->base.object.target };
    tell(stream, &event, OWES_EOF);
}

/* Tells again what could not be told; stops at the first that cannot be told now either. */
static void pay(struct tri_uv_object *object)
{
    struct tri_uv_stream *stream = TRI_CONTAINER_OF(object, struct tri_uv_stream, base);
    struct tri_io_target target = object->object.target;
    const struct tri_io_event events[] = {
        { .kind = TRI_IO_CONNECTED, .error = stream->connect_error, .target = target },
        { .kind = TRI_IO_WRITTEN, .error = broken_of(stream), .target = target },
        { .kind = TRI_IO_EOF, .error = stream->eof_error, .target = target },
    };
    uint8_t owed = stream->owed;

    stream->owed = 0;
    for (unsigned i = 0; i < TRI_COUNT_OF(events); i++) {
        uint8_t rest = (uint8_t)(owed & ~((1u << i) - 1));
        if ((owed & 1u << i) && !tell(stream, &events[i], rest))
            return;
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

static void stop_with(struct tri_uv_stream *stream, int error)
{
    uv_read_stop((uv_stream_t *)&stream->tcp);
    if (error != 0)
        set_broken(stream, error);
    tell_eof(stream, error);
}

/* Without credit there is no buffer, and on_read stops. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct tri_uv_stream *stream = handle->data;
    struct tri_uv *uv = stream->base.uv;

    (void)suggested;
    *ret_buffer = uv_buf_init(NULL, 0);
    uv->is_out_of_memory = false;
    if (!tri_uv_credit_is_some(&stream->credit))
        return;
    if (uv->scratch == NULL)
        uv->scratch = tr_bytes_new(TRI_READ_BYTES);
    uv->is_out_of_memory = uv->scratch == NULL;
    if (uv->scratch != NULL)
        *ret_buffer = uv_buf_init((char *)uv->scratch->data, TRI_READ_BYTES);
}

/* What stands in the buffer: copied, or the buffer itself, cut to size. */
static tr_bytes *take_read(struct tri_uv *uv, size_t size)
{
    tr_bytes *bytes = uv->scratch;

    if (size > TRI_READ_COPY_MAX) {
        bytes->size = size;
        uv->scratch = NULL;
        return bytes;
    }
    bytes = tr_bytes_new(size);
    if (bytes != NULL)
        memcpy(bytes->data, uv->scratch->data, size);
    return bytes;
}

static void deliver_read(struct tri_uv_stream *stream, size_t size)
{
    struct tri_io_event event = { .kind = TRI_IO_DATA, .target = stream->base.object.target };

    event.bytes = take_read(stream->base.uv, size);
    tri_uv_credit_spend(&stream->credit);
    if (event.bytes != NULL && complete(stream, &event) == 0)
        return;
    tr_bytes_drop(event.bytes);
    stop_with(stream, -ENOMEM);
}

static void on_read(uv_stream_t *tcp, ssize_t read, const uv_buf_t *buffer)
{
    struct tri_uv_stream *stream = tcp->data;

    (void)buffer; /* without one, and with credit that came just now, libuv comes again */
    if (read > 0)
        deliver_read(stream, (size_t)read);
    else if (read == UV_ENOBUFS && tri_uv_credit_stop(&stream->credit))
        uv_read_stop(tcp);
    else if (read == UV_ENOBUFS && stream->base.uv->is_out_of_memory)
        stop_with(stream, -ENOMEM);
    else if (read < 0 && read != UV_ENOBUFS)
        stop_with(stream, read == UV_EOF ? 0 : (int)read);
}

void tri_uv_stream_resume(struct tri_uv_stream *stream)
{
    bool is_open = stream->phase == TRI_UV_TCP
                   && tri_load_relaxed_32(&stream->descriptor) != TRI_UV_NOT_CONNECTED;

    if (!is_open || stream->base.closing || stream->at_end
        || !tri_uv_credit_is_some(&stream->credit))
        return;
    int err = uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
    if (err < 0 && err != UV_EALREADY)
        stop_with(stream, err);
}

static void run_resume(struct tri_uv_command *command)
{
    tri_uv_stream_resume(TRI_CONTAINER_OF(command, struct tri_uv_stream, credit.resume));
}

int tri_uv_stream_grant(struct tri_io_object *object, uint32_t credits)
{
    struct tri_uv_stream *stream = stream_of(object);

    return tri_uv_credit_grant(stream->base.uv, &stream->credit, credits);
}

/* ---- closing -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *tcp)
{
    struct tri_uv_stream *stream = tcp->data;

    stream->phase = TRI_UV_NO_TCP;
    if (stream->base.closing) {
        tri_uv_connect_free(stream->connecting);
        tri_uv_object_free(&stream->base);
    } else if (stream->connecting != NULL)
        tri_uv_connect_next(stream);
}

void tri_uv_stream_close_tcp(struct tri_uv_stream *stream)
{
    if (stream->phase != TRI_UV_TCP)
        return;
    stream->phase = TRI_UV_CLOSING;
    uv_close((uv_handle_t *)&stream->tcp, on_closed);
}

void tri_uv_stream_linger_end(struct tri_uv_stream *stream)
{
    tri_link_remove(&stream->lingering);
    tri_uv_stream_close_tcp(stream);
}

static void on_linger(uv_timer_t *timer)
{
    struct tri_uv *uv = timer->data;
    struct tri_link *first;

    while ((first = tri_list_first(&uv->lingering)) != NULL) {
        struct tri_uv_stream *stream = TRI_CONTAINER_OF(first, struct tri_uv_stream, lingering);
        if (stream->linger_until > uv_now(&uv->loop))
            break;
        tri_uv_stream_linger_end(stream);
    }
    if (tri_list_is_empty(&uv->lingering))
        uv_timer_stop(timer);
}

static void linger(struct tri_uv_stream *stream)
{
    struct tri_uv *uv = stream->base.uv;

    uv_update_time(&uv->loop);
    stream->linger_until = uv_now(&uv->loop) + TRI_LINGER_MS;
    uv_read_stop((uv_stream_t *)&stream->tcp);
    uv->linger.data = uv;
    if (tri_list_is_empty(&uv->lingering))
        uv_timer_start(&uv->linger, on_linger, TRI_LINGER_MS, TRI_LINGER_MS / 4);
    tri_list_push_back(&uv->lingering, &stream->lingering);
}

/* The owner is done with it. */
static void release(struct tri_uv_object *object)
{
    struct tri_uv_stream *stream = TRI_CONTAINER_OF(object, struct tri_uv_stream, base);

    if (stream->phase == TRI_UV_NO_TCP)
        tri_uv_object_free(object);
    else if (stream->phase == TRI_UV_LOOKUP)
        tri_uv_connect_give_up(stream);
    else if (stream->phase == TRI_UV_TCP && stream->tcp.write_queue_size > 0)
        linger(stream);
    else
        tri_uv_stream_close_tcp(stream);
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Bytes on their way through the loop. */
struct write {
    struct tri_uv_command command;
    struct tri_uv_stream *stream;
    tr_bytes *shared;
    const void *data;
    size_t size;
    uv_write_t request;
    unsigned char copy[];
};

/* A write has left the queue, sent or not: rules 1 and 2. */
static void finish(struct write *write, int status)
{
    struct tri_uv_stream *stream = write->stream;
    struct tri_io_target target = stream->base.object.target;
    bool failed = status < 0 && status != UV_ECANCELED;

    if (failed)
        set_broken(stream, status);
    /* release: `broken`, and what the socket took; pairs with the acquire in queued_of. */
    uint64_t before = tri_fetch_sub_acq_rel_64(&stream->queued, write->size);
    bool is_last = before == write->size;
    tr_bytes_drop(write->shared);
    tri_free(write);

    if (failed) {
        tri_uv_stream_linger_end(stream);
        tell_eof(stream, status);
    }
    if (!is_last)
        return;
    if (!stream->base.closing)
        tell_written(stream, &target);
    else if (!tri_link_is_alone(&stream->lingering))
        tri_uv_stream_linger_end(stream);
}

static void on_write(uv_write_t *request, int status)
{
    finish(request->data, status);
}

static void run_write(struct tri_uv_command *command)
{
    struct write *write = TRI_CONTAINER_OF(command, struct write, command);
    struct tri_uv_stream *stream = write->stream;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)write->data, (unsigned)write->size);

    if (stream->phase != TRI_UV_TCP || broken_of(stream) != 0) {
        finish(write, UV_ECANCELED);
        return;
    }
    write->request.data = write;
    int err = uv_write(&write->request, (uv_stream_t *)&stream->tcp, &buffer, 1, on_write);
    if (err < 0)
        finish(write, err);
}

static struct write *write_new(struct tri_uv_stream *stream, const void *data, size_t size,
                               tr_bytes *bytes)
{
    struct write *write = tri_alloc(sizeof(*write) + (bytes == NULL ? size : 0));

    if (write == NULL)
        return NULL;
    write->command.run = run_write;
    write->stream = stream;
    write->shared = tr_bytes_share(bytes);
    write->data = data;
    write->size = size;
    if (bytes == NULL)
        write->data = memcpy(write->copy, data, size);
    return write;
}

/* What is queued is sent before anything else may go straight to the socket. */
static uint64_t queued_of(const struct tri_uv_stream *stream)
{
    /* acquire: what the holder did with the bytes; pairs with the release in finish. */
    return tri_load_acquire_64(&stream->queued);
}

/* How many bytes the kernel took, 0 if it takes none now. */
static ssize_t send_now(struct tri_uv_stream *stream, const void *data, size_t size)
{
    int descriptor = (int)tri_load_acquire_32(&stream->descriptor);
    ssize_t sent;

    do
        sent = send(descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);

    if (sent >= 0)
        return sent;
    if (errno == EAGAIN || errno == ENOBUFS)
        return 0;
    int err = -errno;
    set_broken(stream, err);
    return err;
}

/* Leaves bytes to the holder of the loop; returns how many are queued then. */
static int queue(struct tri_uv_stream *stream, struct write *write)
{
    /* relaxed would do: the command's push publishes. */
    uint64_t queued = tri_fetch_add_acq_rel_64(&stream->queued, write->size) + write->size;

    tri_uv_submit(stream->base.uv, &write->command);
    return queued < INT_MAX ? (int)queued : INT_MAX;
}

/* Why nothing may be written now, or 0. `queued` was read before. */
static int refusal(const struct tri_uv_stream *stream, uint64_t queued)
{
    if (stream->ended)
        return -EPIPE;
    /* acquire: all of a connection that was just made; pairs with the release in connected. */
    if (tri_load_acquire_32(&stream->descriptor) == TRI_UV_NOT_CONNECTED)
        return -ENOTCONN;
    if (broken_of(stream) != 0)
        return broken_of(stream);
    return queued >= TRI_WRITE_QUEUE_MAX ? -ENOBUFS : 0;
}

int tri_uv_stream_write(struct tri_io_object *object, const void *data, size_t size,
                        tr_bytes *bytes)
{
    struct tri_uv_stream *stream = stream_of(object);
    uint64_t queued = queued_of(stream);
    int err = refusal(stream, queued);
    ssize_t sent = 0;

    if (err < 0 || size == 0)
        return err;
    if (queued == 0)
        sent = send_now(stream, data, size);
    if (sent < 0 || (size_t)sent == size)
        return sent < 0 ? (int)sent : 0;

    struct write *write = write_new(stream, (const char *)data + sent, size - (size_t)sent, bytes);
    if (write != NULL)
        return queue(stream, write);
    if (sent > 0)
        set_broken(stream, -EPIPE); /* the peer has the beginning: nothing may follow it */
    return -ENOMEM;
}

/* ---- the end of writing --------------------------------------------------------------------- */

struct end {
    struct tri_uv_command command;
    struct tri_uv_stream *stream;
    uv_shutdown_t request;
};

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status; /* a connection that broke says so by other events */
    tri_free(request->data);
}

static void run_end(struct tri_uv_command *command)
{
    struct end *end = TRI_CONTAINER_OF(command, struct end, command);
    struct tri_uv_stream *stream = end->stream;

    end->request.data = end;
    if (stream->phase != TRI_UV_TCP
        || uv_shutdown(&end->request, (uv_stream_t *)&stream->tcp, on_shutdown) < 0)
        tri_free(end);
}

int tri_uv_stream_write_end(struct tri_io_object *object)
{
    struct tri_uv_stream *stream = stream_of(object);
    uint64_t queued = queued_of(stream);
    int err = refusal(stream, 0);

    if (err < 0)
        return err;
    if (queued == 0) {
        stream->ended = true;
        return shutdown((int)tri_load_relaxed_32(&stream->descriptor), SHUT_WR) == 0 ? 0 : -errno;
    }
    struct end *end = tri_alloc(sizeof(*end));
    if (end == NULL)
        return -ENOMEM;
    stream->ended = true;
    end->command.run = run_end;
    end->stream = stream;
    tri_uv_submit(stream->base.uv, &end->command);
    return 0;
}

bool tri_uv_stream_is_at_rest(struct tri_io_object *object)
{
    struct tri_uv_stream *stream = stream_of(object);

    /* acquire: events that were allowed have been told; pairs with the release in spend. */
    uint32_t credit = tri_load_acquire_32(&stream->credit.word) & ~TRI_UV_STOPPED;

    return credit == 0 && queued_of(stream) == 0
           && tri_load_acquire_32(&stream->descriptor) != TRI_UV_NOT_CONNECTED;
}

/* ---- making --------------------------------------------------------------------------------- */

struct tri_uv_stream *tri_uv_stream_new(struct tri_uv *uv, const struct tri_io_target *target)
{
    struct tri_uv_stream *stream = tri_alloc_zeroed(sizeof(*stream));

    if (stream == NULL)
        return NULL;
    tri_uv_object_init(&stream->base, uv, target);
    stream->base.release = release;
    stream->base.pay = pay;
    stream->credit.word = TRI_UV_STOPPED;
    stream->credit.resume.run = run_resume;
    stream->descriptor = TRI_UV_NOT_CONNECTED;
    stream->tcp.data = stream;
    tri_link_init(&stream->lingering);
    return stream;
}

void tri_uv_stream_connected(struct tri_uv_stream *stream)
{
    uv_os_fd_t descriptor = -1;

    uv_fileno((uv_handle_t *)&stream->tcp, &descriptor);
    /* release: the connection as a whole; pairs with the acquire in refusal. */
    tri_store_release_32(&stream->descriptor, (uint32_t)descriptor);
}
