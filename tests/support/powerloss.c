/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A disk that forgets every byte that was not synced, for a program that knows nothing of it.
 *
 * Why. kill -9 loses nothing that was written: the kernel still has it. What a power loss would
 * take shows only if somebody remembers what was synced. A file system made for it needs root and a
 * mount; a block device with a cache to throw away needs more; so this library is preloaded, sees
 * the calls of the C library that change files, and keeps what is durable in a folder beside.
 *
 * Rules
 *   1. Every call goes on to the C library, and answers as it did: the program cannot tell.
 *   2. A name changes inside disk_names_begin and disk_names_end.
 *   3. sync_file_range promises nothing about a file's size or its names: it is none of our syncs,
 *      and goes by unseen.
 *
 * Partners: powerloss_disk.c keeps what is durable; powerloss_restore.c makes it the folder's
 * contents after a kill; powerloss.h tells how to switch it on. Without that it does nothing.
 */

#include "support/powerloss.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/powerloss_disk.h"

#define SEEN __attribute__((visibility("default")))

struct real real;

/* Those that the disk itself does not need. */
static struct {
    ssize_t (*writev)(int fd, const struct iovec *parts, int count);
    ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t offset);
    int (*fdatasync)(int fd);
    int (*syncfs)(int fd);
    void (*sync)(void);
    int (*renameat2)(int from_at, const char *from, int to_at, const char *to, unsigned flags);
    int (*dup)(int fd);
    int (*dup3)(int fd, int copy, int flags);
    int (*dup2)(int fd, int copy);
    int (*fcntl)(int fd, int what, ...);
    long (*syscall)(long number, ...);
} also;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find(void *ret_function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL) {
        fprintf(stderr, "powerloss: no %s\n", name);
        abort();
    }
    memcpy(ret_function, &found, sizeof found);
}

static void find_all(void)
{
    find(&real.open, "open");
    find(&real.openat, "openat");
    find(&real.close, "close");
    find(&real.write, "write");
    find(&real.pwrite, "pwrite");
    find(&real.ftruncate, "ftruncate");
    find(&real.fsync, "fsync");
    find(&real.renameat, "renameat");
    find(&real.unlinkat, "unlinkat");
    find(&also.writev, "writev");
    find(&also.pwritev, "pwritev");
    find(&also.fdatasync, "fdatasync");
    find(&also.syncfs, "syncfs");
    find(&also.sync, "sync");
    find(&also.renameat2, "renameat2");
    find(&also.dup, "dup");
    find(&also.dup2, "dup2");
    find(&also.dup3, "dup3");
    find(&also.fcntl, "fcntl");
    find(&also.syscall, "syscall");
}

/* Other libraries' constructors may write before ours has run. */
static void ready(void)
{
    pthread_once(&once, find_all);
}

/* A forked child is not watched. */
static void forked(void)
{
    disk_stop();
    disk_names_end();
}

__attribute__((constructor)) static void start(void)
{
    const char *folder = getenv(POWERLOSS_FOLDER);
    const char *shadow = getenv(POWERLOSS_SHADOW);

    ready();
    if (folder == NULL || shadow == NULL)
        return;
    disk_start(folder, shadow);
    pthread_atfork(disk_names_begin, disk_names_end, forked);
    unsetenv(POWERLOSS_FOLDER);  /* a program that this one starts is not watched */
}

/* ---- opening and closing ---- */

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    ready();
    disk_names_begin();
    int fd = real.openat(at, path, flags, mode);
    int error = errno;
    if (fd >= 0)
        disk_opened(fd, flags);
    disk_names_end();
    errno = error;
    return fd;
}

#define MODE_OF(flags_, mode_)                                        \
    do {                                                              \
        va_list arguments_;                                           \
        va_start(arguments_, flags_);                                 \
        if ((flags_) & (O_CREAT | __O_TMPFILE))                       \
            (mode_) = (mode_t)va_arg(arguments_, unsigned);           \
        va_end(arguments_);                                           \
    } while (0)

SEEN int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_OF(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

SEEN int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_OF(flags, mode);
    return open_at(AT_FDCWD, path, flags, mode);
}

SEEN int openat(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_OF(flags, mode);
    return open_at(at, path, flags, mode);
}

SEEN int openat64(int at, const char *path, int flags, ...)
{
    mode_t mode = 0;

    MODE_OF(flags, mode);
    return open_at(at, path, flags, mode);
}

SEEN int creat(const char *path, mode_t mode)
{
    return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

SEEN int close(int fd)
{
    ready();
    disk_closed(fd);
    return real.close(fd);
}

SEEN int dup(int fd)
{
    ready();
    int copy = also.dup(fd);
    disk_duplicated(fd, copy);
    return copy;
}

SEEN int dup2(int fd, int copy)
{
    ready();
    int result = also.dup2(fd, copy);
    if (fd != copy)
        disk_duplicated(fd, result);
    return result;
}

SEEN int dup3(int fd, int copy, int flags)
{
    ready();
    int result = also.dup3(fd, copy, flags);
    disk_duplicated(fd, result);
    return result;
}

static int control(int fd, int what, void *argument)
{
    ready();
    int result = also.fcntl(fd, what, argument);
    if (what == F_DUPFD || what == F_DUPFD_CLOEXEC)
        disk_duplicated(fd, result);
    return result;
}

/* Whatever its type, the argument is passed on as the word that it came in. */
SEEN int fcntl(int fd, int what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control(fd, what, argument);
}

SEEN int fcntl64(int fd, int what, ...)
{
    va_list arguments;

    va_start(arguments, what);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return control(fd, what, argument);
}

/* ---- writing ---- */

/* Hands on what a write answered. `offset` is where it began, -1: at the descriptor's own place. */
static ssize_t wrote(int fd, ssize_t size, off_t offset)
{
    int error = errno;

    if (size > 0 && disk_has(fd)) {
        off_t start = offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR) - (off_t)size;
        disk_wrote(fd, start, (size_t)size);
        if (disk_syncs_each_write(fd) && disk_sync(fd, real.fsync) < 0)
            return -1;
    }
    errno = error;
    return size;
}

SEEN ssize_t write(int fd, const void *data, size_t size)
{
    ready();
    return wrote(fd, real.write(fd, data, size), -1);
}

SEEN ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ready();
    return wrote(fd, also.writev(fd, parts, count), -1);
}

SEEN ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ready();
    return wrote(fd, real.pwrite(fd, data, size, offset), offset);
}

SEEN ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    ready();
    return wrote(fd, real.pwrite(fd, data, size, offset), offset);
}

SEEN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    ready();
    return wrote(fd, also.pwritev(fd, parts, count, offset), offset);
}

SEEN ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    ready();
    return wrote(fd, also.pwritev(fd, parts, count, offset), offset);
}

static int truncated(int fd, int result, off_t size)
{
    int error = errno;

    if (result == 0)
        disk_truncated(fd, size);
    errno = error;
    return result;
}

SEEN int ftruncate(int fd, off_t size)
{
    ready();
    return truncated(fd, real.ftruncate(fd, size), size);
}

SEEN int ftruncate64(int fd, off64_t size)
{
    ready();
    return truncated(fd, real.ftruncate(fd, size), size);
}

/* libuv makes some calls by number. */
SEEN long syscall(long number, ...)
{
    long arguments[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    ready();
    long result = also.syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                               arguments[4], arguments[5]);
    if (number == SYS_pwritev || number == SYS_pwritev2)
        return wrote((int)arguments[0], result, arguments[3]);
    return result;
}

/* ---- syncs ---- */

SEEN int fsync(int fd)
{
    ready();
    return disk_sync(fd, real.fsync);
}

SEEN int fdatasync(int fd)
{
    ready();
    return disk_sync(fd, also.fdatasync);
}

SEEN int syncfs(int fd)
{
    ready();
    int result = also.syncfs(fd);
    if (result == 0)
        disk_sync_all();
    return result;
}

SEEN void sync(void)
{
    ready();
    also.sync();
    disk_sync_all();
}

/* ---- names ---- */

static int rename_at(int from_at, const char *from, int to_at, const char *to)
{
    ready();
    disk_names_begin();
    ino_t losing = disk_losing(to_at, to);
    ino_t moving = disk_losing(from_at, from);
    int result = real.renameat(from_at, from, to_at, to);
    int error = errno;
    if (result == 0 && losing != moving)
        disk_lost(losing);
    disk_names_end();
    errno = error;
    return result;
}

SEEN int rename(const char *from, const char *to)
{
    return rename_at(AT_FDCWD, from, AT_FDCWD, to);
}

SEEN int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return rename_at(from_at, from, to_at, to);
}

SEEN int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    if (flags == 0)
        return rename_at(from_at, from, to_at, to);
    ready();
    return also.renameat2(from_at, from, to_at, to, flags);  /* nobody loses a name */
}

static int unlink_at(int at, const char *path, int flags)
{
    ready();
    disk_names_begin();
    ino_t losing = disk_losing(at, path);
    int result = real.unlinkat(at, path, flags);
    int error = errno;
    if (result == 0)
        disk_lost(losing);
    disk_names_end();
    errno = error;
    return result;
}

SEEN int unlink(const char *path)
{
    return unlink_at(AT_FDCWD, path, 0);
}

SEEN int unlinkat(int at, const char *path, int flags)
{
    return unlink_at(at, path, flags);
}

SEEN int rmdir(const char *path)
{
    return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

SEEN int remove(const char *path)
{
    int result = unlink_at(AT_FDCWD, path, 0);

    return result < 0 && errno == EISDIR ? unlink_at(AT_FDCWD, path, AT_REMOVEDIR) : result;
}
