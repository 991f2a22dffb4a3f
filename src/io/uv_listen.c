/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Listeners: connections come while there is credit; the others wait in the kernel.
 *
 * Why. The socket is bound on the caller's thread, so that its errors are the call's errors; the
 * loop gets one that listens already. libuv accepts one connection ahead and stops when it is not
 * taken over, which is just what having no credit needs.
 *
 * A closed listener frees its port at once, on its owner's thread: an actor that is restarted binds
 * it again before the loop has come to closing the old socket.
 *
 * Without descriptors libuv closes what waits (it keeps one in reserve for that). Where even that
 * fails it would try for ever: the listener is given up, and its owner told.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/uv.h"

static void on_closed(uv_handle_t *tcp)
{
    struct tri_uv_listener *listener = tcp->data;

    listener->is_open = false;
    if (listener->base.closing)
        tri_uv_object_free(&listener->base);
}

static void close_tcp(struct tri_uv_listener *listener)
{
    if (uv_is_closing((uv_handle_t *)&listener->tcp))
        return;
    tri_spin_lock(&listener->lock);
    listener->descriptor = -1;
    uv_close((uv_handle_t *)&listener->tcp, on_closed); /* closes the socket before it returns */
    tri_spin_unlock(&listener->lock);
}

void tri_uv_listener_shut(struct tri_uv_listener *listener)
{
    tri_spin_lock(&listener->lock);
    if (listener->descriptor >= 0)
        shutdown(listener->descriptor, SHUT_RDWR);
    tri_spin_unlock(&listener->lock);
}

int tri_uv_listener_address(struct tri_uv_listener *listener, tr_address *ret_address)
{
    tri_spin_lock(&listener->lock);
    int err = tri_uv_address_of(listener->descriptor, false, ret_address);
    tri_spin_unlock(&listener->lock);
    return err;
}

static void release(struct tri_uv_object *object)
{
    struct tri_uv_listener *listener = TRI_CONTAINER_OF(object, struct tri_uv_listener, base);

    if (listener->is_open) {
        close_tcp(listener);
        return;
    }
    tri_uv_object_free(object);
}

/* ---- errors ---- */

static void pay(struct tri_uv_object *object)
{
    struct tri_uv_listener *listener = TRI_CONTAINER_OF(object, struct tri_uv_listener, base);
    struct tri_io_event event = { .kind = TRI_IO_ACCEPTED, .error = listener->error,
                                  .target = object->object.target };
    const struct tri_io_sink *sink = &object->uv->sink;

    if (!object->closing && sink->complete(sink->context, &event) < 0)
        tri_uv_owe(object);
}

static void give_up(struct tri_uv_listener *listener, int error)
{
    listener->error = error;
    if (listener->is_open)
        close_tcp(listener);
    pay(&listener->base);
}

/* Errors of one connection that did not come about: see accept(2). After any other one libuv would
 * only try again at once. */
static bool is_of_connection(int error)
{
    switch (error) {
    case UV_ECONNABORTED:
    case UV_EPROTO:
    case UV_ENOPROTOOPT:
    case UV_EPERM:
    case UV_EINTR:
    case UV_ETIMEDOUT:
    case UV_EHOSTDOWN:
    case UV_EHOSTUNREACH:
    case UV_ENETDOWN:
    case UV_ENETUNREACH:
    case UV_ENOTSUP:
    case UV_ENONET:
        return true;
    default:
        return false;
    }
}

static void fail(struct tri_uv_listener *listener, int error)
{
    if (error == UV_EINVAL)
        close_tcp(listener); /* its owner has shut it, and the close is on its way */
    else if (!is_of_connection(error))
        give_up(listener, error);
}

/* ---- accepting ---- */

/* Takes over what libuv has accepted. */
static void take(struct tri_uv_listener *listener)
{
    struct tri_uv *uv = listener->base.uv;
    struct tri_uv_stream *stream = tri_uv_stream_new(uv, &listener->base.object.target);

    listener->has_waiting = false;
    if (stream == NULL) {
        give_up(listener, -ENOMEM);
        return;
    }
    tri_uv_object_add(&stream->base);
    uv_tcp_init(&uv->loop, &stream->tcp);
    stream->phase = TRI_UV_TCP;
    int err = uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&stream->tcp);
    tri_uv_stream_connected(stream);

    struct tri_io_event event = { .kind = TRI_IO_ACCEPTED, .error = 0,
                                  .target = listener->base.object.target,
                                  .accepted = &stream->base.object };
    tri_uv_credit_spend(&listener->credit);
    if (err == 0)
        err = uv->sink.complete(uv->sink.context, &event);
    if (err < 0) {
        /* It is as if it had never come: its credit is good for another one. */
        (void)tri_uv_credit_grant(uv, &listener->credit, 1);
        stream->base.closing = true;
        tri_uv_stream_close_tcp(stream);
    }
}

static void on_connection(uv_stream_t *server, int status)
{
    struct tri_uv_listener *listener = server->data;

    if (status < 0) {
        fail(listener, status);
        return;
    }
    listener->has_waiting = true;
    if (tri_uv_credit_is_some(&listener->credit) || !tri_uv_credit_stop(&listener->credit))
        take(listener);
}

/* libuv goes on by itself when the one that waits has been taken over. */
static void run_resume(struct tri_uv_command *command)
{
    struct tri_uv_listener *listener =
        TRI_CONTAINER_OF(command, struct tri_uv_listener, credit.resume);

    if (listener->has_waiting && !listener->base.closing
        && !uv_is_closing((uv_handle_t *)&listener->tcp))
        take(listener);
}

int tri_uv_listener_grant(struct tri_io_object *object, uint32_t credits)
{
    struct tri_uv_listener *listener =
        TRI_CONTAINER_OF(object, struct tri_uv_listener, base.object);

    return tri_uv_credit_grant(listener->base.uv, &listener->credit, credits);
}

/* ---- opening ---- */

/* While libuv does not know it. */
static void close_socket(struct tri_uv_listener *listener)
{
    tri_spin_lock(&listener->lock);
    close(listener->descriptor);
    listener->descriptor = -1;
    tri_spin_unlock(&listener->lock);
}

static void run_open(struct tri_uv_command *command)
{
    struct tri_uv_listener *listener = TRI_CONTAINER_OF(command, struct tri_uv_listener, open);

    tri_uv_object_add(&listener->base);
    int err = uv_tcp_init(&listener->base.uv->loop, &listener->tcp);
    if (err == 0) {
        listener->is_open = true;
        listener->tcp.data = listener;
        err = uv_tcp_open(&listener->tcp, listener->descriptor);
    }
    if (err < 0)
        close_socket(listener);
    else
        err = uv_listen((uv_stream_t *)&listener->tcp, listener->backlog, on_connection);
    if (err < 0)
        give_up(listener, err);
}

static int set_options(int descriptor, int family, const tr_listen_options *options)
{
    const int on = 1;
    const int off = 0;

    /* Accepted connections inherit TCP_NODELAY. */
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0
        || setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        return -errno;
    if (options->shared
        && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        return -errno;
    if (family == AF_INET6
        && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        return -errno;
    return 0;
}

/* A socket that is bound and listens; or an error. */
static int open_socket(const tr_listen_options *options, int backlog)
{
    struct sockaddr_storage address;
    const char *host = options->host != NULL ? options->host : "127.0.0.1";
    int err = tri_uv_address_read(host, options->port, &address);

    if (err < 0)
        return err;
    int descriptor = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return -errno;
    socklen_t size = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                   : sizeof(struct sockaddr_in);
    err = set_options(descriptor, address.ss_family, options);
    if (err == 0
        && (bind(descriptor, (struct sockaddr *)&address, size) != 0
            || listen(descriptor, backlog) != 0))
        err = -errno;
    if (err == 0)
        return descriptor;
    close(descriptor);
    return err;
}

int tri_uv_listen(void *implementation, const struct tri_io_target *target,
                  const tr_listen_options *options, struct tri_io_object **ret_listener)
{
    struct tri_uv *uv = implementation;
    uint32_t backlog = options->backlog != 0 ? options->backlog : TRI_BACKLOG_DEFAULT;
    struct tri_uv_listener *listener = tri_alloc_zeroed(sizeof(*listener));

    if (listener == NULL)
        return -ENOMEM;
    listener->backlog = backlog <= INT32_MAX ? (int)backlog : INT32_MAX;
    listener->descriptor = open_socket(options, listener->backlog);
    if (listener->descriptor < 0) {
        int err = listener->descriptor;
        tri_free(listener);
        return err;
    }
    tri_uv_object_init(&listener->base, uv, target);
    listener->base.is_listener = true;
    listener->base.release = release;
    listener->base.pay = pay;
    listener->credit.resume.run = run_resume;
    listener->open.run = run_open;
    *ret_listener = &listener->base.object;
    tri_uv_submit(uv, &listener->open);
    return 0;
}
