/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TYPES_H
#define TROUPE_TYPES_H

/*
 * The words that every other header uses: who speaks, who is spoken to, and time.
 *
 * Three parties, three words. `tr_system *sys` is the outside world: any thread may use it until
 * the system has stopped, and gets -ESHUTDOWN after that. `tr_self *self` is one activation of an
 * actor: valid inside its handler, on its thread, until the handler returns. `tr_ref` is everyone
 * else: a value that may be copied, stored, sent and kept for ever; a stale one gives -ESRCH.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/export.h>

TR_BEGIN_DECLS

typedef struct tr_system tr_system;
typedef struct tr_self tr_self;

/* The address of an actor: {generation:32, slot:32}. Generation 0 is no actor: the slot's place
 * then holds 0, or the error of the call that should have given a ref. */
typedef struct tr_ref {
    uint64_t bits;
} tr_ref;

/* Tokens: one ask in flight, one timer, one monitor or watch. Each carries the incarnation that
 * made it; one that has served its time is refused, never mistaken for another. */
typedef struct tr_call {
    uint64_t bits;
} tr_call;

typedef struct tr_timer {
    uint64_t bits;
} tr_timer;

typedef struct tr_token {
    uint64_t bits;
} tr_token;

/* An asker, as seen by the actor that holds the ask to answer it later. */
typedef struct tr_caller {
    uint64_t bits;
} tr_caller;

/* A duration or a point of the runtime's clock, in nanoseconds. Write TR_MS(5), never a number. */
typedef int64_t tr_time;

#define TR_US(n) ((tr_time)(n) * 1000)
#define TR_MS(n) ((tr_time)(n) * 1000000)
#define TR_SEC(n) ((tr_time)(n) * 1000000000)
#define TR_FOREVER INT64_MAX

/* What a handler returns; a negative value is a crash with that error as its reason. */
enum {
    TR_OK = 0,        /* go on */
    TR_STOP = 1,      /* end normally, after this message */
    TR_UNHANDLED = 2, /* only from .otherwise: the message becomes a dead letter */
};

/* Why an actor ended. `text` is cut to fit and always terminated. */
typedef enum tr_reason_kind {
    TR_NORMAL,   /* a handler returned TR_STOP */
    TR_SHUTDOWN, /* it was told to stop */
    TR_KILLED,   /* it was told to end at once */
    TR_ERROR,    /* a handler returned a negative value, or called tr_fail */
    TR_FAULT,    /* a contained fault of the processor or the C library */
    TR_LOST,     /* it could not be reached any more, or had ended before */
} tr_reason_kind;

typedef struct tr_reason {
    tr_reason_kind kind;
    int code; /* 0 or a negative errno constant */
    char text[40];
} tr_reason;

static inline tr_ref tr_none(void)
{
    tr_ref none = { 0 };
    return none;
}

static inline bool tr_ref_equal(tr_ref a, tr_ref b)
{
    return a.bits == b.bits;
}

/* Whether the ref names an actor, which may have ended meanwhile. */
static inline bool tr_ref_is_some(tr_ref ref)
{
    return (ref.bits >> 32) != 0;
}

/* 0 for the ref of an actor, else the negative errno constant of the call that gave it; for the
 * zero ref, which no call gives as an error, -3 (-ESRCH). */
static inline int tr_ref_error(tr_ref ref)
{
    if (tr_ref_is_some(ref))
        return 0;
    return ref.bits == 0 ? -3 : -(int)(ref.bits & 0xffff);
}

/* 0 for a token in use, else the negative errno constant of the call that gave it. */
static inline int tr_call_error(tr_call call)
{
    return (call.bits >> 16) != 0 ? 0 : -(int)(call.bits & 0xffff);
}

static inline int tr_timer_error(tr_timer timer)
{
    return (timer.bits >> 16) != 0 ? 0 : -(int)(timer.bits & 0xffff);
}

TR_END_DECLS

#endif
