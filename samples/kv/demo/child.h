/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_CHILD_H
#define TROUPE_KV_DEMO_CHILD_H

/*
 * Processes that a driver starts, and is answerable for.
 *
 * Rules
 *   1. A child dies with its parent, however that ends.
 *   2. A child that was started is reaped: child_end kills what does not go by itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    pid_t pid;   /* 0: none */
    int status;  /* of the last one that ended, as waitpid gives it */
};

/* What the child writes goes to the end of `log`; `variables` ("NAME=value") may be NULL. */
int child_start(struct child *child, const char *const *argv, const char *log,
                const char *const *variables);

/* Whether it still runs; reaps it if not. */
bool child_runs(struct child *child);

/* Sends the signal and waits so long; kills what is left. Whether the signal was enough. */
bool child_end(struct child *child, int signal_number, unsigned limit_ms);

/* Where a program lies: as given when there is a slash in it, else from PATH. */
bool child_find(const char *name, char *ret_path, size_t size);

/* The folder of the running program. */
bool child_own_folder(char *ret_path, size_t size);

/* A folder of one's own below TMPDIR or /tmp, and its end with all that is in it. */
bool folder_make(char *ret_path, size_t size);
void folder_remove(const char *path);

/* The last lines of a file, to stderr. */
void file_show_end(const char *path);

#endif
