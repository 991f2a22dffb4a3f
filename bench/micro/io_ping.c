/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What I/O costs without a service behind it: answers every PING of redis-benchmark.
 *
 *     io_ping PORT WORKERS [thread]     serves until its input ends
 *     redis-benchmark -p PORT -t ping_mbulk -c 50 [-P 16]
 *
 * An actor for each connection, one read and one write for each batch. With "thread" the loop has
 * a thread of its own, else a worker with nothing to do runs it. The processor time per operation
 * is the process's, from /proc; docs/design/io.md has figures.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/io.h>
#include <troupe/troupe.h>

static uint16_t port;

struct session {
    tr_io io;
};

TR_ON(session, tr_given, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    me->io = msg->io;
    return err < 0 ? err : tr_read(self, me->io, 1);
}

/* Commands are not parsed: every "PI" counts, and what has none gets an empty list. */
TR_ON(session, tr_data, self, me, msg)
{
    static const char pong[] = "+PONG\r\n";
    const unsigned char *data = msg->bytes->data;
    char answers[65536];
    size_t size = 0;

    for (size_t i = 0; i + 1 < msg->bytes->size; i++) {
        if (data[i] == 'P' && data[i + 1] == 'I' && size + sizeof(pong) < sizeof(answers)) {
            memcpy(answers + size, pong, sizeof(pong) - 1);
            size += sizeof(pong) - 1;
        }
    }
    int queued = size > 0 ? tr_write(self, me->io, answers, size)
                          : tr_write(self, me->io, "*0\r\n", 4);
    return queued < 0 ? TR_STOP : tr_read(self, me->io, 1);
}

TR_ON(session, tr_written, self, me, msg)
{
    return TR_OK;
}

TR_ON(session, tr_eof, self, me, msg)
{
    return TR_STOP;
}

static const tr_actor_type session_actor = {
    TR_STATE(session),
    .on = TR_TABLE(TR_HANDLES(session, tr_given), TR_HANDLES(session, tr_data),
                   TR_HANDLES(session, tr_written), TR_HANDLES(session, tr_eof)),
};

struct door {
    tr_io listener;
};

TR_START(door, self, me)
{
    me->listener = tr_listen(self, &(tr_listen_options){ .port = port });
    int err = tr_io_error(me->listener);

    return err < 0 ? err : tr_accept(self, me->listener, 1000);
}

TR_ON(door, tr_accepted, self, me, msg)
{
    int err = tr_accept(self, me->listener, 1);

    return err < 0 ? err : tr_io_give(self, msg->io, tr_spawn(self, session));
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .start = TR_STARTS(door), .on = TR_TABLE(TR_HANDLES(door, tr_accepted)),
};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    tr_system *sys = tr_system_start(&(tr_config){ .workers = (uint32_t)atoi(argv[2]) });
    tr_io_config config = { .own_thread = argc > 3 };

    if (sys == NULL || tr_io_start(sys, &config) < 0 || tr_ref_error(tr_spawn(sys, door)) < 0)
        return 1;
    while (getchar() != EOF)
        continue;
    return tr_system_stop(sys, TR_SEC(5)) == 0 ? 0 : 1;
}
