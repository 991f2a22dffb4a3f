/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs of files and signals. */

#include <signal.h>
#include <stdlib.h>

#include "base/limits.h"
#include "io/handle.h"
#include "support/io.h"
#include "support/io_probe.h"

static tr_system *sys;
static tr_ref probe;
static tr_io file;
static char folder[] = "/tmp/troupe-file-XXXXXX";
static char path[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    sys = tr_system_start(&(tr_config){ .workers = 2 });
    probe = tr_spawn(sys, probe);
    cr_assert_eq(tr_ref_error(probe), 0);
}

static void teardown(void)
{
    cr_assert_eq(tr_system_stop(sys, TR_SEC(10)), 0);
    unlink(path);
    rmdir(folder);
}

TestSuite(io_file, .init = setup, .fini = teardown, .timeout = 60);

static int write_and_read(tr_self *self)
{
    tr_bytes *bytes = tr_bytes_new(5);
    int err = 0;

    memcpy(bytes->data, "hello", 5);
    file = tr_file_open(self, .path = path,
                        .flags = TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE);
    err |= tr_io_error(file);
    err |= tr_file_write(self, file, .bytes = bytes, .offset = 3);
    tr_bytes_drop(bytes);
    err |= tr_file_sync(self, file, NULL);
    err |= tr_file_read(self, file, .offset = 3, .size = 10, .context = self);
    err |= tr_file_truncate(self, file, .size = 4);
    err |= tr_file_size(self, file, NULL);
    return err;
}

static struct probe_told done(tr_file_verb verb)
{
    struct probe_told told = probe_wait(sys, probe, FILE_DONE);

    cr_assert_eq(told.kind, FILE_DONE);
    cr_assert_eq(told.verb, verb);
    return told;
}

Test(io_file, writes_and_reads)
{
    cr_assert_eq(in(sys, probe, write_and_read), 0);
    cr_assert_eq(done(TR_FILE_OPEN).error, 0);
    cr_assert_eq(done(TR_FILE_WRITE).size, 5);
    cr_assert_eq(done(TR_FILE_SYNC).error, 0);
    struct probe_told told = done(TR_FILE_READ);
    cr_assert_str_eq(told.text, "hello");
    cr_assert_not_null(told.context);
    cr_assert(tr_io_equal(told.io, file));
    cr_assert_eq(done(TR_FILE_TRUNCATE).error, 0);
    cr_assert_eq(done(TR_FILE_SIZE).size, 4);
}

static int nonsense(tr_self *self)
{
    static char long_path[5000];
    tr_bytes *bytes = tr_bytes_new(1);

    memset(long_path, 'x', sizeof(long_path) - 1);
    file = tr_file_open(self, .path = path, .flags = TR_OPEN_WRITE | TR_OPEN_CREATE);
    cr_assert_eq(tr_io_error(file), 0);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = NULL, .flags = 1)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = "", .flags = 1)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = long_path, .flags = 1)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = path, .flags = 0)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = path, .flags = 64)), -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open(self, .path = path, .flags = 1 | TR_OPEN_CREATE)),
                 -EINVAL);
    cr_assert_eq(tr_io_error(tr_file_open_raw(self, NULL)), -EINVAL);
    cr_assert_eq(tr_file_start(self, file, NULL), -EINVAL);
    cr_assert_eq(tr_path_start(self, NULL), -EINVAL);
    cr_assert_eq(tr_file_write(self, file, .bytes = NULL), -EINVAL);
    cr_assert_eq(tr_file_write(self, file, .bytes = bytes, .offset = INT64_MAX), -EINVAL);
    cr_assert_eq(tr_file_read(self, file, .size = (uint64_t)TRI_FILE_BYTES_MAX + 1), -EINVAL);
    cr_assert_eq(tr_file_read(self, file, .offset = UINT64_MAX, .size = 1), -EINVAL);
    cr_assert_eq(tr_file_truncate(self, file, .size = UINT64_MAX), -EINVAL);
    cr_assert_eq(tr_file_start(self, file, TR__FILE(TR_PATH_REMOVE, .path = path)), -EINVAL);
    cr_assert_eq(tr_file_start(self, file, TR__FILE(TR_FILE_OPEN, .path = path)), -EINVAL);
    cr_assert_eq(tr_path_start(self, TR__FILE(TR_FILE_SYNC, .path = path)), -EINVAL);
    cr_assert_eq(tr_path_start(self, TR__FILE((tr_file_verb)99, .path = path)), -EINVAL);
    cr_assert_eq(tr_path_rename(self, .path = path), -EINVAL);
    cr_assert_eq(tr_path_remove(self, .to = path), -EINVAL);
    cr_assert_eq(tr_read(self, file, 1), -EINVAL);
    tr_bytes_drop(bytes);
    return tr_close(self, file);
}

Test(io_file, nonsense_is_refused)
{
    cr_assert_eq(in(sys, probe, nonsense), 0);
}

static int use_paths(tr_self *self)
{
    return tr_path_mkdir(self, .path = path, .context = path) | tr_path_sync(self, .path = folder);
}

Test(io_file, paths_need_no_handle)
{
    cr_assert_eq(in(sys, probe, use_paths), 0);
    struct probe_told told = probe_wait(sys, probe, FILE_DONE);
    if (told.verb == TR_PATH_SYNC)
        told = probe_wait(sys, probe, FILE_DONE); /* paths have no order */
    cr_assert_eq(told.verb, TR_PATH_MKDIR);
    cr_assert_eq(told.error, 0);
    cr_assert_eq(told.context, path);
    cr_assert_eq(told.io.bits, 0);
    cr_assert_eq(rmdir(path), 0);
}

static int watch(tr_self *self)
{
    file = tr_signal_watch(self, SIGUSR1);
    return tr_io_error(file);
}

static int close_it(tr_self *self)
{
    return tr_close(self, file);
}

Test(io_file, signals_are_messages)
{
    cr_assert_eq(in(sys, probe, watch), 0);
    /* The default action would end the process: wait until the loop has installed the handler. */
    struct sigaction action = { 0 };
    for (unsigned i = 0; i < 10000 && action.sa_handler == SIG_DFL; i++) {
        cr_assert_eq(sigaction(SIGUSR1, NULL, &action), 0);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    cr_assert_eq(kill(getpid(), SIGUSR1), 0);
    struct probe_told told = probe_wait(sys, probe, SIGNAL);
    cr_assert_eq(told.kind, SIGNAL);
    cr_assert_eq(told.size, SIGUSR1);
    cr_assert_eq(in(sys, probe, close_it), 0);
}
