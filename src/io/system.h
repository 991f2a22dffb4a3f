/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_SYSTEM_H
#define TRI_IO_SYSTEM_H

/*
 * The I/O of one system: an implementation of the table, who polls it, and what is whose.
 *
 * What. It is made by the first verb that needs it and tied to the system's life. Each incarnation
 * that has handles has one record, found by its ref; one tr_defer closes them all when it ends. So
 * an actor that opens and closes for ever leaves nothing behind until it ends.
 *
 * Partners: io/handle.c; io/events.c; actors/deliver.h is the way into the mailboxes.
 */

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/spin.h"
#include "io/handle.h"
#include "io/ops.h"
#include "sched/poller.h"

#define TRI_IO_BUCKETS 64u

struct tri_io_bucket {
    struct tri_spin lock;
    struct tri_list owners;
};

struct tri_io {
    /* set once */
    tr_system *sys;
    const struct tri_io_ops *ops;
    void *implementation;
    struct tri_poller poller;
    bool has_thread;
    pthread_t thread;

    /* any thread */
    uint32_t is_stopping;
    struct tri_io_bucket buckets[TRI_IO_BUCKETS];
};

/* How a system's I/O is to be. */
struct tri_io_setting {
    const struct tri_io_ops *ops;
    bool own_thread;
};

/* Starts it. Errors: -EEXIST, -ESHUTDOWN, -ENOMEM, -EMFILE, -EAGAIN. */
int tri_io_start(tr_system *sys, const struct tri_io_setting *setting, struct tri_io **ret_io);

/* A handle that is being opened, with whom its events are for. */
struct tri_io_opening {
    struct tri_io *io;
    struct tri_io_handle *handle;
    struct tri_io_target target;
};

/* Makes a handle of `self`'s, without an object. */
int tri_io_open(tr_self *self, enum tri_io_kind kind, struct tri_io_opening *ret_opening);

/* The end of opening it: the value for the user; takes the handle back after an error. */
tr_io tri_io_opened(const struct tri_io_opening *opening, int error);

/* The I/O of self's system, and whom events without a handle are for. */
int tri_io_here(tr_self *self, struct tri_io **ret_io, struct tri_io_target *ret_target);

/* Makes a handle that nobody owns `self`'s. Errors: -ENOMEM, and it is still nobody's. */
int tri_io_adopt(tr_self *self, struct tri_io_handle *handle);

/* Closes a handle that the caller has, and gives its place back. */
void tri_io_handle_close(struct tri_io_handle *handle);

/* The sink of the table: makes messages of events (events.c). `context` is a struct tri_io. */
int tri_io_complete(void *context, const struct tri_io_event *event);

#endif
