/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What an actor reacts to is a table, and it may become another one: each state of a state machine
 * has a table of its own, and .otherwise takes what the present one does not know.
 */

#include <stdio.h>
#include <troupe/troupe.h>

struct door_push  { char who[16]; };
struct door_lock  { int key; };
struct door_open  { int key; };

#define DOOR_MESSAGES(M) M(door_push) M(door_lock) M(door_open)
TR_PROTOCOL(door, 1, DOOR_MESSAGES);

struct door { int key; int passed; };

static const tr_actor_type door_actor;

TR_ON(door, door_push, self, me, msg)
{
    printf("%s goes through, number %d\n", msg->who, ++me->passed);
    return TR_OK;
}

TR_ON(door, door_open, self, me, msg)
{
    if (msg->key != me->key) {
        printf("the key does not fit\n");
        return TR_OK;
    }
    printf("unlocked\n");
    return tr_become(self, door_actor.on);
}

static const tr_handler locked[] = { TR_HANDLES(door, door_open), { NULL, NULL } };

TR_ON(door, door_lock, self, me, msg)
{
    printf("locked\n");
    me->key = msg->key;
    return tr_become(self, locked);
}

TR_OTHERWISE(door, self, me, msg)
{
    printf("%s: not now\n", msg->info->name);
    return TR_OK;
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .on = TR_TABLE(TR_HANDLES(door, door_push), TR_HANDLES(door, door_lock)),
    .otherwise = TR_ANYTHING_ELSE(door), .capacity = 16,
};

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref door = tr_spawn(sys, door, .passed = 0);

    tr_send(sys, door, door_push, .who = "Ada");
    tr_send(sys, door, door_lock, .key = 7);
    tr_send(sys, door, door_push, .who = "Alan");
    tr_send(sys, door, door_open, .key = 6);
    tr_send(sys, door, door_open, .key = 7);
    tr_send(sys, door, door_push, .who = "Alan");
    return tr_system_stop(sys, TR_SEC(5));
}
