/* SPDX-License-Identifier: BSD-2-Clause */

/* Files and paths, on the table of operations. */

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "io/ops.h"
#include "io/uv.h"
#include "support/io.h"
#include "support/test.h"

static struct io_bench bench;
static char folder[] = "/tmp/troupe-io-XXXXXX";
static char path[64], other[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    io_bench_open(&bench, &tri_uv_ops);
}

static void teardown(void)
{
    io_bench_close(&bench);
    unlink(path);
    unlink(other);
    rmdir(folder);
}

TestSuite(io_uv_file, .init = setup, .fini = teardown, .timeout = 60);

static struct tri_io_object *open_file(uint32_t flags)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *file = NULL;
    tr_file_operation operation = { .verb = TR_FILE_OPEN, .path = path, .flags = flags };

    cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &operation, &file), 0);
    return file;
}

/* One of another owner, or another incarnation of it. */
static struct tri_io_object *open_as(tr_ref owner, uint32_t incarnation, const char *name,
                                     uint32_t flags)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *file = NULL;
    tr_file_operation operation = { .verb = TR_FILE_OPEN, .path = name, .flags = flags };

    target.owner = owner;
    target.incarnation = incarnation;
    cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &operation, &file), 0);
    return file;
}

static int start(struct tri_io_object *file, tr_file_operation operation)
{
    return bench.ops->file_start(file, &operation);
}

static int start_path(tr_file_operation operation)
{
    struct tri_io_target target = io_bench_target(&bench);

    target.io = (tr_io){ 0 };
    return bench.ops->path_start(bench.implementation, &target, &operation);
}

static const struct tri_io_event *done(void)
{
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_FILE_DONE);

    cr_assert_not_null(event);
    return event;
}

static tr_bytes *text(const char *words)
{
    tr_bytes *bytes = tr_bytes_new(strlen(words));

    cr_assert_not_null(bytes);
    memcpy(bytes->data, words, bytes->size);
    return bytes;
}

static void write_text(struct tri_io_object *file, const char *words, uint64_t offset)
{
    tr_bytes *bytes = text(words);

    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_WRITE, .bytes = bytes,
                                                  .offset = offset }), 0);
    tr_bytes_drop(bytes);
}

Test(io_uv_file, does_what_it_is_told_in_order)
{
    struct tri_io_object *file = open_file(TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE);
    int context;

    write_text(file, "hello world", 0);
    write_text(file, "W", 6);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_SYNC }), 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_SIZE }), 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_READ, .offset = 6, .size = 100,
                                                  .context = &context }), 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_TRUNCATE, .size = 5 }), 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_READ, .size = 100 }), 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_READ, .offset = 50,
                                                  .size = 1 }), 0);

    const tr_file_verb order[] = { TR_FILE_OPEN, TR_FILE_WRITE, TR_FILE_WRITE, TR_FILE_SYNC,
                                   TR_FILE_SIZE, TR_FILE_READ, TR_FILE_TRUNCATE, TR_FILE_READ,
                                   TR_FILE_READ };
    for (unsigned i = 0; i < TRI_COUNT_OF(order); i++) {
        const struct tri_io_event *event = done();
        cr_assert_eq(event->verb, order[i]);
        cr_assert_eq(event->error, 0);
        cr_assert(tr_io_equal(event->target.io, file->target.io));
    }
    cr_assert_eq(bench.events[1].size, 11);
    cr_assert_eq(bench.events[4].size, 11);
    cr_assert_eq(bench.events[5].context, &context);
    cr_assert_eq(bench.events[5].bytes->size, 5);
    cr_assert_arr_eq(bench.events[5].bytes->data, "World", 5);
    cr_assert_arr_eq(bench.events[7].bytes->data, "hello", 5);
    cr_assert_eq(bench.events[8].bytes->size, 0);
    bench.ops->close(file);
}

Test(io_uv_file, appends_and_tells_the_size_when_opened)
{
    struct tri_io_object *file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_APPEND);

    cr_assert_eq(done()->size, 0);
    write_text(file, "one", 0);
    write_text(file, "two", 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(done()->error, 0);
    bench.ops->close(file);
    file = open_file(TR_OPEN_READ);
    cr_assert_eq(done()->size, 6);
    bench.ops->close(file);
    file = open_file(TR_OPEN_WRITE | TR_OPEN_EMPTY);
    cr_assert_eq(done()->size, 0);
    bench.ops->close(file);
}

Test(io_uv_file, a_failed_open_fails_what_follows)
{
    struct tri_io_object *file = open_file(TR_OPEN_READ);

    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_SYNC }), 0);
    cr_assert_eq(done()->error, -ENOENT);
    cr_assert_eq(done()->error, -ENOENT);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_READ, .size = 1 }), 0);
    cr_assert_eq(done()->error, -ENOENT);
    bench.ops->close(file);

    file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_NEW);
    cr_assert_eq(done()->error, 0);
    bench.ops->close(file);
    file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_NEW);
    cr_assert_eq(done()->error, -EEXIST);
    bench.ops->close(file);
}

Test(io_uv_file, a_full_disk_is_an_error_with_its_place)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *file = NULL;
    tr_file_operation operation = { .verb = TR_FILE_OPEN, .path = "/dev/full",
                                    .flags = TR_OPEN_WRITE };

    cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &operation, &file), 0);
    cr_assert_eq(done()->error, 0);
    write_text(file, "too much", 0);
    const struct tri_io_event *event = done();
    cr_assert_eq(event->error, -ENOSPC);
    cr_assert_eq(event->size, 0);
    bench.ops->close(file);
}

static int64_t write_now(struct tri_io_object *file, const char *words, uint64_t offset)
{
    tr_bytes *bytes = text(words);
    int64_t result = bench.ops->file_write(file, &(tr_file_operation){
        .verb = TR_FILE_WRITE, .bytes = bytes, .offset = offset });

    tr_bytes_drop(bytes);
    return result;
}

Test(io_uv_file, writes_at_once_while_nothing_waits)
{
    struct tri_io_object *file = open_file(TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE);

    cr_assert_eq(write_now(file, "early", 0), -EAGAIN);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(write_now(file, "hello world", 0), 11);
    cr_assert_eq(write_now(file, "W", 6), 1);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_READ, .size = 100 }), 0);
    cr_assert_eq(write_now(file, "never", 0), -EAGAIN);
    const struct tri_io_event *event = done();
    cr_assert_eq(event->bytes->size, 11);
    cr_assert_arr_eq(event->bytes->data, "hello World", 11);
    bench.ops->close(file);
}

Test(io_uv_file, what_cannot_be_written_at_once_says_why)
{
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *full = NULL;
    struct tri_io_object *none = open_file(TR_OPEN_WRITE);
    tr_file_operation operation = { .verb = TR_FILE_OPEN, .path = "/dev/full",
                                    .flags = TR_OPEN_WRITE };

    cr_assert_eq(done()->error, -ENOENT);
    cr_assert_eq(write_now(none, "nowhere", 0), -ENOENT);
    bench.ops->close(none);
    cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &operation, &full), 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(write_now(full, "too much", 0), -ENOSPC);
    bench.ops->close(full);
}

Test(io_uv_file, its_queue_has_a_limit)
{
    struct tri_io_object *file = open_file(TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE);
    unsigned accepted = 1; /* the open */
    int err = 0;

    while ((err = start(file, (tr_file_operation){ .verb = TR_FILE_SIZE })) == 0)
        accepted++;
    cr_assert_eq(err, -ENOBUFS);
    cr_assert_eq(accepted, TRI_FILE_QUEUE_MAX);
    for (unsigned i = 0; i < accepted; i++)
        cr_assert_eq(done()->error, 0);
    cr_assert_eq(start(file, (tr_file_operation){ .verb = TR_FILE_SIZE }), 0);
    cr_assert_eq(done()->error, 0);
    bench.ops->close(file);
}

Test(io_uv_file, a_closed_one_still_does_what_was_started)
{
    struct tri_io_object *file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE);
    struct stat status;

    write_text(file, "to the end", 0);
    bench.ops->close(file);
    bench.ops->stop(bench.implementation);
    cr_assert_eq(bench.count, 0);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_size, 10);
    io_bench_open(&bench, &tri_uv_ops); /* for the teardown */
}

Test(io_uv_file, paths)
{
    struct tri_io_object *file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE);

    write_text(file, "12345", 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(done()->error, 0);
    bench.ops->close(file);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_SIZE, .path = path }), 0);
    const struct tri_io_event *event = done();
    cr_assert_eq(event->error, 0);
    cr_assert_eq(event->size, 5);
    cr_assert_eq(event->target.io.bits, 0);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_RENAME, .path = path,
                                                 .to = other }), 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_SYNC, .path = folder }), 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_SIZE, .path = path }), 0);
    cr_assert_eq(done()->error, -ENOENT);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_REMOVE, .path = other }), 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_MKDIR, .path = other }), 0);
    cr_assert_eq(done()->error, 0);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_MKDIR, .path = other }), 0);
    cr_assert_eq(done()->error, -EEXIST);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_SYNC, .path = path }), 0);
    cr_assert_eq(done()->error, -ENOENT);
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_REMOVE, .path = other }), 0);
    cr_assert_eq(done()->error, 0);
}

Test(io_uv_file, results_that_cannot_be_told_are_told_later_in_order)
{
    struct tri_io_object *file = open_file(TR_OPEN_WRITE | TR_OPEN_CREATE);

    write_text(file, "abc", 0);
    bench.failures = 3;
    cr_assert_eq(start_path((tr_file_operation){ .verb = TR_PATH_SYNC, .path = folder }), 0);
    unsigned opened = 0, written = 0;
    for (unsigned i = 1; i <= 3; i++) {
        const struct tri_io_event *event = done();
        cr_assert_eq(event->error, 0);
        opened = event->verb == TR_FILE_OPEN ? i : opened;
        written = event->verb == TR_FILE_WRITE ? i : written;
    }
    cr_assert_lt(opened, written);
    cr_assert_eq(bench.failures, 0);
    bench.ops->close(file);
}

/* A fifo whose other end nobody holds: opening it takes until somebody does. */
Test(io_uv_file, what_an_incarnation_begins_waits_for_what_the_last_one_began)
{
    const tr_ref one = { 11 }, two = { 12 };

    cr_assert_eq(mkfifo(other, 0600), 0);
    struct tri_io_object *late = open_as(one, 0, other, TR_OPEN_WRITE);
    bench.ops->close(late);
    struct tri_io_object *next = open_as(one, 1, path, TR_OPEN_WRITE | TR_OPEN_CREATE);
    write_text(next, "next", 0);
    struct tri_io_object *stranger = open_as(two, 1, path, TR_OPEN_WRITE | TR_OPEN_CREATE);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert_eq(start(stranger, (tr_file_operation){ .verb = TR_FILE_SIZE }), 0);
        while (done()->verb != TR_FILE_SIZE)
            ;
    }
    for (unsigned i = 0; i < bench.count; i++)
        cr_assert_eq(bench.events[i].target.owner.bits, two.bits);

    int reader = open(other, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(reader, 0);
    const tr_file_verb order[] = { TR_FILE_OPEN, TR_FILE_WRITE };
    for (unsigned i = 0; i < TRI_COUNT_OF(order); i++) {
        const struct tri_io_event *event = done();
        cr_assert_eq(event->target.owner.bits, one.bits);
        cr_assert_eq(event->verb, order[i]);
        cr_assert_eq(event->error, 0);
    }
    close(reader);
    bench.ops->close(next);
    bench.ops->close(stranger);
}
