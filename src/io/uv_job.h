/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_IO_UV_JOB_H
#define TRI_IO_UV_JOB_H

/* One operation on a file or a path, from the call to its result, and how it is done. */

#include "io/uv.h"

struct tri_uv_file;

struct tri_uv_job {
    struct tri_uv_command command;
    struct tri_uv_file *file;
    struct tri_uv_job *next; /* in one of the file's lists */

    tr_file_operation operation; /* its texts follow below */

    /* the result */
    int error;
    uint64_t size;
    tr_bytes *bytes;

    char texts[];
};

/* Copies an operation, with what it refers to. NULL without memory. */
struct tri_uv_job *tri_uv_job_new(const tr_file_operation *operation);
void tri_uv_job_free(struct tri_uv_job *job);

/* Does it, in system calls that may block. `descriptor` is the file's, -1 if it has none; opening
 * sets it. */
void tri_uv_job_do(struct tri_uv_job *job, int *descriptor);

/* Writes all of the operation's bytes; `*written` grows by what was. 0 or a negative errno. */
int tri_uv_job_write(int descriptor, const tr_file_operation *operation, uint64_t *written);

#endif
