/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_POWERLOSS_DISK_H
#define TROUPE_TESTS_SUPPORT_POWERLOSS_DISK_H

/*
 * What is durable of the watched folder: told of every change, asked at every sync.
 *
 * Rules
 *   1. A file's bytes become durable by a sync of the file, and are those that had been written
 *      when the sync was called. Its name becomes durable by a sync of its folder.
 *   2. What a sync adds is copied in order: killed in the middle, it leaves a beginning of it.
 *   3. The names of a folder change at once (a file replaced by rename): never half of a rename.
 *   4. A change that nobody told of (stdio, a system call made by hand) shows in the file's size,
 *      and the next sync copies the whole file. Writes through mmap are not seen.
 *   5. Any thread may call. Names change inside disk_names_begin and _end: an inode's number can
 *      be taken again as soon as it is free.
 */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* The C library's own functions, which the disk itself works with. */
struct real {
    int (*open)(const char *path, int flags, ...);
    int (*openat)(int at, const char *path, int flags, ...);
    int (*close)(int fd);
    ssize_t (*write)(int fd, const void *data, size_t size);
    ssize_t (*pwrite)(int fd, const void *data, size_t size, off_t offset);
    int (*ftruncate)(int fd, off_t size);
    int (*fsync)(int fd);
    int (*renameat)(int from_at, const char *from, int to_at, const char *to);
    int (*unlinkat)(int at, const char *path, int flags);
};

extern struct real real;

/* Takes what is in the folder now as durable. */
void disk_start(const char *folder, const char *shadow);
void disk_stop(void);

void disk_names_begin(void);
void disk_names_end(void);

/* Between begin and end. */
void disk_opened(int fd, int flags);
/* The inode that loses its last name, if the path names one: told before, and again after. */
ino_t disk_losing(int at, const char *path);
void disk_lost(ino_t ino);

void disk_wrote(int fd, off_t start, size_t size);
void disk_truncated(int fd, off_t size);
void disk_duplicated(int fd, int copy);
void disk_closed(int fd);
bool disk_has(int fd);
bool disk_syncs_each_write(int fd);

/* Once `sync_it` was successful for the descriptor, what it covered is durable: 0, or -1, errno. */
int disk_sync(int fd, int (*sync_it)(int fd));
void disk_sync_all(void);

#endif
