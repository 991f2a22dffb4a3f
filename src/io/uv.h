/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_UV_H
#define TRI_IO_UV_H

/*
 * The table of operations on libuv. Included by src/io/uv*.c alone.
 *
 * What. One loop. Whoever polls holds it; every other thread leaves commands for its holder, in a
 * list of many producers, or holds it for a moment itself if nobody does.
 *
 *     owner's thread                          holder of the loop
 *     ──────────────                          ──────────────────
 *     send() while nothing is queued          reads, accepts, sends what is queued
 *     credit ──────── one word ─────────────► spends it; stops reading when there is none
 *     commands ────── one list ─────────────► in order; the last one of an object is its close
 *     queued == 0 ◄── one word ─────────────  after all of it has been sent
 *
 * Why. A request and its answer cost what they cost a program with one thread: one epoll_wait for
 * all that is ready, a read, a send. Neither goes from thread to thread, and reading is stopped
 * only where data did come without credit, so that epoll_ctl is not called at all. A lock for each
 * connection was rejected: it would be held during system calls.
 *
 * Rules
 *   1. What libuv knows of is touched by the holder alone. It may be another thread each time.
 *   2. The descriptor of a connection is used by its owner only while `queued` is 0, and not at all
 *      once `broken` is set: only then does the holder close it before its owner does.
 *   3. Threads that hold the loop do not get SIGPIPE: libuv writes without MSG_NOSIGNAL.
 *
 * Partners: uv.c the loop; uv_stream.c, uv_connect.c, uv_listen.c; uv_file.c; uv_signal.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/ck.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/spin.h"
#include "io/ops.h"

struct tri_uv;

/* Something for the holder of the loop to do. */
struct tri_uv_command {
    struct tri_uv_command *next;
    void (*run)(struct tri_uv_command *command);
};

struct tri_uv {
    /* set once */
    struct tri_io_sink sink;

    /* the holder of the loop */
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timeout;        /* ends a poll */
    uv_timer_t linger;         /* runs while there are lingering connections */
    tr_bytes *scratch;         /* what the next read goes to; NULL: to be made */
    bool is_out_of_memory;     /* there was no scratch for the read that is being made */
    struct tri_list objects;
    struct tri_list owing;     /* objects with events that could not be delivered */
    struct tri_list lingering;
    struct tri_list files;
    struct tri_list held_files; /* until their owner's earlier incarnations are done with theirs */

    /* any thread */
    struct tri_spin held __attribute__((aligned(TRI_CACHE_LINE)));
    uint32_t sleeping;         /* the holder waits, or is about to: it needs an uv_async_send */
    struct tri_uv_command *commands;
};

/* What all objects of this implementation begin with. */
struct tri_uv_object {
    struct tri_io_object object;

    /* set once */
    struct tri_uv *uv;
    void (*release)(struct tri_uv_object *object); /* begins to close; frees in the end */
    void (*pay)(struct tri_uv_object *object);     /* tries the events it owes once more */
    struct tri_uv_command close;
    bool is_listener;

    /* the holder of the loop */
    struct tri_link all;
    struct tri_link owing;
    bool closing;              /* no events any more */
};

/* How much may still come, and the command that starts what was stopped for lack of it. */
struct tri_uv_credit {
    uint32_t word;
    struct tri_uv_command resume;
};

/* A connection. */
struct tri_uv_stream {
    struct tri_uv_object base;

    /* owner and holder */
    struct tri_uv_credit credit;
    uint32_t descriptor;       /* TRI_UV_NOT_CONNECTED, or a socket */
    uint32_t broken;           /* 0, or the errno constant of what broke it */
    uint64_t queued;           /* bytes in commands and in libuv's queue */

    /* owner */
    bool ended;                /* tr_write_end was called */

    /* the holder of the loop */
    uint8_t phase;             /* enum tri_uv_phase */
    uint8_t owed;              /* events that could not be delivered, see uv_stream.c */
    bool at_end;               /* EOF was told */
    int connect_error;
    int eof_error;
    struct tri_uv_connecting *connecting;
    struct tri_link lingering;
    uint64_t linger_until;     /* by the loop's clock */
    uv_tcp_t tcp;
};

struct tri_uv_listener {
    struct tri_uv_object base;

    /* owner and holder */
    struct tri_uv_credit credit;

    /* under the lock, which keeps the descriptor from being closed meanwhile */
    struct tri_spin lock;
    int descriptor;            /* -1: closed */

    /* set once */
    int backlog;
    struct tri_uv_command open;

    /* the holder of the loop */
    bool is_open;
    bool has_waiting;          /* libuv has accepted one that nobody has asked for yet */
    int error;                 /* why it accepts no more, while that could not be told */
    uv_tcp_t tcp;
};

#define TRI_UV_NOT_CONNECTED UINT32_MAX

enum tri_uv_phase {
    TRI_UV_NO_TCP,    /* `tcp` is not in use: not yet, or it was closed */
    TRI_UV_LOOKUP,    /* the host's name is being looked up */
    TRI_UV_TCP,
    TRI_UV_CLOSING,   /* libuv is closing `tcp` */
};

/* ---- the loop (uv.c) ---- */

int tri_uv_start(const struct tri_io_sink *sink, void **ret_implementation);
void tri_uv_stop(void *implementation);
void tri_uv_poll(void *implementation, tr_time timeout);
void tri_uv_wake(void *implementation);

/* Has the holder of the loop run a command, which stays the callee's until then. Threads: any. */
void tri_uv_submit(struct tri_uv *uv, struct tri_uv_command *command);

/* Fills in what all objects have, before the first command of the object. */
void tri_uv_object_init(struct tri_uv_object *object, struct tri_uv *uv,
                        const struct tri_io_target *target);

/* Makes the object known, by its first command. */
void tri_uv_object_add(struct tri_uv_object *object);

/* The end of an object: takes it out of all lists and frees it. */
void tri_uv_object_free(struct tri_uv_object *object);

/* Has object->pay called later. */
void tri_uv_owe(struct tri_uv_object *object);

/* The operation `close` of all objects. */
void tri_uv_close(struct tri_io_object *object);

/* ---- credit (uv.c) ---- */

#define TRI_UV_STOPPED (UINT32_C(1) << 31)

/* Owner. Errors: -ERANGE. */
int tri_uv_credit_grant(struct tri_uv *uv, struct tri_uv_credit *credit, uint32_t credits);

/* Holder: whether there is any; takes one; says that it has stopped (false: there is some now). */
bool tri_uv_credit_is_some(const struct tri_uv_credit *credit);
void tri_uv_credit_spend(struct tri_uv_credit *credit);
bool tri_uv_credit_stop(struct tri_uv_credit *credit);

/* ---- connections (uv_stream.c) ---- */

/* A connection without a socket; NULL without memory. */
struct tri_uv_stream *tri_uv_stream_new(struct tri_uv *uv, const struct tri_io_target *target);

/* `tcp` is connected: makes the descriptor known to the owner. */
void tri_uv_stream_connected(struct tri_uv_stream *stream);

/* Tells the owner how connecting ended. */
void tri_uv_stream_tell_connected(struct tri_uv_stream *stream, int error);

/* Begins to close `tcp`, if it is open. */
void tri_uv_stream_close_tcp(struct tri_uv_stream *stream);

/* Starts reading if there is credit. */
void tri_uv_stream_resume(struct tri_uv_stream *stream);

/* Closes a lingering connection without waiting any longer. */
void tri_uv_stream_linger_end(struct tri_uv_stream *stream);

int tri_uv_stream_grant(struct tri_io_object *object, uint32_t credits);
int tri_uv_stream_write(struct tri_io_object *object, const void *data, size_t size,
                        tr_bytes *bytes);
int tri_uv_stream_write_end(struct tri_io_object *object);
bool tri_uv_stream_is_at_rest(struct tri_io_object *object);

/* ---- addresses (uv_address.c) ---- */

int tri_uv_address_read(const char *host, uint16_t port, struct sockaddr_storage *ret_address);
int tri_uv_address_of(int descriptor, bool peer, tr_address *ret_address);

/* The operation `address`, of listeners and connections. */
int tri_uv_address(struct tri_io_object *object, bool peer, tr_address *ret_address);

/* ---- making connections (uv_connect.c, uv_listen.c) ---- */

int tri_uv_connect(void *implementation, const struct tri_io_target *target,
                   const struct tri_io_peer *peer, struct tri_io_object **ret_connection);

/* `tcp` was closed while the stream was still being connected. */
void tri_uv_connect_next(struct tri_uv_stream *stream);

/* The owner has closed it in the phase LOOKUP. */
void tri_uv_connect_give_up(struct tri_uv_stream *stream);

void tri_uv_connect_free(struct tri_uv_connecting *connecting);

/* Frees the port at once. Owner, before the close. */
void tri_uv_listener_shut(struct tri_uv_listener *listener);

int tri_uv_listener_address(struct tri_uv_listener *listener, tr_address *ret_address);
int tri_uv_listener_grant(struct tri_io_object *object, uint32_t credits);
int tri_uv_listen(void *implementation, const struct tri_io_target *target,
                  const tr_listen_options *options, struct tri_io_object **ret_listener);

/* ---- files (uv_file.c), signals (uv_signal.c) ---- */

int tri_uv_file_open(void *implementation, const struct tri_io_target *target,
                     const tr_file_operation *operation, struct tri_io_object **ret_file);
int tri_uv_file_start(struct tri_io_object *file, const tr_file_operation *operation);
int64_t tri_uv_file_write(struct tri_io_object *file, const tr_file_operation *operation);
int tri_uv_path_start(void *implementation, const struct tri_io_target *target,
                      const tr_file_operation *operation);
int tri_uv_signal(void *implementation, const struct tri_io_target *target, int number,
                  struct tri_io_object **ret_signal);

/* The table. */
extern const struct tri_io_ops tri_uv_ops;

#endif
