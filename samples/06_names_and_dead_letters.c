/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Actors may have names. A message that nobody handles is a dead letter: it is counted, and
 * whoever subscribes is told about it.
 */

#include <stdio.h>
#include <troupe/troupe.h>

struct post_letter  { char text[24]; };
struct post_parcel  { int grams; };
struct post_sync    { int unused; };

#define POST_MESSAGES(M) M(post_letter) M(post_parcel) M(post_sync)
TR_PROTOCOL(post, 1, POST_MESSAGES);

struct reader { int unused; };
struct clerk  { int unused; };

static const tr_ask_policy patient = { .timeout = TR_SEC(5) };

/* ---- a reader knows letters, and no parcels ---- */

TR_ON(reader, post_letter, self, me, msg)
{
    printf("read: %s\n", msg->text);
    return TR_OK;
}

TR_ON(reader, post_sync, self, me, msg)
{
    return tr_reply_copy(self, post_sync, msg);
}

static const tr_actor_type reader_actor = {
    TR_STATE(reader),
    .on = TR_TABLE(TR_HANDLES(reader, post_letter), TR_HANDLES(reader, post_sync)),
};

/* ---- the clerk of the dead letter office ---- */

TR_START(clerk, self, me)
{
    return tr_dead_letters(self, true);
}

TR_ON(clerk, tr_dead_letter, self, me, msg)
{
    printf("dead letter: %s, %s\n", msg->message,
           msg->why == TR_DEAD_UNHANDLED ? "not handled" : "its receiver had ended");
    return TR_OK;
}

TR_ON(clerk, post_sync, self, me, msg)
{
    return tr_reply_copy(self, post_sync, msg);
}

static const tr_actor_type clerk_actor = {
    TR_STATE(clerk), .start = TR_STARTS(clerk),
    .on = TR_TABLE(TR_HANDLES(clerk, tr_dead_letter), TR_HANDLES(clerk, post_sync)),
};

/* Waits until an actor has handled all that was sent to it before. */
static void sync_with(tr_system *sys, const char *name)
{
    struct post_sync sync = { 0 };
    int err = tr_ask_wait(sys, tr_lookup(sys, name), &patient, post_sync, &sync, post_sync, &sync);

    if (err < 0)
        printf("%s: %s\n", name, tr_strerror(err));
}

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref reader = tr_spawn(sys, reader, .unused = 0);

    tr_name(sys, reader, "reader");
    tr_spawn_with(sys, (&(tr_spawn_options){ .name = "clerk" }), clerk, .unused = 0);
    sync_with(sys, "clerk");

    tr_send(sys, tr_lookup(sys, "reader"), post_letter, .text = "dear reader");
    tr_send(sys, tr_lookup(sys, "reader"), post_parcel, .grams = 500);
    sync_with(sys, "reader");

    tr_suspend(sys, reader);  /* it takes no messages, so that these two wait ... */
    tr_send(sys, reader, post_letter, .text = "too");
    tr_send(sys, reader, post_letter, .text = "late");
    tr_stop(sys, reader);     /* ... and die with it */
    return tr_system_stop(sys, TR_SEC(5));
}
