/* SPDX-License-Identifier: BSD-2-Clause */

/* Compiled tables and types, and the descriptions they rest on. */

#include "actors/behaviour.h"

#include <errno.h>

#include "actors/protocol.h"
#include "base/limits.h"
#include "mailbox/lane.h"
#include "support/test.h"

static int handler(tr_self *self, void *me, const void *msg)
{
    (void)self;
    (void)me;
    (void)msg;
    return 0;
}

static tr_message_info describe(const char *name, uint32_t tag, uint32_t size)
{
    return (tr_message_info){ .name = name, .tag = tag, .size = size, .align = 8 };
}

Test(behaviour, finds_every_message_of_large_and_strange_tables)
{
    static const uint32_t strides[] = { 1, 256, 65536, 3, 4096 };

    for (uint32_t s = 0; s < 5; s++) {
        struct tri_behaviour *behaviour;
        static tr_handler own[5][256];
        static tr_message_info own_infos[5][255];

        for (uint32_t i = 0; i < 40; i++) {
            own_infos[s][i] = describe("m", 0x10000000 + s * 0x1000000 + i * strides[s] + 1, 8);
            own[s][i] = (tr_handler){ &own_infos[s][i], handler };
        }
        cr_assert_eq(tri_behaviour_compile(own[s], &behaviour), 0);
        for (uint32_t i = 0; i < 40; i++) {
            const struct tri_reaction *reaction = tri_behaviour_find(behaviour,
                                                                     own_infos[s][i].tag);
            cr_assert_not_null(reaction);
            cr_assert_eq(reaction->tag, own_infos[s][i].tag);
        }
        cr_assert_null(tri_behaviour_find(behaviour, 0x7f000000));

        struct tri_behaviour *again;
        cr_assert_eq(tri_behaviour_compile(own[s], &again), 0);
        cr_assert_eq(again, behaviour);
    }
}

Test(behaviour, an_empty_table_finds_nothing)
{
    static const tr_handler empty[] = { { NULL, NULL } };
    struct tri_behaviour *behaviour;

    cr_assert_eq(tri_behaviour_compile(empty, &behaviour), 0);
    cr_assert_null(tri_behaviour_find(behaviour, 1));
    cr_assert_eq(tri_behaviour_compile(NULL, &behaviour), 0);
    cr_assert_null(tri_behaviour_find(behaviour, 1));
}

Test(behaviour, refuses_two_handlers_for_one_message_and_none)
{
    static tr_message_info info;
    static tr_handler twice[3], none[2];
    struct tri_behaviour *behaviour;

    info = describe("once", 0x20000001, 8);
    twice[0] = twice[1] = (tr_handler){ &info, handler };
    none[0] = (tr_handler){ &info, NULL };
    cr_assert_eq(tri_behaviour_compile(twice, &behaviour), -EINVAL);
    cr_assert_eq(tri_behaviour_compile(none, &behaviour), -EINVAL);
}

Test(behaviour, one_tag_has_one_description)
{
    static tr_message_info first, same, larger, renamed, other_layout;

    first = describe("quote", 0x21000001, 8);
    same = first;
    larger = describe("quote", 0x21000001, 16);
    renamed = describe("price", 0x21000001, 8);
    other_layout = first;
    other_layout.version = 2;
    cr_assert(tri_kind_find(&first) & TRI_KIND_KNOWN);
    cr_assert(tri_kind_find(&same) & TRI_KIND_KNOWN);
    cr_assert_eq(tri_kind_error(tri_kind_find(&larger)), -EEXIST);
    cr_assert_eq(tri_kind_error(tri_kind_find(&renamed)), -EEXIST);
    cr_assert_eq(tri_kind_error(tri_kind_find(&other_layout)), -EEXIST);
    cr_assert_eq(tri_protocol_find(0x21000001), &first);
    cr_assert_null(tri_protocol_find(0x21000002));
}

Test(behaviour, descriptions_that_make_no_sense)
{
    static tr_message_info nameless, tagless, odd, huge;

    nameless = describe(NULL, 0x22000001, 8);
    tagless = describe("m", 0, 8);
    odd = describe("m", 0x22000002, 8);
    odd.align = 3;
    huge = describe("m", 0x22000003, UINT32_MAX);
    cr_assert_eq(tri_kind_error(tri_kind_find(NULL)), -EINVAL);
    cr_assert_eq(tri_kind_error(tri_kind_find(&nameless)), -EINVAL);
    cr_assert_eq(tri_kind_error(tri_kind_find(&tagless)), -EINVAL);
    cr_assert_eq(tri_kind_error(tri_kind_find(&odd)), -EINVAL);
    cr_assert_eq(tri_kind_error(tri_kind_find(&huge)), -EMSGSIZE);
}

Test(behaviour, limits_of_mailboxes)
{
    cr_assert_eq(tri_limit_of(0, TR_OVERFLOW_DEFAULT), (int)TRI_CAPACITY_DEFAULT);
    cr_assert_eq(tri_limit_of(7, TR_REJECT), 7);
    cr_assert_eq(tri_limit_of(7, TR_UNBOUNDED), (int)TRI_LANE_NO_LIMIT);
    cr_assert_eq(tri_limit_of(TRI_LANE_CAPACITY_MAX, TR_REJECT), (int)TRI_LANE_CAPACITY_MAX);
    cr_assert_eq(tri_limit_of(TRI_LANE_CAPACITY_MAX + 1, TR_REJECT), -EINVAL);
    cr_assert_eq(tri_limit_of(1, (tr_overflow)77), -EINVAL);
}

Test(behaviour, types_that_make_no_sense)
{
    static const tr_handler empty[] = { { NULL, NULL } };
    static const tr_actor_type nameless = { .on = empty, .state_size = 8, .state_align = 8 };
    static const tr_actor_type large = { .name = "large", .on = empty, .state_size = 1u << 21 };
    static const tr_actor_type odd = {
        .name = "odd", .on = empty, .state_size = 6, .state_align = 3
    };
    static const tr_actor_type full = { .name = "full", .on = empty, .capacity = 20000 };
    static const tr_actor_type fine = { .name = "fine", .on = empty };
    struct tri_type *type, *again;

    cr_assert_eq(tri_type_compile(&nameless, &type), -EINVAL);
    cr_assert_eq(tri_type_compile(&large, &type), -EINVAL);
    cr_assert_eq(tri_type_compile(&odd, &type), -EINVAL);
    cr_assert_eq(tri_type_compile(&full, &type), -EINVAL);
    cr_assert_eq(tri_type_compile(&fine, &type), 0);
    cr_assert_eq(tri_type_compile(&fine, &again), 0);
    cr_assert_eq(type, again);
    cr_assert_eq(tri_type_find(&fine), type);
    cr_assert_null(tri_type_find(&odd));
}
