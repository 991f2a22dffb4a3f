/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_OPS_H
#define TRI_IO_OPS_H

/*
 * The table of operations: what I/O is done with. Values go in, events come out.
 *
 *     tr_read, tr_write, …          src/io             handles, owners, messages
 *         │ struct tri_io_ops              ▲ struct tri_io_event
 *         ▼                                │
 *     uv.c and its parts            libuv: sockets, a pool of threads for files, signals
 *     (a simulation)                the second implementation
 *
 * Why. A program runs unchanged in a simulation only if nothing above this line knows a descriptor,
 * a path or a loop. So nothing of an implementation is visible here, and every event carries all
 * that is needed to make a message of it.
 *
 * Rules
 *   1. An object is used by one actor at a time, by any thread: operations on one object are never
 *      called concurrently with each other, but with poll(), and with those on other objects.
 *   2. Events are made on the thread that polls, of an object's target as it was when credit or
 *      queued bytes still stood; none is made for an object after close() has taken effect there,
 *      and one or two may be made before. `target` is changed only while the object is at rest.
 *   3. Operations never block. Their errors are 0 or a negative errno constant.
 *   4. complete() may fail for lack of memory alone. The implementation then tries again later, or
 *      breaks the connection and tries to say so later. It does not run on as if all were well.
 *
 * Partners: io/system.c makes messages of events; io/uv.h is the first implementation.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/io.h>

/* Whom an object's events are for. What one incarnation begins with files is done after all that
 * the owner's earlier ones have begun with them. */
struct tri_io_target {
    tr_ref owner;
    tr_io io;
    uint32_t incarnation;
};

/* What a handle is in an implementation: its structures begin with this. */
struct tri_io_object {
    struct tri_io_target target;
};

enum tri_io_event_kind {
    TRI_IO_ACCEPTED,
    TRI_IO_CONNECTED,
    TRI_IO_DATA,
    TRI_IO_EOF,
    TRI_IO_WRITTEN,
    TRI_IO_FILE_DONE,
    TRI_IO_SIGNAL,
};

struct tri_io_event {
    enum tri_io_event_kind kind;
    int error;
    struct tri_io_target target;
    struct tri_io_object *accepted; /* ACCEPTED without error: the receiver's, on success */
    tr_bytes *bytes;                /* DATA, FILE_DONE: a reference, the receiver's on success */
    tr_file_verb verb;              /* FILE_DONE, and these: */
    uint64_t size;
    void *context;
    int number;                     /* SIGNAL */
};

/* Where events go. */
struct tri_io_sink {
    void *context;
    int (*complete)(void *context, const struct tri_io_event *event); /* -ENOMEM: rule 4 */
};

/* Whom to connect to. */
struct tri_io_peer {
    const char *host;
    uint16_t port;
};

struct tri_io_ops {
    /* ---- the whole ---- */
    int (*start)(const struct tri_io_sink *sink, void **ret_implementation);

    /* Closes and frees everything; no event is made any more. Nobody polls, no other call is made
     * during or after it. May wait for a file operation that a disk is busy with. */
    void (*stop)(void *implementation);

    /* As struct tri_poller: one thread at a time polls, any thread wakes it. */
    void (*poll)(void *implementation, tr_time timeout);
    void (*wake)(void *implementation);

    /* ---- connections ---- */
    int (*listen)(void *implementation, const struct tri_io_target *target,
                  const tr_listen_options *options, struct tri_io_object **ret_listener);
    int (*connect)(void *implementation, const struct tri_io_target *target,
                   const struct tri_io_peer *peer, struct tri_io_object **ret_connection);

    /* Credit for reads of a connection, or for connections of a listener. */
    int (*grant)(struct tri_io_object *object, uint32_t credits);

    /* Sends, queueing what does not go at once; `bytes` is NULL or holds `data`, and can be shared.
     * Returns how much is queued now. */
    int (*write)(struct tri_io_object *connection, const void *data, size_t size, tr_bytes *bytes);
    int (*write_end)(struct tri_io_object *connection);
    int (*address)(struct tri_io_object *object, bool peer, tr_address *ret_address);

    /* No credit left, nothing queued, connected. */
    bool (*is_at_rest)(struct tri_io_object *connection);

    /* ---- files ---- */
    int (*file_open)(void *implementation, const struct tri_io_target *target,
                     const tr_file_operation *operation, struct tri_io_object **ret_file);
    int (*file_start)(struct tri_io_object *file, const tr_file_operation *operation);
    /* Writes on the caller's thread, which may wait; how many bytes. -EAGAIN: it is busy. */
    int64_t (*file_write)(struct tri_io_object *file, const tr_file_operation *operation);
    int (*path_start)(void *implementation, const struct tri_io_target *target,
                      const tr_file_operation *operation);

    /* ---- signals ---- */
    int (*signal)(void *implementation, const struct tri_io_target *target, int number,
                  struct tri_io_object **ret_signal);

    /* Gives an object back; it is not used any more. Cannot fail. */
    void (*close)(struct tri_io_object *object);
};

#endif
