/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c mailbox/lane.c mailbox/urgent.c */

/*
 * The two lanes of an actor: pushers, an alerter, senders of a stop, somebody who asks for the
 * depth, and two workers that run the actor whenever a WAKE made a token for it.
 *
 * What is demanded, in every set-up: the actor is run by one worker at a time; nothing is handled
 * twice, out of its sender's order, or after it was freed; what was accepted was handled, returned
 * by the close, or found stale; what was left in the urgent lane is found; a bound is kept and
 * nobody is refused by an empty lane; a stop reaches the life it was meant for or none; at the end
 * the actor sleeps, the lane counts nothing, and every message is free.
 */

#include "explorer.h"

#include <string.h>

#include "base/ck.h"
#include "mailbox/lane.h"
#include "mailbox/message.h"
#include "mailbox/urgent.h"

enum { PUSHERS_MAX = 3, MESSAGES_MAX = 8, NOTICES_MAX = 2, ASIDE_MAX = 2, FIRST_LIFE = 7 };

struct setup {
    int pushers;
    int each;          /* messages a pusher sends */
    int solicited;     /* of a pusher's messages, those that are */
    int notices;
    uint32_t limit;    /* TRI_LANE_NO_LIMIT: none */
    int aside;         /* messages the actor detaches and keeps at one time */
    bool keeps;        /* asleep, too */
    int stoppers;
    bool holds;        /* after its first message the actor is held until a notice comes */
    bool reopens;      /* after a stop the slot gets its next life */
    bool renews;       /* at its first message the actor crashes: the next incarnation */
    bool looks;        /* somebody asks for the depth */
    bool inspects;     /* the actor looks at all that it has, before it takes any */
};

enum place { FREE, SENDER, LANE, HAND, ASIDE, SPENT };

static const struct setup *setup;
static struct tri_lane lane;
static struct tri_urgent urgent;
static uint32_t generation;  /* of whoever lives here; all refs are of the first */
static int tokens;           /* the actor's schedulings */
static int others_left;      /* threads that are no workers */

static struct {
    _Alignas(64) struct tri_message message;
} pool[MESSAGES_MAX], notices[NOTICES_MAX];
static enum place place[MESSAGES_MAX];
static struct tri_message *free_list;

static struct {
    int running;
    bool is_held;
    bool was_held;
    bool has_ended;
    uint16_t life;
    struct tri_message *aside[ASIDE_MAX];
    int aside_count;
    int last_seen[PUSHERS_MAX];
} actor;

static struct {
    int accepted;
    int handled;
    int returned;  /* by the close */
    int stale;     /* met the next life */
    int counted;   /* those that a bound counts: accepted … */
    int settled;   /* … and done */
    int published; /* of those, the ones done when the actor last fell asleep */
    int refused;
    int notices_seen;
    int peak[PUSHERS_MAX];  /* the largest depth that pusher may have seen in its push */
    bool aimed_at[8];       /* lives that a stop was sent to, by their low bits */
} count;

/* ---- messages ---- */

static int number_of(const struct tri_message *message)
{
    return (int)(((const char *)message - (const char *)pool) / (ptrdiff_t)sizeof(pool[0]));
}

static void put(struct tri_message *message)
{
    explorer_forget(message);
    place[number_of(message)] = FREE;
    message->next = free_list;
    free_list = message;
}

/* What the lane calls. */
void tri_message_free(struct tri_message *message)
{
    EXPECT(place[number_of(message)] == SPENT);
    put(message);
}

static struct tri_message *get(int sender, int number)
{
    struct tri_message *message = free_list;

    EXPECT(message != NULL);
    EXPECT(place[number_of(message)] == FREE);
    free_list = message->next;
    message->sender = (uint32_t)sender;
    message->tag = (uint32_t)number;
    message->flags = number < setup->solicited ? TRI_MESSAGE_SOLICITED : 0;
    message->generation = 1;
    return message;
}

static bool is_counted(const struct tri_message *message)
{
    return !(message->flags & TRI_MESSAGE_SOLICITED);
}

/* ---- those outside ---- */

static void schedule(void)
{
    explorer_hand_over(); /* as a run queue does */
    tokens++;
}

static void deeper(void)
{
    count.counted++;
    for (int i = 0; i < setup->pushers; i++) {
        if (count.counted - count.published > count.peak[i])
            count.peak[i] = count.counted - count.published;
    }
    if (setup->limit != TRI_LANE_NO_LIMIT)
        EXPECT(count.counted - count.settled <= (int)setup->limit);
}

static void push_one(int me, struct tri_message *message)
{
    bool counted = is_counted(message);

    explorer_touch(message);
    place[number_of(message)] = LANE;
    count.peak[me] = count.counted - count.published;
    enum tri_push answer = TRI_PUSH_WAKE;
    if (!counted || !tri_lane_push_asleep(&lane, message)) {
        if (counted && tri_lane_push_awake(&lane, message, setup->limit))
            answer = TRI_PUSH_QUEUED;
        else
            answer = tri_lane_push(&lane, message, setup->limit);
    }
    if (answer == TRI_PUSH_QUEUED || answer == TRI_PUSH_WAKE) {
        count.accepted++;
        if (answer == TRI_PUSH_WAKE)
            schedule();
        if (counted)
            deeper();
        return;
    }
    if (answer == TRI_PUSH_FULL) {
        EXPECT(counted);
        EXPECT(count.peak[me] >= (int)setup->limit);
    } else {
        EXPECT(setup->stoppers > 0);
    }
    count.refused++;
    put(message);
}

static void pusher(int me)
{
    for (int i = 0; i < setup->each; i++)
        push_one(me, get(me, i));
    others_left--;
}

static void alerter(int number)
{
    (void)number;
    for (int i = 0; i < setup->notices; i++) {
        explorer_touch(&notices[i].message);
        enum tri_push answer = tri_urgent_push(&urgent, &lane, &notices[i].message);
        if (answer == TRI_PUSH_WAKE)
            schedule();
        if (answer == TRI_PUSH_CLOSED) {
            EXPECT(setup->stoppers > 0);
            count.notices_seen++;
        }
    }
    others_left--;
}

static void stopper(int number)
{
    (void)number;
    uint16_t life = tri_urgent_life(&urgent);

    if (tri_load_relaxed_32(&generation) == 1) {
        count.aimed_at[life % 8] = true;
        if (tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, life) == TRI_PUSH_WAKE)
            schedule();
    }
    others_left--;
}

static void onlooker(int number)
{
    (void)number;
    for (int i = 0; i < 2; i++)
        EXPECT(tri_lane_depth(&lane) <= setup->limit);
    others_left--;
}

/* ---- the actor ---- */

static void settle(const struct tri_message *message)
{
    if (is_counted(message))
        count.settled++;
}

static void drop_aside(void)
{
    struct tri_message *message = actor.aside[0];

    actor.aside_count--;
    memmove(&actor.aside[0], &actor.aside[1], (size_t)actor.aside_count * sizeof(actor.aside[0]));
    EXPECT(place[number_of(message)] == ASIDE);
    settle(message);
    tri_lane_settle(&lane, message);
    place[number_of(message)] = SPENT;
    tri_message_free(message);
}

static void put_aside(struct tri_message *message)
{
    if (actor.aside_count == setup->aside)
        drop_aside();
    place[number_of(message)] = ASIDE;
    tri_lane_detach(&lane, message);
    EXPECT(place[number_of(message)] == ASIDE);
    actor.aside[actor.aside_count++] = message;
}

static void handle(struct tri_message *message)
{
    explorer_touch(message);
    EXPECT(place[number_of(message)] == LANE);
    place[number_of(message)] = HAND;
    if (message->generation != tri_load_relaxed_32(&generation)) {
        count.stale++;
        return;
    }
    EXPECT((int)message->tag > actor.last_seen[message->sender]);
    actor.last_seen[message->sender] = (int)message->tag;
    count.handled++;
    if (setup->holds && !actor.was_held && count.notices_seen < setup->notices)
        actor.is_held = actor.was_held = true;
    if (setup->renews && actor.life == FIRST_LIFE)
        tri_urgent_renew(&urgent, ++actor.life);
}

static void finish(struct tri_message *message)
{
    EXPECT(place[number_of(message)] == HAND);
    if (setup->aside > 0) {
        put_aside(message);
        return;
    }
    settle(message);
    place[number_of(message)] = SPENT;
    tri_lane_done(&lane, message);
}

static void see_notices(struct tri_message *notice)
{
    for (; notice != NULL; notice = notice->next) {
        explorer_touch(notice);
        count.notices_seen++;
        actor.is_held = false;
    }
}

static void take_back(struct tri_message *unhandled)
{
    while (unhandled != NULL) {
        struct tri_message *message = unhandled;
        unhandled = message->next;
        explorer_touch(message);
        EXPECT(place[number_of(message)] == LANE);
        place[number_of(message)] = SPENT;
        count.returned++;
        settle(message);
        tri_message_free(message);
    }
}

static void begin_life(void)
{
    tri_lane_open(&lane, setup->limit);
    tri_urgent_open(&urgent, ++actor.life);
    actor.is_held = false;
    tri_fence_full();  /* a run queue would publish it; a token is seen at once */
    schedule();
}

static void end_life(void)
{
    EXPECT(generation == 1);
    /* release: pairs with the load in stopper. */
    tri_store_release_32(&generation, generation + 1);
    while (actor.aside_count > 0)
        drop_aside();
    take_back(tri_lane_close(&lane));
    see_notices(tri_urgent_close(&urgent).notices);
    actor.running--;
    if (setup->reopens)
        begin_life();
    else
        actor.has_ended = true;
}

/* Returns whether the actor ended. */
static bool look(void)
{
    struct tri_urgent_found found = tri_urgent_take(&urgent, &lane);

    see_notices(found.notices);
    if (found.signals == 0)
        return false;
    EXPECT(count.aimed_at[actor.life % 8]);
    if (setup->renews)
        return false;
    EXPECT(actor.life == FIRST_LIFE);
    end_life();
    return true;
}

/* Whether the actor sleeps; if not, whether it must look first. */
static bool fell_asleep(bool *ret_must_look)
{
    /* Once asleep it may be run by the other worker: nothing of the actor is touched then. */
    int settled = count.settled;
    actor.running--;
    enum tri_sleep sleep = actor.is_held ? tri_lane_hold(&lane) : tri_lane_rest(&lane);
    if (sleep == TRI_SLEEP_ASLEEP) {
        if (settled > count.published)
            count.published = settled;
        return true;
    }
    actor.running++;
    *ret_must_look = sleep == TRI_SLEEP_ALERTED;
    return false;
}

/* The end of a usual turn: whether the actor sleeps. */
static bool fell_asleep_after(struct tri_message *message, uint64_t word)
{
    settle(message);
    place[number_of(message)] = SPENT;
    int settled = count.settled;
    actor.running--;
    if (tri_lane_rest_lone(&lane, message, word)) {
        if (settled > count.published)
            count.published = settled;
        tri_message_free(message);
        return true;
    }
    actor.running++;
    return false;
}

/* Whether the whole turn was a usual one. */
static bool usual_turn(void)
{
    uint64_t word;
    struct tri_message *message = actor.is_held ? NULL : tri_lane_next_lone(&lane, &word);

    if (message == NULL)
        return false;
    EXPECT(actor.running == 1);
    handle(message);
    if (is_counted(message) && !actor.is_held && setup->aside == 0)
        return fell_asleep_after(message, word);
    if (setup->aside == 0)
        tri_lane_not_lone(&lane, message);
    finish(message);
    return false;
}

static void inspect(void *context, const struct tri_message *message)
{
    (void)context;
    explorer_touch(message);
    EXPECT(place[number_of(message)] == LANE);
}

static void turn(void)
{
    bool must_look = false;

    explorer_touch(&actor);
    actor.running++;
    if (setup->inspects)
        EXPECT(tri_lane_look(&lane, inspect, NULL) <= MESSAGES_MAX);
    if (usual_turn())
        return;
    for (;;) {
        EXPECT(actor.running == 1);
        if (must_look || tri_urgent_is_waiting(&urgent)) {
            must_look = false;
            if (look())
                return;
        }
        struct tri_message *message = actor.is_held ? NULL : tri_lane_next(&lane);
        if (message != NULL) {
            handle(message);
            finish(message);
            continue;
        }
        while (!setup->keeps && !actor.is_held && actor.aside_count > 0)
            drop_aside();
        if (fell_asleep(&must_look))
            return;
    }
}

static bool is_over(void)
{
    return others_left == 0 && tokens == 0 && actor.running == 0 &&
           count.notices_seen == setup->notices &&
           count.accepted == count.handled + count.returned + count.stale;
}

static bool has_work(void *context)
{
    (void)context;
    return tokens > 0 || is_over();
}

static void worker(int number)
{
    (void)number;
    for (;;) {
        explorer_wait(has_work, NULL);
        if (tokens == 0)
            return;
        tokens--;
        turn();
    }
}

/* ---- one schedule ---- */

static void add(void (*run)(int number), int number)
{
    explorer_thread(run, number);
    others_left++;
}

static void add_threads(void)
{
    others_left = 0;
    for (int i = 0; i < setup->pushers; i++)
        add(pusher, i);
    if (setup->notices > 0)
        add(alerter, 0);
    for (int i = 0; i < setup->stoppers; i++)
        add(stopper, i);
    if (setup->looks)
        add(onlooker, 0);
    explorer_thread(worker, 0);
    explorer_thread(worker, 1);
}

static void start(const void *given)
{
    setup = given;
    memset(&lane, 0, sizeof(lane));
    memset(&urgent, 0, sizeof(urgent));
    memset(&actor, 0, sizeof(actor));
    memset(&count, 0, sizeof(count));
    memset(actor.last_seen, -1, sizeof(actor.last_seen));
    free_list = NULL;
    for (int i = setup->pushers * setup->each; i-- > 0;)
        put(&pool[i].message);
    generation = 1;
    tokens = 0;
    actor.life = FIRST_LIFE - 1;
    begin_life();
    add_threads();
    explorer_name(&lane.word, "lane.word");
    explorer_name(&lane.taken, "lane.taken");
    explorer_name(&urgent.word, "urgent.word");
    explorer_name(&generation, "generation");
}

static void check(void)
{
    EXPECT(is_over());
    while (actor.aside_count > 0)
        drop_aside();
    EXPECT(count.accepted + count.refused == setup->pushers * setup->each);
    EXPECT(setup->stoppers > 0 || count.accepted == count.handled);
    EXPECT(actor.has_ended || tri_lane_depth(&lane) == 0);
    EXPECT(!tri_urgent_is_waiting(&urgent));
    for (int i = 0; i < setup->pushers * setup->each; i++)
        EXPECT(place[i] == FREE);
}

#define MODEL(label, ...)                                                                          \
    {                                                                                              \
        .name = label, .start = start, .check = check, .bound = 2, .searched = 150000,             \
        .random = 6000, .setup = &(const struct setup){ __VA_ARGS__ }                            \
    }

static const struct explorer_model models[] = {
    MODEL("lane/two", .pushers = 2, .each = 2, .limit = 4),
    MODEL("lane/full", .pushers = 2, .each = 2, .limit = 1, .looks = true),
    MODEL("lane/three", .pushers = 3, .each = 1, .limit = 2, .notices = 1),
    MODEL("lane/alert", .pushers = 2, .each = 2, .limit = 2, .notices = 1),
    MODEL("lane/hold", .pushers = 2, .each = 2, .limit = 4, .notices = 1, .holds = true),
    MODEL("lane/hold-twice", .pushers = 1, .each = 2, .limit = 4, .notices = 2, .holds = true),
    MODEL("lane/inspect", .pushers = 2, .each = 2, .limit = 4, .inspects = true),
    MODEL("lane/aside", .pushers = 2, .each = 2, .limit = 3, .aside = 1),
    MODEL("lane/aside-two", .pushers = 2, .each = 2, .limit = 4, .aside = 2, .notices = 1),
    MODEL("lane/keeps", .pushers = 2, .each = 2, .limit = 2, .aside = 2, .keeps = true),
    MODEL("lane/solicited", .pushers = 2, .each = 2, .limit = 1, .solicited = 1, .looks = true),
    MODEL("lane/no-limit", .pushers = 2, .each = 3, .limit = TRI_LANE_NO_LIMIT),
    MODEL("lane/stop", .pushers = 2, .each = 2, .limit = 2, .notices = 1, .stoppers = 1),
    MODEL("lane/hold-stop", .pushers = 1, .each = 2, .limit = 4, .notices = 1, .holds = true,
          .stoppers = 1),
    MODEL("lane/reopen", .pushers = 2, .each = 2, .limit = 2, .notices = 1, .stoppers = 2,
          .reopens = true),
    MODEL("lane/reopen-aside", .pushers = 2, .each = 2, .limit = 2, .aside = 1, .stoppers = 1,
          .reopens = true),
    MODEL("lane/renew", .pushers = 1, .each = 2, .limit = 2, .notices = 1, .stoppers = 1,
          .renews = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
