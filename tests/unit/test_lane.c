/* SPDX-License-Identifier: BSD-2-Clause */

/* The user lane by one thread: each transition, each bound. Interleavings: tests/model/lane.c. */

#include "support/test.h"

#include "base/ck.h"
#include "base/thread.h"
#include "mailbox/lane.h"
#include "mailbox/message.h"

static struct tri_lane lane;

/* A lane as it stands at an actor's first turn: open and awake. */
static void open_lane(uint32_t capacity)
{
    memset(&lane, 0, sizeof(lane));
    tri_lane_open(&lane, capacity);
}

static void open_idle(uint32_t capacity)
{
    open_lane(capacity);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

static struct tri_message *numbered(uint32_t number)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 8, false);

    cr_assert_not_null(message);
    message->tag = number;
    return message;
}

static enum tri_push push(uint32_t number, uint32_t limit)
{
    struct tri_message *message = numbered(number);
    enum tri_push answer = tri_lane_push(&lane, message, limit);

    if (answer == TRI_PUSH_FULL || answer == TRI_PUSH_CLOSED)
        tri_message_free(message);
    return answer;
}

static void expect_next(uint32_t number)
{
    struct tri_message *message = tri_lane_next(&lane);

    cr_assert_not_null(message, "number %u", number);
    cr_assert_eq(message->tag, number);
    tri_lane_done(&lane, message);
}

Test(lane, zeroed_memory_is_a_closed_lane)
{
    memset(&lane, 0, sizeof(lane));
    cr_assert_eq(push(0, 4), TRI_PUSH_CLOSED);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_CLOSED);
}

Test(lane, messages_come_out_as_they_went_in)
{
    open_lane(16);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_eq(push(i, 16), TRI_PUSH_QUEUED);
    for (uint32_t i = 0; i < 5; i++)
        expect_next(i);
    for (uint32_t i = 10; i < 13; i++)
        cr_assert_eq(push(i, 16), TRI_PUSH_QUEUED);
    for (uint32_t i = 5; i < 13; i++)
        expect_next(i);
    cr_assert_null(tri_lane_next(&lane));
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(lane, only_the_push_that_finds_it_idle_wakes)
{
    open_idle(8);
    cr_assert_eq(push(0, 8), TRI_PUSH_WAKE);
    cr_assert_eq(push(1, 8), TRI_PUSH_QUEUED);
    expect_next(0);
    expect_next(1);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(push(2, 8), TRI_PUSH_WAKE);
    expect_next(2);
}

Test(lane, rest_sees_what_came_after_the_last_look)
{
    open_lane(8);
    cr_assert_null(tri_lane_next(&lane));
    cr_assert_eq(push(0, 8), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_MESSAGES);
    expect_next(0);
    cr_assert_eq(push(1, 8), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_MESSAGES);
    expect_next(1);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(lane, an_alert_wakes_an_idle_actor_and_keeps_it_awake)
{
    open_idle(8);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_WAKE);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ALERTED);
    cr_assert_eq(tri_lane_hold(&lane), TRI_SLEEP_ALERTED);
    tri_lane_calm(&lane);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(lane, a_held_actor_queues_messages_and_wakes_by_alert_alone)
{
    open_lane(8);
    cr_assert_eq(push(0, 8), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_hold(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(push(1, 8), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_WAKE);
    cr_assert_eq(push(2, 8), TRI_PUSH_QUEUED);
    tri_lane_calm(&lane);
    for (uint32_t i = 0; i < 3; i++)
        expect_next(i);
}

Test(lane, held_in_the_middle_of_a_batch_it_goes_on_there)
{
    open_lane(8);
    for (uint32_t i = 0; i < 4; i++)
        push(i, 8);
    expect_next(0);
    cr_assert_eq(tri_lane_hold(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_WAKE);
    tri_lane_calm(&lane);
    for (uint32_t i = 1; i < 4; i++)
        expect_next(i);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(lane, the_limit_is_what_the_pusher_says)
{
    open_lane(2);
    cr_assert_eq(push(0, 2), TRI_PUSH_QUEUED);
    cr_assert_eq(push(1, 2), TRI_PUSH_QUEUED);
    cr_assert_eq(push(2, 2), TRI_PUSH_FULL);
    cr_assert_eq(push(2, 4), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_lane_depth(&lane), 3);
    expect_next(0);
    cr_assert_eq(push(3, 3), TRI_PUSH_QUEUED);
}

Test(lane, solicited_messages_are_neither_counted_nor_refused)
{
    open_lane(1);
    cr_assert_eq(push(0, 1), TRI_PUSH_QUEUED);
    for (uint32_t i = 1; i < 5; i++) {
        struct tri_message *reply = numbered(i);
        reply->flags |= TRI_MESSAGE_SOLICITED;
        cr_assert_eq(tri_lane_push(&lane, reply, 1), TRI_PUSH_QUEUED);
    }
    cr_assert_eq(push(9, 1), TRI_PUSH_FULL);
    for (uint32_t i = 0; i < 5; i++)
        expect_next(i);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(tri_lane_depth(&lane), 0);
}

/* The count in the word wraps at 2^16; whatever it was, capacity messages fit and one more does
 * not. Method: many lives' worth of messages at the largest and the smallest capacity. */
Test(lane, the_bound_holds_across_the_wrap_of_the_count)
{
    uint32_t capacities[] = { 1, 3, TRI_LANE_CAPACITY_MAX };

    for (size_t c = 0; c < 3; c++) {
        uint32_t capacity = capacities[c];
        open_idle(capacity);
        for (uint32_t sent = 0; sent < 200000;) {
            for (uint32_t i = 0; i < capacity; i++)
                cr_assert_eq(push(sent + i, capacity), i == 0 ? TRI_PUSH_WAKE : TRI_PUSH_QUEUED);
            cr_assert_eq(push(0, capacity), TRI_PUSH_FULL);
            cr_assert_eq(tri_lane_depth(&lane), capacity);
            for (uint32_t i = 0; i < capacity; i++)
                expect_next(sent + i);
            cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
            cr_assert_eq(tri_lane_depth(&lane), 0);
            sent += capacity;
        }
    }
}

Test(lane, without_a_limit_it_holds_more_than_the_count_can_tell)
{
    enum { MANY = 200000 };

    open_idle(TRI_LANE_NO_LIMIT);
    for (uint32_t i = 0; i < MANY; i++)
        cr_assert_eq(push(i, TRI_LANE_NO_LIMIT), i == 0 ? TRI_PUSH_WAKE : TRI_PUSH_QUEUED);
    for (uint32_t i = 0; i < MANY; i++)
        expect_next(i);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(tri_lane_depth(&lane), 0);
    cr_assert_eq(push(0, TRI_LANE_NO_LIMIT), TRI_PUSH_WAKE);
    expect_next(0);
}

/* How late pushers learn of what was done: never more than a quarter of the capacity, or 16. */
Test(lane, the_depth_lags_by_a_quarter_at_most)
{
    for (uint32_t capacity = 1; capacity <= 200; capacity++) {
        uint32_t lag = capacity / 4 < 16 ? capacity / 4 : 16;
        open_lane(capacity);
        for (uint32_t i = 0; i < capacity; i++)
            push(i, capacity);
        for (uint32_t i = 0; i < capacity; i++) {
            expect_next(i);
            uint32_t depth = tri_lane_depth(&lane);
            cr_assert_geq(depth, capacity - i - 1);
            cr_assert_leq(depth, capacity - i - 1 + lag);
        }
        cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    }
}

Test(lane, a_detached_message_outlives_its_place_and_counts_until_settled)
{
    open_lane(2);
    push(0, 2);
    push(1, 2);
    struct tri_message *first = tri_lane_next(&lane);
    tri_lane_detach(&lane, first);
    struct tri_message *second = tri_lane_next(&lane);
    tri_lane_detach(&lane, second); /* the boundary */
    cr_assert_null(tri_lane_next(&lane));
    cr_assert_eq(push(2, 2), TRI_PUSH_FULL);
    cr_assert_eq(first->tag, 0);
    cr_assert_eq(second->tag, 1);
    tri_lane_settle(&lane, first);
    cr_assert_eq(push(2, 2), TRI_PUSH_QUEUED);
    expect_next(2);
    tri_lane_settle(&lane, second);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(tri_lane_depth(&lane), 0);
    tri_message_free(first);
    tri_message_free(second);
}

Test(lane, a_boundary_detached_under_newer_messages_can_be_sent_again)
{
    open_lane(8);
    push(0, 8);
    struct tri_message *kept = tri_lane_next(&lane);
    push(1, 8);
    push(2, 8);
    tri_lane_detach(&lane, kept);
    tri_lane_settle(&lane, kept);
    kept->tag = 3;
    cr_assert_eq(tri_lane_push(&lane, kept, 8), TRI_PUSH_QUEUED);
    for (uint32_t i = 1; i < 4; i++)
        expect_next(i);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(lane, detached_while_idle_is_possible_it_wakes_as_usual)
{
    open_idle(8);
    push(0, 8);
    struct tri_message *kept = tri_lane_next(&lane);
    tri_lane_detach(&lane, kept);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(push(1, 8), TRI_PUSH_WAKE);
    expect_next(1);
    tri_lane_settle(&lane, kept);
    tri_message_free(kept);
}

/* Closes the lane and expects its messages to be those from `first` to before `end`. */
static void expect_closed(uint32_t first, uint32_t end)
{
    struct tri_message *unhandled = tri_lane_close(&lane);

    for (uint32_t i = first; i < end; i++) {
        struct tri_message *message = unhandled;
        cr_assert_not_null(message);
        cr_assert_eq(message->tag, i);
        unhandled = message->next;
        tri_message_free(message);
    }
    cr_assert_null(unhandled);
    cr_assert_eq(push(99, 8), TRI_PUSH_CLOSED);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_CLOSED);
}

Test(lane, close_returns_what_was_not_handed_out)
{
    open_lane(8);
    expect_closed(0, 0);

    open_lane(8);
    for (uint32_t i = 0; i < 3; i++)
        push(i, 8);
    expect_closed(0, 3);

    open_lane(8);
    for (uint32_t i = 0; i < 3; i++)
        push(i, 8);
    expect_next(0);
    for (uint32_t i = 3; i < 5; i++)
        push(i, 8);
    expect_closed(1, 5);

    open_lane(8);
    for (uint32_t i = 0; i < 2; i++)
        push(i, 8);
    expect_next(0);
    expect_next(1);
    push(2, 8);
    expect_closed(2, 3);
}

Test(lane, a_slots_next_life_starts_empty_whatever_the_last_one_left)
{
    open_lane(2);
    push(0, 2);
    push(1, 2);
    expect_closed(0, 2);
    for (int life = 0; life < 100000; life++) {
        tri_lane_open(&lane, 2);
        cr_assert_eq(tri_lane_depth(&lane), 0);
        cr_assert_eq(push(0, 2), TRI_PUSH_QUEUED);
        cr_assert_eq(push(1, 2), TRI_PUSH_QUEUED);
        cr_assert_eq(push(2, 2), TRI_PUSH_FULL);
        expect_next(0);
        struct tri_message *left = tri_lane_close(&lane);
        cr_assert_eq(left->tag, 1);
        cr_assert_null(left->next);
        tri_message_free(left);
    }
}
