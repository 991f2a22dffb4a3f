/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Time is a message to oneself, later: once, again and again, or when nothing else has come. A
 * timer never fires early, and a cancelled one not at all. The program is a tree run by tr_run,
 * which returns when an actor, or SIGTERM, asks for the end.
 */

#include <stdio.h>
#include <troupe/troupe.h>

struct cook_tick   { int unused; };
struct cook_done   { tr_time begun; };
struct cook_burnt  { int unused; };

#define COOK_MESSAGES(M) M(cook_tick) M(cook_done) M(cook_burnt)
TR_PROTOCOL(cook, 1, COOK_MESSAGES);

struct cook { tr_timer tick; tr_timer alarm; int ticks; };

TR_START(cook, self, me)
{
    me->tick = tr_every(self, TR_MS(10), cook_tick, .unused = 0);
    me->alarm = tr_after(self, TR_SEC(60), cook_burnt, .unused = 0);
    return tr_timer_error(me->tick) < 0 ? tr_timer_error(me->tick) : tr_timer_error(me->alarm);
}

TR_ON(cook, cook_tick, self, me, msg)
{
    printf("tick %d\n", ++me->ticks);
    if (me->ticks < 3)
        return TR_OK;
    tr_cancel(self, me->tick);
    return tr_timer_error(tr_after(self, TR_MS(30), cook_done, .begun = tr_now(self)));
}

TR_ON(cook, cook_done, self, me, msg)
{
    tr_time took = tr_now(self) - msg->begun;

    printf("done after %s\n", took >= TR_MS(30) ? "30 ms or a little more" : "too short a time");
    tr_cancel(self, me->alarm);
    return tr_idle_after(self, TR_MS(20));
}

TR_ON(cook, cook_burnt, self, me, msg)
{
    printf("burnt\n");  /* never: the alarm was cancelled */
    return TR_OK;
}

TR_ON(cook, tr_idle, self, me, msg)
{
    printf("nothing for %d ms: closing\n", (int)(msg->duration / TR_MS(1)));
    return tr_self_shutdown(self);
}

static const tr_actor_type cook_actor = {
    TR_STATE(cook), .start = TR_STARTS(cook),
    .on = TR_TABLE(TR_HANDLES(cook, cook_tick), TR_HANDLES(cook, cook_done),
                   TR_HANDLES(cook, cook_burnt), TR_HANDLES(cook, tr_idle)),
};

static const tr_supervisor kitchen = {
    .children = TR_CHILDREN({ .name = "cook", TR_CHILD(cook, .ticks = 0) }),
};

int main(void)
{
    return tr_run(NULL, &kitchen);
}
