/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_IO_H
#define TROUPE_IO_H

/*
 * Input and output as messages: connections, files, signals. A library of its own, troupe-io.
 *
 *     TR_START(door, self, me)
 *     {
 *         me->listener = tr_listen(self, &(tr_listen_options){ .host = "127.0.0.1", .port = 7 });
 *         int err = tr_io_error(me->listener);
 *         return err < 0 ? err : tr_accept(self, me->listener, 16);
 *     }
 *
 *     TR_ON(door, tr_accepted, self, me, msg)
 *     {
 *         tr_accept(self, me->listener, 1);                     // one came, let one more come
 *         return tr_io_give(self, msg->io, tr_spawn(self, echo)); // or take it
 *     }
 *
 *     TR_ON(echo, tr_given, self, me, msg)
 *     {
 *         int err = tr_io_take(self, msg->io); // mine until this incarnation ends
 *         return err < 0 ? err : tr_read(self, msg->io, 1);
 *     }
 *
 *     TR_ON(echo, tr_data, self, me, msg)
 *     {
 *         int queued = tr_write_bytes(self, msg->io, msg->bytes);
 *         if (queued != 0)
 *             return queued < 0 ? queued : TR_OK; // go on reading at tr_written
 *         return tr_read(self, msg->io, 1);
 *     }
 *
 *     TR_ON(echo, tr_written, self, me, msg) { return tr_read(self, msg->io, 1); }
 *     TR_ON(echo, tr_eof, self, me, msg) { return TR_STOP; }
 *
 * A handle (tr_io) belongs to one incarnation of one actor and is closed when that ends, however it
 * ends. Only its actor may use it. Nothing arrives that was not asked for: reads and accepts need
 * credit, so that a slow actor slows its peer down; what a write cannot get rid of is bounded.
 * Results are solicited messages: a full mailbox never refuses them, and none is handled by a later
 * incarnation.
 *
 * Errors that every verb may give, besides those of actor.h: -ENOENT, the handle is closed, another
 * actor's, another incarnation's or zero; -EINVAL also, the handle is of another kind; -ENOMEM.
 * Where a verb returns a handle, tr_io_error tells. No verb blocks.
 */

#include <troupe/actor.h>

TR_BEGIN_DECLS

/* A listener, a connection, an open file or a watched signal. Never the same value twice. */
typedef struct tr_io {
    uint64_t bits;
} tr_io;

/* 0 for a handle, else the negative errno constant of the call that gave it. */
static inline int tr_io_error(tr_io io)
{
    return (io.bits >> 16) != 0 ? 0 : -(int)(io.bits & 0xffff);
}

static inline bool tr_io_equal(tr_io a, tr_io b)
{
    return a.bits == b.bits;
}

/* ---- a system's I/O ------------------------------------------------------------------------- */

typedef struct tr_io_config {
    bool own_thread; /* a thread of its own waits for events, in place of a worker with no work */
} tr_io_config;

/* Starts I/O with other settings than the usual ones, which the first verb would start it with.
 * Threads: any. Errors: -EEXIST, it was started before; -EMFILE; -EAGAIN. */
TR_API int tr_io_start(tr_system *sys, const tr_io_config *config);

/* ---- handles -------------------------------------------------------------------------------- */

/* Makes a loose connection this actor's own: the one in the tr_accepted or tr_given in hand. One
 * that nobody takes or gives on is closed with its message.
 * Errors: -ENOENT also, it was taken or given on before. */
TR_API int tr_io_take(tr_self *self, tr_io io);

/*
 * Gives a connection to another actor, which gets a tr_given with a value of its own and takes it:
 * a loose one, or one of this actor's that is at rest (no credit left, nothing queued). On failure
 * it is still what it was.
 *
 * Errors: -EBUSY, it is not at rest; -ESRCH, -ENOBUFS as tr_send.
 */
TR_API int tr_io_give(tr_self *self, tr_io io, tr_ref to);

/* Closes a handle. A connection still sends what is queued, for up to five seconds; operations on a
 * file that were started are finished. What is in this actor's mailbox already still comes; nothing
 * else does. The end of the incarnation closes in the same way. */
TR_API int tr_close(tr_self *self, tr_io io);

/* An end of a connection, in figures: "127.0.0.1", "::1". */
typedef struct tr_address {
    char host[46];
    uint16_t port;
} tr_address;

/* This end, also of a listener (which port 0 has become), and the other one.
 * Errors: -ENOTCONN not connected, or not any more. */
TR_API int tr_local_address(tr_self *self, tr_io io, tr_address *ret_address);
TR_API int tr_peer_address(tr_self *self, tr_io io, tr_address *ret_address);

/* ---- connections ---------------------------------------------------------------------------- */

typedef struct tr_listen_options {
    const char *host; /* an address in figures; NULL: 127.0.0.1. "::" takes IPv4 as well */
    uint16_t port;    /* 0: one that is free, see tr_local_address */
    uint32_t backlog; /* connections that wait to be accepted; 0: 511 */
    bool shared;      /* several listeners may share the port (SO_REUSEPORT) */
} tr_listen_options;

/* Listens for TCP connections. `options` may be NULL. Each comes as a tr_accepted, given credit.
 * Errors: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -EINVAL the host is not in figures. */
TR_API tr_io tr_listen(tr_self *self, const tr_listen_options *options);

/* Lets `credits` more connections be accepted; further ones wait in the backlog. While the process
 * has no descriptors left, waiting connections are closed. Errors: -ERANGE, above 2^30 in all. */
TR_API int tr_accept(tr_self *self, tr_io listener, uint32_t credits);

/* Connects to a host, by name or in figures. One tr_connected tells the outcome; a handle whose
 * connection failed is still to be closed. Errors: -EINVAL, no host, or one above 255 bytes. */
TR_API tr_io tr_connect(tr_self *self, const char *host, uint16_t port);

/*
 * Lets `credits` more tr_data come, each with what there is, up to 64 KiB, then one tr_eof at the
 * end. Without credit nothing is read and the peer, in the end, has to wait; nor is its closing
 * noticed.
 *
 * Errors: -ERANGE, above 2^30 in all.
 * Cost:   one atomic read-modify-write, unless data came while there was no credit.
 */
TR_API int tr_read(tr_self *self, tr_io io, uint32_t credits);

/*
 * Sends bytes: straight to the socket if nothing is queued before them; the rest is queued. Returns
 * how much is queued now (0: nothing, all is with the kernel), and whenever that was not 0, one
 * tr_written tells that it is 0 again.
 *
 * Ownership: copies what it queues; tr_write_bytes shares it instead.
 * Order:     writes of one handle arrive in order, whole: one that was not refused is never torn
 *            by another.
 * Errors:    -ENOBUFS, 1 MiB or more is queued already: nothing was taken, and tr_written tells
 *            when to go on. -EPIPE, -ECONNRESET, the peer has gone; -ENOTCONN, not connected yet.
 *            -EPIPE also after tr_write_end, and after -ENOMEM, which may tear the stream.
 * Cost:      one system call.
 */
TR_API int tr_write(tr_self *self, tr_io io, const void *data, size_t size);
TR_API int tr_write_bytes(tr_self *self, tr_io io, tr_bytes *bytes);

/* Ends the sending half after what is queued: the peer reads to the end, and may go on sending. */
TR_API int tr_write_end(tr_self *self, tr_io io);

/* ---- files ---------------------------------------------------------------------------------- */

/* Every operation has one tr_file_done. Those of one handle are done one after another, in order;
 * others may overlap. They run on a pool of threads: no worker waits for a disk. What an
 * incarnation begins is done after all that the earlier ones of its actor have begun. */

enum {
    TR_OPEN_READ = 1,
    TR_OPEN_WRITE = 2,
    TR_OPEN_CREATE = 4,  /* unless it exists, with .mode */
    TR_OPEN_NEW = 8,     /* with CREATE: -EEXIST if it exists */
    TR_OPEN_EMPTY = 16,  /* cuts what is there off */
    TR_OPEN_APPEND = 32, /* every write goes to the end; .offset means nothing */
};

typedef enum tr_file_verb {
    TR_FILE_OPEN,     /* .path, .flags, .mode (0: 0600)   done.size: the file's */
    TR_FILE_READ,     /* .offset, .size (up to 1 GiB)     done.bytes: less at the file's end */
    TR_FILE_WRITE,    /* .offset, .bytes (shared)         done.size: how many were written */
    TR_FILE_SYNC,     /*                                  on disk, with its size */
    TR_FILE_TRUNCATE, /* .size                                                            */
    TR_FILE_SIZE,     /*                                  done.size */
    TR_PATH_RENAME,   /* .path, .to                                                       */
    TR_PATH_REMOVE,   /* .path: a file, or an empty directory                             */
    TR_PATH_MKDIR,    /* .path, .mode (0: 0700)                                           */
    TR_PATH_SYNC,     /* .path: a directory: its names are on disk */
    TR_PATH_SIZE,     /* .path                            done.size; -ENOENT: there is none */
} tr_file_verb;

typedef struct tr_file_operation {
    tr_file_verb verb;
    uint32_t flags;
    uint32_t mode;
    uint64_t offset;
    uint64_t size;
    tr_bytes *bytes;  /* gets a reference of its own */
    const char *path; /* copied, at most 4095 bytes: -EINVAL */
    const char *to;   /* likewise */
    void *context;    /* comes back with the result */
} tr_file_operation;

/* Opens a file; operations may follow at once, and fail if opening it did. A file that could not be
 * opened is still to be closed. */
TR_API tr_io tr_file_open_raw(tr_self *self, const tr_file_operation *operation);

/* Starts an operation on an open file (TR_FILE_…), or one that needs none (TR_PATH_…).
 * Errors: -ENOBUFS, 1024 operations wait on this handle. */
TR_API int tr_file_start(tr_self *self, tr_io file, const tr_file_operation *operation);
TR_API int tr_path_start(tr_self *self, const tr_file_operation *operation);

/* Writes at once, on the calling thread, and sends no tr_file_done: for a log whose writes go no
 * further than the system's memory, where a trip to the pool costs many times what they do. It may
 * block when the disk is behind: look how long it takes, and go the other way for a while. The
 * bytes are not shared. Returns how many were written, fewer than all if an error came then.
 * Errors: what the system says; -EAGAIN, earlier operations of this file are not done. */
TR_API int64_t tr_file_write_now_raw(tr_self *self, tr_io file,
                                     const tr_file_operation *operation);

#ifndef __cplusplus
#define TR__FILE(verb_, ...) (&(tr_file_operation){ .verb = verb_, __VA_ARGS__ })

/* tr_file_open(self, .path = "log", .flags = TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_APPEND) */
#define tr_file_open(self, ...) tr_file_open_raw((self), TR__FILE(TR_FILE_OPEN, __VA_ARGS__))
#define tr_file_read(self, file, ...)                                                              \
    tr_file_start((self), (file), TR__FILE(TR_FILE_READ, __VA_ARGS__))
#define tr_file_write(self, file, ...)                                                             \
    tr_file_start((self), (file), TR__FILE(TR_FILE_WRITE, __VA_ARGS__))
#define tr_file_write_now(self, file, ...)                                                         \
    tr_file_write_now_raw((self), (file), TR__FILE(TR_FILE_WRITE, __VA_ARGS__))
#define tr_file_truncate(self, file, ...)                                                          \
    tr_file_start((self), (file), TR__FILE(TR_FILE_TRUNCATE, __VA_ARGS__))
#define tr_file_sync(self, file, context_)                                                         \
    tr_file_start((self), (file), TR__FILE(TR_FILE_SYNC, .context = (context_)))
#define tr_file_size(self, file, context_)                                                         \
    tr_file_start((self), (file), TR__FILE(TR_FILE_SIZE, .context = (context_)))
#define tr_path_rename(self, ...) tr_path_start((self), TR__FILE(TR_PATH_RENAME, __VA_ARGS__))
#define tr_path_remove(self, ...) tr_path_start((self), TR__FILE(TR_PATH_REMOVE, __VA_ARGS__))
#define tr_path_mkdir(self, ...) tr_path_start((self), TR__FILE(TR_PATH_MKDIR, __VA_ARGS__))
#define tr_path_sync(self, ...) tr_path_start((self), TR__FILE(TR_PATH_SYNC, __VA_ARGS__))
#define tr_path_size(self, ...) tr_path_start((self), TR__FILE(TR_PATH_SIZE, __VA_ARGS__))
#endif

/* ---- signals -------------------------------------------------------------------------------- */

/* Sends a tr_signal to this actor whenever the process gets signal `number`, until the handle is
 * closed; several that come at once may come as one. The handler that was installed before is not
 * called meanwhile. Errors: -EINVAL, no such signal, or one that cannot or must not be caught:
 * SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL. */
TR_API tr_io tr_signal_watch(tr_self *self, int number);

/* ---- messages of this library --------------------------------------------------------------- */

enum {
    TR_TAG_tr_accepted = 32,
    TR_TAG_tr_given,
    TR_TAG_tr_connected,
    TR_TAG_tr_data,
    TR_TAG_tr_eof,
    TR_TAG_tr_written,
    TR_TAG_tr_file_done,
    TR_TAG_tr_signal,
};

/* Somebody has connected: to be taken or given on, or it is closed. */
struct tr_accepted {
    tr_io listener;
    tr_io io;  /* loose; zero when `error` is not 0 */
    int error; /* 0; negative: the listener cannot accept any more, close it */
};

/* Somebody gives a connection away: to be taken or given on, or it is closed. */
struct tr_given {
    tr_io io;
};

/* The outcome of tr_connect. */
struct tr_connected {
    tr_io io;
    int error; /* -ECONNREFUSED, -ETIMEDOUT, -ENOENT no such host, … */
};

/* What was read. The bytes are dropped with the message: tr_bytes_share keeps them. */
struct tr_data {
    tr_io io;
    tr_bytes *bytes;
};

/* Nothing more will be read: credits count for nothing from here on. */
struct tr_eof {
    tr_io io;
    int error; /* 0: the peer has sent all it had, and may still read; negative: it broke */
};

/* What was queued has gone. */
struct tr_written {
    tr_io io;
    int error; /* 0; negative: it could not be sent, and no write will succeed any more */
};

/* The outcome of a file operation. */
struct tr_file_done {
    tr_io file; /* zero for TR_PATH_… */
    tr_file_verb verb;
    int error;
    uint64_t size;
    tr_bytes *bytes; /* dropped with the message: tr_bytes_share keeps them */
    void *context;
};

struct tr_signal {
    tr_io io;
    int number;
};

extern TR_API const tr_message_info tr_accepted_info;
extern TR_API const tr_message_info tr_given_info;
extern TR_API const tr_message_info tr_connected_info;
extern TR_API const tr_message_info tr_data_info;
extern TR_API const tr_message_info tr_eof_info;
extern TR_API const tr_message_info tr_written_info;
extern TR_API const tr_message_info tr_file_done_info;
extern TR_API const tr_message_info tr_signal_info;

TR_END_DECLS

#endif
