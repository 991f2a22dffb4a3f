/* SPDX-License-Identifier: BSD-2-Clause */

/* Simulated signals: sent by a test, watched as real ones; several at once come as one. */

#include <errno.h>
#include <signal.h>

#include "io/simulated.h"

struct watch {
    struct tri_simio_object base;
    int number;
};

static void happen(void *context)
{
    struct watch *watch = TRI_CONTAINER_OF(context, struct watch, base);
    const struct tri_io_event event = { .kind = TRI_IO_SIGNAL, .number = watch->number,
                                        .target = watch->base.object.target };

    if (tri_simio_tell(&watch->base, &event) < 0)
        tri_simio_attend(&watch->base, TRI_IO_RETRY_MS * TRI_NS_PER_MS);
}

static bool can_be_watched(int number)
{
    return number > 0 && number <= SIGRTMAX && number != SIGKILL && number != SIGSTOP
           && number != SIGSEGV && number != SIGBUS && number != SIGFPE && number != SIGILL;
}

int tri_simio_watch(void *implementation, const struct tri_io_target *target, int number,
                    struct tri_io_object **ret_signal)
{
    struct watch *watch;

    if (!can_be_watched(number))
        return -EINVAL;
    watch = tri_alloc_zeroed(sizeof(*watch));
    if (watch == NULL)
        return -ENOMEM;
    watch->base.kind = TRI_SIMIO_WATCH;
    watch->base.event.happen = happen;
    watch->number = number;
    tri_simio_object_init(&watch->base, implementation, target);
    *ret_signal = &watch->base.object;
    return 0;
}

void tri_simio_watch_close(struct tri_simio_object *object)
{
    tri_simio_object_free(object);
}

void tri_simio_watch_notify(struct tri_simio_object *object, int number)
{
    if (TRI_CONTAINER_OF(object, struct watch, base)->number == number)
        tri_simio_attend(object, tri_sim_between(0, 100 * TRI_NS_PER_US));
}
