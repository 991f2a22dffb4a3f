/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_ERROR_H
#define TROUPE_ERROR_H

/*
 * Errors: every function that can fail returns 0 or one of these, negative: -ESRCH. A program that
 * compares them includes <errno.h>; nothing is ever left in errno.
 */

#include <troupe/export.h>

TR_BEGIN_DECLS

/*
 * The one table of them, E(name, sentence): tr_strerror, tr_error_name and the reference are made
 * from it.
 */
#define TR_ERRORS(E)                                                                               \
    E(EPERM, "this caller must not do that")                                                       \
    E(ENOENT, "nothing has that name")                                                             \
    E(ESRCH, "the actor has ended")                                                                \
    E(EINTR, "it was interrupted")                                                                 \
    E(EFAULT, "an address that is not to be used")                                                 \
    E(EIO, "the device failed")                                                                    \
    E(EAGAIN, "not now; later it may work")                                                        \
    E(ENOMEM, "out of memory")                                                                     \
    E(EACCES, "permission is denied")                                                              \
    E(EBUSY, "somebody else is using it")                                                          \
    E(EEXIST, "it exists already, or differs from one that does")                                  \
    E(ENOTDIR, "a part of the path is no directory")                                               \
    E(EISDIR, "it is a directory")                                                                 \
    E(EINVAL, "an argument makes no sense")                                                        \
    E(EMFILE, "too many files are open")                                                           \
    E(EFBIG, "the file would become too large")                                                    \
    E(ENOSPC, "a table or a disk is full")                                                         \
    E(EROFS, "the file system can only be read")                                                   \
    E(EPIPE, "the other end has closed")                                                           \
    E(ERANGE, "a number is out of its range")                                                      \
    E(EDEADLK, "it would wait for itself, directly or through others")                             \
    E(ENOSYS, "this build or this system cannot do that")                                          \
    E(ENOMSG, "the actor did not answer")                                                          \
    E(EOVERFLOW, "a number has become too large")                                                  \
    E(EMSGSIZE, "the message is too large, or not of the size its type has")                       \
    E(EPROTO, "the other side broke the protocol")                                                 \
    E(ENOTSUP, "an actor of this class cannot do that")                                            \
    E(EADDRINUSE, "the address is in use")                                                         \
    E(EADDRNOTAVAIL, "the address is not here")                                                    \
    E(ENETUNREACH, "no way leads to that network")                                                 \
    E(EHOSTUNREACH, "no way leads to that host")                                                   \
    E(ENOTEMPTY, "the directory is not empty")                                                     \
    E(ECONNABORTED, "the connection was given up")                                                 \
    E(ECONNRESET, "the actor crashed while it answered, or the connection broke")                  \
    E(ECONNREFUSED, "nobody listens there")                                                        \
    E(ENOBUFS, "the mailbox is full")                                                              \
    E(ENOTCONN, "its node or its connection is away")                                              \
    E(ESHUTDOWN, "the system is stopping, or has stopped")                                         \
    E(ETIMEDOUT, "it took longer than it was given")                                               \
    E(EALREADY, "that is under way already")                                                       \
    E(ESTALE, "what it names has ended, and something else has its place")                         \
    E(ECANCELED, "it was cancelled")

/* The sentence for an error, negative or positive; one of its own for 0 and for an unknown one.
 * Ownership: static. Threads: any. Blocks: never. */
TR_API const char *tr_strerror(int error);

/* The error's name without its sign, "ESRCH"; "0" for 0, "?" for an unknown one.
 * Ownership: static. Threads: any. Blocks: never. */
TR_API const char *tr_error_name(int error);

TR_END_DECLS

#endif
