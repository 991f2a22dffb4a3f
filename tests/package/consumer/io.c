/* SPDX-License-Identifier: BSD-2-Clause */

/* An actor that listens on the loopback: the I/O library and the event loop behind it are there. */

#include <stdio.h>

#include <troupe/io.h>
#include <troupe/troupe.h>

struct door_close { char none; };
struct door       { tr_io listener; };

#define DOOR_MESSAGES(M) M(door_close)
TR_PROTOCOL(door, 1, DOOR_MESSAGES);

TR_START(door, self, me)
{
    me->listener = tr_listen(self, &(tr_listen_options){ .host = "127.0.0.1", .port = 0 });
    return tr_io_error(me->listener);
}

TR_ON(door, door_close, self, me, msg)
{
    (void)self;
    (void)me;
    (void)msg;
    puts("io");
    return TR_STOP;
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .start = TR_STARTS(door), .on = TR_TABLE(TR_HANDLES(door, door_close)),
};

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    int err = tr_io_start(sys, NULL);  /* before the stop, which lets no I/O begin */

    if (err < 0)
        return 1;
    tr_ref door = tr_spawn(sys, door, .listener = { 0 });

    tr_send(sys, door, door_close, .none = 0);
    return tr_system_stop(sys, TR_SEC(5));
}
