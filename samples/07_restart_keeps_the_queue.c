/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A crash costs the message in hand, and no other: what waited in the mailbox is handled by the
 * next incarnation. What an incarnation has acquired, it defers the release of, so that nothing
 * leaks however it ends.
 */

#include <errno.h>
#include <stdio.h>
#include <troupe/troupe.h>

struct mill_grain { int number; };

#define MILL_MESSAGES(M) M(mill_grain)
TR_PROTOCOL(mill, 1, MILL_MESSAGES);

enum { STONE = 3, GRAINS = 5 };

struct miller { int ground; };
struct farmer { int unused; };

/* ---- the miller breaks at a stone among the grain ---- */

static void sweep(void *arg)
{
    (void)arg;
    printf("swept the mill\n");
}

TR_START(miller, self, me)
{
    printf("miller %u opens\n", tr_incarnation(self));
    return tr_defer(self, sweep, NULL);
}

TR_ON(miller, mill_grain, self, me, msg)
{
    if (msg->number == STONE)
        return tr_fail(self, -EIO, "a stone");
    printf("miller %u: grain %d, %d ground\n", tr_incarnation(self), msg->number, ++me->ground);
    return msg->number < GRAINS ? TR_OK : tr_self_shutdown(self);
}

static const tr_actor_type miller_actor = {
    TR_STATE(miller), .start = TR_STARTS(miller),
    .on = TR_TABLE(TR_HANDLES(miller, mill_grain)),
};

/* ---- the farmer brings all at once ---- */

TR_START(farmer, self, me)
{
    tr_ref miller = tr_lookup(self, "miller");
    int err = 0;

    for (int i = 1; i <= GRAINS && err == 0; i++)
        err = tr_send(self, miller, mill_grain, .number = i);
    return err;
}

static const tr_actor_type farmer_actor = { TR_STATE(farmer), .start = TR_STARTS(farmer) };

static const tr_supervisor mill = {
    .restarts_max = 3, .within = TR_SEC(10),
    .children = TR_CHILDREN(
        { .name = "miller", TR_CHILD(miller, .ground = 0), .restart = TR_PERMANENT,
          .capacity = 16 },
        { .name = "farmer", TR_CHILD(farmer, .unused = 0), .restart = TR_TEMPORARY }),
};

static void ignore(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

int main(void)
{
    return tr_run(&(tr_config){ .log = ignore }, &mill);
}
