/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. The simulated table of operations: what all objects have in common, and the machine's end.
 *
 * Partners: io/simulated.h has the objects, io/sim_disk.c what a crash leaves of the files.
 */

#include <errno.h>

#include "base/assert.h"
#include "io/sim_disk.h"
#include "io/simulated.h"
#include "sim/inside.h"

static struct tri_list systems = { { &systems.ring, &systems.ring } };
static uint64_t objects_made;
static bool machine_is_down;

static struct tri_sim_row crashes = TRI_SIM_ROW("machine: lost its power");
static struct tri_sim_row kills = TRI_SIM_ROW("machine: the process died");

static struct tri_simio_object *object_at(struct tri_link *link)
{
    return TRI_CONTAINER_OF(link, struct tri_simio_object, all);
}

static struct tri_simio_object *object_of(struct tri_io_object *object)
{
    return TRI_CONTAINER_OF(object, struct tri_simio_object, object);
}

/* ---- objects -------------------------------------------------------------------------------- */

void tri_simio_object_init(struct tri_simio_object *object, struct tri_simio *io,
                           const struct tri_io_target *target)
{
    object->object.target = *target;
    object->io = io;
    object->number = ++objects_made;
    object->event.context = object;
    tri_list_push_back(&io->objects, &object->all);
}

void tri_simio_object_free(struct tri_simio_object *object)
{
    tri_sim_cancel(&object->event);
    tri_link_remove(&object->all);
    tri_free(object);
}

void tri_simio_attend(struct tri_simio_object *object, int64_t delay)
{
    if (object->event.state == TRI_SIM_EVENT_IDLE && !object->is_down)
        tri_sim_at(&object->event, tri_sim_now() + delay);
}

/* The trace has what was told, bytes included, and about what; not where anything lies. */
static void note(const struct tri_simio_object *object, const struct tri_io_event *event)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; event->bytes != NULL && i < event->bytes->size; i++)
        sum = (sum ^ event->bytes->data[i]) * UINT64_C(0x100000001b3);
    tri_sim_note(object->number << 8 | event->kind);
    tri_sim_note((uint64_t)(int64_t)event->error);
    tri_sim_note(sum ^ event->size);
}

int tri_simio_tell(struct tri_simio_object *object, const struct tri_io_event *event)
{
    const struct tri_io_sink *sink = &object->io->sink;
    tr_bytes *bytes = tr_bytes_share(event->bytes); /* told, it may be gone */
    struct tri_io_event copy = *event;
    int err = sink->complete(sink->context, event);

    copy.bytes = bytes;
    if (err == 0)
        note(object, &copy);
    tr_bytes_drop(bytes);
    return err;
}

int tri_simio_credit(uint32_t *credit, uint32_t more)
{
    if (more > TRI_CREDITS_MAX || *credit + more > TRI_CREDITS_MAX)
        return -ERANGE;
    *credit += more;
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

static int start(const struct tri_io_sink *sink, void **ret_implementation)
{
    static struct tri_sim_ending ending = { .forget = tri_simio_forget };
    struct tri_simio *io = tri_alloc_zeroed(sizeof(*io));

    if (io == NULL)
        return -ENOMEM;
    tri_sim_at_end(&ending);
    io->sink = *sink;
    tri_list_init(&io->objects);
    tri_list_push_back(&systems, &io->link);
    *ret_implementation = io;
    return 0;
}

static int refuse(void *context, const struct tri_io_event *event)
{
    (void)context;
    tr_bytes_drop(event->bytes);
    return 0;
}

static void close_object(struct tri_io_object *any)
{
    struct tri_simio_object *object = object_of(any);

    switch (object->kind) {
    case TRI_SIMIO_STREAM:
        tri_simio_stream_close(object);
        break;
    case TRI_SIMIO_LISTENER:
        tri_simio_listener_close(object);
        break;
    case TRI_SIMIO_FILE:
        tri_simio_file_close(object);
        break;
    case TRI_SIMIO_WATCH:
        tri_simio_watch_close(object);
        break;
    }
}

/* Handles have been closed; files that have work left are done with it at once. */
static void stop(void *implementation)
{
    struct tri_simio *io = implementation;
    struct tri_link *link;

    io->sink.complete = refuse;
    while ((link = tri_list_first(&io->objects)) != NULL) {
        struct tri_simio_object *object = object_at(link);
        if (object->kind == TRI_SIMIO_FILE)
            tri_simio_file_finish(object);
        else
            close_object(&object->object);
    }
    tri_link_remove(&io->link);
    tri_free(io);
}

static bool never(const void *context)
{
    (void)context;
    return false;
}

/* For tests: in a simulation nobody polls. */
static void poll(void *implementation, tr_time timeout)
{
    (void)implementation;
    (void)tri_sim_drive(never, NULL, timeout == TR_FOREVER ? TR_FOREVER : tri_sim_now() + timeout);
}

static void wake(void *implementation)
{
    (void)implementation;
}

static int grant(struct tri_io_object *any, uint32_t credits)
{
    struct tri_simio_object *object = object_of(any);

    return object->kind == TRI_SIMIO_LISTENER ? tri_simio_listener_grant(object, credits)
                                              : tri_simio_stream_grant(object, credits);
}

static int address(struct tri_io_object *any, bool peer, tr_address *ret_address)
{
    struct tri_simio_object *object = object_of(any);

    return object->kind == TRI_SIMIO_LISTENER
               ? tri_simio_listener_address(object, peer, ret_address)
               : tri_simio_stream_address(object, peer, ret_address);
}

const struct tri_io_ops tri_simio_ops = {
    .start = start, .stop = stop, .poll = poll, .wake = wake,
    .listen = tri_simio_listen,
    .connect = tri_simio_connect,
    .grant = grant,
    .write = tri_simio_stream_write,
    .write_end = tri_simio_stream_write_end,
    .address = address,
    .is_at_rest = tri_simio_stream_is_at_rest,
    .file_open = tri_simio_file_open,
    .file_start = tri_simio_file_start,
    .file_write = tri_simio_file_write,
    .path_start = tri_simio_path_start,
    .signal = tri_simio_watch,
    .close = close_object,
};

/* ---- the machine ---------------------------------------------------------------------------- */

static void each_object(void (*visit)(struct tri_simio_object *object))
{
    TRI_LIST_EACH(&systems, system) {
        struct tri_simio *io = TRI_CONTAINER_OF(system, struct tri_simio, link);
        TRI_LIST_EACH(&io->objects, link)
            visit(object_at(link));
    }
}

/* Those that connect run elsewhere: their other ends break. */
static void take_down(struct tri_simio_object *object)
{
    if (object->is_down || object->kind == TRI_SIMIO_WATCH)
        return;
    if (object->kind == TRI_SIMIO_FILE)
        tri_simio_file_interrupt(object);
    else if (object->kind == TRI_SIMIO_LISTENER)
        tri_simio_listener_goes_down(object);
    else
        tri_simio_stream_goes_down(object);
}

void tri_simio_machine_crash(bool power)
{
    tri_sim_cover(power ? &crashes : &kills);
    each_object(take_down);
    if (power)
        tri_disk_crash();
    machine_is_down = true;
}

void tri_simio_machine_start(void)
{
    machine_is_down = false;
}

bool tri_simio_machine_is_down(void)
{
    return machine_is_down;
}

static int signalled;

static void notify(struct tri_simio_object *object)
{
    if (object->kind == TRI_SIMIO_WATCH)
        tri_simio_watch_notify(object, signalled);
}

void tri_simio_signal(int number)
{
    signalled = number;
    each_object(notify);
}

void tri_simio_forget(void)
{
    tri_assert(tri_list_is_empty(&systems));
    tri_disk_forget();
    tri_simio_ports_forget();
    machine_is_down = false;
    objects_made = 0;
}
