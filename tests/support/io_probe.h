/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_IO_PROBE_H
#define TROUPE_TESTS_SUPPORT_IO_PROBE_H

/*
 * An actor that does what a test tells it, and remembers what I/O tells it.
 *
 *     in(sys, probe, step)           runs `int step(tr_self *)` in the actor; its result
 *     probe_wait(sys, probe, kind)   the next thing of that kind that it was told
 *
 * So a test of an asynchronous thing reads from top to bottom, and every wait has a bound.
 */

#include <errno.h>
#include <string.h>
#include <time.h>

#include <troupe/io.h>
#include <troupe/troupe.h>

#include "base/clock.h"
#include "support/test.h"

typedef int probe_step(tr_self *self);

enum probe_kind {
    PROBE_NOTHING, ACCEPTED, GIVEN, CONNECTED, DATA, ENDED, WRITTEN, FILE_DONE, SIGNAL
};

/* What was told, whatever it was. */
struct probe_told {
    enum probe_kind kind;
    int error;
    tr_io io;
    uint64_t size;
    tr_file_verb verb;
    void *context;
    char text[16]; /* of bytes: how they begin */
};

struct probe_do {
    probe_step *step;
};

struct probe_next {
    enum probe_kind kind;
};

struct probe_did {
    int result;
    struct probe_told told;
};

#define PROBE_MESSAGES(M) M(probe_do) M(probe_next) M(probe_did)
TR_PROTOCOL(probe, 77, PROBE_MESSAGES);

#define PROBE_TOLD_MAX 64

struct probe {
    unsigned count;
    struct probe_told told[PROBE_TOLD_MAX];
};

static void probe_note(struct probe *me, struct probe_told told, const tr_bytes *bytes)
{
    if (bytes != NULL) {
        size_t size = bytes->size < sizeof(told.text) - 1 ? bytes->size : sizeof(told.text) - 1;
        memcpy(told.text, bytes->data, size);
        told.size = bytes->size;
    }
    if (me->count < PROBE_TOLD_MAX)
        me->told[me->count++] = told;
}

TR_ON(probe, probe_do, self, me, msg)
{
    int result = msg->step(self);

    tr_reply(self, probe_did, .result = result);
    return TR_OK;
}

/* Forgets everything up to the one that was asked for. */
TR_ON(probe, probe_next, self, me, msg)
{
    struct probe_did did = { .result = -EAGAIN };
    unsigned i = 0;

    while (i < me->count && me->told[i].kind != msg->kind)
        i++;
    if (i < me->count) {
        did.result = 0;
        did.told = me->told[i];
        me->count -= i + 1;
        memmove(me->told, me->told + i + 1, me->count * sizeof(me->told[0]));
    }
    return tr_reply_copy(self, probe_did, &did);
}

TR_ON(probe, tr_accepted, self, me, msg)
{
    probe_note(me, (struct probe_told){ ACCEPTED, msg->error, .io = msg->io }, NULL);
    return msg->error < 0 ? TR_OK : tr_io_take(self, msg->io);
}

TR_ON(probe, tr_given, self, me, msg)
{
    probe_note(me, (struct probe_told){ .kind = GIVEN, .io = msg->io }, NULL);
    return tr_io_take(self, msg->io);
}

TR_ON(probe, tr_connected, self, me, msg)
{
    probe_note(me, (struct probe_told){ CONNECTED, msg->error, .io = msg->io }, NULL);
    return TR_OK;
}

TR_ON(probe, tr_data, self, me, msg)
{
    probe_note(me, (struct probe_told){ .kind = DATA, .io = msg->io }, msg->bytes);
    return TR_OK;
}

TR_ON(probe, tr_eof, self, me, msg)
{
    probe_note(me, (struct probe_told){ ENDED, msg->error, .io = msg->io }, NULL);
    return TR_OK;
}

TR_ON(probe, tr_written, self, me, msg)
{
    probe_note(me, (struct probe_told){ WRITTEN, msg->error, .io = msg->io }, NULL);
    return TR_OK;
}

TR_ON(probe, tr_file_done, self, me, msg)
{
    struct probe_told told = { FILE_DONE, msg->error, .io = msg->file, .size = msg->size,
                               .verb = msg->verb, .context = msg->context };

    probe_note(me, told, msg->bytes);
    return TR_OK;
}

TR_ON(probe, tr_signal, self, me, msg)
{
    probe_note(me, (struct probe_told){ SIGNAL, .size = (uint64_t)msg->number, .io = msg->io },
               NULL);
    return TR_OK;
}

TR_UNUSED static const tr_actor_type probe_actor = {
    TR_STATE(probe),
    .on = TR_TABLE(TR_HANDLES(probe, probe_do), TR_HANDLES(probe, probe_next),
                   TR_HANDLES(probe, tr_accepted), TR_HANDLES(probe, tr_given),
                   TR_HANDLES(probe, tr_connected), TR_HANDLES(probe, tr_data),
                   TR_HANDLES(probe, tr_eof), TR_HANDLES(probe, tr_written),
                   TR_HANDLES(probe, tr_file_done), TR_HANDLES(probe, tr_signal)),
};

static const tr_ask_policy probe_patience = { .timeout = TR_SEC(20) };

/* What the step returned, or why the actor did not answer. */
TR_UNUSED static int in(tr_system *sys, tr_ref probe, probe_step *step)
{
    struct probe_did did = { 0 };
    int err = tr_ask_wait(sys, probe, &probe_patience, probe_do, &(struct probe_do){ step },
                          probe_did, &did);

    return err < 0 ? err : did.result;
}

/* The next thing of that kind that it was told; kind PROBE_NOTHING after ten seconds. */
TR_UNUSED static struct probe_told probe_wait(tr_system *sys, tr_ref probe, enum probe_kind kind)
{
    tr_time deadline = tri_clock_system() + TR_SEC(10);
    struct probe_did did = { 0 };

    while (tri_clock_system() < deadline) {
        int err = tr_ask_wait(sys, probe, &probe_patience, probe_next,
                              &(struct probe_next){ kind }, probe_did, &did);
        if (err < 0 || did.result == 0)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return did.told;
}

#endif
