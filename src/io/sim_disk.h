/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_SIM_DISK_H
#define TRI_IO_SIM_DISK_H

/*
 * A disk in memory that knows what it would still have after a crash.
 *
 * What. Each file has two contents: what programs see, and what is on the disk, with a list of the
 * changes between them. A sync brings the changes made before it to the disk; a sync of a directory
 * does so with the changes of its names. A crash of the machine keeps, of each list, a beginning:
 * how long is the seed's choice, and the first write that is not kept may be kept in part, up to
 * any byte, or with nothing but zeros behind one.
 *
 * Why a beginning, and not any of them. File systems in use write the tail of a file in its order
 * and journal their names in order; a log that does not survive the loss of an early one of several
 * appends, all of which nobody has synced, is not wrong on any of them.
 *
 * Rules
 *   1. A sync that fails has lost who knows what: each of the changes that it was for is on the
 *      disk or never will be, although programs still see it.
 *   2. Changes that are very many are brought to the disk by themselves, the oldest first.
 *   3. Folders need not be made: any path's exist.
 *
 * Partners: sim_file.c does operations on it, in their time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <troupe/io.h>

struct tri_disk_file;

/* Opens what bears a name; `flags` as in tr_file_open. The caller has a reference then.
 * Errors: -ENOENT, -EEXIST, -EISDIR, -ENOMEM. */
int tri_disk_open(const char *path, uint32_t flags, struct tri_disk_file **ret_file);
void tri_disk_close(struct tri_disk_file *file);

uint64_t tri_disk_size(const struct tri_disk_file *file);

/* What is there of `size` bytes from `offset` on. NULL without memory. */
tr_bytes *tri_disk_read(const struct tri_disk_file *file, uint64_t offset, uint64_t size);

/* Writes the first `size` bytes of `bytes`, which it shares. Errors: -ENOMEM, -ENOSPC. */
int tri_disk_write(struct tri_disk_file *file, uint64_t offset, tr_bytes *bytes, uint64_t size);
int tri_disk_truncate(struct tri_disk_file *file, uint64_t size);

/* How many changes were made to it, and: those that were the first `changes` are on the disk. */
uint64_t tri_disk_changes(const struct tri_disk_file *file);
void tri_disk_sync(struct tri_disk_file *file, uint64_t changes);

/* Rule 1. */
void tri_disk_sync_fails(struct tri_disk_file *file, uint64_t changes);

int tri_disk_rename(const char *path, const char *to);
int tri_disk_remove(const char *path);
int tri_disk_make_folder(const char *path);
int tri_disk_sync_names(const char *path);
int tri_disk_path_size(const char *path, uint64_t *ret_size);

/* Bytes that programs see on the whole disk, and how many it has room for. */
uint64_t tri_disk_used(void);
void tri_disk_limit(uint64_t size);

/* The machine has crashed: what programs see is what was on the disk, and what the seed adds. */
void tri_disk_crash(void);

/* Empties it. */
void tri_disk_forget(void);

#endif
