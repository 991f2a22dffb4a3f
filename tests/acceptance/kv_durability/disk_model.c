/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The disk that forgets (tests/support/powerloss.h) tried on small programs: what it keeps, what it
 * loses. A test of durability stands on it: were it too kind, nothing would ever be found.
 *
 *     disk_model LIBRARY             runs every scenario
 *     disk_model --play NAME FOLDER  plays one, up to its kill -9
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "support/powerloss.h"

#define CONTENT_MAX    256u
#define WRITERS        4
#define RECORD         "0123456789abcdef"
#define PLAY_LIMIT_MS  5000u
#define ROUND_COUNT    3
#define INODES         200

#define MUST(call_)                                                  \
    do {                                                             \
        if ((long)(call_) < 0) {                                     \
            fprintf(stderr, "%s: %s\n", #call_, strerror(errno));    \
            exit(EXIT_FAILURE);                                      \
        }                                                            \
    } while (0)

/* ---- what the scenarios do, in their folder ---- */

static int make(const char *name, const char *text)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    MUST(fd);
    MUST(write(fd, text, strlen(text)));
    return fd;
}

static void sync_names(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);

    MUST(fd);
    MUST(fsync(fd));
    MUST(close(fd));
}

static int make_durable(const char *name, const char *text)
{
    int fd = make(name, text);

    MUST(fsync(fd));
    sync_names();
    return fd;
}

static void tail_without_sync(void)
{
    int fd = make_durable("log", "kept");

    MUST(write(fd, "lost", 4));
}

static void append_with_datasync(void)
{
    int fd = make_durable("log", "kept");

    MUST(write(fd, "too", 3));
    MUST(fdatasync(fd));
    MUST(pwrite(fd, "lost", 4, 7));
}

static void name_without_sync(void)
{
    int fd = make("log", "kept");

    MUST(fsync(fd));
}

static void name_without_bytes(void)
{
    make("log", "lost");
    sync_names();
}

static void overwrite_without_sync(void)
{
    int fd = make_durable("log", "0123456789");

    MUST(pwrite(fd, "xx", 2, 3));
}

static void overwrite_with_sync(void)
{
    int fd = make_durable("log", "0123456789");

    MUST(pwrite(fd, "xx", 2, 3));
    MUST(fsync(fd));
}

static void cut_without_sync(void)
{
    int fd = make_durable("log", "0123456789");

    MUST(ftruncate(fd, 4));
}

static void cut_with_sync(void)
{
    int fd = make_durable("log", "0123456789");

    MUST(ftruncate(fd, 4));
    MUST(fsync(fd));
}

static void cut_and_appended(void)
{
    int fd = make_durable("log", "0123456789");

    MUST(ftruncate(fd, 4));
    MUST(pwrite(fd, "new", 3, 4));
    MUST(fsync(fd));
    MUST(ftruncate(fd, 0));
}

static void emptied_by_open(void)
{
    make_durable("log", "kept");
    make("log", "lost");
}

static void rename_without_sync(void)
{
    make_durable("log", "old");
    MUST(fsync(make("draft", "new")));
    MUST(rename("draft", "log"));
}

static void rename_with_sync(void)
{
    make_durable("log", "old");
    MUST(fsync(make("draft", "new")));
    MUST(rename("draft", "log"));
    sync_names();
}

static void rename_of_unsynced_bytes(void)
{
    make_durable("log", "old");
    make("draft", "new");
    MUST(rename("draft", "log"));
    sync_names();
}

static void unlink_without_sync(void)
{
    make_durable("log", "kept");
    MUST(unlink("log"));
}

static void unlink_with_sync(void)
{
    make_durable("log", "gone");
    MUST(unlink("log"));
    sync_names();
}

static ino_t inode_of(int fd)
{
    struct stat info;

    MUST(fstat(fd, &info));
    return info.st_ino;
}

/* The file system likes to give the same inode again. */
static void inode_used_again(void)
{
    int fd = make_durable("log", "kept");
    ino_t ino = inode_of(fd);
    char name[16];

    MUST(close(fd));
    MUST(remove("log"));
    for (int i = 0; i < INODES; i++) {
        snprintf(name, sizeof name, "other%d", i);
        MUST(fd = make(name, "new"));
        MUST(fsync(fd));
        if (inode_of(fd) == ino)
            return;
    }
}

static void stdio_with_sync(void)
{
    FILE *file = fopen("log", "w");

    fputs("kept", file);
    fflush(file);
    MUST(fsync(fileno(file)));
    sync_names();
    fputs("lost", file);
    fflush(file);
}

static void synced_by_each_write(void)
{
    int fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_DSYNC, 0600);

    MUST(fd);
    sync_names();
    MUST(write(fd, "ke", 2));
    MUST(write(fd, "pt", 2));
}

static void by_a_copied_descriptor(void)
{
    int fd = make_durable("log", "ke");
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 50);

    MUST(copy);
    MUST(close(fd));
    MUST(write(copy, "pt", 2));
    MUST(fsync(dup(copy)));
    MUST(write(copy, "lost", 4));
}

static void other_folders_are_left_alone(void)
{
    int fd = make_durable("log", "kept");
    int null = open("/dev/null", O_WRONLY);

    MUST(write(null, "x", 1));
    MUST(dup2(null, fd));
    MUST(write(fd, "lost", 4));
    MUST(fsync(make("../beside", "x")));
}

/* Appends and syncs until it is killed; says through the descriptor what was acknowledged. */
static void *append_for_ever(void *argument)
{
    int number = (int)(intptr_t)argument;
    char name[16];

    snprintf(name, sizeof name, "log%d", number);
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    MUST(fd);
    sync_names();
    for (;;) {
        char acknowledged = (char)('0' + number);
        MUST(write(fd, RECORD, sizeof RECORD - 1));
        MUST(fdatasync(fd));
        MUST(write(STDOUT_FILENO, &acknowledged, 1));
    }
    return NULL;
}

static void many_writers(void)
{
    pthread_t threads[WRITERS];

    for (int i = 0; i < WRITERS; i++)
        MUST(-pthread_create(&threads[i], NULL, append_for_ever, (void *)(intptr_t)i));
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- what must be left of them ---- */

static const struct scenario {
    const char *name;
    void (*play)(void);
    const char *name_left;  /* a file that must be there, NULL: none at all */
    const char *content;    /* its */
    const char *more;       /* what a kinder disk may have kept behind that */
} scenarios[] = {
    { "tail-without-sync", tail_without_sync, "log", "kept", "lost" },
    { "append-with-datasync", append_with_datasync, "log", "kepttoo", "lost" },
    { "name-without-sync", name_without_sync, NULL, NULL, NULL },
    { "name-without-bytes", name_without_bytes, "log", "", "lost" },
    { "overwrite-without-sync", overwrite_without_sync, "log", "0123456789", "" },
    { "overwrite-with-sync", overwrite_with_sync, "log", "012xx56789", "" },
    { "cut-without-sync", cut_without_sync, "log", "0123456789", "" },
    { "cut-with-sync", cut_with_sync, "log", "0123", "" },
    { "cut-and-appended", cut_and_appended, "log", "0123new", "" },
    { "emptied-by-open", emptied_by_open, "log", "kept", "" },
    { "rename-without-sync", rename_without_sync, "log", "old", NULL },
    { "rename-with-sync", rename_with_sync, "log", "new", "" },
    { "rename-of-unsynced-bytes", rename_of_unsynced_bytes, "log", "", "new" },
    { "unlink-without-sync", unlink_without_sync, "log", "kept", NULL },
    { "unlink-with-sync", unlink_with_sync, NULL, NULL, NULL },
    { "inode-used-again", inode_used_again, "log", "kept", NULL },
    { "stdio-with-sync", stdio_with_sync, "log", "kept", "lost" },
    { "synced-by-each-write", synced_by_each_write, "log", "kept", "" },
    { "by-a-copied-descriptor", by_a_copied_descriptor, "log", "kept", "lost" },
    { "other-folders", other_folders_are_left_alone, "log", "kept", "" },
    { "many-writers", many_writers, NULL, NULL, NULL },
};

#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

static int play(const char *name, const char *folder)
{
    MUST(chdir(folder));
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            scenarios[i].play();
            kill(getpid(), SIGKILL);
        }
    }
    fprintf(stderr, "no scenario %s\n", name);
    return EXIT_FAILURE;
}

struct stage {
    const char *library;
    char self[POWERLOSS_PATH_MAX];
    char base[POWERLOSS_PATH_MAX];  /* everything below is the scenario's */
    char folder[POWERLOSS_PATH_MAX + 16];
    char shadow[POWERLOSS_PATH_MAX + 16];
    char output[POWERLOSS_PATH_MAX + 16];
};

static bool read_file(const struct stage *stage, const char *name, char *ret_text)
{
    char path[2 * POWERLOSS_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", stage->folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t size = fread(ret_text, 1, CONTENT_MAX - 1, file);
    ret_text[size] = '\0';
    fclose(file);
    return true;
}

static int failed(const struct scenario *scenario, const char *what)
{
    fprintf(stderr, "FAIL %s: %s\n", scenario->name, what);
    return 1;
}

static int check_strict(const struct stage *stage, const struct scenario *scenario)
{
    char text[CONTENT_MAX];

    if (scenario->name_left == NULL)
        return read_file(stage, "log", text) ? failed(scenario, "a file is there") : 0;
    if (!read_file(stage, scenario->name_left, text))
        return failed(scenario, "the file is not there");
    return strcmp(text, scenario->content) == 0 ? 0 : failed(scenario, text);
}

/* A kinder disk: what was durable, and a beginning of what came after. */
static int check_kind(const struct stage *stage, const struct scenario *scenario)
{
    char text[CONTENT_MAX];

    if (scenario->name_left == NULL || scenario->more == NULL)
        return 0;
    if (!read_file(stage, scenario->name_left, text))
        return failed(scenario, "the file is not there (kind)");
    size_t length = strlen(scenario->content);
    if (strncmp(text, scenario->content, length) != 0 ||
        strncmp(text + length, scenario->more, strlen(text + length)) != 0)
        return failed(scenario, text);
    return 0;
}

/* Every record that was acknowledged is there, and nothing but whole bytes of records. */
static int check_writers(const struct stage *stage, const struct scenario *scenario)
{
    long acknowledged[WRITERS] = { 0 };
    char path[2 * POWERLOSS_PATH_MAX];
    long sum = 0;
    int letter;
    FILE *output = fopen(stage->output, "r");

    while (output != NULL && (letter = fgetc(output)) != EOF) {
        if (letter >= '0' && letter < '0' + WRITERS)
            acknowledged[letter - '0']++;
    }
    if (output != NULL)
        fclose(output);
    for (int i = 0; i < WRITERS; i++) {
        snprintf(path, sizeof path, "%s/log%d", stage->folder, i);
        FILE *file = fopen(path, "r");
        long at = 0;
        while (file != NULL && (letter = fgetc(file)) != EOF) {
            if (letter != RECORD[at++ % (long)(sizeof RECORD - 1)])
                return failed(scenario, "bytes that nobody wrote");
        }
        if (file != NULL)
            fclose(file);
        if (at < acknowledged[i] * (long)(sizeof RECORD - 1))
            return failed(scenario, "an acknowledged record is missing");
        sum += acknowledged[i];
    }
    return sum > 0 ? 0 : failed(scenario, "nothing was acknowledged");
}

static bool has_output(const struct stage *stage)
{
    struct stat status;

    return stat(stage->output, &status) == 0 && status.st_size > 0;
}

/* Until something was acknowledged: on a busy machine that takes longer than what follows. */
static void wait_for_output(const struct stage *stage, struct child *child)
{
    uint64_t deadline = clock_ns() + PLAY_LIMIT_MS * MILLISECOND_NS;

    while (child_runs(child) && !has_output(stage) && clock_ns() < deadline)
        clock_sleep_ns(MILLISECOND_NS);
}

static int play_apart(const struct stage *stage, const struct scenario *scenario, unsigned limit_ms)
{
    char preload[POWERLOSS_PATH_MAX];
    char folder[2 * POWERLOSS_PATH_MAX];
    char shadow[2 * POWERLOSS_PATH_MAX];
    const char *const argv[] = { stage->self, "--play", scenario->name, stage->folder, NULL };
    const char *const variables[] = { preload, folder, shadow,
                                      "ASAN_OPTIONS=verify_asan_link_order=0", NULL };
    struct child child = { .pid = 0 };

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", stage->library);
    snprintf(folder, sizeof folder, POWERLOSS_FOLDER "=%s", stage->folder);
    snprintf(shadow, sizeof shadow, POWERLOSS_SHADOW "=%s", stage->shadow);
    MUST(mkdir(stage->folder, 0700));
    MUST(child_start(&child, argv, stage->output, variables));
    if (scenario->play == many_writers)
        wait_for_output(stage, &child);
    uint64_t deadline = clock_ns() + limit_ms * MILLISECOND_NS;
    while (child_runs(&child) && clock_ns() < deadline)
        clock_sleep_ns(MILLISECOND_NS);
    child_end(&child, SIGKILL, PLAY_LIMIT_MS);
    if (WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL)
        return 0;
    file_show_end(stage->output);
    return failed(scenario, "it did not come to its end");
}

static int run(struct stage *stage, const struct scenario *scenario, uint64_t seed)
{
    bool writers = scenario->play == many_writers;
    int failures;

    MUST(folder_make(stage->base, sizeof stage->base) ? 0 : -1);
    snprintf(stage->folder, sizeof stage->folder, "%s/folder", stage->base);
    snprintf(stage->shadow, sizeof stage->shadow, "%s/shadow", stage->base);
    snprintf(stage->output, sizeof stage->output, "%s/output", stage->base);
    failures = play_apart(stage, scenario, writers ? 150 : PLAY_LIMIT_MS);
    if (failures == 0) {
        int err = powerloss_restore(stage->folder, stage->shadow, seed);
        if (err < 0)
            failures = failed(scenario, strerror(-err));
        else if (writers)
            failures = check_writers(stage, scenario);
        else
            failures = seed == 0 ? check_strict(stage, scenario) : check_kind(stage, scenario);
    }
    folder_remove(stage->base);
    return failures;
}

int main(int argc, char **argv)
{
    struct stage stage = { .library = argc > 1 ? argv[1] : "" };
    int failures = 0;
    int runs = 0;

    if (argc == 4 && strcmp(argv[1], "--play") == 0)
        return play(argv[2], argv[3]);
    if (argc != 2) {
        fprintf(stderr, "usage: disk_model LIBRARY\n");
        return EXIT_FAILURE;
    }
    MUST(readlink("/proc/self/exe", stage.self, sizeof stage.self - 1));
    for (size_t i = 0; i < SCENARIOS; i++) {
        for (uint64_t seed = 0; seed <= ROUND_COUNT; seed++, runs++)
            failures += run(&stage, &scenarios[i], seed);
    }
    printf("%d scenarios, %d failed\n", runs, failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
