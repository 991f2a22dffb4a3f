/* SPDX-License-Identifier: BSD-2-Clause */

/* Tokens find what they were opened for, and nothing else, ever. */

#include "actors/token.h"

#include <errno.h>

#include "support/test.h"

Test(token, finds_by_kind_and_incarnation_until_it_is_closed)
{
    struct tri_token_table table = { .places = NULL };
    int record;
    uint64_t token;

    cr_assert_eq(tri_token_open(&table, 7, TRI_TOKEN_CALL, &record, &token), 0);
    cr_assert_eq(tri_token_find(&table, 7, TRI_TOKEN_CALL, token), &record);
    cr_assert_null(tri_token_find(&table, 7, TRI_TOKEN_TIMER, token));
    cr_assert_null(tri_token_find(&table, 8, TRI_TOKEN_CALL, token));
    cr_assert_null(tri_token_find(&table, 7, TRI_TOKEN_CALL, token + 1));
    cr_assert_null(tri_token_find(&table, 7, TRI_TOKEN_CALL, 0));
    tri_token_close(&table, token);
    cr_assert_null(tri_token_find(&table, 7, TRI_TOKEN_CALL, token));
    tri_token_table_free(&table);
}

Test(token, a_place_used_again_has_another_token)
{
    struct tri_token_table table = { .places = NULL };
    int record;
    uint64_t first, second;

    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_CALL, &record, &first), 0);
    tri_token_close(&table, first);
    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_CALL, &record, &second), 0);
    cr_assert_neq(first, second);
    cr_assert_null(tri_token_find(&table, 0, TRI_TOKEN_CALL, first));
    cr_assert_eq(tri_token_find(&table, 0, TRI_TOKEN_CALL, second), &record);
    tri_token_table_free(&table);
}

Test(token, a_place_whose_sequence_would_wrap_is_retired)
{
    struct tri_token_table table = { .places = NULL };
    int record;
    uint64_t token, next;

    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_HOLD, &record, &token), 0);
    tri_token_close(&table, token);
    table.places[0].sequence = (1u << 24) - 2;
    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_HOLD, &record, &token), 0);
    tri_token_close(&table, token);
    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_HOLD, &record, &next), 0);
    cr_assert_neq(next & 0xffffff, token & 0xffffff);
    tri_token_table_free(&table);
}

Test(token, a_walk_meets_each_of_its_kind_once)
{
    struct tri_token_table table = { .places = NULL };
    int records[40];
    uint64_t tokens[40];
    uint32_t cursor = 0, met = 0;
    int *record;

    for (int i = 0; i < 40; i++)
        cr_assert_eq(tri_token_open(&table, 1, i % 2 ? TRI_TOKEN_CALL : TRI_TOKEN_TIMER,
                                    &records[i], &tokens[i]), 0);
    for (int i = 1; i < 40; i += 4)
        tri_token_close(&table, tokens[i]);
    while ((record = tri_token_each(&table, TRI_TOKEN_CALL, &cursor)) != NULL) {
        cr_assert_eq((record - records) % 4, 3);
        met++;
    }
    cr_assert_eq(met, 10);
    tri_token_table_free(&table);
}

Test(token, refuses_more_than_the_limit)
{
    struct tri_token_table table = { .places = NULL };
    int record;
    uint64_t token;

    for (uint32_t i = 0; i < TRI_TOKENS_MAX; i++)
        if (tri_token_open(&table, 0, TRI_TOKEN_CALL, &record, &token) < 0)
            cr_assert(false, "refused at %u", i);
    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_CALL, &record, &token), -ENOBUFS);
    tri_token_close(&table, token);
    cr_assert_eq(tri_token_open(&table, 0, TRI_TOKEN_CALL, &record, &token), 0);
    tri_token_table_free(&table);
}
