/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A test suite of actors, written as scripts: no threads, no sleeping, and time that passes when
 * the script says so. What may come in any order is tried in a hundred.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <troupe/sim.h>
#include <troupe/troupe.h>

/* ---- what is tested: an account, which reminds its owner of debts ---- */

struct account_deposit  { int cents; };
struct account_withdraw { int cents; };
struct account_balance  { int cents; };
struct account_reminder { int owed; };

#define ACCOUNT_MESSAGES(M)                                                                        \
    M(account_deposit) M(account_withdraw) M(account_balance) M(account_reminder)
TR_PROTOCOL(account, 12, ACCOUNT_MESSAGES);

struct account { int cents; tr_ref owner; };

TR_ON(account, account_deposit, self, me, msg)
{
    me->cents += msg->cents;
    return TR_OK;
}

TR_ON(account, account_withdraw, self, me, msg)
{
    if (msg->cents > me->cents + 500)
        return tr_refuse(self, -ENOSPC);
    me->cents -= msg->cents;
    if (me->cents < 0 && tr_timer_error(tr_after(self, TR_SEC(86400), account_reminder)) < 0)
        return -ENOMEM;
    return tr_reply(self, account_balance, .cents = me->cents);
}

TR_ON(account, account_reminder, self, me, msg)
{
    if (me->cents >= 0)
        return TR_OK;
    return tr_send(self, me->owner, account_reminder, .owed = -me->cents);
}

static const tr_actor_type account_actor = {
    TR_STATE(account),
    .on = TR_TABLE(TR_HANDLES(account, account_deposit), TR_HANDLES(account, account_withdraw),
                   TR_HANDLES(account, account_reminder)),
};

static const tr_supervisor bank = {
    .restarts_max = 3, .backoff_min = TR_SEC(1),
    .children = TR_CHILDREN({ .name = "account", TR_CHILD(account, .cents = 100) }),
};

/* ---- the suite ---- */

#define CHECK(holds)                                                                               \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds);                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void a_withdrawal_answers_the_balance(tr_sim *sim)
{
    tr_ref account = tr_spawn(tr_sim_system(sim), account, .cents = 1000);
    struct account_balance balance;
    struct tr_failed failed;

    CHECK(tr_sim_ask(sim, account, account_withdraw, .cents = 700) == 0);
    CHECK(tr_sim_expect(sim, account_balance, &balance) == 0);
    CHECK(balance.cents == 300);
    CHECK(tr_sim_ask(sim, account, account_withdraw, .cents = 900) == 0);
    CHECK(tr_sim_expect(sim, tr_failed, &failed) == 0);
    CHECK(failed.error == -ENOSPC);
}

static void debts_are_reminded_of_after_a_day(tr_sim *sim)
{
    tr_ref account = tr_spawn(tr_sim_system(sim), account, .owner = tr_sim_me(sim));
    struct account_reminder reminder;

    CHECK(tr_sim_ask(sim, account, account_withdraw, .cents = 200) == 0);
    CHECK(tr_sim_expect(sim, account_balance, NULL) == 0);
    CHECK(tr_sim_expect_none(sim, TR_SEC(86000)) == 0); /* most of a day, at no cost */
    tr_sim_advance(sim, TR_SEC(400));
    CHECK(tr_sim_expect(sim, account_reminder, &reminder) == 0);
    CHECK(reminder.owed == 200);
}

static void a_crash_is_followed_by_a_restart(tr_sim *sim)
{
    tr_ref bank_ref = tr_supervise(tr_sim_system(sim), &bank);
    tr_ref account = tr_lookup(tr_sim_system(sim), "account");
    struct account_balance balance;
    tr_reason reason;

    CHECK(tr_ref_error(bank_ref) == 0);
    CHECK(tr_sim_fault(sim, "crash@account_deposit", 1) == 0);
    CHECK(tr_sim_send(sim, account, account_deposit, .cents = 50) == 0);
    CHECK(tr_sim_expect_exit(sim, account, &reason) == 0);
    CHECK(reason.kind == TR_ERROR);
    CHECK(tr_sim_fault(sim, "crash@account_deposit", 0) == 0);
    CHECK(tr_sim_ask(sim, account, account_withdraw, .cents = 10) == 0); /* waits until it is up */
    CHECK(tr_sim_expect(sim, account_balance, &balance) == 0);
    CHECK(balance.cents == 90);
}

/* Two who use one account: whoever comes first, nothing is lost. */
static void nothing_is_lost_between_two(tr_sim *sim)
{
    tr_ref account = tr_spawn(tr_sim_system(sim), account, .cents = 0);
    struct account_balance balance;

    for (int i = 0; i < 10; i++) {
        CHECK(tr_sim_send(sim, account, account_deposit, .cents = 10) == 0);
        CHECK(tr_send(tr_sim_system(sim), account, account_deposit, .cents = 1) == 0);
    }
    CHECK(tr_sim_idle(sim) == 0);
    CHECK(tr_sim_ask(sim, account, account_withdraw, .cents = 0) == 0);
    CHECK(tr_sim_expect(sim, account_balance, &balance) == 0);
    CHECK(balance.cents == 110);
}

static void try_all_orders(const char *name, void (*test)(tr_sim *sim))
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        tr_sim *sim = tr_sim_start(seed, seed % 2 == 0 ? "strategy=pct:3" : NULL);
        CHECK(sim != NULL);
        test(sim);
        CHECK(tr_sim_stop(sim) == 0);
    }
    (void)printf("passed under 100 seeds: %s\n", name);
}

int main(void)
{
    try_all_orders("a withdrawal answers the balance", a_withdrawal_answers_the_balance);
    try_all_orders("debts are reminded of after a day", debts_are_reminded_of_after_a_day);
    try_all_orders("a crash is followed by a restart", a_crash_is_followed_by_a_restart);
    try_all_orders("nothing is lost between two", nothing_is_lost_between_two);
    return 0;
}
