/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Connecting: the addresses of a host, one after another, until one answers.
 *
 *     begin ──► [LOOKUP] ──► next address ──► [TCP] ──► connected
 *      figures      │           ▲  │ none left  │ refused
 *      skip it      │ no host   │  ▼            ▼
 *                   └──────► failed         [CLOSING]──┐
 *                               └──────────────────────┘
 *
 * Why. A socket that was refused cannot be used again, so each address gets a new one. "localhost"
 * is often two addresses, of which a service listens on one.
 */

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "io/uv.h"

struct tri_uv_connecting {
    struct tri_uv_command begin;
    struct tri_uv_stream *stream;
    uv_getaddrinfo_t lookup;
    uv_connect_t request;
    struct addrinfo *found;      /* to be freed */
    const struct addrinfo *next; /* to be tried */
    struct sockaddr_storage numeric;
    struct addrinfo only;        /* `numeric` in the shape of a result */
    int error;                   /* of the last that was tried */
    uint16_t port;
    char host[256];
};

void tri_uv_connect_free(struct tri_uv_connecting *connecting)
{
    if (connecting == NULL)
        return;
    uv_freeaddrinfo(connecting->found);
    tri_free(connecting);
}

/* Either outcome. */
static void done(struct tri_uv_stream *stream, int error)
{
    tri_uv_connect_free(stream->connecting);
    stream->connecting = NULL;
    if (error == 0)
        tri_uv_stream_connected(stream);
    tri_uv_stream_tell_connected(stream, error);
    if (error == 0)
        tri_uv_stream_resume(stream);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct tri_uv_connecting *connecting = request->data;
    struct tri_uv_stream *stream = connecting->stream;

    if (stream->base.closing) {
        tri_uv_connect_free(connecting);
        stream->connecting = NULL;
        return;
    }
    if (status == 0) {
        done(stream, 0);
        return;
    }
    connecting->error = status;
    tri_uv_stream_close_tcp(stream); /* and then: tri_uv_connect_next */
}

static int try(struct tri_uv_connecting *connecting, const struct sockaddr *address)
{
    struct tri_uv_stream *stream = connecting->stream;
    int err = uv_tcp_init(&stream->base.uv->loop, &stream->tcp);

    if (err < 0)
        return err;
    stream->phase = TRI_UV_TCP;
    uv_tcp_nodelay(&stream->tcp, 1);
    connecting->request.data = connecting;
    err = uv_tcp_connect(&connecting->request, &stream->tcp, address, on_connect);
    if (err == 0)
        return 0;
    connecting->error = err;
    tri_uv_stream_close_tcp(stream);
    return 0; /* goes on when it is closed */
}

void tri_uv_connect_next(struct tri_uv_stream *stream)
{
    struct tri_uv_connecting *connecting = stream->connecting;
    const struct addrinfo *next = connecting->next;

    if (next == NULL) {
        done(stream, connecting->error);
        return;
    }
    connecting->next = next->ai_next;
    int err = try(connecting, next->ai_addr);
    if (err < 0)
        done(stream, err);
}

/* What getaddrinfo says, in the words of errno. */
static int error_of_lookup(int status)
{
    switch (status) {
    case UV_EAI_AGAIN:
        return -EAGAIN;
    case UV_EAI_MEMORY:
        return -ENOMEM;
    case UV_EAI_CANCELED:
    case UV_ECANCELED:
        return -ECANCELED;
    default:
        return -ENOENT;
    }
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct tri_uv_connecting *connecting = lookup->data;
    struct tri_uv_stream *stream = connecting->stream;

    stream->phase = TRI_UV_NO_TCP;
    connecting->found = found;
    connecting->next = found;
    connecting->error = status == 0 ? -ENOENT : error_of_lookup(status);
    if (!stream->base.closing) {
        tri_uv_connect_next(stream);
        return;
    }
    tri_uv_connect_free(connecting);
    tri_uv_object_free(&stream->base);
}

void tri_uv_connect_give_up(struct tri_uv_stream *stream)
{
    uv_cancel((uv_req_t *)&stream->connecting->lookup); /* on_lookup comes in any case */
}

static int look_up(struct tri_uv_connecting *connecting)
{
    struct tri_uv_stream *stream = connecting->stream;
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned)connecting->port);
    connecting->lookup.data = connecting;
    int err = uv_getaddrinfo(&stream->base.uv->loop, &connecting->lookup, on_lookup,
                             connecting->host, port, &hints);
    if (err == 0)
        stream->phase = TRI_UV_LOOKUP;
    return err;
}

static void run_begin(struct tri_uv_command *command)
{
    struct tri_uv_connecting *connecting =
        TRI_CONTAINER_OF(command, struct tri_uv_connecting, begin);
    struct tri_uv_stream *stream = connecting->stream;

    tri_uv_object_add(&stream->base);
    if (tri_uv_address_read(connecting->host, connecting->port, &connecting->numeric) == 0) {
        connecting->only.ai_addr = (struct sockaddr *)&connecting->numeric;
        connecting->next = &connecting->only;
        tri_uv_connect_next(stream);
        return;
    }
    int err = look_up(connecting);
    if (err < 0)
        done(stream, err);
}

int tri_uv_connect(void *implementation, const struct tri_io_target *target,
                   const struct tri_io_peer *peer, struct tri_io_object **ret_connection)
{
    struct tri_uv *uv = implementation;
    struct tri_uv_connecting *connecting = tri_alloc_zeroed(sizeof(*connecting));
    struct tri_uv_stream *stream = connecting != NULL ? tri_uv_stream_new(uv, target) : NULL;

    if (stream == NULL) {
        tri_free(connecting);
        return -ENOMEM;
    }
    connecting->begin.run = run_begin;
    connecting->stream = stream;
    connecting->port = peer->port;
    snprintf(connecting->host, sizeof(connecting->host), "%s", peer->host);
    stream->connecting = connecting;
    *ret_connection = &stream->base.object;
    tri_uv_submit(uv, &connecting->begin);
    return 0;
}
