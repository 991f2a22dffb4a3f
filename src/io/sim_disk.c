/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * See sim_disk.h. Files first, then names.
 *
 *     name ──seen──►  file   what programs see, and the changes that lead there from
 *          ──durable► file   what is on the disk
 *
 * A file lives as long as a name, seen or durable, or somebody who has it open, refers to it, or a
 * change of names that is not on the disk yet.
 */

#include "io/sim_disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/memory.h"
#include "sim/sim.h"

#define PATH_SIZE 4096u

struct content {
    unsigned char *data;
    uint64_t size;
    uint64_t room;
};

/* A write, or a truncation: `bytes` NULL. */
struct change {
    struct tri_link link;
    uint64_t number;
    uint64_t offset;
    uint64_t size;
    tr_bytes *bytes;
};

struct tri_disk_file {
    struct content seen;
    struct content durable;
    struct tri_list changes;
    uint64_t change_count;  /* ever */
    uint32_t waiting;       /* in the list */
    uint32_t references;
    bool is_folder;
};

struct name {
    struct tri_link link;
    struct tri_disk_file *seen;
    struct tri_disk_file *durable;
    uint32_t changes;       /* that refer to it */
    char path[];
};

/* `gone` loses its file, `made` gets this one; either may be NULL. */
struct renaming {
    struct tri_link link;
    struct name *gone;
    struct name *made;
    struct tri_disk_file *file;
};

static struct tri_list names = { { &names.ring, &names.ring } };
static struct tri_list renamings = { { &renamings.ring, &renamings.ring } };
static uint64_t limit = UINT64_MAX;
static uint64_t used;

static struct tri_sim_row torn = TRI_SIM_ROW("disk: a crash tore a write");
static struct tri_sim_row zeros = TRI_SIM_ROW("disk: a crash left zeros");
static struct tri_sim_row lost_writes = TRI_SIM_ROW("disk: a crash lost writes");
static struct tri_sim_row lost_names = TRI_SIM_ROW("disk: a crash lost changes of names");

/* ---- contents ------------------------------------------------------------------------------- */

static int make_room(struct content *content, uint64_t size)
{
    uint64_t room = content->room < 256 ? 256 : content->room;

    if (size <= content->room)
        return 0;
    while (room < size)
        room += room / 2;
    unsigned char *data = tri_alloc((size_t)room);
    if (data == NULL)
        return -ENOMEM;
    if (content->size > 0)
        memcpy(data, content->data, (size_t)content->size);
    tri_free(content->data);
    content->data = data;
    content->room = room;
    return 0;
}

/* Cut, or with zeros behind it. There is room. */
static void set_size(struct content *content, uint64_t size)
{
    if (size > content->size)
        memset(content->data + content->size, 0, (size_t)(size - content->size));
    content->size = size;
}

/* There is room. `from` NULL: zeros. */
static void put(struct content *content, uint64_t offset, const void *from, uint64_t size)
{
    if (size == 0)
        return;
    if (offset + size > content->size)
        set_size(content, offset + size);
    if (from != NULL)
        memcpy(content->data + offset, from, (size_t)size);
    else
        memset(content->data + offset, 0, (size_t)size);
}

static void apply(struct content *content, const struct change *change)
{
    if (change->bytes == NULL)
        set_size(content, change->offset);
    else
        put(content, change->offset, change->bytes->data, change->size);
}

/* ---- changes -------------------------------------------------------------------------------- */

static void drop_change(struct tri_disk_file *file, struct change *change)
{
    tri_link_remove(&change->link);
    file->waiting--;
    tr_bytes_drop(change->bytes);
    tri_free(change);
}

static struct change *first_change(const struct tri_disk_file *file)
{
    struct tri_link *link = tri_list_first(&file->changes);

    return link != NULL ? TRI_CONTAINER_OF(link, struct change, link) : NULL;
}

static void make_durable(struct tri_disk_file *file, struct change *change)
{
    apply(&file->durable, change);
    drop_change(file, change);
}

/* What is to be seen of a file has changed; the bytes on the disk will have room for it, too. */
static int add_change(struct tri_disk_file *file, struct change change)
{
    uint64_t end = change.offset + change.size;
    struct change *copy;

    if (end > file->seen.size && end - file->seen.size > limit - used)
        return -ENOSPC;
    copy = tri_alloc(sizeof(*copy));
    if (copy == NULL || make_room(&file->seen, end) < 0 || make_room(&file->durable, end) < 0) {
        tri_free(copy);
        return -ENOMEM;
    }
    *copy = change;
    copy->number = ++file->change_count;
    copy->bytes = tr_bytes_share(change.bytes);
    tri_list_push_back(&file->changes, &copy->link);
    file->waiting++;
    used -= file->seen.size;
    apply(&file->seen, copy);
    used += file->seen.size;
    if (file->waiting > TRI_DISK_CHANGES_MAX)
        make_durable(file, first_change(file));
    return 0;
}

int tri_disk_write(struct tri_disk_file *file, uint64_t offset, tr_bytes *bytes, uint64_t size)
{
    return add_change(file, (struct change){ .offset = offset, .size = size, .bytes = bytes });
}

int tri_disk_truncate(struct tri_disk_file *file, uint64_t size)
{
    return add_change(file, (struct change){ .offset = size });
}

uint64_t tri_disk_changes(const struct tri_disk_file *file)
{
    return file->change_count;
}

void tri_disk_sync(struct tri_disk_file *file, uint64_t changes)
{
    struct change *change;

    while ((change = first_change(file)) != NULL && change->number <= changes)
        make_durable(file, change);
}

void tri_disk_sync_fails(struct tri_disk_file *file, uint64_t changes)
{
    struct change *change;

    while ((change = first_change(file)) != NULL && change->number <= changes) {
        if (tri_sim_choose(2) == 0)
            make_durable(file, change);
        else
            drop_change(file, change);
    }
}

uint64_t tri_disk_size(const struct tri_disk_file *file)
{
    return file->seen.size;
}

tr_bytes *tri_disk_read(const struct tri_disk_file *file, uint64_t offset, uint64_t size)
{
    uint64_t rest = offset < file->seen.size ? file->seen.size - offset : 0;
    tr_bytes *bytes = tr_bytes_new((size_t)(size < rest ? size : rest));

    if (bytes != NULL && bytes->size > 0)
        memcpy(bytes->data, file->seen.data + offset, bytes->size);
    return bytes;
}

/* ---- files ---------------------------------------------------------------------------------- */

static struct tri_disk_file *file_new(bool is_folder)
{
    struct tri_disk_file *file = tri_alloc_zeroed(sizeof(*file));

    if (file == NULL)
        return NULL;
    tri_list_init(&file->changes);
    file->is_folder = is_folder;
    return file;
}

static struct tri_disk_file *share(struct tri_disk_file *file)
{
    if (file != NULL)
        file->references++;
    return file;
}

static void drop(struct tri_disk_file *file)
{
    struct change *change;

    if (file == NULL || --file->references > 0)
        return;
    while ((change = first_change(file)) != NULL)
        drop_change(file, change);
    used -= file->seen.size;
    tri_free(file->seen.data);
    tri_free(file->durable.data);
    tri_free(file);
}

void tri_disk_close(struct tri_disk_file *file)
{
    drop(file);
}

static void set_file(struct tri_disk_file **place, struct tri_disk_file *file)
{
    struct tri_disk_file *before = *place;

    *place = share(file);
    drop(before);
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* One spelling for each path: no ".", no "..", no "//", no "/" at the end. */
static void normalise(const char *path, char ret_path[PATH_SIZE])
{
    size_t size = 0;
    size_t root = path[0] == '/' ? 1 : 0;

    if (root)
        ret_path[size++] = '/';
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        bool is_up = length == 2 && path[0] == '.' && path[1] == '.';

        if (is_up && size > root) {
            while (size > root && ret_path[size - 1] != '/')
                size--;
            size -= size > root;
        } else if (length > 0 && !(length == 1 && path[0] == '.') && !is_up) {
            if (size > root)
                ret_path[size++] = '/';
            memcpy(ret_path + size, path, length);
            size += length;
        }
        path += length + (path[length] == '/');
    }
    ret_path[size] = '\0';
}

static bool is_in_folder(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);

    if (length == 0 && slash != NULL)
        length = 1;
    return strlen(folder) == length && memcmp(path, folder, length) == 0;
}

static struct name *find(const char *path)
{
    TRI_LIST_EACH(&names, link) {
        struct name *name = TRI_CONTAINER_OF(link, struct name, link);
        if (strcmp(name->path, path) == 0)
            return name;
    }
    return NULL;
}

static struct name *find_or_make(const char *path)
{
    struct name *name = find(path);
    size_t size = strlen(path) + 1;

    if (name != NULL)
        return name;
    name = tri_alloc_zeroed(sizeof(*name) + size);
    if (name == NULL)
        return NULL;
    memcpy(name->path, path, size);
    tri_list_push_back(&names, &name->link);
    return name;
}

static void forget_if_unused(struct name *name)
{
    if (name == NULL || name->seen != NULL || name->durable != NULL || name->changes > 0)
        return;
    tri_link_remove(&name->link);
    tri_free(name);
}

/* ---- changes of names ----------------------------------------------------------------------- */

static int rename_seen(struct name *gone, struct name *made, struct tri_disk_file *file)
{
    struct renaming *renaming = tri_alloc(sizeof(*renaming));

    if (renaming == NULL)
        return -ENOMEM;
    *renaming = (struct renaming){ .gone = gone, .made = made, .file = share(file) };
    tri_list_push_back(&renamings, &renaming->link);
    if (gone != NULL) {
        gone->changes++;
        set_file(&gone->seen, NULL);
    }
    if (made != NULL) {
        made->changes++;
        set_file(&made->seen, file);
    }
    return 0;
}

/* It is on the disk, or is lost. */
static void settle(struct renaming *renaming, bool is_kept)
{
    if (renaming->gone != NULL) {
        renaming->gone->changes--;
        if (is_kept)
            set_file(&renaming->gone->durable, NULL);
    }
    if (renaming->made != NULL) {
        renaming->made->changes--;
        if (is_kept)
            set_file(&renaming->made->durable, renaming->file);
    }
    forget_if_unused(renaming->gone);
    forget_if_unused(renaming->made);
    drop(renaming->file);
    tri_link_remove(&renaming->link);
    tri_free(renaming);
}

static bool concerns(const struct renaming *renaming, const char *folder)
{
    return (renaming->gone != NULL && is_in_folder(renaming->gone->path, folder))
           || (renaming->made != NULL && is_in_folder(renaming->made->path, folder));
}

int tri_disk_sync_names(const char *path)
{
    char folder[PATH_SIZE];

    normalise(path, folder);
    const struct name *name = find(folder);
    if (name != NULL && name->seen != NULL && !name->seen->is_folder)
        return -ENOTDIR;
    TRI_LIST_EACH(&renamings, link) {
        struct renaming *renaming = TRI_CONTAINER_OF(link, struct renaming, link);
        if (concerns(renaming, folder))
            settle(renaming, true);
    }
    return 0;
}

/* ---- operations on names -------------------------------------------------------------------- */

static int make(const char *path, bool is_folder, struct tri_disk_file **ret_file)
{
    struct tri_disk_file *file = share(file_new(is_folder));
    struct name *name = file != NULL ? find_or_make(path) : NULL;
    int err = name != NULL ? rename_seen(NULL, name, file) : -ENOMEM;

    if (err == 0)
        *ret_file = file;
    else
        drop(file);
    if (name != NULL)
        forget_if_unused(name);
    return err;
}

int tri_disk_open(const char *path, uint32_t flags, struct tri_disk_file **ret_file)
{
    char at[PATH_SIZE];

    normalise(path, at);
    struct name *name = find(at);
    struct tri_disk_file *file = name != NULL ? name->seen : NULL;
    if (file == NULL)
        return flags & TR_OPEN_CREATE ? make(at, false, ret_file) : -ENOENT;
    if (flags & TR_OPEN_NEW)
        return -EEXIST;
    if (file->is_folder && flags & TR_OPEN_WRITE)
        return -EISDIR;
    if (flags & TR_OPEN_EMPTY && file->seen.size > 0) {
        int err = tri_disk_truncate(file, 0);
        if (err < 0)
            return err;
    }
    *ret_file = share(file);
    return 0;
}

static bool is_empty_folder(const char *path)
{
    TRI_LIST_EACH(&names, link) {
        const struct name *name = TRI_CONTAINER_OF(link, struct name, link);
        if (name->seen != NULL && is_in_folder(name->path, path))
            return false;
    }
    return true;
}

int tri_disk_rename(const char *path, const char *to)
{
    char from[PATH_SIZE], target[PATH_SIZE];

    normalise(path, from);
    normalise(to, target);
    struct name *gone = find(from);
    if (gone == NULL || gone->seen == NULL)
        return -ENOENT;
    if (gone->seen->is_folder && !is_empty_folder(from))
        return -ENOTSUP; /* nobody has needed it */
    struct name *made = find_or_make(target);
    if (made == NULL)
        return -ENOMEM;
    if (made == gone)
        return 0;
    if (made->seen != NULL && made->seen->is_folder != gone->seen->is_folder)
        return made->seen->is_folder ? -EISDIR : -ENOTDIR;
    if (made->seen != NULL && made->seen->is_folder && !is_empty_folder(target))
        return -ENOTEMPTY;
    struct tri_disk_file *file = share(gone->seen); /* which `gone` loses before `made` gets it */
    int err = rename_seen(gone, made, file);
    drop(file);
    forget_if_unused(made);
    return err;
}

int tri_disk_remove(const char *path)
{
    char at[PATH_SIZE];

    normalise(path, at);
    struct name *name = find(at);
    if (name == NULL || name->seen == NULL)
        return -ENOENT;
    if (name->seen->is_folder && !is_empty_folder(at))
        return -ENOTEMPTY;
    return rename_seen(name, NULL, NULL);
}

int tri_disk_make_folder(const char *path)
{
    char at[PATH_SIZE];
    struct tri_disk_file *file;

    normalise(path, at);
    const struct name *name = find(at);
    if (name != NULL && name->seen != NULL)
        return -EEXIST;
    int err = make(at, true, &file);
    if (err == 0)
        drop(file);
    return err;
}

int tri_disk_path_size(const char *path, uint64_t *ret_size)
{
    char at[PATH_SIZE];

    normalise(path, at);
    const struct name *name = find(at);
    if (name == NULL || name->seen == NULL)
        return -ENOENT;
    *ret_size = name->seen->seen.size;
    return 0;
}

uint64_t tri_disk_used(void)
{
    return used;
}

void tri_disk_limit(uint64_t size)
{
    limit = size > used ? size : used;
}

/* ---- crashes -------------------------------------------------------------------------------- */

/* A write of which a part is on the disk; or its size is, and of its bytes the first ones. */
static void tear(struct tri_disk_file *file, const struct change *change)
{
    uint32_t kept;

    if (change->bytes == NULL || change->size == 0)
        return;
    kept = tri_sim_choose((uint32_t)change->size);
    put(&file->durable, change->offset, change->bytes->data, kept);
    if (kept > 0)
        tri_sim_cover(&torn);
    if (tri_sim_choose(4) != 3)
        return;
    put(&file->durable, change->offset + kept, NULL, change->size - kept);
    tri_sim_cover(&zeros);
}

static void crash_file(struct tri_disk_file *file)
{
    uint32_t kept = tri_sim_choose(file->waiting + 1);
    struct change *change;

    while (kept-- > 0)
        make_durable(file, first_change(file));
    change = first_change(file);
    if (change != NULL) {
        tri_sim_cover(&lost_writes);
        tear(file, change);
    }
    while ((change = first_change(file)) != NULL)
        drop_change(file, change);
    used -= file->seen.size;
    file->seen.size = 0;
    put(&file->seen, 0, file->durable.data, file->durable.size);
    used += file->seen.size;
}

static uint32_t length_of(const struct tri_list *list)
{
    uint32_t count = 0;

    TRI_LIST_EACH(list, link)
        count++;
    return count;
}

static void crash_names(void)
{
    uint32_t kept = tri_sim_choose(length_of(&renamings) + 1);
    struct tri_link *first;

    while ((first = tri_list_first(&renamings)) != NULL) {
        if (kept == 0)
            tri_sim_cover(&lost_names);
        settle(TRI_CONTAINER_OF(first, struct renaming, link), kept > 0);
        kept -= kept > 0;
    }
    TRI_LIST_EACH(&names, link) {
        struct name *name = TRI_CONTAINER_OF(link, struct name, link);
        set_file(&name->seen, name->durable);
        forget_if_unused(name);
    }
}

void tri_disk_crash(void)
{
    crash_names();
    TRI_LIST_EACH(&names, link) {
        const struct name *name = TRI_CONTAINER_OF(link, struct name, link);
        crash_file(name->seen);
    }
}

void tri_disk_forget(void)
{
    struct tri_link *first;

    while ((first = tri_list_first(&renamings)) != NULL)
        settle(TRI_CONTAINER_OF(first, struct renaming, link), false);
    TRI_LIST_EACH(&names, link) {
        struct name *name = TRI_CONTAINER_OF(link, struct name, link);
        set_file(&name->seen, NULL);
        set_file(&name->durable, NULL);
        forget_if_unused(name);
    }
    limit = UINT64_MAX;
}
