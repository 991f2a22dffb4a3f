/* SPDX-License-Identifier: BSD-2-Clause */

/* See work.h for the layout. */

#include "work.h"

#include "call.h"
#include "command.h"
#include "memory.h"

#define HEADER 16u
#define KEPT   4096u   /* bytes of each buffer that an idle connection keeps */
#define FEW    16u     /* arguments that need no allocation */

struct kv_work *kv_work_new(uint32_t shard)
{
    struct kv_work *work = kv_alloc_zeroed(sizeof *work);

    if (work != NULL)
        work->shard = shard;
    return work;
}

void kv_work_free(struct kv_work *work)
{
    if (work == NULL)
        return;
    kv_buffer_release(&work->request);
    kv_buffer_release(&work->replies);
    kv_buffer_release(&work->marks);
    kv_free(work);
}

void kv_work_reset(struct kv_work *work)
{
    kv_buffer_clear(&work->request, KEPT);
    kv_buffer_clear(&work->replies, KEPT);
    kv_buffer_clear(&work->marks, KEPT);
    work->calls = 0;
    work->ran = 0;
    work->ran_to = 0;
    work->taken = 0;
    work->taken_to = 0;
    work->cut = false;
}

/* ---- calls ---- */

static size_t size_of_arguments(const struct kv_request *request)
{
    size_t size = 0;

    for (uint32_t i = 0; i < request->count; i++)
        size += request->args[i].size;
    return size;
}

bool kv_work_add(struct kv_work *work, const struct kv_request *request)
{
    size_t sizes = (size_t)request->count * 4;
    size_t total = HEADER + sizes + size_of_arguments(request);
    char *at = kv_buffer_room(&work->request, total);
    char *bytes;

    if (at == NULL)
        return false;
    memcpy(at, &request->hash, 8);
    memcpy(at + 8, &request->count, 4);
    at[12] = (char)request->command;
    at[13] = (char)request->database;
    at[14] = at[15] = 0;
    bytes = at + HEADER + sizes;
    for (uint32_t i = 0; i < request->count; i++) {
        const struct kv_arg *arg = &request->args[i];

        memcpy(at + HEADER + 4 * (size_t)i, &arg->size, 4);
        memcpy(bytes, request->data + arg->at, arg->size);
        bytes += arg->size;
    }
    work->request.size += total;
    work->calls++;
    return true;
}

/* The arguments' slices, behind the name's; NULL: no memory. */
static struct kv_slice *take_arguments(const char *sizes, uint32_t count, struct kv_slice *few,
                                       struct kv_buffer *many)
{
    struct kv_slice *args = few;
    const char *bytes = sizes + 4 * (size_t)count;

    if (count >= FEW) {
        kv_buffer_clear(many, SIZE_MAX);
        args = (void *)kv_buffer_room(many, ((size_t)count + 1) * sizeof *args);
    }
    for (uint32_t i = 0; args != NULL && i < count; i++) {
        uint32_t size;

        memcpy(&size, sizes + 4 * (size_t)i, 4);
        args[i + 1] = (struct kv_slice){ bytes, size };
        bytes += size;
    }
    return args;
}

/* ---- running ---- */

static void add_mark(struct kv_work *work, size_t size, bool written)
{
    uint64_t mark = (uint64_t)size * 2 + written;

    kv_buffer_add(&work->marks, &mark, sizeof mark);
}

static size_t recorded(const struct kv_store *store)
{
    return store->record == NULL ? 0 : store->record->size;
}

static void run_call(struct kv_work *work, struct kv_call *call, const struct kv_command *command,
                     const char *refusal)
{
    size_t replied = work->replies.size;
    size_t before = recorded(call->store);

    if (refusal != NULL && command->writes)
        kv_buffer_add(call->out, refusal, strlen(refusal));
    else
        command->run(call);
    /* A write that found nothing to do may have found what an earlier one did, which is refused. */
    add_mark(work, work->replies.size - replied,
             command->writes || recorded(call->store) != before);
}

/* Runs the call at `at` and returns where the next one is; NULL: no memory. */
static const char *run_next(struct kv_work *work, struct kv_store *store, const char *at,
                            const char *refusal)
{
    struct kv_slice few[FEW];
    const struct kv_command *command = kv_command_at((unsigned char)at[12]);
    struct kv_call call = {
        .store = store, .out = &work->replies, .database = (uint8_t)at[13], .name = command->name,
    };
    struct kv_slice *args;
    struct kv_slice *last;
    uint32_t count;

    memcpy(&call.hash, at, 8);
    memcpy(&count, at + 8, 4);
    args = take_arguments(at + HEADER, count, few, &store->arguments);
    if (args == NULL)
        return NULL;
    args[0] = (struct kv_slice){ command->name, strlen(command->name) };
    call.args = args;
    call.count = count + 1;
    run_call(work, &call, command, refusal);
    last = &args[count];
    return count == 0 ? at + HEADER : last->data + last->size;
}

void kv_work_run(struct kv_work *work, struct kv_store *store, const char *refusal)
{
    const char *at = work->request.data + work->ran_to;

    kv_buffer_clear(&work->replies, KV_WORK_REPLIES_MAX);
    kv_buffer_clear(&work->marks, SIZE_MAX);
    work->taken = 0;
    work->taken_to = 0;
    while (work->ran < work->calls && !work->cut && work->replies.size <= KV_WORK_REPLIES_MAX) {
        at = run_next(work, store, at, refusal);
        work->ran++;
        work->cut = at == NULL || work->replies.failed || work->marks.failed;
    }
    if (at != NULL)
        work->ran_to = (size_t)(at - work->request.data);
    kv_buffer_clear(&store->arguments, 64 * 1024);
}

/* ---- replies ---- */

static uint64_t mark_of(const struct kv_work *work, uint32_t i)
{
    uint64_t mark = 0;

    if (((size_t)i + 1) * sizeof mark <= work->marks.size)
        memcpy(&mark, work->marks.data + i * sizeof mark, sizeof mark);
    return mark;
}

static size_t reply_size(const struct kv_work *work, uint32_t i)
{
    return (size_t)(mark_of(work, i) / 2);
}

uint32_t kv_work_replies(const struct kv_work *work)
{
    return (uint32_t)(work->marks.size / sizeof(uint64_t)) - work->taken;
}

struct kv_slice kv_work_take_replies(struct kv_work *work, uint32_t count)
{
    struct kv_slice replies = { work->replies.data + work->taken_to, 0 };

    for (uint32_t i = 0; i < count; i++)
        replies.size += reply_size(work, work->taken + i);
    work->taken += count;
    work->taken_to += replies.size;
    return replies;
}

void kv_work_refuse_written(struct kv_work *work, const char *refusal)
{
    struct kv_work other = { .shard = work->shard };
    size_t at = 0;

    for (uint32_t i = 0; i < kv_work_replies(work); i++) {
        size_t size = reply_size(work, i);
        size_t before = other.replies.size;

        if (mark_of(work, i) & 1)
            kv_buffer_add(&other.replies, refusal, strlen(refusal));
        else
            kv_buffer_add(&other.replies, work->replies.data + at, size);
        add_mark(&other, other.replies.size - before, false);
        at += size;
    }
    work->cut |= other.replies.failed || other.marks.failed;
    kv_buffer_release(&work->replies);
    kv_buffer_release(&work->marks);
    work->replies = other.replies;
    work->marks = other.marks;
}
