/* SPDX-License-Identifier: BSD-2-Clause */
/* links: kv_driver */

/* What a key may hold: certain, in doubt, lost. */

#include "support/test.h"

#include "model.h"

static struct model_key key;

static void open_key(void)
{
    model_open(&key);
}

static void close_key(void)
{
    model_close(&key);
}

TestSuite(kv_demo_model, .init = open_key, .fini = close_key);

static struct operation set_to(const char *value)
{
    return (struct operation){ .kind = OPERATION_SET, .argument = text_of(value) };
}

static struct operation append(const char *value)
{
    return (struct operation){ .kind = OPERATION_APPEND, .argument = text_of(value) };
}

static struct operation add(int64_t by)
{
    return (struct operation){ .kind = OPERATION_ADD, .by = by };
}

static struct operation plain(enum operation_kind kind)
{
    return (struct operation){ .kind = kind };
}

static bool answered_ok(struct operation op)
{
    return model_answered(&key, &op, &(struct resp_reply){ RESP_STATUS, 0, text_of("OK") });
}

static bool answered_integer(struct operation op, int64_t integer)
{
    return model_answered(&key, &op, &(struct resp_reply){ .kind = RESP_INTEGER,
                                                           .integer = integer });
}

static bool answered_value(struct operation op, const char *value)
{
    struct resp_reply reply = { .kind = RESP_NIL };

    if (value != NULL)
        reply = (struct resp_reply){ .kind = RESP_BULK, .text = text_of(value) };
    return model_answered(&key, &op, &reply);
}

static void unanswered(struct operation op)
{
    model_unanswered(&key, &op);
}

static bool may_hold(const char *value)
{
    return answered_value(plain(OPERATION_GET), value);
}

Test(kv_demo_model, starts_absent)
{
    cr_assert(model_certain(&key));
    cr_assert(may_hold(NULL));
    cr_assert_not(may_hold("x"));
}

Test(kv_demo_model, an_answered_write_is_all_there_is)
{
    cr_assert(answered_ok(set_to("a")));
    cr_assert(may_hold("a"));
    cr_assert_not(may_hold(NULL));
    cr_assert(answered_integer(append("bc"), 3));
    cr_assert(may_hold("abc"));
    cr_assert(answered_value(plain(OPERATION_TAKE), "abc"));
    cr_assert(may_hold(NULL));
}

Test(kv_demo_model, an_unanswered_write_may_be_there_or_not)
{
    cr_assert(answered_ok(set_to("a")));
    unanswered(set_to("b"));
    cr_assert_not(model_certain(&key));
    cr_assert(may_hold("a"));
    cr_assert(may_hold("b"));
    cr_assert_not(may_hold(NULL));
    cr_assert(answered_ok(set_to("c")));
    cr_assert(model_certain(&key));
    cr_assert_not(may_hold("b"));
}

Test(kv_demo_model, an_answer_tells_which_state_it_was)
{
    cr_assert(answered_ok(set_to("5")));
    unanswered(add(1));
    cr_assert(answered_integer(add(10), 16));
    cr_assert(model_certain(&key));
    cr_assert(may_hold("16"));
    unanswered(plain(OPERATION_DELETE));
    cr_assert(answered_integer(plain(OPERATION_DELETE), 0));
    cr_assert(may_hold(NULL));
}

Test(kv_demo_model, any_of_several_unanswered_writes_may_have_happened)
{
    cr_assert(answered_ok(set_to("")));
    unanswered(append("x"));
    unanswered(append("y"));
    cr_assert(may_hold(""));
    cr_assert(may_hold("x"));
    cr_assert(may_hold("y"));
    cr_assert(may_hold("xy"));
    cr_assert_not(may_hold("yx"));
}

Test(kv_demo_model, a_loss_is_seen_and_leaves_the_key_until_it_is_forgotten)
{
    cr_assert(answered_integer(add(1), 1));
    cr_assert_not(answered_integer(add(1), 1));
    cr_assert(may_hold("1"));
    model_forget(&key);
    cr_assert(may_hold("anything"));
    cr_assert(answered_integer(add(1), 77));
    cr_assert_not(model_certain(&key));
    cr_assert(answered_ok(set_to("new")));
    cr_assert(model_certain(&key));
    cr_assert(may_hold("new"));
}

Test(kv_demo_model, an_answer_of_another_kind_follows_from_nothing)
{
    cr_assert(answered_ok(set_to("1")));
    cr_assert_not(answered_value(add(1), "2"));
    cr_assert_not(answered_integer(set_to("1"), 1));
    cr_assert_not(answered_integer(plain(OPERATION_DELETE), 0));
}

Test(kv_demo_model, equal_states_are_one)
{
    unanswered(plain(OPERATION_DELETE));
    cr_assert(model_certain(&key));
    unanswered(plain(OPERATION_GET));
    cr_assert(model_certain(&key));
}

Test(kv_demo_model, too_many_states_are_as_good_as_none)
{
    char letter[2] = "a";

    for (; letter[0] <= 'h'; letter[0]++)
        unanswered(append(letter));
    cr_assert_eq(key.count, 0u);
    cr_assert(may_hold("whatever"));
}

Test(kv_demo_model, values_hold_every_byte)
{
    struct operation op = { .kind = OPERATION_SET, .argument = { "a\0\r\nb", 5 } };
    struct resp_reply same = { .kind = RESP_BULK, .text = { "a\0\r\nb", 5 } };
    struct resp_reply other = { .kind = RESP_BULK, .text = { "a\0\r\nc", 5 } };
    struct operation get = plain(OPERATION_GET);

    cr_assert(answered_ok(op));
    cr_assert(model_answered(&key, &get, &same));
    cr_assert_not(model_answered(&key, &get, &other));
}
