/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Simulated files: each has a queue of operations, of which one is under way. It takes effect when
 * its time is over, and is told at once.
 *
 *     tr_file_start ──► queue ──► [under way] ──► done ──► event
 *                                                  └ no memory for it: again later
 *
 * Why the effect comes last. A crash in between then leaves what a crash leaves: nothing of it, or
 * a part of a write (tri_simio_file_interrupt). Only a sync looks at its beginning, too: what is
 * written while it is under way is none of its business.
 *
 * Rules as those of uv_file.c: a file whose opening failed keeps the error for all that follows; a
 * closed file's operations are still done; a path's operation is a file that was never open; the
 * first operation waits for those of the owner's earlier incarnations.
 */

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "io/sim_disk.h"
#include "io/simulated.h"

struct job {
    struct tri_link link;
    tr_file_operation operation; /* its texts follow below */
    bool is_done;
    int error;
    uint64_t size;
    tr_bytes *bytes;
    char texts[];
};

struct file {
    struct tri_simio_object base;
    struct tri_list jobs;        /* the first one is under way */
    uint32_t waiting;
    bool is_path;
    bool is_closed;
    bool has_begun;              /* its first operation, */
    bool is_held;                /* which waits for an earlier incarnation's */
    uint32_t flags;              /* it was opened with */
    int open_error;
    struct tri_disk_file *content;
    uint64_t sync_from;          /* changes that had been made when the sync began */
};

static struct tri_sim_fault fault_open = TRI_SIM_FAULT("disk.open");
static struct tri_sim_fault fault_read = TRI_SIM_FAULT("disk.read");
static struct tri_sim_fault fault_write = TRI_SIM_FAULT("disk.write");
static struct tri_sim_fault fault_short = TRI_SIM_FAULT("disk.short");
static struct tri_sim_fault fault_full = TRI_SIM_FAULT("disk.full");
static struct tri_sim_fault fault_sync = TRI_SIM_FAULT("disk.sync");
static struct tri_sim_fault fault_names = TRI_SIM_FAULT("disk.names");
static struct tri_sim_fault fault_slow = TRI_SIM_FAULT("disk.slow");

static struct file *file_of(struct tri_simio_object *object)
{
    return TRI_CONTAINER_OF(object, struct file, base);
}

static struct job *first_job(const struct file *file)
{
    struct tri_link *link = tri_list_first(&file->jobs);

    return link != NULL ? TRI_CONTAINER_OF(link, struct job, link) : NULL;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static struct job *job_new(const tr_file_operation *operation)
{
    size_t path_size = operation->path != NULL ? strlen(operation->path) + 1 : 0;
    size_t to_size = operation->to != NULL ? strlen(operation->to) + 1 : 0;
    struct job *job = tri_alloc_zeroed(sizeof(*job) + path_size + to_size);

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

static void job_free(struct file *file, struct job *job)
{
    tri_link_remove(&job->link);
    file->waiting--;
    tr_bytes_drop(job->operation.bytes);
    tr_bytes_drop(job->bytes);
    tri_free(job);
}

/* ---- doing ---------------------------------------------------------------------------------- */

static int do_open(struct file *file, struct job *job)
{
    const tr_file_operation *operation = &job->operation;

    if (tri_sim_strikes(&fault_open, operation->path, NULL))
        return -EIO;
    int err = tri_disk_open(operation->path, operation->flags, &file->content);
    if (err < 0)
        return err;
    file->flags = operation->flags;
    job->size = tri_disk_size(file->content);
    return 0;
}

static int do_read(struct file *file, struct job *job)
{
    if (!(file->flags & TR_OPEN_READ))
        return -EBADF;
    if (tri_sim_strikes(&fault_read, NULL, NULL))
        return -EIO;
    job->bytes = tri_disk_read(file->content, job->operation.offset, job->operation.size);
    if (job->bytes == NULL)
        return -ENOMEM;
    job->size = job->bytes->size;
    return 0;
}

/* Of a write that goes wrong, a part is written all the same; of one that is only short, a byte at
 * least. */
static uint64_t choose_part(uint64_t size, int error)
{
    if (error != -EINTR)
        return tri_sim_choose((uint32_t)size);
    return size > 1 ? 1 + tri_sim_choose((uint32_t)size - 1) : size;
}

static int do_write(struct file *file, struct job *job)
{
    tr_bytes *bytes = job->operation.bytes;
    uint64_t size = bytes->size;
    uint64_t offset = file->flags & TR_OPEN_APPEND ? tri_disk_size(file->content)
                                                   : job->operation.offset;
    int error = 0;

    if (!(file->flags & TR_OPEN_WRITE))
        return -EBADF;
    if (tri_sim_strikes(&fault_write, NULL, NULL))
        error = -EIO;
    else if (tri_sim_strikes(&fault_full, NULL, NULL))
        error = -ENOSPC;
    else if (tri_sim_strikes(&fault_short, NULL, NULL))
        error = -EINTR;
    if (error != 0)
        size = choose_part(size, error);
    int err = size > 0 || error == 0 ? tri_disk_write(file->content, offset, bytes, size) : 0;
    if (err < 0)
        return err;
    job->size = size;
    return error == -EINTR ? 0 : error;
}

static int do_sync(struct file *file)
{
    if (tri_sim_strikes(&fault_sync, NULL, NULL)) {
        tri_disk_sync_fails(file->content, file->sync_from);
        return -EIO;
    }
    tri_disk_sync(file->content, file->sync_from);
    return 0;
}

static int do_path(struct job *job)
{
    const tr_file_operation *operation = &job->operation;

    if (tri_sim_strikes(&fault_names, operation->path, NULL))
        return -EIO;
    switch (operation->verb) {
    case TR_PATH_RENAME:
        return tri_disk_rename(operation->path, operation->to);
    case TR_PATH_REMOVE:
        return tri_disk_remove(operation->path);
    case TR_PATH_MKDIR:
        return tri_disk_make_folder(operation->path);
    case TR_PATH_SYNC:
        return tri_disk_sync_names(operation->path);
    default:
        return tri_disk_path_size(operation->path, &job->size);
    }
}

static int do_file(struct file *file, struct job *job)
{
    switch (job->operation.verb) {
    case TR_FILE_READ:
        return do_read(file, job);
    case TR_FILE_WRITE:
        return do_write(file, job);
    case TR_FILE_SYNC:
        return do_sync(file);
    case TR_FILE_TRUNCATE:
        if (!(file->flags & TR_OPEN_WRITE))
            return -EINVAL;
        return tri_disk_truncate(file->content, job->operation.size);
    default:
        job->size = tri_disk_size(file->content);
        return 0;
    }
}

static void do_job(struct file *file, struct job *job)
{
    job->is_done = true;
    if (file->open_error != 0)
        job->error = file->open_error;
    else if (job->operation.verb >= TR_PATH_RENAME)
        job->error = do_path(job);
    else if (job->operation.verb == TR_FILE_OPEN)
        job->error = file->open_error = do_open(file, job);
    else
        job->error = do_file(file, job);
}

/* ---- one after another ---------------------------------------------------------------------- */

static void file_free(struct file *file)
{
    while (first_job(file) != NULL)
        job_free(file, first_job(file));
    if (file->content != NULL)
        tri_disk_close(file->content);
    tri_simio_object_free(&file->base);
}

/* How long a disk takes for it: as one with a cache, whose syncs have to wait for the medium. */
static int64_t time_for(const struct job *job)
{
    if (tri_sim_strikes(&fault_slow, NULL, NULL))
        return tri_sim_between(100 * TRI_NS_PER_MS, 2 * TRI_NS_PER_S);
    switch (job->operation.verb) {
    case TR_FILE_SYNC:
    case TR_PATH_SYNC:
        return tri_sim_between(100 * TRI_NS_PER_US, 5 * TRI_NS_PER_MS);
    default:
        return tri_sim_between(5 * TRI_NS_PER_US, 60 * TRI_NS_PER_US);
    }
}

static bool comes_after(const struct file *file, const struct tri_simio_object *object)
{
    const struct tri_io_target *mine = &file->base.object.target;
    const struct tri_io_target *theirs = &object->object.target;

    return mine->owner.bits == theirs->owner.bits && theirs->incarnation < mine->incarnation
           && object->kind == TRI_SIMIO_FILE && !object->is_down
           && TRI_CONTAINER_OF(object, struct file, base)->waiting > 0;
}

static bool must_wait(const struct file *file)
{
    if (file->has_begun || file->base.object.target.incarnation == 0)
        return false;
    TRI_LIST_EACH(&file->base.io->objects, link) {
        if (comes_after(file, TRI_CONTAINER_OF(link, struct tri_simio_object, all)))
            return true;
    }
    return false;
}

static void begin_next(struct file *file);

/* After a file has nothing left to do. */
static void begin_held(struct tri_simio *io)
{
    TRI_LIST_EACH(&io->objects, link) {
        struct tri_simio_object *object = TRI_CONTAINER_OF(link, struct tri_simio_object, all);
        if (object->kind == TRI_SIMIO_FILE && file_of(object)->is_held)
            begin_next(file_of(object));
    }
}

static void begin_next(struct file *file)
{
    struct tri_simio *io = file->base.io;
    const struct job *job = first_job(file);

    if (job == NULL) {
        if (file->is_closed || file->is_path)
            file_free(file);
        begin_held(io);
        return;
    }
    file->is_held = must_wait(file);
    if (file->is_held)
        return;
    file->has_begun = true;
    file->sync_from = file->content != NULL ? tri_disk_changes(file->content) : 0;
    tri_simio_attend(&file->base, time_for(job));
}

static int tell(struct file *file, struct job *job)
{
    const struct tri_io_event event = {
        .kind = TRI_IO_FILE_DONE, .error = job->error, .target = file->base.object.target,
        .bytes = job->bytes, .verb = job->operation.verb, .size = job->size,
        .context = job->operation.context,
    };
    int err = file->is_closed ? 0 : tri_simio_tell(&file->base, &event);

    if (err == 0 && !file->is_closed)
        job->bytes = NULL; /* it went over */
    return err;
}

/* The time of the operation that is under way is over. */
static void happen(void *context)
{
    struct file *file = file_of(context);
    struct job *job = first_job(file);

    tri_assert(job != NULL);
    if (!job->is_done)
        do_job(file, job);
    if (tell(file, job) < 0) {
        tri_simio_attend(&file->base, TRI_IO_RETRY_MS * TRI_NS_PER_MS);
        return;
    }
    job_free(file, job);
    begin_next(file);
}

/* ---- operations ----------------------------------------------------------------------------- */

static int start(struct file *file, const tr_file_operation *operation)
{
    struct job *job = job_new(operation);

    if (job == NULL)
        return -ENOMEM;
    tri_list_push_back(&file->jobs, &job->link);
    if (file->waiting++ == 0)
        begin_next(file);
    return 0;
}

static int make(void *implementation, const struct tri_io_target *target,
                const tr_file_operation *operation, struct file **ret_file)
{
    struct file *file = tri_alloc_zeroed(sizeof(*file));

    if (file == NULL)
        return -ENOMEM;
    tri_list_init(&file->jobs);
    file->base.kind = TRI_SIMIO_FILE;
    file->base.event.happen = happen;
    file->is_path = operation->verb >= TR_PATH_RENAME;
    tri_simio_object_init(&file->base, implementation, target);
    file->base.is_down = tri_simio_machine_is_down();
    int err = start(file, operation);
    if (err < 0)
        file_free(file);
    else
        *ret_file = file;
    return err;
}

int tri_simio_file_open(void *implementation, const struct tri_io_target *target,
                        const tr_file_operation *operation, struct tri_io_object **ret_file)
{
    struct file *file;
    int err = make(implementation, target, operation, &file);

    if (err == 0)
        *ret_file = &file->base.object;
    return err;
}

int tri_simio_file_start(struct tri_io_object *object, const tr_file_operation *operation)
{
    struct file *file = TRI_CONTAINER_OF(object, struct file, base.object);

    return file->waiting >= TRI_FILE_QUEUE_MAX ? -ENOBUFS : start(file, operation);
}

/* Takes no time: what a slow disk does to it is that it is busy. */
int64_t tri_simio_file_write(struct tri_io_object *object, const tr_file_operation *operation)
{
    struct file *file = TRI_CONTAINER_OF(object, struct file, base.object);
    struct job job = { .operation = *operation };

    if (file->waiting > 0 || file->base.is_down || tri_sim_strikes(&fault_slow, NULL, NULL))
        return -EAGAIN;
    if (file->open_error != 0)
        return file->open_error;
    job.operation.bytes = tr_bytes_new(operation->bytes->size); /* which the disk keeps */
    if (job.operation.bytes == NULL)
        return -ENOMEM;
    memcpy(job.operation.bytes->data, operation->bytes->data, operation->bytes->size);
    int err = do_write(file, &job);
    tr_bytes_drop(job.operation.bytes);
    return job.size > 0 || err == 0 ? (int64_t)job.size : err;
}

int tri_simio_path_start(void *implementation, const struct tri_io_target *target,
                         const tr_file_operation *operation)
{
    struct file *file;

    return make(implementation, target, operation, &file);
}

void tri_simio_file_close(struct tri_simio_object *object)
{
    struct file *file = file_of(object);

    file->is_closed = true;
    if (file->waiting == 0 || object->is_down)
        file_free(file);
}

void tri_simio_file_interrupt(struct tri_simio_object *object)
{
    struct file *file = file_of(object);
    const struct job *job = first_job(file);

    object->is_down = true;
    tri_sim_cancel(&object->event);
    if (job != NULL && !job->is_done && job->operation.verb == TR_FILE_WRITE
        && file->content != NULL && tri_sim_choose(2) == 1) {
        uint64_t offset = file->flags & TR_OPEN_APPEND ? tri_disk_size(file->content)
                                                       : job->operation.offset;
        size_t size = tri_sim_choose((uint32_t)job->operation.bytes->size + 1);
        (void)tri_disk_write(file->content, offset, job->operation.bytes, size);
    }
    if (file->is_closed || file->is_path)
        file_free(file);
}

void tri_simio_file_finish(struct tri_simio_object *object)
{
    struct file *file = file_of(object);
    struct job *job;

    while ((job = first_job(file)) != NULL) {
        file->sync_from = file->content != NULL ? tri_disk_changes(file->content) : 0;
        if (!job->is_done && !object->is_down)
            do_job(file, job);
        job_free(file, job);
    }
    file_free(file);
}
