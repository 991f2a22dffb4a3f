/* SPDX-License-Identifier: BSD-2-Clause */

/* The loop: who holds it, commands, objects, credit. See uv.h. */

#include "io/uv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/assert.h"

#define READ_MS_MAX (INT64_C(1) << 31)

static void on_nothing(uv_async_t *async)
{
    (void)async;
}

static void on_timeout(uv_timer_t *timer)
{
    (void)timer;
}

/* ---- commands ---- */

static bool has_commands(struct tri_uv *uv)
{
    return tri_load_relaxed_ptr(&uv->commands) != NULL;
}

static void push(struct tri_uv *uv, struct tri_uv_command *command)
{
    void *newest = tri_load_relaxed_ptr(&uv->commands);

    do {
        command->next = newest;
        /* release: publishes the command; pairs with the acquire in take_commands. */
    } while (!tri_cas_acq_rel_ptr(&uv->commands, &newest, command));
}

/* All commands, the oldest first. */
static struct tri_uv_command *take_commands(struct tri_uv *uv)
{
    /* acquire: what the commands say; pairs with the release in push. */
    struct tri_uv_command *newest = tri_exchange_acq_rel_ptr(&uv->commands, NULL);
    struct tri_uv_command *oldest = NULL;

    while (newest != NULL) {
        struct tri_uv_command *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void run_commands(struct tri_uv *uv)
{
    while (has_commands(uv)) {
        struct tri_uv_command *command = take_commands(uv);
        while (command != NULL) {
            struct tri_uv_command *next = command->next;
            command->run(command);
            command = next;
        }
    }
}

/* Rule 3 of uv.h. An actor's own writes to broken pipes are better off with an error, too. */
static void refuse_sigpipe(void)
{
    static _Thread_local bool refused;
    sigset_t set;

    if (refused)
        return;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    refused = true;
}

/* Sees to it that the commands are run: by the holder of the loop, or here. */
static void attend(struct tri_uv *uv)
{
    while (has_commands(uv)) {
        /* The command is there before the look at who holds the loop: a holder looks for commands
         * after it has let go. Likewise for who is asleep: see tri_uv_poll. */
        tri_fence_full();
        if (!tri_spin_try(&uv->held)) {
            if (tri_load_relaxed_32(&uv->sleeping) != 0
                && tri_exchange_acq_rel_32(&uv->sleeping, 0) != 0)
                uv_async_send(&uv->async);
            return;
        }
        refuse_sigpipe();
        run_commands(uv);
        tri_spin_unlock(&uv->held);
        tri_fence_full(); /* pairs with the one above */
    }
}

void tri_uv_submit(struct tri_uv *uv, struct tri_uv_command *command)
{
    push(uv, command);
    attend(uv);
}

/* ---- polling ---- */

static void pay_all(struct tri_uv *uv)
{
    struct tri_list owing;
    struct tri_link *link;

    tri_list_init(&owing);
    while ((link = tri_list_pop_front(&uv->owing)) != NULL)
        tri_list_push_back(&owing, link);
    while ((link = tri_list_pop_front(&owing)) != NULL) {
        struct tri_uv_object *object = TRI_CONTAINER_OF(link, struct tri_uv_object, owing);
        object->pay(object);
    }
}

static void arm_timeout(struct tri_uv *uv, tr_time timeout)
{
    tr_time ms = timeout / TR_MS(1) + (timeout % TR_MS(1) != 0);

    if (!tri_list_is_empty(&uv->owing) && ms > TRI_IO_RETRY_MS)
        ms = TRI_IO_RETRY_MS;
    else if (timeout == TR_FOREVER)
        return;
    uv_update_time(&uv->loop);
    uv_timer_start(&uv->timeout, on_timeout, (uint64_t)(ms < READ_MS_MAX ? ms : READ_MS_MAX), 0);
}

static void wait_for_events(struct tri_uv *uv, tr_time timeout)
{
    arm_timeout(uv, timeout);
    tri_store_relaxed_32(&uv->sleeping, 1);
    /* Sleep is announced before the last look for commands: pairs with the fence in attend. */
    tri_fence_full();
    uv_run(&uv->loop, has_commands(uv) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    tri_store_relaxed_32(&uv->sleeping, 0);
    uv_timer_stop(&uv->timeout);
}

void tri_uv_poll(void *implementation, tr_time timeout)
{
    struct tri_uv *uv = implementation;

    tri_spin_lock(&uv->held); /* nobody else polls; those who run commands are quick */
    refuse_sigpipe();
    run_commands(uv);
    if (!tri_list_is_empty(&uv->owing))
        pay_all(uv);
    if (timeout > 0)
        wait_for_events(uv, timeout);
    else
        uv_run(&uv->loop, UV_RUN_NOWAIT);
    run_commands(uv);
    tri_spin_unlock(&uv->held);
    tri_fence_full(); /* pairs with the one in attend */
    attend(uv);
}

void tri_uv_wake(void *implementation)
{
    struct tri_uv *uv = implementation;

    uv_async_send(&uv->async);
}

/* ---- objects ---- */

static void run_close(struct tri_uv_command *command)
{
    struct tri_uv_object *object = TRI_CONTAINER_OF(command, struct tri_uv_object, close);

    object->closing = true;
    tri_link_remove(&object->owing);
    object->release(object);
}

void tri_uv_object_init(struct tri_uv_object *object, struct tri_uv *uv,
                        const struct tri_io_target *target)
{
    object->object.target = *target;
    object->uv = uv;
    object->close.run = run_close;
    object->closing = false;
    tri_link_init(&object->all);
    tri_link_init(&object->owing);
}

void tri_uv_object_add(struct tri_uv_object *object)
{
    tri_list_push_back(&object->uv->objects, &object->all);
}

void tri_uv_object_free(struct tri_uv_object *object)
{
    tri_link_remove(&object->all);
    tri_link_remove(&object->owing);
    tri_free(object);
}

void tri_uv_owe(struct tri_uv_object *object)
{
    if (tri_link_is_alone(&object->owing))
        tri_list_push_back(&object->uv->owing, &object->owing);
}

void tri_uv_close(struct tri_io_object *handle)
{
    struct tri_uv_object *object = (struct tri_uv_object *)handle;

    if (object->is_listener)
        tri_uv_listener_shut((struct tri_uv_listener *)object);
    tri_uv_submit(object->uv, &object->close);
}

/* ---- credit ---- */

int tri_uv_credit_grant(struct tri_uv *uv, struct tri_uv_credit *credit, uint32_t credits)
{
    uint32_t seen = tri_load_relaxed_32(&credit->word);

    if (credits == 0)
        return 0;
    do {
        if (credits > TRI_CREDITS_MAX || (seen & ~TRI_UV_STOPPED) + credits > TRI_CREDITS_MAX)
            return -ERANGE;
        /* release: the object's target; pairs with the acquire in is_some. */
    } while (!tri_cas_acq_rel_32(&credit->word, &seen, (seen & ~TRI_UV_STOPPED) + credits));

    if (seen & TRI_UV_STOPPED)
        tri_uv_submit(uv, &credit->resume);
    return 0;
}

bool tri_uv_credit_is_some(const struct tri_uv_credit *credit)
{
    /* acquire: the object's target; pairs with the release in grant. */
    return (tri_load_acquire_32(&credit->word) & ~TRI_UV_STOPPED) != 0;
}

void tri_uv_credit_spend(struct tri_uv_credit *credit)
{
    tri_assert(tri_uv_credit_is_some(credit));
    /* release: the target has been read; pairs with the acquire in is_at_rest (uv_stream.c). */
    (void)tri_fetch_sub_acq_rel_32(&credit->word, 1);
}

bool tri_uv_credit_stop(struct tri_uv_credit *credit)
{
    uint32_t none = 0;

    return tri_cas_acq_rel_32(&credit->word, &none, TRI_UV_STOPPED);
}

/* ---- life ---- */

int tri_uv_start(const struct tri_io_sink *sink, void **ret_implementation)
{
    struct tri_uv *uv = tri_alloc_aligned(TRI_CACHE_LINE, sizeof(*uv));

    if (uv == NULL)
        return -ENOMEM;
    *uv = (struct tri_uv){ .sink = *sink };
    tri_list_init(&uv->objects);
    tri_list_init(&uv->owing);
    tri_list_init(&uv->lingering);
    tri_list_init(&uv->files);
    tri_list_init(&uv->held_files);

    int err = uv_loop_init(&uv->loop);
    if (err < 0)
        goto no_loop;
    err = uv_async_init(&uv->loop, &uv->async, on_nothing);
    if (err < 0)
        goto no_async;
    uv_timer_init(&uv->loop, &uv->timeout);
    uv_timer_init(&uv->loop, &uv->linger);
    *ret_implementation = uv;
    return 0;

no_async:
    uv_loop_close(&uv->loop);
no_loop:
    tri_free(uv);
    return err;
}

/* Events of a loop that ends go nowhere. */
static int refuse_event(void *context, const struct tri_io_event *event)
{
    (void)context;
    tr_bytes_drop(event->bytes);
    if (event->accepted != NULL)
        tri_uv_close(event->accepted);
    return 0;
}

void tri_uv_stop(void *implementation)
{
    struct tri_uv *uv = implementation;
    struct tri_link *link;

    uv->sink.complete = refuse_event;
    run_commands(uv);
    pay_all(uv);
    TRI_LIST_EACH(&uv->objects, each) {
        struct tri_uv_object *object = TRI_CONTAINER_OF(each, struct tri_uv_object, all);
        if (!object->closing)
            run_close(&object->close);
    }
    while ((link = tri_list_first(&uv->lingering)) != NULL)
        tri_uv_stream_linger_end(TRI_CONTAINER_OF(link, struct tri_uv_stream, lingering));
    uv_close((uv_handle_t *)&uv->async, NULL);
    uv_close((uv_handle_t *)&uv->timeout, NULL);
    uv_close((uv_handle_t *)&uv->linger, NULL);
    uv_run(&uv->loop, UV_RUN_DEFAULT);
    tri_assert(tri_list_is_empty(&uv->objects));
    int err = uv_loop_close(&uv->loop);
    tri_assert(err == 0);
    (void)err;
    tr_bytes_drop(uv->scratch);
    tri_free(uv);
}
