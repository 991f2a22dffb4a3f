/* SPDX-License-Identifier: BSD-2-Clause */

/* Addresses in figures, from and to text; and who has which. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/uv.h"

int tri_uv_address_read(const char *host, uint16_t port, struct sockaddr_storage *ret_address)
{
    struct sockaddr_storage address = { 0 };

    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) != 0
        && uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) != 0)
        return -EINVAL;
    *ret_address = address;
    return 0;
}

int tri_uv_address_of(int descriptor, bool peer, tr_address *ret_address)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);
    struct sockaddr *any = (struct sockaddr *)&address;
    tr_address found = { .port = 0 };
    int err = peer ? getpeername(descriptor, any, &size) : getsockname(descriptor, any, &size);

    if (err != 0)
        return -ENOTCONN;
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &six->sin6_addr, found.host, sizeof(found.host));
        found.port = ntohs(six->sin6_port);
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &four->sin_addr, found.host, sizeof(found.host));
        found.port = ntohs(four->sin_port);
    }
    *ret_address = found;
    return 0;
}

int tri_uv_address(struct tri_io_object *object, bool peer, tr_address *ret_address)
{
    struct tri_uv_object *any = TRI_CONTAINER_OF(object, struct tri_uv_object, object);

    if (any->is_listener) {
        struct tri_uv_listener *listener = TRI_CONTAINER_OF(any, struct tri_uv_listener, base);
        return peer ? -ENOTCONN : tri_uv_listener_address(listener, ret_address);
    }
    struct tri_uv_stream *stream = TRI_CONTAINER_OF(any, struct tri_uv_stream, base);
    /* acquire: a connection that was just made; pairs with the release in connected. */
    uint32_t descriptor = tri_load_acquire_32(&stream->descriptor);
    if (descriptor == TRI_UV_NOT_CONNECTED || tri_load_relaxed_32(&stream->broken) != 0)
        return -ENOTCONN;
    return tri_uv_address_of((int)descriptor, peer, ret_address);
}
