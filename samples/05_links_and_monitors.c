/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A monitor tells one actor how another one ended. A link makes two actors share their fate: when
 * one crashes the other one ends too, unless it traps exits, which makes them messages.
 */

#include <errno.h>
#include <stdio.h>
#include <troupe/troupe.h>

struct stage_play { int scene; };

#define STAGE_MESSAGES(M) M(stage_play)
TR_PROTOCOL(stage, 1, STAGE_MESSAGES);

struct player   { int unused; };
struct director { tr_token monitor; };

/* ---- a player: leaves, or stumbles ---- */

TR_ON(player, stage_play, self, me, msg)
{
    if (msg->scene == 1)
        return TR_STOP;
    return tr_fail(self, -EIO, "forgot the text");
}

static const tr_actor_type player_actor = {
    TR_STATE(player), .on = TR_TABLE(TR_HANDLES(player, stage_play)),
};

/* ---- the director: watches one player after the other ---- */

static const char *kind_name(tr_reason_kind kind)
{
    static const char *const names[] = { "normal", "shutdown", "killed", "error", "fault", "lost" };

    return names[kind];
}

static void report(const char *how, const tr_reason *reason)
{
    printf("%s: %s", how, kind_name(reason->kind));
    if (reason->kind == TR_ERROR)
        printf(", %s, \"%s\"", tr_error_name(reason->code), reason->text);
    putchar('\n');
}

TR_START(director, self, me)
{
    tr_ref first = tr_spawn_with(
        self, (&(tr_spawn_options){ .monitor = true, .ret_monitor = &me->monitor }), player,
        .unused = 0);

    return tr_send(self, first, stage_play, .scene = 1);
}

/* The first player has left: the second one is linked, and the director traps. */
TR_ON(director, tr_down, self, me, msg)
{
    report("monitored", &msg->reason);
    tr_trap(self, true);
    tr_ref second = tr_spawn_with(self, (&(tr_spawn_options){ .link = true }), player, .unused = 0);
    return tr_send(self, second, stage_play, .scene = 2);
}

TR_ON(director, tr_exited, self, me, msg)
{
    report("linked", &msg->reason);
    if (msg->reason.kind == TR_LOST)
        return tr_self_shutdown(self);
    return tr_link(self, msg->who);  /* with one that has ended: an exit at once */
}

static const tr_actor_type director_actor = {
    TR_STATE(director), .start = TR_STARTS(director),
    .on = TR_TABLE(TR_HANDLES(director, tr_down), TR_HANDLES(director, tr_exited)),
};

static const tr_supervisor theatre = {
    .children = TR_CHILDREN({ .name = "director", TR_CHILD(director, .monitor = { 0 }) }),
};

static void ignore(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

int main(void)
{
    return tr_run(&(tr_config){ .log = ignore }, &theatre);
}
