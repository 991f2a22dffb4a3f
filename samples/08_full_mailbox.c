/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Mailboxes are bounded: a sender learns at once that its receiver cannot keep up, and chooses
 * whether to drop, to try later or, outside of actors, to wait. Every message is accounted for.
 */

#include <errno.h>
#include <stdio.h>
#include <troupe/troupe.h>

struct till_customer { int number; };

#define TILL_MESSAGES(M) M(till_customer)
TR_PROTOCOL(till, 1, TILL_MESSAGES);

struct cashier { int served; };

TR_ON(cashier, till_customer, self, me, msg)
{
    me->served++;
    printf("served customer %d\n", msg->number);
    return TR_OK;
}

static const tr_actor_type cashier_actor = {
    TR_STATE(cashier), .on = TR_TABLE(TR_HANDLES(cashier, till_customer)),
    .capacity = 3, .overflow = TR_REJECT,
};

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref cashier = tr_spawn(sys, cashier, .served = 0);

    tr_suspend(sys, cashier);  /* gone to fetch change */
    for (int i = 1; i <= 4; i++) {
        int err = tr_send(sys, cashier, till_customer, .number = i);
        if (err < 0)
            printf("customer %d leaves: %s\n", i, tr_strerror(err));
    }

    struct till_customer patient = { .number = 5 };
    int err = tr_send_wait(sys, cashier, till_customer, &patient, TR_MS(20));
    printf("customer 5 has waited: %s\n", tr_error_name(err));

    tr_resume(sys, cashier);
    err = tr_send_wait(sys, cashier, till_customer, &patient, TR_SEC(10));
    if (err < 0)
        printf("customer 5 leaves: %s\n", tr_strerror(err));

    struct till_customer last = { .number = 6 };
    tr_send_wait(sys, cashier, till_customer, &last, TR_SEC(10));
    return tr_system_stop(sys, TR_SEC(5));
}
