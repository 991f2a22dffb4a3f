/* SPDX-License-Identifier: BSD-2-Clause */

/* What a simulated disk shows, and what a crash leaves of it. */

#include <errno.h>
#include <string.h>

#include "io/sim_disk.h"
#include "sim/inside.h"
#include "support/test.h"

#define SEEDS 200u

static void begin(unsigned seed)
{
    const struct tri_sim_options options = { .seed = seed, .until = INT64_MAX,
                                             .steps_max = UINT64_MAX };

    tri_sim_begin(&options);
}

static void end(void)
{
    tri_disk_forget();
    cr_assert_eq(tri_disk_used(), 0);
    tri_sim_end();
}

static struct tri_disk_file *opened(const char *path, uint32_t flags)
{
    struct tri_disk_file *file = NULL;

    cr_assert_eq(tri_disk_open(path, flags, &file), 0);
    return file;
}

static struct tri_disk_file *made(const char *path)
{
    return opened(path, TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE);
}

static void write_at(struct tri_disk_file *file, uint64_t offset, const char *text)
{
    tr_bytes *bytes = tr_bytes_new(strlen(text));

    memcpy(bytes->data, text, bytes->size);
    cr_assert_eq(tri_disk_write(file, offset, bytes, bytes->size), 0);
    tr_bytes_drop(bytes);
}

static void sync_all(struct tri_disk_file *file)
{
    tri_disk_sync(file, tri_disk_changes(file));
}

/* Whether the file is there with that content. */
static bool reads(const char *path, const char *text)
{
    struct tri_disk_file *file;

    if (tri_disk_open(path, TR_OPEN_READ, &file) < 0)
        return false;
    tr_bytes *bytes = tri_disk_read(file, 0, UINT64_MAX);
    bool same = bytes->size == strlen(text) && memcmp(bytes->data, text, bytes->size) == 0;
    tr_bytes_drop(bytes);
    tri_disk_close(file);
    return same;
}

static bool exists(const char *path)
{
    uint64_t size;

    return tri_disk_path_size(path, &size) == 0;
}

static void crash(struct tri_disk_file *file)
{
    tri_disk_close(file);
    tri_disk_crash();
}

Test(io_sim_disk, shows_what_was_done)
{
    begin(1);
    struct tri_disk_file *file = made("folder/log");
    write_at(file, 0, "0123456789");
    write_at(file, 3, "xx");
    cr_assert(reads("folder/log", "012xx56789"));
    cr_assert_eq(tri_disk_truncate(file, 4), 0);
    write_at(file, 6, "y");
    tr_bytes *bytes = tri_disk_read(file, 3, 100);
    cr_assert_eq(bytes->size, 4);
    cr_assert_arr_eq(bytes->data, "x\0\0y", 4);
    tr_bytes_drop(bytes);
    tri_disk_close(file);
    cr_assert_eq(tri_disk_rename("folder/log", "folder/../other"), 0);
    cr_assert_not(exists("folder/log"));
    cr_assert(exists("./other"));
    cr_assert_eq(tri_disk_remove("other"), 0);
    cr_assert_not(exists("other"));
    end();
}

Test(io_sim_disk, refuses_what_makes_no_sense)
{
    struct tri_disk_file *file;

    begin(1);
    cr_assert_eq(tri_disk_open("none", TR_OPEN_READ, &file), -ENOENT);
    cr_assert_eq(tri_disk_rename("none", "some"), -ENOENT);
    cr_assert_eq(tri_disk_remove("none"), -ENOENT);
    cr_assert_eq(tri_disk_make_folder("folder"), 0);
    cr_assert_eq(tri_disk_make_folder("folder/"), -EEXIST);
    cr_assert_eq(tri_disk_open("folder", TR_OPEN_WRITE, &file), -EISDIR);
    tri_disk_close(made("folder/log"));
    cr_assert_eq(tri_disk_open("folder/log", TR_OPEN_CREATE | TR_OPEN_NEW | TR_OPEN_WRITE, &file),
                 -EEXIST);
    cr_assert_eq(tri_disk_remove("folder"), -ENOTEMPTY);
    cr_assert_eq(tri_disk_rename("folder/log", "folder"), -EISDIR);
    cr_assert_eq(tri_disk_sync_names("folder/log"), -ENOTDIR);
    tri_disk_limit(4);
    file = opened("folder/log", TR_OPEN_WRITE);
    write_at(file, 0, "four");
    tr_bytes *more = tr_bytes_new(1);
    cr_assert_eq(tri_disk_write(file, 4, more, 1), -ENOSPC);
    tr_bytes_drop(more);
    tri_disk_close(file);
    end();
}

Test(io_sim_disk, what_was_synced_survives)
{
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("log");
        write_at(file, 0, "kept");
        sync_all(file);
        cr_assert_eq(tri_disk_sync_names(""), 0);
        crash(file);
        cr_assert(reads("log", "kept"));
        end();
    }
}

/* Of what was not, a beginning, and of that the last write perhaps in part. */
Test(io_sim_disk, what_was_not_synced_survives_from_the_front)
{
    static const char whole[] = "keptonetwothree";
    unsigned sizes[sizeof whole] = { 0 };

    for (unsigned seed = 0; seed < 20 * SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("log");
        write_at(file, 0, "kept");
        sync_all(file);
        cr_assert_eq(tri_disk_sync_names("."), 0);
        write_at(file, 4, "one");
        write_at(file, 7, "two");
        write_at(file, 10, "three");
        crash(file);
        file = opened("log", TR_OPEN_READ);
        tr_bytes *bytes = tri_disk_read(file, 0, UINT64_MAX);
        size_t size = bytes->size;
        while (size > 0 && bytes->data[size - 1] == 0)
            size--; /* a tail of zeros is one that was not written */
        cr_assert_geq(size, 4);
        cr_assert_lt(size, sizeof whole);
        cr_assert_arr_eq(bytes->data, whole, size);
        sizes[size]++;
        tr_bytes_drop(bytes);
        tri_disk_close(file);
        end();
    }
    for (size_t size = 4; size < sizeof whole; size++)
        cr_assert_gt(sizes[size], 0, "never cut at %zu", size);
}

Test(io_sim_disk, a_sync_is_of_what_came_before_it)
{
    unsigned lost = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("log");
        cr_assert_eq(tri_disk_sync_names("."), 0);
        write_at(file, 0, "one");
        uint64_t changes = tri_disk_changes(file);
        write_at(file, 3, "two");
        tri_disk_sync(file, changes);
        crash(file);
        lost += !reads("log", "onetwo");
        uint64_t size = 0;
        cr_assert_eq(tri_disk_path_size("log", &size), 0);
        cr_assert_geq(size, 3);
        end();
    }
    cr_assert_gt(lost, 0);
}

Test(io_sim_disk, names_are_durable_with_their_folder)
{
    unsigned kept = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("folder/log");
        write_at(file, 0, "kept");
        sync_all(file);
        cr_assert_eq(tri_disk_sync_names("."), 0); /* another folder */
        crash(file);
        kept += exists("folder/log");
        end();
    }
    cr_assert_gt(kept, 0);
    cr_assert_lt(kept, SEEDS);
}

/* Either the old file or the new one bears the name, and both are whole. */
Test(io_sim_disk, renames_are_whole)
{
    unsigned replaced = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("log");
        write_at(file, 0, "old");
        sync_all(file);
        tri_disk_close(file);
        cr_assert_eq(tri_disk_sync_names("."), 0);
        file = made("draft");
        write_at(file, 0, "new");
        sync_all(file);
        cr_assert_eq(tri_disk_rename("draft", "log"), 0);
        crash(file);
        bool is_new = reads("log", "new");
        cr_assert(is_new || reads("log", "old"));
        cr_assert_not(is_new && exists("draft"));
        replaced += is_new;
        end();
    }
    cr_assert_gt(replaced, 0);
    cr_assert_lt(replaced, SEEDS);
}

/* What it was for is there or gone for good, whatever is synced later. */
Test(io_sim_disk, a_failed_sync_is_not_made_good_by_a_later_one)
{
    unsigned lost = 0;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        begin(seed);
        struct tri_disk_file *file = made("log");
        cr_assert_eq(tri_disk_sync_names("."), 0);
        write_at(file, 0, "one");
        tri_disk_sync_fails(file, tri_disk_changes(file));
        cr_assert(reads("log", "one"));
        write_at(file, 3, "two");
        sync_all(file);
        crash(file);
        lost += !reads("log", "onetwo");
        end();
    }
    cr_assert_gt(lost, 0);
    cr_assert_lt(lost, SEEDS);
}

Test(io_sim_disk, one_seed_leaves_one_disk)
{
    char texts[2][8];

    for (unsigned round = 0; round < 2; round++) {
        begin(7);
        struct tri_disk_file *file = made("log");
        cr_assert_eq(tri_disk_sync_names("."), 0);
        write_at(file, 0, "abcdefg");
        crash(file);
        file = opened("log", TR_OPEN_READ);
        tr_bytes *bytes = tri_disk_read(file, 0, 7);
        memset(texts[round], 0, sizeof texts[round]);
        memcpy(texts[round], bytes->data, bytes->size);
        tr_bytes_drop(bytes);
        tri_disk_close(file);
        end();
    }
    cr_assert_arr_eq(texts[0], texts[1], sizeof texts[0]);
}
