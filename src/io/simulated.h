/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_SIMULATED_H
#define TRI_IO_SIMULATED_H

/*
 * The table of operations in a simulation: a network and a disk in memory. Included by
 * src/io/sim_*.c, and by tests that cut the power.
 *
 *     tr_connect, tr_write, …            tr_file_write, tr_path_rename, …
 *         │                                  │
 *     sim_listen.c  who listens where    sim_file.c  operations, one after another, in their time
 *     sim_stream.c  ends of connections      │
 *         │                              sim_disk.c  what is there, and what a crash leaves of it
 *     sim_wire.c    bytes on their way
 *
 * Why one world for the process, and not one for each system. Systems of a program talk to each
 * other by the loopback, and one that is started after another one finds its files.
 *
 * Rules
 *   1. One thread, and no locks: an operation runs in an actor's turn, everything else is an event
 *      of the simulation, and only events tell anybody anything.
 *   2. Times, sizes and orders are drawn from the seed. Objects are known by their numbers.
 *   3. What is down (its machine has crashed) does nothing any more, and is closed by its owner as
 *      ever.
 *
 * Partners: sim/sim.h has time, choices, faults; io/ops.h says what the operations promise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/memory.h"
#include "io/ops.h"
#include "sim/sim.h"

/* The implementation: one for each system. */
struct tri_simio {
    struct tri_io_sink sink;
    struct tri_link link;        /* of all of the process */
    struct tri_list objects;
};

enum tri_simio_kind {
    TRI_SIMIO_STREAM,
    TRI_SIMIO_LISTENER,
    TRI_SIMIO_FILE,
    TRI_SIMIO_WATCH,
};

/* What all objects of this implementation begin with. */
struct tri_simio_object {
    struct tri_io_object object;
    struct tri_simio *io;
    struct tri_link all;
    struct tri_sim_event event;  /* whatever it does next by itself */
    uint64_t number;
    enum tri_simio_kind kind;
    bool is_down;
};

/* ---- the whole (sim_table.c) ---- */

extern const struct tri_io_ops tri_simio_ops;

/* Fills in what all objects have, and makes it known. */
void tri_simio_object_init(struct tri_simio_object *object, struct tri_simio *io,
                           const struct tri_io_target *target);
void tri_simio_object_free(struct tri_simio_object *object);

/* Has the object's event happen after `delay`, unless it is to happen already, or is down. */
void tri_simio_attend(struct tri_simio_object *object, int64_t delay);

/* Tells the owner; the result is the sink's. */
int tri_simio_tell(struct tri_simio_object *object, const struct tri_io_event *event);

/* Adds to what was granted. Errors: -ERANGE. */
int tri_simio_credit(uint32_t *credit, uint32_t more);

/* ---- addresses and listeners (sim_listen.c) ---- */

struct tri_simio_address {
    uint8_t bytes[16];  /* as in IPv6; IPv4 is mapped */
    uint16_t port;
};

struct tri_simio_wire;
struct tri_simio_listener;

/* Reads an address in figures. Errors: -EINVAL. */
int tri_simio_address_read(const char *host, uint16_t port, struct tri_simio_address *ret_address);
void tri_simio_address_write(const struct tri_simio_address *address, tr_address *ret_address);

int tri_simio_listen(void *implementation, const struct tri_io_target *target,
                     const tr_listen_options *options, struct tri_io_object **ret_listener);
int tri_simio_listener_grant(struct tri_simio_object *object, uint32_t credits);
int tri_simio_listener_address(struct tri_simio_object *object, bool peer,
                               tr_address *ret_address);
void tri_simio_listener_close(struct tri_simio_object *object);
void tri_simio_listener_goes_down(struct tri_simio_object *object);

/* Who listens there; NULL: nobody. */
struct tri_simio_listener *tri_simio_listener_at(const struct tri_simio_address *address);

/* Puts a connection into its backlog. False: that is full. */
bool tri_simio_listener_offer(struct tri_simio_listener *listener, struct tri_simio_wire *wire);

/* A port that nobody uses, of those given away by themselves. */
uint16_t tri_simio_port(void);
void tri_simio_ports_forget(void);

/* ---- bytes on their way (sim_wire.c) ---- */

struct tri_simio_stream;

/*
 * One direction of a connection. All bytes ever written are numbered; four counts say how far they
 * have come:
 *
 *     read <= arrived <= taken <= written
 *       └─ the reader's buffer ─┘   └─ the writer's queue
 */
struct tri_simio_pipe {
    struct tri_simio_wire *wire;
    struct tri_list segments;    /* the bytes from `read` on */
    uint64_t read;
    uint64_t arrived;
    uint64_t taken;
    uint64_t written;
    uint32_t capacity;           /* bytes between `read` and `taken` */
    bool is_ended;               /* nothing will be written any more */
    bool has_end_arrived;
    bool is_cut;                 /* by the network: the writer may write no more */
    bool is_stuffed;             /* nothing is taken until the next travel */
    struct tri_sim_event travel;
    struct tri_sim_event linger; /* the writer has gone; what is not taken then is lost */
};

/* A connection. pipes[i] leads from ends[i] to the other one; the end 0 has connected. */
struct tri_simio_wire {
    struct tri_simio_pipe pipes[2];
    struct tri_simio_stream *ends[2]; /* NULL: it has left, or is not accepted yet */
    bool has_left[2];
    struct tri_simio_address addresses[2];
    struct tri_sim_event reset;
    int error;                        /* of the reset that is on its way */
    bool is_broken;
    struct tri_link link;             /* in a backlog */
};

/* A connection with one end. NULL without memory. */
struct tri_simio_wire *tri_simio_wire_new(struct tri_simio_stream *first);

/* An end has gone; frees the wire with the second one. `abruptly`: the other end is to hear so. */
void tri_simio_wire_leave(struct tri_simio_wire *wire, unsigned side, bool abruptly);

/* The machine at its second end has crashed: what it has not sent yet is never sent. */
void tri_simio_wire_crash(struct tri_simio_wire *wire);

/* Breaks it, for both ends, after `delay`. */
void tri_simio_wire_break(struct tri_simio_wire *wire, int error, int64_t delay);

/* Takes bytes of a writer; `bytes` is NULL or holds `data`. Errors: -ENOMEM. */
int tri_simio_pipe_write(struct tri_simio_pipe *pipe, const void *data, size_t size,
                         tr_bytes *bytes);

/* Nothing will be written any more. */
void tri_simio_pipe_end(struct tri_simio_pipe *pipe);

/* Takes at most `size` of the bytes that have arrived out. NULL without memory. */
tr_bytes *tri_simio_pipe_read(struct tri_simio_pipe *pipe, size_t size);

static inline uint64_t tri_simio_pipe_queued(const struct tri_simio_pipe *pipe)
{
    return pipe->written - pipe->taken;
}

static inline uint64_t tri_simio_pipe_readable(const struct tri_simio_pipe *pipe)
{
    return pipe->arrived - pipe->read;
}

/* ---- ends of connections (sim_stream.c) ---- */

struct tri_simio_stream {
    struct tri_simio_object base;
    struct tri_simio_wire *wire;      /* NULL: not connected, not yet or not any more */
    unsigned side;
    uint32_t credit;
    int broken;                       /* 0, or why nothing goes any more */
    bool is_connecting;
    bool was_connected;
    bool is_ended;                    /* tr_write_end was called */
    bool is_at_end;                   /* EOF was told */
    bool wants_eof;                   /* it is to be told without credit */
    bool wants_written;               /* when nothing is queued any more */
    bool wants_connected;             /* an outcome is to be told */
    int connect_error;
    bool is_localhost;                /* to be tried at ::1, too */
    unsigned tries;
    struct tri_simio_address peer;    /* while it is connecting */
};

int tri_simio_connect(void *implementation, const struct tri_io_target *target,
                      const struct tri_io_peer *peer, struct tri_io_object **ret_connection);

/* An end for a wire that has only one. NULL without memory. */
struct tri_simio_stream *tri_simio_stream_accepted(struct tri_simio *io,
                                                   const struct tri_io_target *target,
                                                   struct tri_simio_wire *wire);

/* From the wire: bytes or the end have arrived, or room; it has broken. */
void tri_simio_stream_stirs(struct tri_simio_stream *stream);
void tri_simio_stream_breaks(struct tri_simio_stream *stream, int error);

int tri_simio_stream_grant(struct tri_simio_object *object, uint32_t credits);
int tri_simio_stream_write(struct tri_io_object *object, const void *data, size_t size,
                           tr_bytes *bytes);
int tri_simio_stream_write_end(struct tri_io_object *object);
int tri_simio_stream_address(struct tri_simio_object *object, bool peer, tr_address *ret_address);
bool tri_simio_stream_is_at_rest(struct tri_io_object *object);
void tri_simio_stream_close(struct tri_simio_object *object);

/* Its machine has crashed, if it is one that was accepted. */
void tri_simio_stream_goes_down(struct tri_simio_object *object);

/* ---- files (sim_file.c) ---- */

int tri_simio_file_open(void *implementation, const struct tri_io_target *target,
                        const tr_file_operation *operation, struct tri_io_object **ret_file);
int tri_simio_file_start(struct tri_io_object *object, const tr_file_operation *operation);
int64_t tri_simio_file_write(struct tri_io_object *object, const tr_file_operation *operation);
int tri_simio_path_start(void *implementation, const struct tri_io_target *target,
                         const tr_file_operation *operation);
void tri_simio_file_close(struct tri_simio_object *object);

/* The machine stops in the middle of it: a write may have been done in part. */
void tri_simio_file_interrupt(struct tri_simio_object *object);

/* Does what is left of it at once, tells nobody, and frees it. */
void tri_simio_file_finish(struct tri_simio_object *object);

/* ---- signals (sim_signal.c) ---- */

int tri_simio_watch(void *implementation, const struct tri_io_target *target, int number,
                    struct tri_io_object **ret_signal);
void tri_simio_watch_close(struct tri_simio_object *object);
void tri_simio_watch_notify(struct tri_simio_object *object, int number);

/* ---- what happens to the machine (sim_table.c) ---- */

/*
 * The machine that listens and has the files stops: its files, its listeners and the connections
 * that it has accepted are down, their other ends broken; the disk keeps what it has to, and of
 * the rest what the seed says. With `power` false only the process dies: all that was written
 * stays. Until the machine starts again, nothing that is begun on it is ever done. Those who run
 * on it are for the caller to end.
 */
void tri_simio_machine_crash(bool power);
void tri_simio_machine_start(void);
bool tri_simio_machine_is_down(void);

/* Sends the process a signal, for those who watch it. */
void tri_simio_signal(int number);

/* Forgets the disk and the ports: for tests. No system is left that uses them. */
void tri_simio_forget(void);

#endif
