/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A server that sends back what it gets, and a client that talks to it, in one program.
 *
 * An actor for each connection: it owns it, and its end closes it. Nobody reads faster than its
 * peer takes the answers: the next read is asked for when the last answer has gone.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <troupe/troupe.h>
#include <troupe/io.h>

#define ECHO_MESSAGES(M) M(echo_where)
struct echo_where {
    uint16_t port;
};
TR_PROTOCOL(echo, 1, ECHO_MESSAGES);

/* ---- one connection ---- */

struct echo {
    tr_io io;
};

TR_ON(echo, tr_given, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    me->io = msg->io;
    return err < 0 ? err : tr_read(self, me->io, 1);
}

TR_ON(echo, tr_data, self, me, msg)
{
    int queued = tr_write_bytes(self, me->io, msg->bytes);

    if (queued != 0)
        return queued < 0 ? queued : TR_OK;  /* tr_written tells when it has gone */
    return tr_read(self, me->io, 1);
}

TR_ON(echo, tr_written, self, me, msg)
{
    return msg->error < 0 ? TR_STOP : tr_read(self, me->io, 1);
}

TR_ON(echo, tr_eof, self, me, msg)
{
    return TR_STOP;
}

static const tr_actor_type echo_actor = {
    TR_STATE(echo), .on = TR_TABLE(TR_HANDLES(echo, tr_given), TR_HANDLES(echo, tr_data),
                                   TR_HANDLES(echo, tr_written), TR_HANDLES(echo, tr_eof)),
};

/* ---- the door ---- */

struct door {
    tr_ref client;
    tr_io listener;
};

TR_START(door, self, me)
{
    tr_address address;

    me->listener = tr_listen(self, NULL);  /* the loopback, a free port */
    int err = tr_local_address(self, me->listener, &address);
    if (err == 0)
        err = tr_accept(self, me->listener, 1);
    return err < 0 ? err : tr_send(self, me->client, echo_where, .port = address.port);
}

TR_ON(door, tr_accepted, self, me, msg)
{
    int err = tr_accept(self, me->listener, 1);

    return err < 0 ? err : tr_io_give(self, msg->io, tr_spawn(self, echo));
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .start = TR_STARTS(door), .on = TR_TABLE(TR_HANDLES(door, tr_accepted)),
};

/* ---- the client ---- */

#define HELLO "hello"

struct client {
    tr_io io;
    char said[sizeof HELLO];
    size_t size;
};

TR_START(client, self, me)
{
    tr_ref door = tr_spawn(self, door, .client = tr_me(self));

    return tr_ref_error(door);
}

TR_ON(client, echo_where, self, me, msg)
{
    me->io = tr_connect(self, "localhost", msg->port);
    return tr_io_error(me->io);
}

TR_ON(client, tr_connected, self, me, msg)
{
    if (msg->error < 0)
        return msg->error;
    printf("connected\n");
    int queued = tr_write(self, me->io, HELLO, strlen(HELLO));
    return queued < 0 ? queued : tr_read(self, me->io, 1);
}

TR_ON(client, tr_data, self, me, msg)
{
    if (msg->bytes->size > strlen(HELLO) - me->size)
        return -EMSGSIZE;
    memcpy(me->said + me->size, msg->bytes->data, msg->bytes->size);
    me->size += msg->bytes->size;
    int err = tr_read(self, me->io, 1);
    if (err < 0 || me->size < strlen(HELLO))
        return err;  /* bytes may come in pieces */
    printf("it says: %s\n", me->said);
    return tr_write_end(self, me->io);  /* the server sees our end, and ends as well */
}

TR_ON(client, tr_eof, self, me, msg)
{
    printf("the end\n");
    tr_self_shutdown(self);
    return TR_STOP;
}

static const tr_actor_type client_actor = {
    TR_STATE(client), .start = TR_STARTS(client),
    .on = TR_TABLE(TR_HANDLES(client, echo_where), TR_HANDLES(client, tr_connected),
                   TR_HANDLES(client, tr_data), TR_HANDLES(client, tr_eof)),
};

static const tr_supervisor app = {
    .children = TR_CHILDREN({ .name = "client", TR_CHILD(client, .io = { 0 }),
                              .restart = TR_TRANSIENT }),
};

int main(void)
{
    return tr_run(NULL, &app) == 0 ? 0 : 1;
}
