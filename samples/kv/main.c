/* SPDX-License-Identifier: BSD-2-Clause */

/* troupe-kv: reads the command line, opens the folder, runs the service. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "manifest.h"
#include "service.h"

static const char usage[] =
    "usage: troupe-kv --port N [--bind ADDR] [--shards N] [--workers N] [--dir DIR]\n"
    "                 [--appendonly yes|no] [--appendfsync always|everysec|no]\n"
    "\n"
    "A key-value server that Redis clients can talk to.\n"
    "\n"
    "  --port N          TCP port; 0: one that is free, named in the line that says ready\n"
    "  --bind ADDR       address in figures (127.0.0.1)\n"
    "  --shards N        1 to 64 (the folder's own, else as many as workers)\n"
    "  --workers N       threads (half of the processors allowed to this process)\n"
    "  --dir DIR         where the logs are (.)\n"
    "  --appendonly      whether writes are logged (no)\n"
    "  --appendfsync     when the log is synced (everysec)\n";

static int misuse(const char *what, const char *value)
{
    fprintf(stderr, "troupe-kv: %s%s%s\n%s", what, value != NULL ? ": " : "",
            value != NULL ? value : "", usage);
    return 2;
}

static bool parse_number(const char *text, long min, long max, long *ret_number)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool parse_yes_no(const char *text, bool *ret_yes)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return false;
    *ret_yes = strcmp(text, "yes") == 0;
    return true;
}

static bool parse_fsync(const char *text, enum kv_fsync *ret_fsync)
{
    static const char *const names[] = {
        [KV_FSYNC_NO] = "no", [KV_FSYNC_EVERYSEC] = "everysec", [KV_FSYNC_ALWAYS] = "always",
    };

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_fsync = (enum kv_fsync)i;
            return true;
        }
    }
    return false;
}

static const struct option options[] = {
    { "port", required_argument, NULL, 'p' },       { "bind", required_argument, NULL, 'b' },
    { "shards", required_argument, NULL, 's' },     { "workers", required_argument, NULL, 'w' },
    { "dir", required_argument, NULL, 'd' },        { "appendonly", required_argument, NULL, 'a' },
    { "appendfsync", required_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool set_option(struct kv_settings *settings, int option, const char *value)
{
    long number = 0;
    bool good = true;

    switch (option) {
    case 'p':
        good = parse_number(value, 0, 65535, &number);
        settings->port = (uint16_t)number;
        break;
    case 'b':
        settings->bind = value;
        break;
    case 's':
        good = parse_number(value, 1, KV_SHARDS_MAX, &number);
        settings->shards = (uint32_t)number;
        break;
    case 'w':
        good = parse_number(value, 1, 256, &number);
        settings->workers = (uint32_t)number;
        break;
    case 'd':
        good = strlen(value) < 400;
        settings->dir = value;
        break;
    case 'a':
        good = parse_yes_no(value, &settings->appendonly);
        break;
    case 'f':
        good = parse_fsync(value, &settings->fsync);
        break;
    default:
        good = false;
        break;
    }
    return good;
}

static int open_folder(struct kv_settings *settings)
{
    uint32_t there = 0;
    int err = kv_manifest_open(settings, settings->workers < KV_SHARDS_MAX ? settings->workers
                                                                           : KV_SHARDS_MAX, &there);

    if (err == -EXDEV)
        fprintf(stderr, "troupe-kv: %s was made with %u shards, not %u\n", settings->dir, there,
                settings->shards == there ? 0 : settings->shards);
    else if (err == -EBUSY)
        fprintf(stderr, "troupe-kv: another service works in %s\n", settings->dir);
    else if (err == -EILSEQ)
        fprintf(stderr, "troupe-kv: %s/manifest is damaged at byte 0; not starting\n",
                settings->dir);
    else if (err < 0)
        fprintf(stderr, "troupe-kv: %s: %s\n", settings->dir, strerror(-err));
    return err;
}

/* Half of the processors that this process may use. Nine tenths of an operation are the kernel's
 * work on sockets and files, part of which runs on other processors than the worker that asked for
 * it: on two, one worker serves as many operations as two, for less processor time each. */
static uint32_t default_workers(void)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return 1;
    int half = CPU_COUNT(&allowed) / 2;
    return half < 1 ? 1 : half > 256 ? 256 : (uint32_t)half;
}

static int prepare(struct kv_settings *settings)
{
    uint64_t id[2];
    int err;

    if (settings->workers == 0)
        settings->workers = default_workers();
    settings->started = (uint64_t)time(NULL);
    err = kv_manifest_invent(settings);
    id[0] = settings->hash_key.low ^ settings->salt;
    id[1] = settings->hash_key.high;
    snprintf(settings->run_id, sizeof settings->run_id, "%016llx%016llx%08x",
             (unsigned long long)id[0], (unsigned long long)id[1], (unsigned)getpid());
    if (err == 0 && settings->appendonly)
        err = open_folder(settings);
    if (settings->shards == 0)
        settings->shards = settings->workers < KV_SHARDS_MAX ? settings->workers : KV_SHARDS_MAX;
    return err;
}

int main(int argc, char **argv)
{
    static struct kv_service service = {
        .settings = { .bind = "127.0.0.1", .dir = ".", .fsync = KV_FSYNC_EVERYSEC },
    };
    bool port_given = false;
    int option;
    int err;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return fputs(usage, stdout) < 0;
        if (option == '?')
            return misuse("not understood", NULL);
        if (!set_option(&service.settings, option, optarg))
            return misuse("bad value", optarg);
        port_given |= option == 'p';
    }
    if (optind < argc)
        return misuse("not understood", argv[optind]);
    if (!port_given)
        return misuse("--port is missing", NULL);
    signal(SIGPIPE, SIG_IGN);
    if (prepare(&service.settings) < 0)
        return 1;
    err = kv_service_run(&service);
    if (err < 0 && !service.refused)
        fprintf(stderr, "troupe-kv: %s\n", strerror(-err));
    return err < 0 ? 1 : 0;
}
