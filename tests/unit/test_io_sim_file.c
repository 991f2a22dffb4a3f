/* SPDX-License-Identifier: BSD-2-Clause */

/* Operations on simulated files: their order, results and faults, and the machine's end. */

#include <errno.h>

#include "io/simulated.h"
#include "support/sim_io.h"
#include "support/test.h"

#define SEEDS 100u

static struct io_bench bench;

static struct tri_io_object *open_file(const char *path, uint32_t flags)
{
    struct tri_io_target target = io_bench_target(&bench);
    const tr_file_operation open = { .verb = TR_FILE_OPEN, .path = path, .flags = flags };
    struct tri_io_object *file;

    cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &open, &file), 0);
    return file;
}

static struct tri_io_object *open_log(void)
{
    return open_file("log", TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_APPEND);
}

static void append(struct tri_io_object *file, const char *text)
{
    tr_bytes *bytes = tr_bytes_new(strlen(text));
    const tr_file_operation write = { .verb = TR_FILE_WRITE, .bytes = bytes };

    memcpy(bytes->data, text, bytes->size);
    cr_assert_eq(bench.ops->file_start(file, &write), 0);
    tr_bytes_drop(bytes);
}

static void start(struct tri_io_object *file, tr_file_verb verb)
{
    cr_assert_eq(bench.ops->file_start(file, &(tr_file_operation){ .verb = verb, .size = 100 }), 0);
}

static void start_path(tr_file_verb verb, const char *path)
{
    struct tri_io_target target = io_bench_target(&bench);
    const tr_file_operation operation = { .verb = verb, .path = path };

    cr_assert_eq(bench.ops->path_start(bench.implementation, &target, &operation), 0);
}

/* The next outcome, which must be of that verb. */
static const struct tri_io_event *done(tr_file_verb verb)
{
    const struct tri_io_event *event = io_bench_wait(&bench, TRI_IO_FILE_DONE);

    cr_assert_not_null(event);
    cr_assert_eq(event->verb, verb);
    return event;
}

static bool is_text(const tr_bytes *bytes, const char *text)
{
    return bytes != NULL && bytes->size == strlen(text)
           && memcmp(bytes->data, text, bytes->size) == 0;
}

Test(io_sim_file, operations_of_one_file_keep_their_order)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        sim_bench_open(&bench, seed, "");
        struct tri_io_object *file = open_log();
        append(file, "one");
        append(file, "two");
        start(file, TR_FILE_SYNC);
        start(file, TR_FILE_READ);
        cr_assert_eq(done(TR_FILE_OPEN)->error, 0);
        cr_assert_eq(done(TR_FILE_WRITE)->size, 3);
        cr_assert_eq(done(TR_FILE_WRITE)->size, 3);
        cr_assert_eq(done(TR_FILE_SYNC)->error, 0);
        cr_assert(is_text(done(TR_FILE_READ)->bytes, "onetwo"));
        bench.ops->close(file);
        sim_bench_close(&bench);
    }
}

Test(io_sim_file, errors_are_those_of_files)
{
    sim_bench_open(&bench, 1, "");
    struct tri_io_object *none = open_file("none", TR_OPEN_READ);
    start(none, TR_FILE_READ);
    cr_assert_eq(done(TR_FILE_OPEN)->error, -ENOENT);
    cr_assert_eq(done(TR_FILE_READ)->error, -ENOENT);
    struct tri_io_object *writer = open_file("log", TR_OPEN_WRITE | TR_OPEN_CREATE);
    start(writer, TR_FILE_READ);
    done(TR_FILE_OPEN);
    cr_assert_eq(done(TR_FILE_READ)->error, -EBADF);
    start_path(TR_PATH_SIZE, "log");
    cr_assert_eq(done(TR_PATH_SIZE)->error, 0);
    start_path(TR_PATH_REMOVE, "log");
    cr_assert_eq(done(TR_PATH_REMOVE)->error, 0);
    start_path(TR_PATH_SIZE, "log");
    cr_assert_eq(done(TR_PATH_SIZE)->error, -ENOENT);
    bench.ops->close(none);
    bench.ops->close(writer);
    sim_bench_close(&bench);
}

Test(io_sim_file, a_closed_file_is_finished_and_tells_nothing)
{
    sim_bench_open(&bench, 1, "");
    struct tri_io_object *file = open_log();
    append(file, "all of it");
    bench.ops->close(file);
    io_bench_poll(&bench, TR_SEC(1));
    cr_assert_eq(bench.count, 0);
    file = open_log();
    cr_assert_eq(done(TR_FILE_OPEN)->size, 9);
    append(file, " and more");
    bench.ops->close(file); /* with the table, which ends first */
    sim_bench_close(&bench);
}

Test(io_sim_file, an_event_without_memory_comes_later)
{
    sim_bench_open(&bench, 1, "");
    bench.failures = 3;
    struct tri_io_object *file = open_log();
    append(file, "once");
    start(file, TR_FILE_READ);
    cr_assert_eq(done(TR_FILE_OPEN)->error, 0);
    cr_assert_eq(done(TR_FILE_WRITE)->error, 0);
    cr_assert(is_text(done(TR_FILE_READ)->bytes, "once"));
    bench.ops->close(file);
    sim_bench_close(&bench);
}

/* Every outcome is one that a disk may have, and each of them comes up. */
Test(io_sim_file, faults_strike)
{
    unsigned io = 0, full = 0, cut = 0, unsynced = 0, unopened = 0;

    for (unsigned seed = 0; seed < 5 * SEEDS; seed++) {
        sim_bench_open(&bench, seed, "disk.write=0.1,disk.full=0.1,disk.short=0.2,disk.sync=0.1,"
                                     "disk.open=0.1,disk.slow=0.1");
        struct tri_io_object *file = open_log();
        append(file, "0123456789");
        start(file, TR_FILE_SYNC);
        int opened = done(TR_FILE_OPEN)->error;
        const struct tri_io_event *written = done(TR_FILE_WRITE);
        int error = written->error;
        uint64_t size = written->size;
        unsynced += done(TR_FILE_SYNC)->error == -EIO;
        unopened += opened == -EIO;
        if (opened == 0) {
            cr_assert(error == 0 || error == -EIO || error == -ENOSPC);
            io += error == -EIO;
            full += error == -ENOSPC;
            cut += error == 0 && size < 10;
            start(file, TR_FILE_SIZE);
            cr_assert_eq(done(TR_FILE_SIZE)->size, size);
        }
        bench.ops->close(file);
        sim_bench_close(&bench);
    }
    cr_assert(io > 0 && full > 0 && cut > 0 && unsynced > unopened && unopened > 0);
}

/* The synced record is there in any case; of the next one, any part. */
static size_t size_after_crash(unsigned seed, bool power)
{
    sim_bench_open(&bench, seed, "");
    struct tri_io_object *file = open_log();
    append(file, "kept");
    start(file, TR_FILE_SYNC);
    done(TR_FILE_OPEN);
    done(TR_FILE_WRITE);
    done(TR_FILE_SYNC);
    start_path(TR_PATH_SYNC, ".");
    done(TR_PATH_SYNC);
    append(file, "0123456789");
    if (seed % 2 == 0)
        done(TR_FILE_WRITE);
    tri_simio_machine_crash(power);
    append(file, "never");
    struct tri_io_object *other = open_log();
    io_bench_poll(&bench, TR_SEC(10));
    cr_assert_null(bench.seen < bench.count ? &bench.events[bench.seen] : NULL);
    bench.ops->close(file);
    bench.ops->close(other);

    tri_simio_machine_start();
    file = open_log();
    start(file, TR_FILE_READ);
    cr_assert_eq(done(TR_FILE_OPEN)->error, 0);
    const tr_bytes *bytes = done(TR_FILE_READ)->bytes;
    cr_assert_geq(bytes->size, 4);
    cr_assert_arr_eq(bytes->data, "kept", 4);
    size_t size = bytes->size;
    bench.ops->close(file);
    sim_bench_close(&bench);
    return size;
}

Test(io_sim_file, a_crash_of_the_machine_may_lose_and_tear_the_tail)
{
    unsigned sizes[15] = { 0 };

    for (unsigned seed = 0; seed < 10 * SEEDS; seed++)
        sizes[size_after_crash(seed, true)]++;
    for (unsigned size = 4; size < 15; size++)
        cr_assert_gt(sizes[size], 0, "never cut at %u", size);
}

Test(io_sim_file, a_crash_of_the_process_keeps_what_was_written)
{
    unsigned torn = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        size_t size = size_after_crash(seed, false);
        cr_assert(seed % 2 == 1 || size == 14);
        torn += size > 4 && size < 14;
    }
    cr_assert_gt(torn, 0); /* the write that was under way */
}

/* With a disk that is slow at times: without waiting, the second incarnation would read first. */
Test(io_sim_file, an_incarnation_finds_what_the_last_one_was_writing)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        sim_bench_open(&bench, seed, "disk.slow=0.3");
        struct tri_io_object *file = open_log();
        done(TR_FILE_OPEN);
        append(file, "the last one's");
        bench.ops->close(file);
        struct tri_io_target target = io_bench_target(&bench);
        const tr_file_operation open = { .verb = TR_FILE_OPEN, .path = "log",
                                         .flags = TR_OPEN_READ };
        target.incarnation++;
        cr_assert_eq(bench.ops->file_open(bench.implementation, &target, &open, &file), 0);
        start(file, TR_FILE_READ);
        cr_assert_eq(done(TR_FILE_OPEN)->size, 14);
        cr_assert_eq(done(TR_FILE_READ)->size, 14);
        bench.ops->close(file);
        sim_bench_close(&bench);
    }
}

static int64_t write_now(struct tri_io_object *file)
{
    static unsigned char letters[] = "0123456789";
    tr_bytes bytes = { 10, letters };

    return bench.ops->file_write(file, &(tr_file_operation){ .verb = TR_FILE_WRITE,
                                                             .bytes = &bytes });
}

Test(io_sim_file, a_write_at_once_may_be_refused_or_go_wrong_in_part)
{
    unsigned refused = 0, full = 0, partly = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        sim_bench_open(&bench, seed, "disk.slow=0.3,disk.full=0.3");
        struct tri_io_object *file = open_log();
        cr_assert_eq(write_now(file), -EAGAIN);
        done(TR_FILE_OPEN);
        int64_t written = write_now(file);
        start(file, TR_FILE_SIZE);
        cr_assert_eq(done(TR_FILE_SIZE)->size, written > 0 ? (uint64_t)written : 0);
        refused += written == -EAGAIN;
        full += written == -ENOSPC;
        partly += written > 0 && written < 10;
        bench.ops->close(file);
        sim_bench_close(&bench);
    }
    cr_assert_gt(refused, 0);
    cr_assert_gt(full, 0);
    cr_assert_gt(partly, 0);
}

Test(io_sim_file, signals_come_to_those_who_watch)
{
    sim_bench_open(&bench, 1, "");
    struct tri_io_target target = io_bench_target(&bench);
    struct tri_io_object *watch, *other;

    cr_assert_eq(bench.ops->signal(bench.implementation, &target, 9, &watch), -EINVAL);
    cr_assert_eq(bench.ops->signal(bench.implementation, &target, 10, &watch), 0);
    cr_assert_eq(bench.ops->signal(bench.implementation, &target, 12, &other), 0);
    tri_simio_signal(10);
    tri_simio_signal(10);
    io_bench_poll(&bench, TR_SEC(1));
    cr_assert_eq(bench.count, 1);
    cr_assert_eq(bench.events[0].number, 10);
    bench.ops->close(watch);
    tri_simio_signal(10);
    io_bench_poll(&bench, TR_SEC(1));
    cr_assert_eq(bench.count, 1);
    bench.ops->close(other);
    sim_bench_close(&bench);
}
