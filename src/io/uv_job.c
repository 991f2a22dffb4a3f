/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The operations on files, as plain system calls on a thread of the pool.
 *
 * Why. libuv has each of them, but one at a time: an append and its sync would go through the loop
 * in between. Done here, a file's whole queue is one trip to the pool, and a short write is simply
 * gone on with.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/uv_job.h"

struct tri_uv_job *tri_uv_job_new(const tr_file_operation *operation)
{
    size_t path_size = operation->path != NULL ? strlen(operation->path) + 1 : 0;
    size_t to_size = operation->to != NULL ? strlen(operation->to) + 1 : 0;
    struct tri_uv_job *job = tri_alloc_zeroed(sizeof(*job) + path_size + to_size);

    if (job == NULL)
        return NULL;
    job->operation = *operation;
    job->operation.bytes = tr_bytes_share(operation->bytes);
    if (path_size > 0)
        job->operation.path = memcpy(job->texts, operation->path, path_size);
    if (to_size > 0)
        job->operation.to = memcpy(job->texts + path_size, operation->to, to_size);
    return job;
}

void tri_uv_job_free(struct tri_uv_job *job)
{
    tr_bytes_drop(job->operation.bytes);
    tr_bytes_drop(job->bytes);
    tri_free(job);
}

static int result_of(int outcome)
{
    return outcome == 0 ? 0 : -errno;
}

static int open_again(const char *path, int flags, mode_t mode)
{
    int descriptor;

    do
        descriptor = open(path, flags | O_CLOEXEC, mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -errno : descriptor;
}

static int size_of(int descriptor, uint64_t *ret_size)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return -errno;
    *ret_size = (uint64_t)status.st_size;
    return 0;
}

static int flags_of(uint32_t flags)
{
    int access = flags & TR_OPEN_WRITE ? (flags & TR_OPEN_READ ? O_RDWR : O_WRONLY) : O_RDONLY;

    return access | (flags & TR_OPEN_CREATE ? O_CREAT : 0) | (flags & TR_OPEN_NEW ? O_EXCL : 0)
           | (flags & TR_OPEN_EMPTY ? O_TRUNC : 0) | (flags & TR_OPEN_APPEND ? O_APPEND : 0);
}

static int do_open(struct tri_uv_job *job, int *descriptor)
{
    const tr_file_operation *operation = &job->operation;
    mode_t mode = operation->mode != 0 ? (mode_t)operation->mode : 0600;
    int opened = open_again(operation->path, flags_of(operation->flags), mode);

    if (opened < 0)
        return opened;
    *descriptor = opened;
    return size_of(opened, &job->size);
}

/* A buffer of what was asked for, or of what a plain file still has. */
static tr_bytes *buffer_for(const tr_file_operation *operation, int descriptor)
{
    struct stat status;
    uint64_t size = operation->size;

    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        uint64_t whole = (uint64_t)status.st_size;
        uint64_t rest = operation->offset < whole ? whole - operation->offset : 0;
        size = size < rest ? size : rest;
    }
    return tr_bytes_new((size_t)size);
}

static int do_read(struct tri_uv_job *job, int descriptor)
{
    const tr_file_operation *operation = &job->operation;
    tr_bytes *bytes = buffer_for(operation, descriptor);
    size_t size = 0;

    if (bytes == NULL)
        return -ENOMEM;
    while (size < bytes->size) {
        ssize_t got = pread(descriptor, bytes->data + size, bytes->size - size,
                            (off_t)(operation->offset + size));
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR) {
            int err = -errno;
            tr_bytes_drop(bytes);
            return err;
        }
        size += got > 0 ? (size_t)got : 0;
    }
    bytes->size = size;
    job->bytes = bytes;
    job->size = size;
    return 0;
}

/* With O_APPEND Linux appends, whatever the offset. */
int tri_uv_job_write(int descriptor, const tr_file_operation *operation, uint64_t *written)
{
    const tr_bytes *bytes = operation->bytes;

    while (*written < bytes->size) {
        ssize_t more = pwrite(descriptor, bytes->data + *written, bytes->size - *written,
                              (off_t)(operation->offset + *written));
        if (more < 0 && errno != EINTR)
            return -errno;
        *written += more > 0 ? (uint64_t)more : 0;
    }
    return 0;
}

static int sync_directory(const char *path)
{
    int descriptor = open_again(path, O_RDONLY | O_DIRECTORY, 0);

    if (descriptor < 0)
        return descriptor;
    int err = result_of(fsync(descriptor));
    close(descriptor);
    return err;
}

static int path_size(const char *path, uint64_t *ret_size)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return -errno;
    *ret_size = (uint64_t)status.st_size;
    return 0;
}

static int do_path(struct tri_uv_job *job)
{
    const tr_file_operation *operation = &job->operation;

    switch (operation->verb) {
    case TR_PATH_RENAME:
        return result_of(rename(operation->path, operation->to));
    case TR_PATH_REMOVE:
        return result_of(remove(operation->path));
    case TR_PATH_MKDIR:
        return result_of(mkdir(operation->path,
                               operation->mode != 0 ? (mode_t)operation->mode : 0700));
    case TR_PATH_SYNC:
        return sync_directory(operation->path);
    default:
        return path_size(operation->path, &job->size);
    }
}

static int do_file(struct tri_uv_job *job, int descriptor)
{
    switch (job->operation.verb) {
    case TR_FILE_READ:
        return do_read(job, descriptor);
    case TR_FILE_WRITE:
        return tri_uv_job_write(descriptor, &job->operation, &job->size);
    case TR_FILE_SYNC:
        return result_of(fdatasync(descriptor));
    case TR_FILE_TRUNCATE:
        return result_of(ftruncate(descriptor, (off_t)job->operation.size));
    default:
        return size_of(descriptor, &job->size);
    }
}

void tri_uv_job_do(struct tri_uv_job *job, int *descriptor)
{
    if (job->operation.verb >= TR_PATH_RENAME)
        job->error = do_path(job);
    else if (job->operation.verb == TR_FILE_OPEN)
        job->error = do_open(job, descriptor);
    else
        job->error = do_file(job, *descriptor);
}
