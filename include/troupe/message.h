/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

/*
 * Messages: plain C structs listed in a protocol.
 *
 *     struct hello_greet { char name[32]; };
 *     #define HELLO_MESSAGES(M) M(hello_greet)
 *     TR_PROTOCOL(hello, 1, HELLO_MESSAGES);
 *
 * The protocol gives every message a tag (its number times 256, plus its place in the list) and a
 * description, `hello_greet_info`. A tag that meets two different descriptions in one process is
 * refused at first use with -EEXIST, so that numbers picked alike by two libraries cannot make a
 * handler read a wrong struct.
 *
 * A pointer inside a copied message must point to something static, or the message owns what it
 * points to and says in the list how to drop it: M(job, TR_DROP(job_drop)). Short text travels in
 * arrays, long text in tr_bytes.
 */

#include <troupe/types.h>

TR_BEGIN_DECLS

/* Registration of one description, written by the library. */
typedef struct tr_message_state {
    uint32_t checked;
} tr_message_state;

typedef struct tr_message_info {
    const char *name;
    uint32_t tag;
    uint32_t size;           /* of the struct; raw sends may be longer */
    uint32_t align;
    uint32_t version;        /* TR_LAYOUT(n) in the list: of the struct's layout, 0 unless said */
    bool idempotent;         /* TR_IDEMPOTENT: may be handled more than once for one ask */
    void (*drop)(void *msg); /* TR_DROP(f): releases what the struct owns, not the struct */
    tr_message_state *state;
} tr_message_info;

/* Marks of a message in its protocol's list. */
#define TR_IDEMPOTENT .idempotent = true
#define TR_DROP(function) .drop = (function)
#define TR_LAYOUT(number) .version = (number)

/* Protocol numbers: 0 is the library's own; yours run from 1. At most 255 messages each. */
#define TR_PROTOCOL_MAX 0x7fffff

#ifndef __cplusplus

#define TR__TAG(...) TR__TAG_(__VA_ARGS__, )
#define TR__TAG_(T, ...) TR_TAG_##T,
#define TR__INFO(...) TR__INFO_(__VA_ARGS__, )
#define TR__INFO_(T, ...)                                                                          \
    TR_UNUSED static tr_message_state T##_state;                                                   \
    TR_UNUSED static const tr_message_info T##_info = {                                            \
        .name = #T, .tag = TR_TAG_##T, .size = sizeof(struct T), .align = TR_ALIGNOF(struct T),    \
        .state = &T##_state, __VA_ARGS__                                                           \
    };

#define TR_PROTOCOL(P, number, LIST)                                                               \
    enum { TR_PROTOCOL_##P = (number), TR_BASE_##P = (number) * 256, LIST(TR__TAG) TR_END_##P };   \
    _Static_assert((number) > 0 && (number) <= TR_PROTOCOL_MAX, "the number of protocol " #P);     \
    _Static_assert(TR_END_##P - TR_BASE_##P <= 256, "too many messages in protocol " #P);          \
    LIST(TR__INFO)                                                                                 \
    struct tr__protocol_##P

#define TR__VALUE(T, ...) (__extension__ &(struct T){ __VA_ARGS__ })

#endif

/* A message whose type the compiler does not know: what .otherwise is given. */
typedef struct tr_any {
    const tr_message_info *info;
    const void *payload;
    size_t size;
} tr_any;

/*
 * Counted, immutable bytes, to be shared by messages without copying.
 */
typedef struct tr_bytes {
    size_t size;
    unsigned char *data; /* to be written by the one who made it, before it is shared */
} tr_bytes;

/* Makes a buffer of `size` bytes with one reference, the caller's, to be filled before it is
 * shared. Threads: any. Errors: NULL, no memory or larger than 1 GiB. Cost: one allocation. */
TR_API TR_NODISCARD tr_bytes *tr_bytes_new(size_t size);

/* Adds a reference and returns its argument, which may be NULL. Threads: any. */
TR_API tr_bytes *tr_bytes_share(tr_bytes *bytes);

/* Takes a reference away; the last one frees. NULL is allowed. Threads: any. */
TR_API void tr_bytes_drop(tr_bytes *bytes);

TR_END_DECLS

#endif
