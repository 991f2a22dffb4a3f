/* SPDX-License-Identifier: BSD-2-Clause */

#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

#define MAGIC "TROUPEKM"
#define CHECKED (KV_MANIFEST_SIZE - 4)

void kv_manifest_encode(const struct kv_settings *settings, char bytes[KV_MANIFEST_SIZE])
{
    uint32_t sum;

    memset(bytes, 0, KV_MANIFEST_SIZE);
    memcpy(bytes, MAGIC, 8);
    memcpy(bytes + 8, &settings->shards, 4);
    memcpy(bytes + 16, &settings->hash_key, 16);
    memcpy(bytes + 32, &settings->salt, 8);
    sum = kv_crc32c(0, bytes, CHECKED);
    memcpy(bytes + CHECKED, &sum, 4);
}

int kv_manifest_decode(const char bytes[KV_MANIFEST_SIZE], struct kv_settings *settings)
{
    uint32_t shards;
    uint32_t sum;

    memcpy(&sum, bytes + CHECKED, 4);
    memcpy(&shards, bytes + 8, 4);
    if (memcmp(bytes, MAGIC, 8) != 0 || sum != kv_crc32c(0, bytes, CHECKED) || shards == 0 ||
        shards > KV_SHARDS_MAX)
        return -EILSEQ;
    settings->shards = shards;
    memcpy(&settings->hash_key, bytes + 16, 16);
    memcpy(&settings->salt, bytes + 32, 8);
    return 0;
}

int kv_manifest_invent(struct kv_settings *settings)
{
    uint64_t words[3];

    if (getrandom(words, sizeof words, 0) != (ssize_t)sizeof words)
        return -EIO;
    settings->hash_key = (struct kv_hash_key){ words[0], words[1] };
    settings->salt = words[2];
    return 0;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return err;
}

/* A new one is complete, or it is not there: it is made under another name first. */
static int create(const struct kv_settings *settings, const char *path)
{
    char bytes[KV_MANIFEST_SIZE];
    char fresh[600];
    int err = 0;
    int fd;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    kv_manifest_encode(settings, bytes);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes || fsync(fd) < 0)
        err = errno != 0 ? -errno : -EIO;
    close(fd);
    if (err == 0 && rename(fresh, path) < 0)
        err = -errno;
    return err < 0 ? err : sync_folder(settings->dir);
}

/* Locked for as long as the process lives: the descriptor stays open. */
static int lock(const struct kv_settings *settings)
{
    char path[600];
    int fd;

    snprintf(path, sizeof path, "%s/lock", settings->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return -EBUSY;
    }
    return 0;
}

static int read_back(struct kv_settings *settings, const char *path, uint32_t *ret_shards)
{
    char bytes[KV_MANIFEST_SIZE] = { 0 };
    uint32_t wanted = settings->shards;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;
    int err;

    if (fd < 0)
        return -errno;
    size = read(fd, bytes, sizeof bytes);
    close(fd);
    err = size == (ssize_t)sizeof bytes ? kv_manifest_decode(bytes, settings) : -EILSEQ;
    if (err == 0 && wanted != 0 && wanted != settings->shards) {
        *ret_shards = settings->shards;
        err = -EXDEV;
    }
    return err;
}

int kv_manifest_open(struct kv_settings *settings, uint32_t shards_usual, uint32_t *ret_shards)
{
    char path[560];
    int err;

    if (mkdir(settings->dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    snprintf(path, sizeof path, "%s/manifest", settings->dir);
    err = lock(settings);
    if (err < 0)
        return err;
    err = read_back(settings, path, ret_shards);
    if (err != -ENOENT)
        return err;
    if (settings->shards == 0)
        settings->shards = shards_usual;
    err = kv_manifest_invent(settings);
    return err < 0 ? err : create(settings, path);
}
