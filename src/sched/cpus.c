/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Processors: those in the affinity mask, less what a cgroup's quota takes away.
 *
 * A container that may use two processors' time on a machine of 64 is stopped by the kernel for
 * most of each period if it runs 64 threads: so the quota counts. The one in force is the smallest
 * on the way from the process's own group up to the root (v2: cpu.max, v1: cpu.cfs_quota_us).
 */

#include "sched/cpus.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"

#define PATH_BYTES 4096
#define FILE_BYTES (PATH_BYTES + 32)
#define WHOLE 100u  /* hundredths of a processor */

static cpu_set_t allowed;
static pthread_once_t allowed_once = PTHREAD_ONCE_INIT;

static void find_allowed(void)
{
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        CPU_SET(0, &allowed);
}

/* The first line of a file, without its end; false if it cannot be read. */
static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(line, (int)size, file) != NULL;

    if (file != NULL)
        fclose(file);
    if (is_read)
        line[strcspn(line, "\n")] = '\0';
    return is_read;
}

static uint32_t hundredths(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    long long share = (quota * WHOLE + period - 1) / period;
    return share > (long long)UINT32_MAX ? 0 : (uint32_t)share;
}

static uint32_t quota_v2(const char *folder)
{
    char path[FILE_BYTES], line[64];
    long long quota, period;

    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld %lld", &quota, &period) != 2)
        return 0;
    return hundredths(quota, period);
}

static uint32_t quota_v1(const char *folder)
{
    char path[FILE_BYTES], line[64];
    long long quota, period;

    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld", &quota) != 1)
        return 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld", &period) != 1)
        return 0;
    return hundredths(quota, period);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* The smallest quota of `group` below `mount` and of all groups above it. */
static uint32_t smallest_quota(const char *mount, char *group, uint32_t (*quota)(const char *))
{
    char folder[PATH_BYTES];
    uint32_t found = 0;

    for (;;) {
        snprintf(folder, sizeof folder, "%s%s", mount, group);
        found = smaller(found, quota(folder));
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return found;
        *slash = '\0';
    }
}

/* Whether the comma-separated list names "cpu". */
static bool names_cpu(const char *controllers)
{
    for (const char *name = controllers; name != NULL; name = strchr(name, ',')) {
        name += *name == ',';
        if (strncmp(name, "cpu", 3) == 0 && (name[3] == ',' || name[3] == '\0'))
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup: "ID:controllers:path", without controllers for v2. */
static uint32_t quota_of_line(const char *root, char *line)
{
    char mount[PATH_BYTES / 2];
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');

    if (group == NULL)
        return 0;
    *controllers++ = '\0';
    *group++ = '\0';
    if (strcmp(group, "/") == 0)
        *group = '\0';
    if (*controllers == '\0') {
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
        return smallest_quota(mount, group, quota_v2);
    }
    if (!names_cpu(controllers))
        return 0;
    snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/cpu", root);
    return smallest_quota(mount, group, quota_v1);
}

uint32_t tri_cpus_quota(const char *root)
{
    char path[PATH_BYTES], line[PATH_BYTES / 2];
    uint32_t found = 0;

    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = smaller(found, quota_of_line(root, line));
    }
    fclose(file);
    return found;
}

uint32_t tri_cpus_allowed(void)
{
    pthread_once(&allowed_once, find_allowed);

    uint32_t count = (uint32_t)CPU_COUNT(&allowed);
    uint32_t quota = (tri_cpus_quota("") + WHOLE - 1) / WHOLE;
    return quota != 0 && quota < count ? quota : count;
}

int tri_cpus_pin(uint32_t index)
{
    cpu_set_t one;

    pthread_once(&allowed_once, find_allowed);
    index %= (uint32_t)CPU_COUNT(&allowed);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || index-- != 0)
            continue;
        CPU_SET(cpu, &one);
        break;
    }
    return -pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}
