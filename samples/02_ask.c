/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * An ask is a message that wants an answer, with a deadline. A shop asks the account whether its
 * customer can pay, and answers the customer when it knows: it holds the customer's own ask
 * meanwhile, and goes on with other messages.
 */

#include <errno.h>
#include <stdio.h>
#include <troupe/troupe.h>

struct account_withdraw { int cents; };
struct account_balance  { int cents; };

#define ACCOUNT_MESSAGES(M) M(account_withdraw) M(account_balance)
TR_PROTOCOL(account, 1, ACCOUNT_MESSAGES);

struct shop_buy     { int cents; };
struct shop_receipt { int paid; int left; };

#define SHOP_MESSAGES(M) M(shop_buy) M(shop_receipt)
TR_PROTOCOL(shop, 2, SHOP_MESSAGES);

struct account { int cents; };
struct shop    { tr_ref account; tr_caller customer; int price; };

static const tr_ask_policy quick = { .timeout = TR_SEC(5) };

/* ---- the account ---- */

TR_ON(account, account_withdraw, self, me, msg)
{
    if (msg->cents > me->cents)
        return tr_refuse(self, -ERANGE);
    me->cents -= msg->cents;
    return tr_reply(self, account_balance, .cents = me->cents);
}

static const tr_actor_type account_actor = {
    TR_STATE(account), .on = TR_TABLE(TR_HANDLES(account, account_withdraw)),
};

/* ---- the shop ---- */

TR_ON(shop, shop_buy, self, me, msg)
{
    int err = tr_call_hold(self, &me->customer);  /* to be answered later */

    if (err < 0)
        return err;
    me->price = msg->cents;
    return tr_call_error(tr_ask(self, me->account, &quick, account_withdraw, .cents = msg->cents));
}

TR_ON(shop, account_balance, self, me, msg)  /* the answer is an ordinary message ... */
{
    return tr_answer(self, me->customer, shop_receipt, .paid = me->price, .left = msg->cents);
}

TR_ON(shop, tr_failed, self, me, msg)        /* ... and so is its failure */
{
    return tr_answer_refuse(self, me->customer, msg->error);
}

static const tr_actor_type shop_actor = {
    TR_STATE(shop),
    .on = TR_TABLE(TR_HANDLES(shop, shop_buy), TR_HANDLES(shop, account_balance),
                   TR_HANDLES(shop, tr_failed)),
};

/* ---- a customer, outside of all actors ---- */

static void buy(tr_system *sys, tr_ref shop, int cents)
{
    struct shop_buy order = { .cents = cents };
    struct shop_receipt receipt;
    int err = tr_ask_wait(sys, shop, &quick, shop_buy, &order, shop_receipt, &receipt);

    if (err < 0)
        printf("%d cents: refused, %s\n", cents, tr_strerror(err));
    else
        printf("%d cents: paid %d, %d left\n", cents, receipt.paid, receipt.left);
}

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    tr_ref account = tr_spawn(sys, account, .cents = 1000);
    tr_ref shop = tr_spawn(sys, shop, .account = account);

    buy(sys, shop, 700);
    buy(sys, shop, 400);
    tr_stop(sys, account);
    buy(sys, shop, 100);
    return tr_system_stop(sys, TR_SEC(5));
}
