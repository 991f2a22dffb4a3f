/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A handler that returns a negative value crashes its actor. The supervisor makes it anew, with
 * the state it began with and the same ref, so that whoever knew it goes on as before.
 */

#include <errno.h>
#include <stdio.h>
#include <troupe/troupe.h>

struct math_divide   { int dividend; int divisor; };
struct math_quotient { int value; uint32_t incarnation; int answered; };

#define MATH_MESSAGES(M) M(math_divide) M(math_quotient)
TR_PROTOCOL(math, 1, MATH_MESSAGES);

struct divider { int answered; };

TR_ON(divider, math_divide, self, me, msg)
{
    if (msg->divisor == 0)
        return tr_fail(self, -ERANGE, "division by zero");
    return tr_reply(self, math_quotient, .value = msg->dividend / msg->divisor,
                    .incarnation = tr_incarnation(self), .answered = ++me->answered);
}

static const tr_actor_type divider_actor = {
    TR_STATE(divider), .on = TR_TABLE(TR_HANDLES(divider, math_divide)),
};

/* At most three restarts in ten seconds; after that the supervisor itself gives up. */
static const tr_supervisor app = {
    .strategy = TR_ONE_FOR_ONE, .restarts_max = 3, .within = TR_SEC(10),
    .children = TR_CHILDREN(
        { .name = "divider", TR_CHILD(divider, .answered = 0), .restart = TR_PERMANENT }),
};

static void divide(tr_system *sys, tr_ref divider, int dividend, int divisor)
{
    static const tr_ask_policy patient = { .timeout = TR_SEC(10) };
    struct math_divide task = { .dividend = dividend, .divisor = divisor };
    struct math_quotient quotient;
    int err = tr_ask_wait(sys, divider, &patient, math_divide, &task, math_quotient, &quotient);

    if (err < 0)
        printf("%d / %d: %s\n", dividend, divisor, tr_strerror(err));
    else
        printf("%d / %d = %d (incarnation %u, answer %d)\n", dividend, divisor, quotient.value,
               quotient.incarnation, quotient.answered);
}

static void ignore(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;  /* a real program keeps its crash reports */
}

int main(void)
{
    tr_system *sys = tr_system_start(&(tr_config){ .log = ignore });

    tr_supervise(sys, &app);
    tr_ref divider = tr_lookup(sys, "divider");
    divide(sys, divider, 10, 2);
    divide(sys, divider, 10, 3);
    divide(sys, divider, 10, 0);
    divide(sys, divider, 10, 5);
    return tr_system_stop(sys, TR_SEC(5));
}
