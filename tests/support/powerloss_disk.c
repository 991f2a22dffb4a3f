/* SPDX-License-Identifier: BSD-2-Clause */

/* See powerloss_disk.h, and powerloss.h for what the shadow looks like. */

#include "support/powerloss_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ck.h"
#include "support/powerloss.h"

#define DESCRIPTORS_MAX 65536
#define BUCKETS         1024u
#define COPY_BYTES      (16u * 1024)  /* on stacks of other people's threads */
#define ID_MAX          64u
#define NOT_TRUNCATED   INT64_MAX

struct file {
    struct file *next;  /* under `names` */
    ino_t ino;
    char id[ID_MAX];
    bool is_folder;

    pthread_mutex_t syncing;  /* one sync at a time: who comes second waits for the first's copy */
    bool nameless;            /* lost its last name: its bytes are nobody's any more */
    int image;
    int reader;

    pthread_mutex_t changing;  /* guards what follows */
    off_t low, high;           /* written since the last sync; low == high: nothing */
    off_t truncated;           /* the smallest size since then */
    off_t size;                /* as far as we were told */
};

struct change {
    off_t low, high, truncated;
};

static char watched[POWERLOSS_PATH_MAX];
static char shadow[POWERLOSS_PATH_MAX];
static dev_t device;
static bool active;
static uint64_t numbers;  /* under `names` */
static pthread_mutex_t names = PTHREAD_MUTEX_INITIALIZER;
static struct file *files[BUCKETS];
static struct file *nameless;
static struct file *opened[DESCRIPTORS_MAX];
static bool syncs_each_write[DESCRIPTORS_MAX];

/* A model of a disk that lies would make every test that uses it lie. */
static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "powerloss: %s: %s\n", what, strerror(errno));
    abort();
}

static void path_in(char *ret_path, const char *folder, const char *part, const char *name)
{
    int used = snprintf(ret_path, POWERLOSS_PATH_MAX, "%s/%s/%s", folder, part, name);

    if (used < 0 || (unsigned)used >= POWERLOSS_PATH_MAX) {
        errno = ENAMETOOLONG;
        give_up(name);
    }
}

void disk_names_begin(void)
{
    pthread_mutex_lock(&names);
}

void disk_names_end(void)
{
    pthread_mutex_unlock(&names);
}

/* ---- files, by inode ---- */

static struct file *find(ino_t ino)
{
    struct file *file = files[ino % BUCKETS];

    while (file != NULL && file->ino != ino)
        file = file->next;
    return file;
}

static int make_image(const char *id)
{
    char path[POWERLOSS_PATH_MAX];

    path_in(path, shadow, "data", id);
    int fd = real.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        give_up(path);
    return fd;
}

/* The file with this inode; one that was never seen starts with nothing durable. */
static struct file *find_or_add(const struct stat *info)
{
    struct file *file = find(info->st_ino);

    if (file != NULL)
        return file;
    file = malloc(sizeof *file);
    if (file == NULL)
        give_up("memory");
    *file = (struct file){
        .next = files[info->st_ino % BUCKETS],
        .ino = info->st_ino,
        .is_folder = S_ISDIR(info->st_mode),
        .image = -1,
        .reader = -1,
        .truncated = NOT_TRUNCATED,
    };
    pthread_mutex_init(&file->syncing, NULL);
    pthread_mutex_init(&file->changing, NULL);
    snprintf(file->id, sizeof file->id, "%" PRIu64 ".%" PRIu64, (uint64_t)info->st_ino, ++numbers);
    if (!file->is_folder)
        file->image = make_image(file->id);
    files[info->st_ino % BUCKETS] = file;
    return file;
}

ino_t disk_losing(int at, const char *path)
{
    struct stat info;

    if (!active || fstatat(at, path, &info, AT_SYMLINK_NOFOLLOW) < 0 || info.st_dev != device)
        return 0;
    return S_ISDIR(info.st_mode) || info.st_nlink == 1 ? info.st_ino : 0;
}

static void close_own(int fd)
{
    if (fd >= 0)
        real.close(fd);
}

void disk_lost(ino_t ino)
{
    struct file **link = &files[ino % BUCKETS];

    while (*link != NULL && (*link)->ino != ino)
        link = &(*link)->next;
    if (ino == 0 || *link == NULL)
        return;
    struct file *file = *link;
    *link = file->next;
    file->next = nameless;  /* open descriptors still lead to it */
    nameless = file;
    pthread_mutex_lock(&file->syncing);
    file->nameless = true;
    close_own(file->image);
    close_own(file->reader);  /* would keep its blocks */
    pthread_mutex_unlock(&file->syncing);
}

/* ---- descriptors ---- */

static struct file *file_of(int fd)
{
    if (!active || fd < 0 || fd >= DESCRIPTORS_MAX)
        return NULL;
    /* acquire: pairs with the release in set_file; publishes the file's fields. */
    return tri_load_acquire_ptr(&opened[fd]);
}

static void set_file(int fd, struct file *file)
{
    if (fd >= 0 && fd < DESCRIPTORS_MAX)
        /* release: publishes the file's fields; pairs with the acquire in file_of. */
        tri_store_release_ptr(&opened[fd], file);
}

static bool path_of_descriptor(int fd, char *ret_path)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, ret_path, POWERLOSS_PATH_MAX - 1);
    if (size <= 0)
        return false;
    ret_path[size] = '\0';
    return true;
}

static bool is_watched(int fd, struct stat *ret_info)
{
    char path[POWERLOSS_PATH_MAX];
    size_t length = strlen(watched);

    if (fstat(fd, ret_info) < 0 || ret_info->st_dev != device ||
        (!S_ISREG(ret_info->st_mode) && !S_ISDIR(ret_info->st_mode)))
        return false;
    return path_of_descriptor(fd, path) && strncmp(path, watched, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

static struct file *bind_descriptor(int fd, int flags)
{
    struct stat info;

    if (!active || fd >= DESCRIPTORS_MAX || !is_watched(fd, &info))
        return NULL;
    struct file *file = find_or_add(&info);
    syncs_each_write[fd] = (flags & O_DSYNC) != 0;
    set_file(fd, file);
    return file;
}

void disk_opened(int fd, int flags)
{
    struct file *file = bind_descriptor(fd, flags);

    if (file != NULL && (flags & O_TRUNC))
        disk_truncated(fd, 0);
}

void disk_duplicated(int fd, int copy)
{
    struct file *file = file_of(fd);

    if (copy >= 0 && copy < DESCRIPTORS_MAX && active) {
        syncs_each_write[copy] = file != NULL && syncs_each_write[fd];
        set_file(copy, file);
    }
}

void disk_closed(int fd)
{
    if (file_of(fd) != NULL)
        set_file(fd, NULL);
}

bool disk_has(int fd)
{
    return file_of(fd) != NULL;
}

bool disk_syncs_each_write(int fd)
{
    return file_of(fd) != NULL && syncs_each_write[fd];
}

/* ---- changes ---- */

static void add_range(struct file *file, off_t low, off_t high)
{
    if (low >= high)
        return;
    if (file->low == file->high) {
        file->low = low;
        file->high = high;
    } else {
        file->low = low < file->low ? low : file->low;
        file->high = high > file->high ? high : file->high;
    }
}

void disk_wrote(int fd, off_t start, size_t size)
{
    struct file *file = file_of(fd);
    off_t end = start + (off_t)size;

    if (file == NULL || start < 0)
        return;
    pthread_mutex_lock(&file->changing);
    add_range(file, start < file->size ? start : file->size, end);
    if (end > file->size)
        file->size = end;
    pthread_mutex_unlock(&file->changing);
}

void disk_truncated(int fd, off_t size)
{
    struct file *file = file_of(fd);

    if (file == NULL)
        return;
    pthread_mutex_lock(&file->changing);
    if (size < file->truncated)
        file->truncated = size;
    if (file->high > size)
        file->high = size;
    if (file->low > file->high)
        file->low = file->high;
    add_range(file, file->size, size);
    file->size = size;
    pthread_mutex_unlock(&file->changing);
}

/* What a sync that begins now makes durable: it is the sync's from here on. */
static struct change take_change(struct file *file, off_t size)
{
    struct change change;

    pthread_mutex_lock(&file->changing);
    if (file->size != size) {  /* somebody changed it behind our back */
        add_range(file, 0, size);
        file->truncated = size < file->truncated ? size : file->truncated;
        file->size = size;
    }
    change = (struct change){ file->low, file->high, file->truncated };
    file->low = file->high = 0;
    file->truncated = NOT_TRUNCATED;
    pthread_mutex_unlock(&file->changing);
    return change;
}

static void give_back_change(struct file *file, const struct change *change)
{
    pthread_mutex_lock(&file->changing);
    add_range(file, change->low, change->high);
    if (change->truncated < file->truncated)
        file->truncated = change->truncated;
    pthread_mutex_unlock(&file->changing);
}

/* ---- syncs ---- */

static void copy_range(int from, int to, off_t start, off_t end)
{
    char buffer[COPY_BYTES];

    while (start < end) {
        size_t wanted = end - start < (off_t)sizeof buffer ? (size_t)(end - start) : sizeof buffer;
        ssize_t size = pread(from, buffer, wanted, start);
        if (size < 0)
            give_up("reading what was synced");
        if (size == 0)
            return;  /* truncated meanwhile */
        if (real.pwrite(to, buffer, (size_t)size, start) != size)
            give_up("writing what is durable");
        start += size;
    }
}

static void make_durable(struct file *file, const struct change *change)
{
    struct stat info;

    if (fstat(file->image, &info) < 0)
        give_up(file->id);
    if (info.st_size > change->truncated && real.ftruncate(file->image, change->truncated) < 0)
        give_up(file->id);
    copy_range(file->reader, file->image, change->low, change->high);
}

/* The program's own descriptor may be for writing only. */
static bool have_reader(struct file *file, int fd)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (file->reader < 0)
        file->reader = real.open(link, O_RDONLY | O_CLOEXEC);
    return file->reader >= 0;
}

static int sync_file(struct file *file, int fd, int (*sync_it)(int fd))
{
    struct stat info;
    int result;

    pthread_mutex_lock(&file->syncing);
    if (file->nameless || fstat(fd, &info) < 0 || !have_reader(file, fd)) {
        result = sync_it(fd);
    } else {
        struct change change = take_change(file, info.st_size);
        result = sync_it(fd);
        if (result == 0)
            make_durable(file, &change);
        else
            give_back_change(file, &change);
    }
    int error = errno;
    pthread_mutex_unlock(&file->syncing);
    errno = error;
    return result;
}

static void write_names(const char *folder, FILE *list)
{
    char path[POWERLOSS_PATH_MAX];
    struct dirent *found;
    struct stat info;
    DIR *dir = opendir(folder);

    if (dir == NULL)
        give_up(folder);
    while ((found = readdir(dir)) != NULL) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        path_in(path, folder, ".", found->d_name);
        if (lstat(path, &info) < 0 || (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)))
            continue;
        const struct file *file = find_or_add(&info);
        fprintf(list, "%c %s %s\n", file->is_folder ? 'd' : 'f', file->id, found->d_name);
    }
    closedir(dir);
}

/* Between names_begin and names_end, so that the list is of one moment. */
static void make_names_durable(const struct file *file, const char *folder)
{
    char path[POWERLOSS_PATH_MAX];
    char draft[POWERLOSS_PATH_MAX];

    path_in(path, shadow, "names", file->id);
    path_in(draft, shadow, "names", "draft");
    FILE *list = fopen(draft, "we");
    if (list == NULL)
        give_up(draft);
    write_names(folder, list);
    if (fclose(list) != 0 || real.renameat(AT_FDCWD, draft, AT_FDCWD, path) < 0)
        give_up(path);
}

static int sync_folder(struct file *file, int fd, int (*sync_it)(int fd))
{
    char path[POWERLOSS_PATH_MAX];

    disk_names_begin();
    int result = sync_it(fd);
    int error = errno;
    if (result == 0 && !file->nameless && path_of_descriptor(fd, path))
        make_names_durable(file, path);
    disk_names_end();
    errno = error;
    return result;
}

int disk_sync(int fd, int (*sync_it)(int fd))
{
    struct file *file = file_of(fd);

    if (active && file == NULL) {
        disk_names_begin();
        file = bind_descriptor(fd, 0);
        disk_names_end();
    }
    if (file == NULL)
        return sync_it(fd);
    return file->is_folder ? sync_folder(file, fd, sync_it) : sync_file(file, fd, sync_it);
}

static int sync_nothing(int fd)
{
    (void)fd;
    return 0;
}

void disk_sync_all(void)
{
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        if (file_of(fd) != NULL)
            disk_sync(fd, sync_nothing);
    }
}

/* ---- the start ---- */

static struct file *take_folder(const char *folder);

static void take_file(const char *path, const struct stat *info)
{
    struct file *file = find_or_add(info);

    file->size = info->st_size;
    file->reader = real.open(path, O_RDONLY | O_CLOEXEC);
    if (file->reader < 0)
        give_up(path);
    copy_range(file->reader, file->image, 0, info->st_size);
}

static void take_entries(const char *folder)
{
    char path[POWERLOSS_PATH_MAX];
    struct dirent *found;
    struct stat info;
    DIR *dir = opendir(folder);

    if (dir == NULL)
        give_up(folder);
    while ((found = readdir(dir)) != NULL) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        path_in(path, folder, ".", found->d_name);
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            take_folder(path);
        else if (S_ISREG(info.st_mode))
            take_file(path, &info);
    }
    closedir(dir);
}

static struct file *take_folder(const char *folder)
{
    struct stat info;

    if (stat(folder, &info) < 0)
        give_up(folder);
    device = info.st_dev;
    struct file *file = find_or_add(&info);
    take_entries(folder);
    make_names_durable(file, folder);
    return file;
}

static void write_line(const char *name, const char *line)
{
    char path[POWERLOSS_PATH_MAX];

    path_in(path, shadow, ".", name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fprintf(file, "%s\n", line) < 0 || fclose(file) != 0)
        give_up(path);
}

void disk_start(const char *folder, const char *shadow_folder)
{
    char path[POWERLOSS_PATH_MAX];
    char owner[32];

    if (realpath(folder, watched) == NULL)
        give_up(folder);
    snprintf(shadow, sizeof shadow, "%s", shadow_folder);
    if (mkdir(shadow, 0700) < 0)
        give_up(shadow);  /* there already: the last power loss was not restored */
    path_in(path, shadow, ".", "data");
    mkdir(path, 0700);
    path_in(path, shadow, ".", "names");
    mkdir(path, 0700);
    snprintf(owner, sizeof owner, "%ld", (long)getpid());
    write_line("owner", owner);
    disk_names_begin();
    const struct file *root = take_folder(watched);
    write_line("root", root->id);
    active = true;
    disk_names_end();
}

void disk_stop(void)
{
    active = false;
}
