/* SPDX-License-Identifier: BSD-2-Clause */

/* See system.h. */

#include "io/system.h"

#include <errno.h>

#include "actors/deliver.h"
#include "base/memory.h"
#include "io/simulated.h"
#include "io/uv.h"
#include "sched/sched.h"

/* What one incarnation has open. */
struct owner {
    struct tri_link link;
    struct tri_io *io;
    tr_ref ref;
    uint32_t incarnation;
    struct tri_list handles; /* touched in the actor's own turns alone */
};

/* ---- its life ------------------------------------------------------------------------------- */

static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static void *run_thread(void *context)
{
    struct tri_io *io = context;

    /* acquire: nothing in particular; pairs with the release in before_stop. */
    while (tri_load_acquire_32(&io->is_stopping) == 0)
        io->ops->poll(io->implementation, TR_FOREVER);
    return NULL;
}

static void before_stop(void *attached)
{
    struct tri_io *io = attached;

    if (tri_sim_is_on())
        return;
    if (!io->has_thread) {
        tri_sched_set_poller(tri_system_sched(io->sys), NULL);
        return;
    }
    tri_store_release_32(&io->is_stopping, 1);
    io->ops->wake(io->implementation);
    pthread_join(io->thread, NULL);
}

static void free_io(void *attached)
{
    struct tri_io *io = attached;

    tri_io_handle_each(io, tri_io_handle_close);
    io->ops->stop(io->implementation);
    tri_free(io);
}

static int make(tr_system *sys, const struct tri_io_setting *setting, struct tri_io **ret_io)
{
    struct tri_io *io = tri_alloc_zeroed(sizeof(*io));
    struct tri_io_sink sink = { io, tri_io_complete };

    if (io == NULL)
        return -ENOMEM;
    io->sys = sys;
    io->ops = setting->ops;
    for (unsigned i = 0; i < TRI_IO_BUCKETS; i++)
        tri_list_init(&io->buckets[i].owners);
    int err = io->ops->start(&sink, &io->implementation);
    if (err < 0) {
        tri_free(io);
        return err;
    }
    io->poller = (struct tri_poller){ io->implementation, io->ops->poll, io->ops->wake };
    *ret_io = io;
    return 0;
}

/* Finds somebody to poll it: a worker with nothing to do, or a thread of its own. What happens in a
 * simulation happens by itself. */
static int staff(struct tri_io *io, bool own_thread)
{
    if (tri_sim_is_on())
        return 0;
    if (!own_thread) {
        tri_sched_set_poller(tri_system_sched(io->sys), &io->poller);
        return 0;
    }
    io->has_thread = pthread_create(&io->thread, NULL, run_thread, io) == 0;
    return io->has_thread ? 0 : -EAGAIN;
}

/* Under the lock of starting. */
static int start(tr_system *sys, const struct tri_io_setting *setting, struct tri_io **ret_io)
{
    struct tri_io *io;

    if (tri_system_attached(sys) != NULL)
        return -EEXIST;
    int err = make(sys, setting, &io);
    if (err < 0)
        return err;
    err = staff(io, setting->own_thread);
    if (err == 0)
        err = tri_system_attach(sys, io, before_stop, free_io);
    if (err < 0) {
        if (err != -EAGAIN)
            before_stop(io);
        free_io(io);
        return err;
    }
    *ret_io = io;
    return 0;
}

int tri_io_start(tr_system *sys, const struct tri_io_setting *setting, struct tri_io **ret_io)
{
    pthread_mutex_lock(&starting);
    int err = start(sys, setting, ret_io);
    pthread_mutex_unlock(&starting);
    return err;
}

static const struct tri_io_ops *usual_ops(void)
{
    return tri_sim_is_on() ? &tri_simio_ops : &tri_uv_ops;
}

int tr_io_start(tr_system *sys, const tr_io_config *config)
{
    struct tri_io_setting setting = { usual_ops(), config != NULL && config->own_thread };
    struct tri_io *io;
    int err = tri_system_enter(sys);

    if (err < 0)
        return err;
    err = tri_io_start(sys, &setting, &io);
    tri_system_leave(sys);
    return err;
}

static int io_of(tr_system *sys, struct tri_io **ret_io)
{
    const struct tri_io_setting usual = { usual_ops(), false };
    struct tri_io *io = tri_system_attached(sys);

    if (io == NULL) {
        int err = tri_io_start(sys, &usual, &io);
        if (err < 0 && err != -EEXIST)
            return err;
        if (err == -EEXIST)
            io = tri_system_attached(sys);
    }
    *ret_io = io;
    return 0;
}

/* ---- owners --------------------------------------------------------------------------------- */

static struct tri_io_bucket *bucket_of(struct tri_io *io, tr_ref ref)
{
    return &io->buckets[ref.bits * UINT64_C(0x9e3779b97f4a7c15) >> 58];
}

/* Under the bucket's lock. */
static struct owner *find(struct tri_io_bucket *bucket, tr_ref ref, uint32_t incarnation)
{
    TRI_LIST_EACH(&bucket->owners, link) {
        struct owner *owner = TRI_CONTAINER_OF(link, struct owner, link);
        if (tr_ref_equal(owner->ref, ref) && owner->incarnation == incarnation)
            return owner;
    }
    return NULL;
}

/* The incarnation has ended. */
static void release(void *arg)
{
    struct owner *owner = arg;
    struct tri_io_bucket *bucket = bucket_of(owner->io, owner->ref);
    struct tri_link *link;

    while ((link = tri_list_first(&owner->handles)) != NULL)
        tri_io_handle_close(TRI_CONTAINER_OF(link, struct tri_io_handle, mine));
    tri_spin_lock(&bucket->lock);
    tri_link_remove(&owner->link);
    tri_spin_unlock(&bucket->lock);
    tri_free(owner);
}

static struct owner *owner_new(tr_self *self, struct tri_io *io)
{
    struct tri_io_bucket *bucket = bucket_of(io, tri_self_ref(self));
    struct owner *owner = tri_alloc(sizeof(*owner));

    if (owner == NULL)
        return NULL;
    owner->io = io;
    owner->ref = tri_self_ref(self);
    owner->incarnation = self->actor->incarnation;
    tri_list_init(&owner->handles);
    tri_spin_lock(&bucket->lock);
    tri_list_push_front(&bucket->owners, &owner->link);
    tri_spin_unlock(&bucket->lock);
    return tr_defer(self, release, owner) == 0 ? owner : NULL; /* released if not deferred */
}

int tri_io_adopt(tr_self *self, struct tri_io_handle *handle)
{
    tr_ref me = tri_self_ref(self);
    struct tri_io_bucket *bucket = bucket_of(handle->io, me);

    tri_spin_lock(&bucket->lock);
    struct owner *owner = find(bucket, me, self->actor->incarnation);
    tri_spin_unlock(&bucket->lock);
    if (owner == NULL)
        owner = owner_new(self, handle->io);
    if (owner == NULL)
        return -ENOMEM;
    tri_list_push_back(&owner->handles, &handle->mine);
    tri_store_relaxed_32(&handle->incarnation, owner->incarnation);
    tri_store_relaxed_64(&handle->owner, me.bits);
    if (handle->object != NULL)
        handle->object->target = (struct tri_io_target){ me, tri_io_token(handle),
                                                         owner->incarnation };
    return 0;
}

/* ---- opening and closing -------------------------------------------------------------------- */

int tri_io_here(tr_self *self, struct tri_io **ret_io, struct tri_io_target *ret_target)
{
    int err = tri_self_check(self);

    if (err == 0)
        err = io_of(self->system, ret_io);
    if (err == 0)
        *ret_target = (struct tri_io_target){ .owner = tri_self_ref(self),
                                              .incarnation = self->actor->incarnation };
    return err;
}

int tri_io_open(tr_self *self, enum tri_io_kind kind, struct tri_io_opening *ret_opening)
{
    struct tri_io_opening opening;
    int err = tri_io_here(self, &opening.io, &opening.target);

    if (err < 0)
        return err;
    err = tri_io_handle_new(opening.io, kind, &opening.handle);
    if (err < 0)
        return err;
    err = tri_io_adopt(self, opening.handle);
    if (err < 0) {
        tri_io_handle_free(opening.handle);
        return err;
    }
    opening.target.io = tri_io_token(opening.handle);
    *ret_opening = opening;
    return 0;
}

tr_io tri_io_opened(const struct tri_io_opening *opening, int error)
{
    if (error == 0)
        return opening->target.io;
    tri_io_handle_close(opening->handle);
    return tri_io_failed(error);
}

void tri_io_handle_close(struct tri_io_handle *handle)
{
    struct tri_io *io = handle->io;
    struct tri_io_object *object = handle->object;

    tri_link_remove(&handle->mine);
    tri_io_handle_free(handle);
    if (object != NULL)
        io->ops->close(object);
}
