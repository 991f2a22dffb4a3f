/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Files: each has a queue of operations, which travels to the pool as a whole.
 *
 *     tr_file_start ──command──► queue ──all of it──► [in the pool] ──► unpaid ──► events
 *                                  ▲                       │               │
 *                                  └── gathers meanwhile ──┘               └ no memory: again later
 *
 * Why. One trip at a time keeps the order of a file's operations; taking all that has gathered
 * makes a busy log cost fewer trips the busier it is.
 *
 * Rules
 *   1. While `busy`, the batch and the descriptor belong to the thread of the pool.
 *   2. A file whose opening failed keeps the error for all that follows. While nothing waits, its
 *      owner may look at both, and write by himself.
 *   3. The first operation of a file, or a path's, waits while an earlier incarnation of the same
 *      actor has any that is not done: otherwise a crash's successor could read a file into which a
 *      write of its predecessor's has yet to fall.
 *   4. A closed file's operations are still done; the descriptor is closed in the pool as well, for
 *      that may wait for a disk. A path's operation is a file that was never open.
 */

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/assert.h"
#include "io/uv_job.h"

struct queue {
    struct tri_uv_job *first;
    struct tri_uv_job **end;
};

struct tri_uv_file {
    struct tri_uv_object base;

    /* owner and holder */
    uint32_t waiting;       /* operations without a result */

    /* the holder of the loop, and in turn the pool: rule 1 */
    bool busy;
    bool is_path;
    bool has_begun;         /* its first trip */
    struct tri_link all;
    struct tri_link held;
    int descriptor;
    int open_error;
    struct queue queue;
    struct queue unpaid;    /* done, to be told */
    struct tri_uv_job *batch;
    uv_work_t work;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct tri_uv_job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

static struct tri_uv_job *queue_take_all(struct queue *queue)
{
    struct tri_uv_job *first = queue->first;

    queue_init(queue);
    return first;
}

static struct tri_uv_job *queue_pop(struct queue *queue)
{
    struct tri_uv_job *job = queue->first;

    queue->first = job->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    return job;
}

static void go_on(struct tri_uv_file *file);

/* ---- in the pool ---- */

static void work(uv_work_t *request)
{
    struct tri_uv_file *file = request->data;
    int *descriptor = &file->descriptor;

    if (file->batch == NULL) { /* its last trip */
        close(*descriptor);
        *descriptor = -1;
        return;
    }
    for (struct tri_uv_job *job = file->batch; job != NULL; job = job->next) {
        if (file->open_error != 0)
            job->error = file->open_error;
        else
            tri_uv_job_do(job, descriptor);
        if (job->operation.verb == TR_FILE_OPEN)
            file->open_error = job->error;
    }
}

/* ---- on the loop ---- */

static int tell(struct tri_uv_file *file, struct tri_uv_job *job)
{
    const struct tri_io_sink *sink = &file->base.uv->sink;
    struct tri_io_event event = {
        .kind = TRI_IO_FILE_DONE, .error = job->error, .target = file->base.object.target,
        .bytes = job->bytes, .verb = job->operation.verb, .size = job->size,
        .context = job->operation.context,
    };

    if (file->base.closing && !file->is_path)
        return 0;
    int err = sink->complete(sink->context, &event);
    if (err == 0)
        job->bytes = NULL; /* it went over */
    return err;
}

static void tell_all(struct tri_uv_file *file)
{
    while (file->unpaid.first != NULL) {
        if (tell(file, file->unpaid.first) < 0) {
            tri_uv_owe(&file->base);
            return;
        }
        tri_uv_job_free(queue_pop(&file->unpaid));
        /* release: what the pool did to the file; pairs with the acquire in tri_uv_file_write. */
        (void)tri_fetch_sub_acq_rel_32(&file->waiting, 1);
    }
}

static void pay(struct tri_uv_object *object)
{
    struct tri_uv_file *file = TRI_CONTAINER_OF(object, struct tri_uv_file, base);

    tell_all(file);
    go_on(file);
}

static void free_file(struct tri_uv_file *file)
{
    tri_link_remove(&file->all);
    tri_link_remove(&file->held);
    tri_uv_object_free(&file->base);
}

/* ---- incarnations: rule 3 ---- */

static bool comes_after(const struct tri_uv_file *file, const struct tri_uv_file *other)
{
    const struct tri_io_target *mine = &file->base.object.target;
    const struct tri_io_target *theirs = &other->base.object.target;

    return mine->owner.bits == theirs->owner.bits && theirs->incarnation < mine->incarnation
           && (other->busy || other->queue.first != NULL);
}

static bool must_wait(const struct tri_uv_file *file)
{
    if (file->has_begun || file->base.object.target.incarnation == 0)
        return false;
    TRI_LIST_EACH(&file->base.uv->files, each) {
        if (comes_after(file, TRI_CONTAINER_OF(each, struct tri_uv_file, all)))
            return true;
    }
    return false;
}

/* After something is done: whoever still has to wait puts itself back. */
static void go_on_with_held(struct tri_uv *uv)
{
    struct tri_list held;
    struct tri_link *link;

    tri_list_init(&held);
    while ((link = tri_list_pop_front(&uv->held_files)) != NULL)
        tri_list_push_back(&held, link);
    while ((link = tri_list_pop_front(&held)) != NULL)
        go_on(TRI_CONTAINER_OF(link, struct tri_uv_file, held));
}

/* ---- trips ---- */

static void after_work(uv_work_t *request, int status)
{
    struct tri_uv_file *file = request->data;
    struct tri_uv *uv = file->base.uv;
    struct tri_uv_job *job = file->batch;

    (void)status; /* no work is ever cancelled */
    file->busy = false;
    file->batch = NULL;
    while (job != NULL) {
        struct tri_uv_job *next = job->next;
        queue_add(&file->unpaid, job);
        job = next;
    }
    tell_all(file);
    go_on(file);
    if (!tri_list_is_empty(&uv->held_files))
        go_on_with_held(uv);
}

static void start_trip(struct tri_uv_file *file)
{
    file->busy = true;
    file->has_begun = true;
    file->batch = queue_take_all(&file->queue);
    file->work.data = file;
    int err = uv_queue_work(&file->base.uv->loop, &file->work, work, after_work);
    tri_assert(err == 0);
    (void)err;
}

/* What comes next: more operations, the end of the descriptor, the end. */
static void go_on(struct tri_uv_file *file)
{
    if (file->busy || !tri_link_is_alone(&file->held))
        return;
    if (file->queue.first != NULL && must_wait(file))
        tri_list_push_back(&file->base.uv->held_files, &file->held);
    else if (file->queue.first != NULL || (file->base.closing && file->descriptor >= 0))
        start_trip(file);
    else if (file->base.closing && file->unpaid.first == NULL)
        free_file(file);
}

static void release(struct tri_uv_object *object)
{
    struct tri_uv_file *file = TRI_CONTAINER_OF(object, struct tri_uv_file, base);

    file->is_path = false;
    tell_all(file); /* to nobody any more: frees them */
    go_on(file);
}

static void run_job(struct tri_uv_command *command)
{
    struct tri_uv_job *job = TRI_CONTAINER_OF(command, struct tri_uv_job, command);
    struct tri_uv_file *file = job->file;

    if (tri_link_is_alone(&file->base.all)) {
        tri_uv_object_add(&file->base);
        tri_list_push_back(&file->base.uv->files, &file->all);
    }
    queue_add(&file->queue, job);
    go_on(file);
}

/* ---- operations ---- */

static int start(struct tri_uv_file *file, const tr_file_operation *operation)
{
    struct tri_uv_job *job = tri_uv_job_new(operation);

    if (job == NULL)
        return -ENOMEM;
    job->file = file;
    job->command.run = run_job;
    (void)tri_fetch_add_acq_rel_32(&file->waiting, 1);
    tri_uv_submit(file->base.uv, &job->command);
    return 0;
}

/* A file whose first operation is on its way. */
static int make(struct tri_uv *uv, const struct tri_io_target *target,
                const tr_file_operation *operation, struct tri_uv_file **ret_file)
{
    struct tri_uv_file *file = tri_alloc_zeroed(sizeof(*file));

    if (file == NULL)
        return -ENOMEM;
    tri_uv_object_init(&file->base, uv, target);
    file->base.release = release;
    file->base.pay = pay;
    file->descriptor = -1;
    queue_init(&file->queue);
    queue_init(&file->unpaid);
    tri_link_init(&file->all);
    tri_link_init(&file->held);
    file->is_path = operation->verb >= TR_PATH_RENAME;
    file->base.closing = file->is_path;
    *ret_file = file;
    int err = start(file, operation);
    if (err < 0)
        tri_free(file);
    return err;
}

int tri_uv_file_open(void *implementation, const struct tri_io_target *target,
                     const tr_file_operation *operation, struct tri_io_object **ret_file)
{
    struct tri_uv_file *file;
    int err = make(implementation, target, operation, &file);

    if (err == 0)
        *ret_file = &file->base.object;
    return err;
}

int tri_uv_file_start(struct tri_io_object *object, const tr_file_operation *operation)
{
    struct tri_uv_file *file = TRI_CONTAINER_OF(object, struct tri_uv_file, base.object);

    /* relaxed: the owner alone adds; a count that lags is only stricter. */
    if (tri_load_relaxed_32(&file->waiting) >= TRI_FILE_QUEUE_MAX)
        return -ENOBUFS;
    return start(file, operation);
}

int64_t tri_uv_file_write(struct tri_io_object *object, const tr_file_operation *operation)
{
    struct tri_uv_file *file = TRI_CONTAINER_OF(object, struct tri_uv_file, base.object);
    uint64_t written = 0;

    /* acquire: with nothing waiting the file is the owner's, who alone can begin something; pairs
     * with the release in tell_all. */
    if (tri_load_acquire_32(&file->waiting) != 0)
        return -EAGAIN;
    if (file->open_error != 0)
        return file->open_error;
    int err = tri_uv_job_write(file->descriptor, operation, &written);
    return written > 0 || err == 0 ? (int64_t)written : err;
}

int tri_uv_path_start(void *implementation, const struct tri_io_target *target,
                      const tr_file_operation *operation)
{
    struct tri_uv_file *file;

    return make(implementation, target, operation, &file);
}
