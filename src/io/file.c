/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs of files and signals. What makes no sense is refused here, whatever implements it. */

#include <errno.h>
#include <string.h>

#include "io/system.h"

#define PATH_BYTES_MAX 4095u

static bool is_path(const char *path)
{
    return path != NULL && path[0] != '\0'
           && strnlen(path, PATH_BYTES_MAX + 1) <= PATH_BYTES_MAX;
}

static bool fits_a_file(uint64_t offset, uint64_t size)
{
    return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

static bool opens_in_a_way(const tr_file_operation *operation)
{
    uint32_t flags = operation->flags;
    uint32_t changes = TR_OPEN_CREATE | TR_OPEN_EMPTY | TR_OPEN_APPEND;

    return flags & (TR_OPEN_READ | TR_OPEN_WRITE) && flags < TR_OPEN_APPEND * 2u
           && (!(flags & changes) || flags & TR_OPEN_WRITE)
           && (!(flags & TR_OPEN_NEW) || flags & TR_OPEN_CREATE);
}

static bool is_sane(const tr_file_operation *operation)
{
    switch (operation->verb) {
    case TR_FILE_OPEN:
        return is_path(operation->path) && opens_in_a_way(operation);
    case TR_FILE_READ:
        return operation->size <= TRI_FILE_BYTES_MAX
               && fits_a_file(operation->offset, operation->size);
    case TR_FILE_WRITE:
        return operation->bytes != NULL && fits_a_file(operation->offset, operation->bytes->size);
    case TR_FILE_TRUNCATE:
        return fits_a_file(0, operation->size);
    case TR_FILE_SYNC:
    case TR_FILE_SIZE:
        return true;
    case TR_PATH_RENAME:
        return is_path(operation->path) && is_path(operation->to);
    case TR_PATH_REMOVE:
    case TR_PATH_MKDIR:
    case TR_PATH_SYNC:
    case TR_PATH_SIZE:
        return is_path(operation->path);
    }
    return false;
}

/* Of what a verb takes, leaves only what it uses: nothing else is copied. */
static tr_file_operation needed(const tr_file_operation *operation)
{
    tr_file_operation copy = *operation;
    bool has_path = copy.verb == TR_FILE_OPEN || copy.verb >= TR_PATH_RENAME;

    copy.path = has_path ? copy.path : NULL;
    copy.to = copy.verb == TR_PATH_RENAME ? copy.to : NULL;
    copy.bytes = copy.verb == TR_FILE_WRITE ? copy.bytes : NULL;
    return copy;
}

tr_io tr_file_open_raw(tr_self *self, const tr_file_operation *operation)
{
    struct tri_io_opening opening;

    if (operation == NULL || operation->verb != TR_FILE_OPEN || !is_sane(operation))
        return tri_io_failed(-EINVAL);
    tr_file_operation copy = needed(operation);
    int err = tri_io_open(self, TRI_IO_FILE, &opening);
    if (err < 0)
        return tri_io_failed(err);
    err = opening.io->ops->file_open(opening.io->implementation, &opening.target, &copy,
                                     &opening.handle->object);
    return tri_io_opened(&opening, err);
}

int tr_file_start(tr_self *self, tr_io file, const tr_file_operation *operation)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, file, TRI_IO_FILE, &handle);

    if (err < 0)
        return err;
    if (operation == NULL || operation->verb == TR_FILE_OPEN || operation->verb >= TR_PATH_RENAME
        || !is_sane(operation))
        return -EINVAL;
    tr_file_operation copy = needed(operation);
    return handle->io->ops->file_start(handle->object, &copy);
}

int64_t tr_file_write_now_raw(tr_self *self, tr_io file, const tr_file_operation *operation)
{
    struct tri_io_handle *handle;
    int err = tri_io_mine(self, file, TRI_IO_FILE, &handle);

    if (err < 0)
        return err;
    if (operation == NULL || operation->verb != TR_FILE_WRITE || !is_sane(operation))
        return -EINVAL;
    return handle->io->ops->file_write(handle->object, operation);
}

int tr_path_start(tr_self *self, const tr_file_operation *operation)
{
    struct tri_io_target target;
    struct tri_io *io;

    if (operation == NULL || operation->verb < TR_PATH_RENAME || !is_sane(operation))
        return -EINVAL;
    tr_file_operation copy = needed(operation);
    int err = tri_io_here(self, &io, &target);
    return err < 0 ? err : io->ops->path_start(io->implementation, &target, &copy);
}

tr_io tr_signal_watch(tr_self *self, int number)
{
    struct tri_io_opening opening;
    int err = tri_io_open(self, TRI_IO_SIGNALS, &opening);

    if (err < 0)
        return tri_io_failed(err);
    err = opening.io->ops->signal(opening.io->implementation, &opening.target, number,
                                  &opening.handle->object);
    return tri_io_opened(&opening, err);
}
