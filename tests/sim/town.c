/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A town of actors in which everything that exists happens: supervised workers that fail, asks with
 * and without retries, links, exits, kills, full mailboxes, threads that wait. It is an ordinary
 * program; run under seeds with faults it hits every row of the table of what was covered, and
 * whatever happens, its books balance: every message has been accounted for, and nobody is left.
 *
 *     TROUPE_SIM=1,crash=0.02,drop=0.02,delay=0.02,alloc=0.02,cover ./sim_town
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <troupe/troupe.h>

enum { CLIENTS = 6, ROUNDS = 40 };

struct town_get   { uint32_t key; };
struct town_value { uint32_t key, value; };
struct town_put   { uint32_t key, value; };
struct town_fail  { uint32_t how; };
struct town_round { uint32_t left; };
struct town_wait  { uint32_t unused; };

#define TOWN_MESSAGES(M)                                                                           \
    M(town_get, TR_IDEMPOTENT) M(town_value) M(town_put) M(town_fail) M(town_round) M(town_wait)
TR_PROTOCOL(town, 9201, TOWN_MESSAGES);

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "town: %s\n", what);
    exit(1);
}

/* ---- a keeper of values, which is supervised ---- */

struct keeper { uint32_t value; };

TR_ON(keeper, town_get, self, me, msg)
{
    return tr_reply(self, town_value, .key = msg->key, .value = msg->key + 1);
}

TR_ON(keeper, town_put, self, me, msg)
{
    me->value = msg->value;
    return TR_OK;
}

TR_ON(keeper, town_fail, self, me, msg)
{
    return msg->how % 3 == 0 ? TR_STOP : msg->how % 3 == 1 ? -EIO : tr_fail(self, -EAGAIN, "asked");
}

static const tr_actor_type keeper_actor = {
    TR_STATE(keeper), .capacity = 4,
    .on = TR_TABLE(TR_HANDLES(keeper, town_get), TR_HANDLES(keeper, town_put),
                   TR_HANDLES(keeper, town_fail)),
};

/* ---- one that holds its callers, and never answers ---- */

struct silent { uint32_t held; };

TR_ON(silent, town_wait, self, me, msg)
{
    tr_caller caller;

    (void)tr_call_hold(self, &caller);
    return TR_OK;
}

static const tr_actor_type silent_actor = {
    TR_STATE(silent), .on = TR_TABLE(TR_HANDLES(silent, town_wait)),
};

/* ---- one that is short-lived ---- */

struct guest { uint32_t unused; };

TR_START(guest, self, me)
{
    return tr_dead_letters(self, true) < 0 ? TR_STOP : TR_OK;
}

TR_ON(guest, town_put, self, me, msg)
{
    return msg->value % 4 == 0 ? TR_STOP : TR_OK;
}

TR_ON(guest, tr_dead_letter, self, me, msg)
{
    return TR_OK;
}

static const tr_actor_type guest_actor = {
    TR_STATE(guest), .start = TR_STARTS(guest),
    .on = TR_TABLE(TR_HANDLES(guest, town_put), TR_HANDLES(guest, tr_dead_letter)),
};

/* ---- clients ---- */

static tr_ref keepers[3];

struct client { uint32_t random, rounds, answers; };

static const tr_ask_policy patient = {
    .timeout = TR_MS(400), .attempt_timeout = TR_MS(100), .attempts = 3, .backoff = TR_MS(5),
};
static const tr_ask_policy hasty = { .timeout = TR_MS(20) };

static uint32_t draw(struct client *me, uint32_t below)
{
    me->random = me->random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (me->random >> 8) % below;
}

static void meet_guest(tr_self *self, struct client *me)
{
    tr_spawn_options options = { .link = draw(me, 2) == 0, .monitor = draw(me, 2) == 0 };
    const tr_reason reason = { .kind = TR_ERROR, .code = -ECANCELED };
    tr_ref guest = tr_spawn_with(self, &options, guest, .unused = 0);

    if (tr_ref_error(guest) < 0)
        return;
    for (uint32_t i = draw(me, 4); i > 0; i--)
        (void)tr_send(self, guest, town_put, .value = draw(me, 8));
    switch (draw(me, 3)) {
    case 0:
        (void)tr_stop(self, guest);
        break;
    case 1:
        (void)tr_kill(self, guest);
        break;
    default:
        (void)tr_exit(self, guest, &reason);
    }
}

TR_START(client, self, me)
{
    me->random += tr_incarnation(self) * 1000; /* not the same end again */
    return tr_send(self, tr_me(self), town_round, .left = me->rounds);
}

TR_END(client, self, me, reason)
{
    (void)tr_send(self, keepers[0], town_put, .value = me->answers);
}

TR_ON(client, town_round, self, me, msg)
{
    tr_ref keeper = keepers[draw(me, 3)];

    switch (draw(me, 6)) {
    case 0:
    case 1:
        (void)tr_ask(self, keeper, draw(me, 2) == 0 ? &patient : &hasty, town_get, .key = 7);
        break;
    case 2:
        for (uint32_t i = 0; i < 6; i++)
            (void)tr_send(self, keeper, town_put, .value = i);
        break;
    case 3:
        (void)tr_send(self, keeper, town_fail, .how = draw(me, 3));
        (void)tr_send(self, keeper, town_round, .left = 0); /* which it does not know */
        if (draw(me, 16) == 0)
            (void)tr_stop(self, keeper); /* perhaps while it waits to be restarted */
        break;
    case 4:
        (void)tr_trap(self, draw(me, 2) == 0);
        break;
    default:
        meet_guest(self, me);
    }
    if (msg->left == 0)
        return TR_STOP;
    tr_timer next = tr_after(self, TR_MS(draw(me, 20)), town_round, .left = msg->left - 1);
    return tr_timer_error(next) < 0 ? TR_STOP : TR_OK;
}

TR_ON(client, town_value, self, me, msg)
{
    check(msg->value == msg->key + 1, "an answer that nobody gave");
    me->answers++;
    return TR_OK;
}

TR_OTHERWISE(client, self, me, msg)
{
    return TR_OK; /* failed asks, downs and exits */
}

static const tr_actor_type client_actor = {
    TR_STATE(client), .otherwise = TR_ANYTHING_ELSE(client),
    .start = TR_STARTS(client), .stop = TR_ENDS(client),
    .on = TR_TABLE(TR_HANDLES(client, town_round), TR_HANDLES(client, town_value)),
};

/* ---- the town ---- */

static const tr_supervisor strict = {
    .restarts_max = 3, .within = TR_SEC(1), .backoff_min = TR_MS(10),
    .children = TR_CHILDREN(
        { .name = "first", TR_CHILD(keeper, .value = 1), .restart = TR_PERMANENT,
          .grace = TR_MS(1) },
        { .name = "second", TR_CHILD(keeper, .value = 2), .restart = TR_TRANSIENT,
          .queue = TR_QUEUE_DEAD_LETTER, .grace = TR_MS(1) }),
};

static const tr_supervisor town = {
    .restarts_max = 5000, .backoff_min = TR_MS(2), .backoff_max = TR_MS(20),
    .children = TR_CHILDREN(
        { .name = "strict", TR_TREE(strict), .restart = TR_PERMANENT },
        { .name = "third", TR_CHILD(keeper, .value = 3), .restart = TR_PERMANENT },
        { .name = "asker", TR_CHILD(client, .random = 9, .rounds = ROUNDS),
          .restart = TR_TRANSIENT }),
};

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

/* Lets time go by: who is asked never answers, and has a successor if it crashes. */
static void wait_for(tr_system *sys, tr_time duration)
{
    const struct town_wait message = { 0 };
    tr_time end = tr_now(sys) + duration;
    struct town_value ignored;

    for (tr_time now; (now = tr_now(sys)) < end;) {
        const tr_ask_policy policy = { .timeout = end - now };
        tr_ref silent = tr_spawn(sys, silent, .held = 0);
        (void)tr_ask_wait(sys, silent, &policy, town_wait, &message, town_value, &ignored);
        (void)tr_stop(sys, silent);
    }
}

static void find_keepers(tr_system *sys)
{
    keepers[0] = tr_lookup(sys, "first");
    keepers[1] = tr_lookup(sys, "second");
    keepers[2] = tr_lookup(sys, "third");
}

static void live(tr_system *sys, uint32_t seed)
{
    const struct town_put put = { .value = 1 };

    for (uint32_t i = 0; i < CLIENTS; i++)
        (void)tr_spawn(sys, client, .random = seed * 100 + i, .rounds = ROUNDS);
    for (uint32_t i = 0; i < 20; i++)
        (void)tr_send_wait(sys, keepers[i % 3], town_put, &put, TR_MS(50));
}

static void check_books(tr_system *sys)
{
    tr_stats stats = { 0 };

    for (uint32_t i = 0; i < 100; i++) {
        wait_for(sys, TR_SEC(1));
        check(tr_system_stats(sys, &stats) == 0, "no figures");
        if (stats.queued == 0)
            break;
    }
    check(stats.queued == 0, "messages are left that nobody handles");
    check(stats.attempted == stats.accepted + stats.rejected, "the attempts do not balance");
    check(stats.spawned == stats.ended + stats.alive, "the lives do not balance");
}

int main(int count, char **words)
{
    const tr_config config = { .workers = 3, .log = no_log };
    tr_system *sys;

    check(tr_system_open(&config, &sys) == 0, "the system does not start");
    tr_ref root = tr_supervise(sys, &town);
    if (tr_ref_error(root) == 0) { /* else a simulated fault was in the way */
        find_keepers(sys);
        live(sys, count > 1 ? (uint32_t)atoi(words[1]) : 1);
        wait_for(sys, TR_SEC(2));
        find_keepers(sys);
        live(sys, 77);
        check_books(sys);
    }
    int error = tr_system_stop(sys, TR_SEC(36000)); /* the clock may leap meanwhile */
    check(error == 0, "the system does not stop");
    (void)printf("town: all is accounted for\n");
    return 0;
}
