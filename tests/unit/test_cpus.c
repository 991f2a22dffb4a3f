/* SPDX-License-Identifier: BSD-2-Clause */

#include "sched/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

static char root[] = "/tmp/troupe-cpus-XXXXXX";

static void make_root(void)
{
    cr_assert_not_null(mkdtemp(root));
}

static void remove_root(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", root);
    cr_assert_eq(system(command), 0);
}

TestSuite(cpus, .init = make_root, .fini = remove_root);

/* Makes the file, and the folders it is in. */
static void put(const char *path, const char *text)
{
    char whole[256];

    snprintf(whole, sizeof whole, "%s%s", root, path);
    for (char *slash = strchr(whole + sizeof root, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(cpus, at_least_one_is_allowed)
{
    cr_assert_geq(tri_cpus_allowed(), 1u);
    cr_assert_eq(tri_cpus_pin(0), 0);
    cr_assert_eq(tri_cpus_pin(12345), 0);
}

Test(cpus, no_cgroup_means_no_quota)
{
    cr_assert_eq(tri_cpus_quota(root), 0u);
    put("/proc/self/cgroup", "nonsense\n0:\n\n");
    cr_assert_eq(tri_cpus_quota(root), 0u);
}

Test(cpus, version_2_has_one_file)
{
    put("/proc/self/cgroup", "0::/user/me\n");
    put("/sys/fs/cgroup/user/me/cpu.max", "150000 100000\n");
    cr_assert_eq(tri_cpus_quota(root), 150u);
    put("/sys/fs/cgroup/user/me/cpu.max", "max 100000\n");
    cr_assert_eq(tri_cpus_quota(root), 0u);
    put("/sys/fs/cgroup/user/me/cpu.max", "");
    cr_assert_eq(tri_cpus_quota(root), 0u);
}

Test(cpus, the_smallest_on_the_way_up_counts)
{
    put("/proc/self/cgroup", "0::/user/me\n");
    put("/sys/fs/cgroup/user/me/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/user/cpu.max", "200000 100000\n");
    put("/sys/fs/cgroup/cpu.max", "900000 100000\n");
    cr_assert_eq(tri_cpus_quota(root), 200u);
    put("/sys/fs/cgroup/cpu.max", "10000 100000\n");
    cr_assert_eq(tri_cpus_quota(root), 10u);
}

Test(cpus, version_1_has_two_files)
{
    put("/proc/self/cgroup", "5:memory:/else\n4:cpu,cpuacct:/box\n3:cpuset:/\n");
    put("/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    cr_assert_eq(tri_cpus_quota(root), 250u);
    put("/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1\n");
    cr_assert_eq(tri_cpus_quota(root), 0u);
}

Test(cpus, a_group_at_the_root_is_found)
{
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    cr_assert_eq(tri_cpus_quota(root), 50u);
}
