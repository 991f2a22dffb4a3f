/* SPDX-License-Identifier: BSD-2-Clause */

/* The urgent lane by one thread. Interleavings: tests/model/lane.c. */

#include "support/test.h"

#include "base/thread.h"
#include "mailbox/lane.h"
#include "mailbox/message.h"
#include "mailbox/urgent.h"

static struct tri_lane lane;
static struct tri_urgent urgent;

static void begin(uint16_t life)
{
    memset(&lane, 0, sizeof(lane));
    memset(&urgent, 0, sizeof(urgent));
    tri_lane_open(&lane, 8);
    tri_urgent_open(&urgent, life);
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

static struct tri_message *notice(uint32_t number)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 8, false);

    cr_assert_not_null(message);
    message->tag = number;
    return message;
}

static void expect_notices(struct tri_message *found, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct tri_message *message = found;
        cr_assert_not_null(message);
        cr_assert_eq(message->tag, i);
        found = message->next;
        tri_message_free(message);
    }
    cr_assert_null(found);
}

Test(urgent, notices_overtake_and_come_in_order)
{
    begin(1);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(tri_urgent_push(&urgent, &lane, notice(i)),
                     i == 0 ? TRI_PUSH_WAKE : TRI_PUSH_QUEUED);
    cr_assert(tri_urgent_is_waiting(&urgent));
    struct tri_urgent_found found = tri_urgent_take(&urgent, &lane);
    cr_assert_eq(found.signals, 0);
    expect_notices(found.notices, 0, 3);
    cr_assert_not(tri_urgent_is_waiting(&urgent));
    cr_assert_eq(tri_lane_rest(&lane), TRI_SLEEP_ASLEEP);
}

Test(urgent, signals_gather_in_two_bits)
{
    begin(1);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 1), TRI_PUSH_WAKE);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 1), TRI_PUSH_QUEUED);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_KILL, 1), TRI_PUSH_QUEUED);
    struct tri_urgent_found found = tri_urgent_take(&urgent, &lane);
    cr_assert_eq(found.signals, TRI_SIGNAL_STOP | TRI_SIGNAL_KILL);
    cr_assert_null(found.notices);
    cr_assert_eq(tri_urgent_take(&urgent, &lane).signals, 0);
}

Test(urgent, a_held_actor_is_reached)
{
    begin(1);
    cr_assert_eq(tri_lane_alert(&lane), TRI_PUSH_WAKE);
    tri_lane_calm(&lane);
    cr_assert_eq(tri_lane_hold(&lane), TRI_SLEEP_ASLEEP);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_KILL, 1), TRI_PUSH_WAKE);
}

Test(urgent, a_signal_for_another_life_is_refused)
{
    begin(UINT16_MAX);
    cr_assert_eq(tri_urgent_life(&urgent), UINT16_MAX);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 0), TRI_PUSH_CLOSED);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, UINT16_MAX - 1),
                 TRI_PUSH_CLOSED);
    cr_assert_not(tri_urgent_is_waiting(&urgent));
}

Test(urgent, the_next_incarnation_keeps_notices_and_drops_signals)
{
    begin(4);
    tri_urgent_push(&urgent, &lane, notice(0));
    tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 4);
    tri_urgent_renew(&urgent, 5);
    cr_assert_eq(tri_urgent_life(&urgent), 5);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 4), TRI_PUSH_CLOSED);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_KILL, 5), TRI_PUSH_QUEUED);
    struct tri_urgent_found found = tri_urgent_take(&urgent, &lane);
    cr_assert_eq(found.signals, TRI_SIGNAL_KILL);
    expect_notices(found.notices, 0, 1);
}

Test(urgent, close_keeps_what_was_left_and_refuses_the_rest)
{
    begin(1);
    tri_urgent_push(&urgent, &lane, notice(0));
    tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, 1);
    cr_assert_null(tri_lane_close(&lane));
    struct tri_urgent_found found = tri_urgent_close(&urgent);
    cr_assert_eq(found.signals, TRI_SIGNAL_STOP);
    expect_notices(found.notices, 0, 1);

    struct tri_message *late = notice(1);
    cr_assert_eq(tri_urgent_push(&urgent, &lane, late), TRI_PUSH_CLOSED);
    tri_message_free(late);
    cr_assert_eq(tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_KILL, 1), TRI_PUSH_CLOSED);
}

/* Between the close of the user lane and that of the urgent one a notice is still taken, and told
 * as queued: its closer finds it. */
Test(urgent, a_notice_between_the_two_closes_is_found)
{
    begin(1);
    cr_assert_null(tri_lane_close(&lane));
    cr_assert_eq(tri_urgent_push(&urgent, &lane, notice(0)), TRI_PUSH_QUEUED);
    expect_notices(tri_urgent_close(&urgent).notices, 0, 1);
}
