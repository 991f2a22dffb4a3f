/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Simulated addresses, ports and listeners. There is the loopback, and nothing else.
 *
 * Partners: io/sim_wire.c makes the connections that wait here; io/simulated.h.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "io/simulated.h"

#define FIRST_PORT 49152u

struct tri_simio_listener {
    struct tri_simio_object base;
    struct tri_link link;       /* of all that listen */
    struct tri_simio_address address;
    bool is_shared;
    uint32_t backlog;
    uint32_t waiting;
    uint32_t credit;
    struct tri_list wires;      /* to be accepted */
};

static struct tri_list listeners = { { &listeners.ring, &listeners.ring } };
static uint16_t next_port = FIRST_PORT;

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t zero[16];

/* ---- addresses ------------------------------------------------------------------------------ */

static bool is_four(const struct tri_simio_address *address)
{
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

static bool is_any(const struct tri_simio_address *address)
{
    size_t skip = is_four(address) ? sizeof(mapped) : 0;

    return memcmp(address->bytes + skip, zero, sizeof(zero) - skip) == 0;
}

static bool is_here(const struct tri_simio_address *address)
{
    static const uint8_t one[16] = { [15] = 1 };

    if (is_any(address))
        return true;
    return is_four(address) ? address->bytes[12] == 127
                            : memcmp(address->bytes, one, sizeof(one)) == 0;
}

int tri_simio_address_read(const char *host, uint16_t port, struct tri_simio_address *ret_address)
{
    struct tri_simio_address address = { .port = port };

    memcpy(address.bytes, mapped, sizeof(mapped));
    if (inet_pton(AF_INET, host, address.bytes + sizeof(mapped)) != 1
        && inet_pton(AF_INET6, host, address.bytes) != 1)
        return -EINVAL;
    *ret_address = address;
    return 0;
}

void tri_simio_address_write(const struct tri_simio_address *address, tr_address *ret_address)
{
    bool four = is_four(address);

    *ret_address = (tr_address){ .port = address->port };
    inet_ntop(four ? AF_INET : AF_INET6, address->bytes + (four ? sizeof(mapped) : 0),
              ret_address->host, sizeof(ret_address->host));
}

/* Whether one that listens there hears those who call the other one. */
static bool hears(const struct tri_simio_address *listens, const struct tri_simio_address *called)
{
    if (listens->port != called->port)
        return false;
    if (is_any(listens))
        return !is_four(listens) || is_four(called);
    return is_any(called) || memcmp(listens->bytes, called->bytes, sizeof(zero)) == 0;
}

/* ---- who listens ---------------------------------------------------------------------------- */

static struct tri_simio_listener *listener_at(struct tri_link *link)
{
    return TRI_CONTAINER_OF(link, struct tri_simio_listener, link);
}

/* The one with this index among those who hear it, or NULL; how many there are in `ret_count`. */
static struct tri_simio_listener *find(const struct tri_simio_address *called, uint32_t index,
                                       uint32_t *ret_count)
{
    struct tri_simio_listener *found = NULL;
    uint32_t count = 0;

    TRI_LIST_EACH(&listeners, link) {
        if (hears(&listener_at(link)->address, called) && count++ == index)
            found = listener_at(link);
    }
    *ret_count = count;
    return found;
}

struct tri_simio_listener *tri_simio_listener_at(const struct tri_simio_address *called)
{
    uint32_t count;

    (void)find(called, 0, &count);
    return find(called, tri_sim_choose(count), &count);
}

static bool is_taken(const struct tri_simio_address *address, bool is_shared)
{
    TRI_LIST_EACH(&listeners, link) {
        const struct tri_simio_listener *other = listener_at(link);
        if ((hears(&other->address, address) || hears(address, &other->address))
            && !(is_shared && other->is_shared))
            return true;
    }
    return false;
}

uint16_t tri_simio_port(void)
{
    uint16_t port = next_port++;

    if (next_port == 0)
        next_port = FIRST_PORT;
    return port;
}

void tri_simio_ports_forget(void)
{
    next_port = FIRST_PORT;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void attend_if_needed(struct tri_simio_listener *listener)
{
    if (listener->credit > 0 && listener->waiting > 0)
        tri_simio_attend(&listener->base, tri_sim_between(0, 20 * TRI_NS_PER_US));
}

bool tri_simio_listener_offer(struct tri_simio_listener *listener, struct tri_simio_wire *wire)
{
    if (listener->waiting > listener->backlog)
        return false;
    listener->waiting++;
    tri_list_push_back(&listener->wires, &wire->link);
    attend_if_needed(listener);
    return true;
}

static struct tri_simio_wire *take_wire(struct tri_simio_listener *listener)
{
    struct tri_link *link = tri_list_pop_front(&listener->wires);

    if (link == NULL)
        return NULL;
    listener->waiting--;
    return TRI_CONTAINER_OF(link, struct tri_simio_wire, link);
}

/* Without memory it is as if the connection had never come: its credit is good for another one. */
static void happen(void *context)
{
    struct tri_simio_listener *listener =
        TRI_CONTAINER_OF(context, struct tri_simio_listener, base);
    struct tri_simio_wire *wire = take_wire(listener);
    struct tri_io_target target = listener->base.object.target;
    struct tri_simio_stream *stream = NULL;

    if (wire != NULL)
        stream = tri_simio_stream_accepted(listener->base.io, &target, wire);
    if (stream != NULL) {
        const struct tri_io_event event = { .kind = TRI_IO_ACCEPTED, .target = target,
                                            .accepted = &stream->base.object };
        if (tri_simio_tell(&listener->base, &event) == 0)
            listener->credit--;
        else
            tri_simio_stream_close(&stream->base);
    } else if (wire != NULL) {
        tri_simio_wire_leave(wire, 1, true);
    }
    attend_if_needed(listener);
}

/* ---- operations ----------------------------------------------------------------------------- */

static int choose_address(const tr_listen_options *options, struct tri_simio_address *ret_address)
{
    const char *host = options->host != NULL ? options->host : "127.0.0.1";
    int err = tri_simio_address_read(host, options->port, ret_address);

    if (err < 0)
        return err;
    if (!is_here(ret_address))
        return -EADDRNOTAVAIL;
    while (ret_address->port == 0 || (options->port == 0 && is_taken(ret_address, false)))
        ret_address->port = tri_simio_port();
    return is_taken(ret_address, options->shared) ? -EADDRINUSE : 0;
}

int tri_simio_listen(void *implementation, const struct tri_io_target *target,
                     const tr_listen_options *options, struct tri_io_object **ret_listener)
{
    struct tri_simio_address address;
    struct tri_simio_listener *listener;
    int err = choose_address(options, &address);

    if (err < 0)
        return err;
    listener = tri_alloc_zeroed(sizeof(*listener));
    if (listener == NULL)
        return -ENOMEM;
    listener->base.kind = TRI_SIMIO_LISTENER;
    listener->base.event.happen = happen;
    listener->address = address;
    listener->is_shared = options->shared;
    listener->backlog = options->backlog != 0 ? options->backlog : TRI_BACKLOG_DEFAULT;
    tri_list_init(&listener->wires);
    tri_link_init(&listener->link);
    tri_simio_object_init(&listener->base, implementation, target);
    listener->base.is_down = tri_simio_machine_is_down();
    if (!listener->base.is_down)
        tri_list_push_back(&listeners, &listener->link);
    *ret_listener = &listener->base.object;
    return 0;
}

int tri_simio_listener_grant(struct tri_simio_object *object, uint32_t credits)
{
    struct tri_simio_listener *listener =
        TRI_CONTAINER_OF(object, struct tri_simio_listener, base);
    int err = tri_simio_credit(&listener->credit, credits);

    if (err == 0)
        attend_if_needed(listener);
    return err;
}

int tri_simio_listener_address(struct tri_simio_object *object, bool peer,
                               tr_address *ret_address)
{
    const struct tri_simio_listener *listener =
        TRI_CONTAINER_OF(object, struct tri_simio_listener, base);

    if (peer)
        return -ENOTCONN;
    tri_simio_address_write(&listener->address, ret_address);
    return 0;
}

void tri_simio_listener_goes_down(struct tri_simio_object *object)
{
    struct tri_simio_listener *listener =
        TRI_CONTAINER_OF(object, struct tri_simio_listener, base);
    struct tri_simio_wire *wire;

    object->is_down = true;
    tri_sim_cancel(&object->event);
    tri_link_remove(&listener->link);
    while ((wire = take_wire(listener)) != NULL)
        tri_simio_wire_leave(wire, 1, true);
}

void tri_simio_listener_close(struct tri_simio_object *object)
{
    tri_simio_listener_goes_down(object);
    tri_simio_object_free(object);
}
