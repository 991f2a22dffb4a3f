/* SPDX-License-Identifier: BSD-2-Clause */

/* Signals of the process, as events. libuv's handler writes to a pipe that the loop reads. */

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "io/uv.h"

struct watch {
    struct tri_uv_object base;
    struct tri_uv_command begin;
    int number;
    bool is_open;
    uv_signal_t handle;
};

static void pay(struct tri_uv_object *object)
{
    struct watch *watch = TRI_CONTAINER_OF(object, struct watch, base);
    struct tri_io_event event = { .kind = TRI_IO_SIGNAL, .target = object->object.target,
                                  .number = watch->number };
    const struct tri_io_sink *sink = &object->uv->sink;

    if (sink->complete(sink->context, &event) < 0)
        tri_uv_owe(object);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct watch *watch = handle->data;

    (void)number;
    if (!watch->base.closing)
        pay(&watch->base);
}

static void on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;

    tri_uv_object_free(&watch->base);
}

static void release(struct tri_uv_object *object)
{
    struct watch *watch = TRI_CONTAINER_OF(object, struct watch, base);

    if (watch->is_open)
        uv_close((uv_handle_t *)&watch->handle, on_closed);
    else
        tri_uv_object_free(object);
}

static void run_begin(struct tri_uv_command *command)
{
    struct watch *watch = TRI_CONTAINER_OF(command, struct watch, begin);

    tri_uv_object_add(&watch->base);
    if (uv_signal_init(&watch->base.uv->loop, &watch->handle) < 0)
        return;
    watch->is_open = true;
    watch->handle.data = watch;
    (void)uv_signal_start(&watch->handle, on_signal, watch->number);
}

/* Catching a fault's signal in a handler that returns would repeat the fault for ever. */
static bool can_be_watched(int number)
{
    struct sigaction present;

    if (number == SIGKILL || number == SIGSTOP || number == SIGSEGV || number == SIGBUS
        || number == SIGFPE || number == SIGILL)
        return false;
    return sigaction(number, NULL, &present) == 0;
}

int tri_uv_signal(void *implementation, const struct tri_io_target *target, int number,
                  struct tri_io_object **ret_signal)
{
    struct watch *watch;

    if (!can_be_watched(number))
        return -EINVAL;
    watch = tri_alloc_zeroed(sizeof(*watch));
    if (watch == NULL)
        return -ENOMEM;
    tri_uv_object_init(&watch->base, implementation, target);
    watch->base.release = release;
    watch->base.pay = pay;
    watch->begin.run = run_begin;
    watch->number = number;
    *ret_signal = &watch->base.object;
    tri_uv_submit(watch->base.uv, &watch->begin);
    return 0;
}
