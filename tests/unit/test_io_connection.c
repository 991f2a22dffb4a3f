/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs of connections: whose a handle is, when it ends, and what misuse gets. */

#include "io/handle.h"
#include "support/io.h"
#include "support/io_probe.h"

static tr_system *sys;
static tr_ref probe;
static tr_io listener, held;
static uint16_t port;

static int listen_somewhere(tr_self *self)
{
    tr_address address;

    listener = tr_listen(self, NULL);
    int err = tr_local_address(self, listener, &address);
    port = address.port;
    return err < 0 ? err : tr_accept(self, listener, 100);
}

static void setup(void)
{
    sys = tr_system_start(&(tr_config){ .workers = 2 });
    cr_assert_not_null(sys);
    probe = tr_spawn(sys, probe);
    cr_assert_eq(tr_ref_error(probe), 0);
    cr_assert_eq(in(sys, probe, listen_somewhere), 0);
}

static void teardown(void)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(10)), 0);
}

TestSuite(io_connection, .init = setup, .fini = teardown, .timeout = 60);

/* A plain socket whose other end the probe has taken: `held`. */
static int connected(void)
{
    int peer = io_peer_connect(port);
    struct probe_told told = probe_wait(sys, probe, ACCEPTED);

    cr_assert_eq(told.kind, ACCEPTED);
    cr_assert_eq(told.error, 0);
    held = told.io;
    return peer;
}

/* Whether the peer's stream ends, in the next ten seconds. */
static bool ends(int peer)
{
    struct pollfd waiting = { .fd = peer, .events = POLLIN };
    char byte;

    return poll(&waiting, 1, 10000) == 1 && recv(peer, &byte, 1, 0) <= 0;
}

static int read_one(tr_self *self)
{
    return tr_read(self, held, 1);
}

static int write_pong(tr_self *self)
{
    return tr_write(self, held, "pong", 4);
}

static int close_held(tr_self *self)
{
    return tr_close(self, held);
}

Test(io_connection, talks)
{
    int peer = connected();
    char answer[4];

    cr_assert_eq(in(sys, probe, read_one), 0);
    cr_assert_eq(send(peer, "ping", 4, 0), 4);
    struct probe_told told = probe_wait(sys, probe, DATA);
    cr_assert_str_eq(told.text, "ping");
    cr_assert(tr_io_equal(told.io, held));
    cr_assert_eq(in(sys, probe, write_pong), 0);
    cr_assert_eq(recv(peer, answer, 4, MSG_WAITALL), 4);
    cr_assert_eq(in(sys, probe, read_one), 0);
    cr_assert_eq(shutdown(peer, SHUT_WR), 0);
    cr_assert_eq(probe_wait(sys, probe, ENDED).kind, ENDED);
    cr_assert_eq(in(sys, probe, close_held), 0);
    cr_assert(ends(peer));
    close(peer);
}

Test(io_connection, ends_with_its_actor)
{
    int first = connected();
    int second = connected();

    cr_assert_eq(tr_kill(sys, probe), 0);
    cr_assert(ends(first));
    cr_assert(ends(second));
    close(first);
    close(second);
}

static int crash(tr_self *self)
{
    return tr_fail(self, -EIO, "told to");
}

Test(io_connection, ends_with_a_crash)
{
    int peer = connected();

    (void)in(sys, probe, crash);
    cr_assert(ends(peer));
    close(peer);
}

/* ---- misuse ---- */

static int bad_values(tr_self *self)
{
    tr_io zero = { 0 }, odd = { UINT64_MAX }, old = held;
    tr_address address;
    tr_bytes *none = NULL;

    for (unsigned i = 0; i < 2; i++) {
        tr_io io = i == 0 ? zero : odd;
        cr_assert_eq(tr_read(self, io, 1), -ENOENT);
        cr_assert_eq(tr_accept(self, io, 1), -ENOENT);
        cr_assert_eq(tr_write(self, io, "x", 1), -ENOENT);
        cr_assert_eq(tr_write_end(self, io), -ENOENT);
        cr_assert_eq(tr_close(self, io), -ENOENT);
        cr_assert_eq(tr_io_take(self, io), -ENOENT);
        cr_assert_eq(tr_io_give(self, io, tr_me(self)), -ENOENT);
        cr_assert_eq(tr_local_address(self, io, &address), -ENOENT);
        cr_assert_eq(tr_file_sync(self, io, NULL), -ENOENT);
    }
    cr_assert_eq(tr_read(self, listener, 1), -EINVAL);
    cr_assert_eq(tr_accept(self, held, 1), -EINVAL);
    cr_assert_eq(tr_file_sync(self, held, NULL), -EINVAL);
    cr_assert_eq(tr_write(self, held, NULL, 1), -EINVAL);
    cr_assert_eq(tr_write_bytes(self, held, none), -EINVAL);
    cr_assert_eq(tr_local_address(self, held, NULL), -EINVAL);
    cr_assert_eq(tr_io_take(self, held), -ENOENT);
    cr_assert_eq(tr_io_error(tr_connect(self, NULL, 1)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_connect(self, "", 1)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_listen(self, &(tr_listen_options){ .host = "?" })), -EINVAL);
    cr_assert_eq(tr_io_error(tr_signal_watch(self, 9)), -EINVAL);
    cr_assert_eq(tr_close(self, held), 0);
    cr_assert_eq(tr_close(self, old), -ENOENT);
    cr_assert_eq(tr_write(self, old, "x", 1), -ENOENT);
    return 0;
}

Test(io_connection, misuse_gets_errors)
{
    int peer = connected();
    tr_self *nobody = NULL;

    cr_assert_eq(in(sys, probe, bad_values), 0);
    cr_assert(ends(peer));
    cr_assert_eq(tr_read(nobody, held, 1), -EINVAL);
    cr_assert_eq(tr_io_error(tr_listen(nobody, NULL)), -EINVAL);
    close(peer);
}

static tr_self *stolen_self;

static int show_self(tr_self *self)
{
    stolen_self = self;
    return 0;
}

static int use_of_anothers(tr_self *self)
{
    cr_assert_eq(tr_read(self, held, 1), -ENOENT);
    cr_assert_eq(tr_close(self, held), -ENOENT);
    cr_assert_eq(tr_io_take(self, held), -ENOENT);
    cr_assert_eq(tr_io_give(self, held, tr_me(self)), -ENOENT);
    return 0;
}

Test(io_connection, only_its_actor_may_use_it)
{
    int peer = connected();
    tr_ref other = tr_spawn(sys, probe);

    cr_assert_eq(in(sys, other, use_of_anothers), 0);
    cr_assert_eq(in(sys, probe, show_self), 0);
    cr_assert_eq(tr_read(stolen_self, held, 1), -EPERM);
    cr_assert_eq(in(sys, probe, close_held), 0);
    close(peer);
}

/* ---- giving ---- */

static tr_ref heir;

static int give_held(tr_self *self)
{
    return tr_io_give(self, held, heir);
}

Test(io_connection, is_given_and_taken)
{
    int peer = connected();
    char answer[4];

    heir = tr_spawn(sys, probe);
    cr_assert_eq(in(sys, probe, give_held), 0);
    struct probe_told told = probe_wait(sys, heir, GIVEN);
    cr_assert_eq(told.kind, GIVEN);
    cr_assert_not(tr_io_equal(told.io, held));
    cr_assert_eq(in(sys, probe, close_held), -ENOENT);
    held = told.io;
    cr_assert_eq(in(sys, heir, read_one), 0);
    cr_assert_eq(send(peer, "to whom?", 8, 0), 8);
    cr_assert_eq(probe_wait(sys, heir, DATA).size, 8);
    cr_assert_eq(in(sys, heir, write_pong), 0);
    cr_assert_eq(recv(peer, answer, 4, MSG_WAITALL), 4);
    cr_assert_eq(tr_stop(sys, heir), 0);
    cr_assert(ends(peer));
    close(peer);
}

Test(io_connection, is_not_given_while_it_is_used)
{
    int peer = connected();

    heir = tr_spawn(sys, probe);
    cr_assert_eq(in(sys, probe, read_one), 0);
    cr_assert_eq(in(sys, probe, give_held), -EBUSY);
    cr_assert_eq(in(sys, probe, write_pong), 0);
    cr_assert_eq(in(sys, probe, close_held), 0);
    close(peer);
}

Test(io_connection, is_kept_when_the_heir_has_ended)
{
    int peer = connected();

    heir = tr_none();
    cr_assert_eq(in(sys, probe, give_held), -ESRCH);
    cr_assert_eq(in(sys, probe, write_pong), 0);
    cr_assert_eq(in(sys, probe, close_held), 0);
    close(peer);
}

/* Takes nothing that it is given. */
struct miser {
    int unused;
};

TR_ON(miser, tr_given, self, me, msg)
{
    return TR_OK;
}

static const tr_actor_type miser_actor = {
    TR_STATE(miser), .on = TR_TABLE(TR_HANDLES(miser, tr_given)),
};

Test(io_connection, what_nobody_takes_is_closed)
{
    int peer = connected();

    heir = tr_spawn(sys, miser);
    cr_assert_eq(in(sys, probe, give_held), 0);
    cr_assert(ends(peer));
    close(peer);

    /* The same where nobody ever handles the message. */
    peer = connected();
    cr_assert_eq(tr_suspend(sys, heir), 0);
    cr_assert_eq(in(sys, probe, give_held), 0);
    cr_assert_eq(tr_kill(sys, heir), 0);
    cr_assert(ends(peer));
    close(peer);
}

/* ---- restarts ---- */

struct phoenix {
    tr_io listener;
};

static uint16_t phoenix_port;
static tr_ref phoenix_ref;

TR_START(phoenix, self, me)
{
    me->listener = tr_listen(self, &(tr_listen_options){ .port = phoenix_port });
    tr_address address;
    int err = tr_local_address(self, me->listener, &address);

    if (phoenix_port == 0)
        phoenix_port = address.port; /* a restart binds the same one again */
    return err < 0 ? err : tr_accept(self, me->listener, 10);
}

TR_ON(phoenix, tr_accepted, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    return err < 0 ? err : tr_read(self, msg->io, 5);
}

/* Any byte is a reason to crash. */
TR_ON(phoenix, tr_data, self, me, msg)
{
    return -EIO;
}

static const tr_actor_type phoenix_actor = {
    TR_STATE(phoenix), .start = TR_STARTS(phoenix),
    .on = TR_TABLE(TR_HANDLES(phoenix, tr_accepted), TR_HANDLES(phoenix, tr_data)),
};

static const tr_supervisor nest = {
    .restarts_max = 100, .within = TR_SEC(10),
    .children = TR_CHILDREN({ .name = "phoenix", TR_CHILD(phoenix, .listener = { 0 }),
                              .restart = TR_PERMANENT }),
};

Test(io_connection, a_restarted_actor_listens_again)
{
    phoenix_ref = tr_system_supervise(sys, &nest);
    cr_assert_eq(tr_ref_error(phoenix_ref), 0);
    for (unsigned i = 0; i < 20; i++) {
        int peer = io_peer_connect_again(phoenix_port);
        cr_assert_eq(send(peer, "x", 1, MSG_NOSIGNAL), 1);
        cr_assert(ends(peer));
        close(peer);
    }
}

/* ---- systems ---- */

Test(io_connection, systems_do_not_mix)
{
    int peer = connected();
    tr_system *second = tr_system_start(&(tr_config){ .workers = 1 });
    tr_ref stranger = tr_spawn(second, probe);

    cr_assert_eq(in(second, stranger, use_of_anothers), 0);
    cr_assert_eq(tr_system_stop(second, TR_SEC(10)), 0);
    cr_assert_eq(in(sys, probe, close_held), 0);
    close(peer);
}

Test(io_connection, a_thread_of_its_own)
{
    tr_system *second = tr_system_start(&(tr_config){ .workers = 1 });

    cr_assert_eq(tr_io_start(second, &(tr_io_config){ .own_thread = true }), 0);
    cr_assert_eq(tr_io_start(second, NULL), -EEXIST);
    tr_ref other = tr_spawn(second, probe);
    cr_assert_eq(in(second, other, listen_somewhere), 0);
    int peer = io_peer_connect(port);
    held = probe_wait(second, other, ACCEPTED).io;
    cr_assert_eq(in(second, other, read_one), 0);
    cr_assert_eq(send(peer, "ping", 4, 0), 4);
    cr_assert_str_eq(probe_wait(second, other, DATA).text, "ping");
    cr_assert_eq(tr_system_stop(second, TR_SEC(10)), 0);
    cr_assert(ends(peer));
    cr_assert_eq(tr_io_start(second, NULL), -ESHUTDOWN);
    cr_assert_eq(tr_io_start(NULL, NULL), -EINVAL);
    close(peer);
}

static int connect_to_ourselves(tr_self *self)
{
    held = tr_connect(self, "localhost", port);
    return tr_io_error(held);
}

Test(io_connection, connects)
{
    cr_assert_eq(in(sys, probe, connect_to_ourselves), 0);
    struct probe_told told = probe_wait(sys, probe, CONNECTED);
    cr_assert_eq(told.kind, CONNECTED);
    cr_assert_eq(told.error, 0);
    cr_assert_eq(in(sys, probe, write_pong), 0);
    cr_assert_eq(in(sys, probe, close_held), 0);
}
