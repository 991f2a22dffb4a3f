/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_MAILBOX_MESSAGE_H
#define TRI_MAILBOX_MESSAGE_H

/*
 * A message as the library sees it: a header, sometimes an envelope, and the payload's bytes.
 *
 *     0         24                        64
 *     ├ header ─┼ payload ────────────────────────►   a plain message
 *     ├ header ─┼ envelope ───────────────┼ payload ►  TRI_MESSAGE_EXTENDED
 *
 * Why. A plain send, nearly every one, pays for nothing but 24 bytes: with 40 of payload it fills
 * a cache line, with 8 half of one. What an ask, a deadline or a payload of unusual size needs
 * stands in an envelope, and the payload then begins with the next line.
 *
 * Rules
 *   1. A message lies at a multiple of 16: a lane keeps its state in the address's low bits.
 *   2. What is larger than the largest block is always extended, and its size in the envelope.
 *   3. Here are bytes only. What a payload owns is dropped by actors/, before the message is freed.
 *
 * Partners: mailbox/lane.c and mailbox/urgent.c link messages; base/pool.h has the blocks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "base/pool.h"

struct tri_thread;

enum tri_message_flag {
    TRI_MESSAGE_SOLICITED = 1,   /* its receiver asked for it: not counted, never one too many */
    TRI_MESSAGE_EXTENDED = 2,    /* an envelope stands between header and payload */
    TRI_MESSAGE_LOW = 4,         /* the lower of the two levels that share the user lane */
    TRI_MESSAGE_ASK = 8,         /* somebody waits for an answer: asker and token are set */
    TRI_MESSAGE_FLAG_FREE = 16,  /* this and the bits above are for actors/ */
};

/* The value of `size_class` for a message that is no block of the pool. */
#define TRI_MESSAGE_LARGE TRI_POOL_CLASSES

struct tri_message {
    struct tri_message *next;  /* the lane's while it is there, else its owner's */
    uint32_t tag;
    uint32_t generation;       /* of the receiver it is meant for */
    uint32_t sender;           /* the sender's slot, 0 where that is not known */
    uint16_t stamp;            /* of the sender's generation, the low half */
    uint8_t flags;
    uint8_t size_class;        /* set by tri_message_new, for tri_message_free */
};

struct tri_envelope {
    int64_t deadline;  /* a point of the runtime's clock; INT64_MAX: none */
    uint64_t asker;    /* the ref that the answer goes to */
    uint64_t token;    /* the ask, as its asker knows it */
    uint64_t key;      /* for dedup and conflation */
    uint32_t size;     /* of the payload */
    uint16_t attempt;  /* 0 for the first */
    uint16_t origin;   /* what the token names, for actors/; 0: nothing but an incarnation */
};

/* Where a payload starts: behind the header, or behind the envelope that comes after it. */
#define TRI_MESSAGE_PLAIN_AT    24u
#define TRI_MESSAGE_EXTENDED_AT 64u

/* The largest payload that a message without an envelope can have. */
#define TRI_MESSAGE_PLAIN_MAX (256u - TRI_MESSAGE_PLAIN_AT)

/* The largest payload of all. */
#define TRI_MESSAGE_PAYLOAD_MAX (TRI_MESSAGE_BYTES_MAX - TRI_MESSAGE_EXTENDED_AT)

_Static_assert(sizeof(struct tri_message) == TRI_MESSAGE_PLAIN_AT, "the header");
_Static_assert(offsetof(struct tri_message, tag) == 8
               && offsetof(struct tri_message, generation) == 12, "as tri_message_address has it");
_Static_assert(offsetof(struct tri_message, sender) == 16
               && offsetof(struct tri_message, stamp) == 20
               && offsetof(struct tri_message, size_class) == 23, "as tri_message_init has it");
_Static_assert(sizeof(struct tri_message) + sizeof(struct tri_envelope) == TRI_MESSAGE_EXTENDED_AT,
               "the header and the envelope");

/*
 * A message with room for `payload_size` bytes, with an envelope if `extended` or if it is too
 * large to be without. Set: flags and size_class; the envelope's deadline to none, its size, the
 * rest of it to 0. The rest of the header and the payload are not cleared.
 * Errors: NULL when there is no memory or payload_size is above TRI_MESSAGE_PAYLOAD_MAX.
 */
struct tri_message *tri_message_new(struct tri_thread *thread, size_t payload_size, bool extended);

/* Whom a message is for, a ref of {generation:32, slot:32}, and what it is. */
static inline void tri_message_address(struct tri_message *message, uint64_t ref, uint32_t tag)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    /* The generation where it belongs; the slot below it is written over. */
    memcpy((char *)message + offsetof(struct tri_message, tag), &ref, sizeof ref);
#else
    message->generation = (uint32_t)(ref >> 32);
#endif
    message->tag = tag;
}

/* The last third of a plain message's header, in a block of the pool, from a sender with that ref:
 * one store where the byte order allows. */
static inline void tri_message_init(struct tri_message *message, unsigned size_class,
                                    uint64_t sender)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t third = (uint64_t)size_class << 56 | (sender & (UINT64_MAX >> 16));
    memcpy((char *)message + offsetof(struct tri_message, sender), &third, sizeof third);
#else
    message->sender = (uint32_t)sender;
    message->stamp = (uint16_t)(sender >> 32);
    message->flags = 0;
    message->size_class = (uint8_t)size_class;
#endif
}

/* Takes a message's memory back, on any thread; what its payload owned has been dropped before. */
void tri_message_free(struct tri_message *message);

static inline void *tri_message_payload(const struct tri_message *message)
{
    bool is_extended = (message->flags & TRI_MESSAGE_EXTENDED) != 0;
    size_t at = is_extended ? TRI_MESSAGE_EXTENDED_AT : TRI_MESSAGE_PLAIN_AT;

    return (char *)(uintptr_t)message + at;
}

/* Only of a message that is TRI_MESSAGE_EXTENDED. */
static inline struct tri_envelope *tri_message_envelope(const struct tri_message *message)
{
    return (struct tri_envelope *)((uintptr_t)message + TRI_MESSAGE_PLAIN_AT);
}

/* The payload's size of an extended message; else the room that the block has for it. */
size_t tri_message_payload_size(const struct tri_message *message);

#endif
