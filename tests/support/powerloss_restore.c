/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Makes a folder what a power loss would have left of it. See powerloss.h.
 *
 * The new folder is built beside the old one and takes its place at the end. A file that was named
 * durably but never synced is there, and empty.
 */

#include "support/powerloss.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES (64u * 1024)
#define ID_MAX     64u

struct restore {
    const char *working;  /* what the program left */
    const char *shadow;
    uint64_t seed;
};

struct entry {
    char kind;         /* 'f' or 'd' */
    char id[ID_MAX];
    char name[256];
};

static uint32_t chance(struct restore *r, uint32_t bound)
{
    uint64_t z = (r->seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((((z ^ (z >> 31)) >> 32) * bound) >> 32);
}

static bool path_of(char *ret_path, const char *folder, const char *name)
{
    int used = snprintf(ret_path, POWERLOSS_PATH_MAX, "%s/%s", folder, name);

    return used > 0 && (unsigned)used < POWERLOSS_PATH_MAX;
}

/* ---- files ---- */

static int copy_range(int from, int to, off_t start, off_t end)
{
    char buffer[COPY_BYTES];

    while (start < end) {
        size_t wanted = end - start < (off_t)sizeof buffer ? (size_t)(end - start) : sizeof buffer;
        ssize_t size = pread(from, buffer, wanted, start);
        if (size <= 0)
            return size < 0 ? -errno : 0;
        if (pwrite(to, buffer, (size_t)size, start) != size)
            return -EIO;
        start += size;
    }
    return 0;
}

static off_t size_of(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 ? info.st_size : 0;
}

/* The working file behind an id, wherever it is named now; -1 when it has no name any more. */
static int open_working(struct restore *r, const char *folder, const char *id)
{
    uint64_t ino = strtoull(id, NULL, 10);
    char path[POWERLOSS_PATH_MAX];
    struct stat info;
    struct dirent *found;
    DIR *dir = opendir(folder);
    int fd = -1;

    while (dir != NULL && fd < 0 && (found = readdir(dir)) != NULL) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
            !path_of(path, folder, found->d_name) || lstat(path, &info) < 0)
            continue;
        if (S_ISDIR(info.st_mode))
            fd = open_working(r, path, id);
        else if (S_ISREG(info.st_mode) && info.st_ino == ino)
            fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (dir != NULL)
        closedir(dir);
    return fd;
}

/* The disk may have kept some of what was appended without a sync. */
static int keep_some_more(struct restore *r, const char *id, int to)
{
    off_t durable = size_of(to);
    int from = open_working(r, r->working, id);
    int err = 0;

    if (from < 0)
        return 0;
    off_t more = size_of(from) - durable;
    if (more > 0 && more < INT32_MAX)
        err = copy_range(from, to, durable, durable + (off_t)chance(r, (uint32_t)more + 1));
    close(from);
    return err;
}

static int restore_file(struct restore *r, const char *id, const char *target)
{
    char path[POWERLOSS_PATH_MAX];
    int to = open(target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = 0;

    if (to < 0)
        return -errno;
    int used = snprintf(path, sizeof path, "%s/data/%s", r->shadow, id);
    int from = used > 0 && (unsigned)used < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (from >= 0) {
        err = copy_range(from, to, 0, size_of(from));
        close(from);
    }
    if (err == 0 && r->seed != 0)
        err = keep_some_more(r, id, to);
    close(to);
    return err;
}

/* ---- folders ---- */

/* The id under which the shadow has an inode, the latest if the number was used twice. */
static void latest_id(struct restore *r, const char *part, uint64_t ino, char *ret_id)
{
    char path[POWERLOSS_PATH_MAX];
    uint64_t latest = 0;
    struct dirent *found;

    snprintf(ret_id, ID_MAX, "%" PRIu64 ".0", ino);
    DIR *dir = path_of(path, r->shadow, part) ? opendir(path) : NULL;
    while (dir != NULL && (found = readdir(dir)) != NULL) {
        uint64_t found_ino, number;
        if (sscanf(found->d_name, "%" SCNu64 ".%" SCNu64, &found_ino, &number) == 2 &&
            found_ino == ino && number >= latest) {
            latest = number;
            snprintf(ret_id, ID_MAX, "%" PRIu64 ".%" PRIu64, ino, number);
        }
    }
    if (dir != NULL)
        closedir(dir);
}

static int restore_folder(struct restore *r, const char *id, const char *target);

static int restore_entry(struct restore *r, const struct entry *entry, const char *target)
{
    char path[POWERLOSS_PATH_MAX];

    if (!path_of(path, target, entry->name))
        return -ENAMETOOLONG;
    if (entry->kind == 'f')
        return restore_file(r, entry->id, path);
    if (mkdir(path, 0700) < 0)
        return -errno;
    return restore_folder(r, entry->id, path);
}

/* The names as the shadow has them, what they name included. */
static int restore_folder(struct restore *r, const char *id, const char *target)
{
    char path[POWERLOSS_PATH_MAX];
    struct entry entry;
    int err = 0;

    int used = snprintf(path, sizeof path, "%s/names/%s", r->shadow, id);
    FILE *names = used > 0 && (unsigned)used < sizeof path ? fopen(path, "re") : NULL;
    if (names == NULL)
        return 0;  /* never synced: empty */
    while (err == 0 &&
           fscanf(names, "%c %63s %255[^\n]\n", &entry.kind, entry.id, entry.name) == 3)
        err = restore_entry(r, &entry, target);
    fclose(names);
    return err;
}

/* The names as the program left them: a disk may write them down without being asked. Folders
 * inside are as the shadow has them. */
static int restore_working_names(struct restore *r, const char *working, const char *target)
{
    char path[POWERLOSS_PATH_MAX];
    struct dirent *found;
    DIR *dir = opendir(working);
    int err = 0;

    while (dir != NULL && err == 0 && (found = readdir(dir)) != NULL) {
        struct entry entry = { .kind = 'f' };
        struct stat info;
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
            !path_of(path, working, found->d_name) || lstat(path, &info) < 0)
            continue;
        entry.kind = S_ISDIR(info.st_mode) ? 'd' : 'f';
        snprintf(entry.name, sizeof entry.name, "%s", found->d_name);
        latest_id(r, entry.kind == 'd' ? "names" : "data", info.st_ino, entry.id);
        err = restore_entry(r, &entry, target);
    }
    if (dir != NULL)
        closedir(dir);
    return err;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT ? -errno : 0;
}

static int read_root(const char *shadow, char *ret_id)
{
    char path[POWERLOSS_PATH_MAX];
    FILE *file = path_of(path, shadow, "root") ? fopen(path, "re") : NULL;
    int err = file != NULL && fscanf(file, "%63s", ret_id) == 1 ? 0 : -ENOENT;

    if (file != NULL)
        fclose(file);
    return err;
}

int powerloss_restore(const char *folder, const char *shadow, uint64_t seed)
{
    struct restore r = { folder, shadow, seed };
    char target[POWERLOSS_PATH_MAX];
    char id[ID_MAX];
    int err = read_root(shadow, id);

    if (err == -ENOENT)
        remove_tree(shadow);
    int used = snprintf(target, sizeof target, "%s.restored", folder);
    if (err == 0 && (used < 0 || (unsigned)used >= sizeof target))
        err = -ENAMETOOLONG;
    if (err == 0)
        err = remove_tree(target);
    if (err == 0 && mkdir(target, 0700) < 0)
        err = -errno;
    if (err == 0)
        err = seed != 0 && chance(&r, 2) == 0 ? restore_working_names(&r, folder, target)
                                              : restore_folder(&r, id, target);
    if (err == 0)
        err = remove_tree(folder);
    if (err == 0 && rename(target, folder) < 0)
        err = -errno;
    return err == 0 ? remove_tree(shadow) : err;
}
