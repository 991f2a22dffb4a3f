/* SPDX-License-Identifier: BSD-2-Clause */

/* An actor has a state and reacts to messages, one at a time. */

#include <stdio.h>
#include <troupe/troupe.h>

struct hello_greet { char name[32]; };  /* a message: prefixed by its protocol */
struct greeter     { int count; };      /* an actor's state                    */

#define HELLO_MESSAGES(M) M(hello_greet)
TR_PROTOCOL(hello, 1, HELLO_MESSAGES);

TR_ON(greeter, hello_greet, self, me, msg)
{
    printf("%d: hello, %s\n", ++me->count, msg->name);
    return TR_OK;
}

static const tr_actor_type greeter_actor = {
    TR_STATE(greeter), .on = TR_TABLE(TR_HANDLES(greeter, hello_greet)),
};

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref greeter = tr_spawn(sys, greeter, .count = 0);

    tr_send(sys, greeter, hello_greet, .name = "world");
    tr_send(sys, greeter, hello_greet, .name = "again");
    return tr_system_stop(sys, TR_SEC(5));  /* what is queued may take that long */
}
