/* SPDX-License-Identifier: BSD-2-Clause */

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define EXIT_NOT_FOUND 127
#define SHOWN_BYTES    2000

/* Between fork and exec. */
static _Noreturn void become(const char *const *argv, int output, const char *const *variables)
{
    int input = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);  /* a terminal's interrupt is for the parent, who then ends us */
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    for (; variables != NULL && *variables != NULL; variables++)
        putenv((char *)(uintptr_t)*variables);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_NOT_FOUND);
}

int child_start(struct child *child, const char *const *argv, const char *log,
                const char *const *variables)
{
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (output < 0)
        return -errno;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, output, variables);
    int err = pid < 0 ? -errno : 0;
    close(output);
    if (err == 0)
        *child = (struct child){ .pid = pid };
    return err;
}

bool child_runs(struct child *child)
{
    if (child->pid == 0)
        return false;
    if (waitpid(child->pid, &child->status, WNOHANG) == 0)
        return true;
    child->pid = 0;
    return false;
}

bool child_end(struct child *child, int signal_number, unsigned limit_ms)
{
    uint64_t deadline = clock_ns() + limit_ms * MILLISECOND_NS;

    if (!child_runs(child))
        return true;
    kill(child->pid, signal_number);
    while (child_runs(child)) {
        if (clock_ns() >= deadline) {
            kill(child->pid, SIGKILL);
            waitpid(child->pid, &child->status, 0);
            child->pid = 0;
            return signal_number == SIGKILL;
        }
        clock_sleep_ns(MILLISECOND_NS);
    }
    return true;
}

static bool is_program(const char *path)
{
    struct stat info;

    return access(path, X_OK) == 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool child_find(const char *name, char *ret_path, size_t size)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/') != NULL)
        return (size_t)snprintf(ret_path, size, "%s", name) < size && is_program(name);
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        int used = snprintf(ret_path, size, "%.*s/%s", (int)length, path, name);
        if (used > 0 && (size_t)used < size && is_program(ret_path))
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

bool child_own_folder(char *ret_path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", ret_path, size - 1);

    if (length <= 0)
        return false;
    ret_path[length] = '\0';
    *strrchr(ret_path, '/') = '\0';
    return true;
}

bool folder_make(char *ret_path, size_t size)
{
    const char *parent = getenv("TMPDIR");

    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    int used = snprintf(ret_path, size, "%s/troupe-kv-XXXXXX", parent);
    return used > 0 && (size_t)used < size && mkdtemp(ret_path) != NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void file_show_end(const char *path)
{
    char text[SHOWN_BYTES + 1];
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return;
    if (fseek(file, -SHOWN_BYTES, SEEK_END) < 0)
        rewind(file);
    size_t size = fread(text, 1, SHOWN_BYTES, file);
    text[size] = '\0';
    fprintf(stderr, "%s%s", text, size > 0 && text[size - 1] != '\n' ? "\n" : "");
    fclose(file);
}
