/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_BYTES_H
#define TROUPE_KV_DEMO_BYTES_H

/* A growing run of bytes, written at the end and consumed from the front. */

#include <stddef.h>

struct bytes {
    char *data;
    size_t size;
    size_t room;
    size_t consumed;  /* of `room`, in front of `data` */
};

/* A run of somebody else's bytes. */
struct text {
    const char *data;
    size_t size;
};

/* Never NULL: a driver without memory has nothing left to say and ends. */
void *demo_alloc(size_t size);

struct text text_of(const char *string);
struct text text_copy(struct text text);  /* to be given back with free(data) */

void bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_append_text(struct bytes *bytes, const char *string);
/* Room for `size` more bytes behind the last; bytes_grew says how many were written there. */
char *bytes_reserve(struct bytes *bytes, size_t size);
void bytes_grew(struct bytes *bytes, size_t size);
void bytes_consume(struct bytes *bytes, size_t size);
void bytes_clear(struct bytes *bytes);
void bytes_free(struct bytes *bytes);

#endif
