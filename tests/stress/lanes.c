/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The two lanes of an actor under real threads, everything accounted for.
 *
 * What. Pushers send numbered messages, an alerter sends notices, a stopper ends the actor's life
 * now and then and the slot is opened again at once; two workers run the actor whenever a WAKE made
 * a token for it. A third of the messages is detached and settled later; from time to time the
 * actor is held until the next notice.
 *
 * Demanded: accepted = handled + stale + returned by a close; every notice found or refused; no
 * message out of its sender's order; a stop reaches the life it was meant for; never two workers
 * at once; at the end the lane is empty. A run that stands still for half a minute has failed.
 *
 * Usage: lanes [--pushers N] [--capacity N] [--messages N] [--seed N] [--rounds N]
 * Without --pushers and --capacity it goes through 1, 2, 4, 8 pushers and five capacities.
 */

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ck.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/thread.h"
#include "mailbox/lane.h"
#include "mailbox/message.h"
#include "mailbox/urgent.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MESSAGES 40000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MESSAGES 40000
#endif
#endif
#ifndef MESSAGES
#define MESSAGES 100000
#endif

enum { PUSHERS_MAX = 64, WORKERS = 2, ASIDE_MAX = 64, NOTICES = 500, LIVES = 20, PATIENCE_S = 30 };

struct setup {
    int pushers;
    uint32_t capacity;
    int messages;  /* of all pushers together */
    bool has_lives;
    uint64_t seed;
};

static struct setup setup;
static struct tri_lane lane;
static struct tri_urgent urgent;

/* any thread */
static uint64_t tokens;
static uint64_t accepted;
static uint64_t refused;
static uint64_t noticed;
static uint32_t generation;
static uint32_t ref;       /* the generation that others know: set when that life can be reached */
static uint32_t aimed_at;  /* the life that the stopper's last signal names */
static uint32_t is_over;
static uint32_t running;

/* whoever runs the actor; counts are read by others */
static struct {
    uint64_t handled;
    uint64_t returned;
    uint64_t stale;
    uint64_t holds;
    uint64_t seen;
    uint16_t life;
    bool is_held;
    struct tri_message *aside[ASIDE_MAX];
    int aside_count;
    int64_t last_seen[PUSHERS_MAX];
} actor;

#define MUST(condition)                                                                            \
    ((condition) ? (void)0 : give_up(__LINE__, #condition))

static void give_up(int line, const char *what)
{
    fprintf(stderr,
            "lanes.c:%d: %s\n  pushers %d capacity %u messages %d lives %d seed %llu\n"
            "  accepted %llu handled %llu returned %llu stale %llu refused %llu noticed %llu "
            "tokens %llu word %llx\n",
            line, what, setup.pushers, setup.capacity, setup.messages, setup.has_lives,
            (unsigned long long)setup.seed, (unsigned long long)tri_load_relaxed_64(&accepted),
            (unsigned long long)tri_load_relaxed_64(&actor.handled),
            (unsigned long long)tri_load_relaxed_64(&actor.returned),
            (unsigned long long)tri_load_relaxed_64(&actor.stale),
            (unsigned long long)tri_load_relaxed_64(&refused),
            (unsigned long long)tri_load_relaxed_64(&noticed),
            (unsigned long long)tri_load_relaxed_64(&tokens),
            (unsigned long long)tri_load_relaxed_64(&lane.word));
    abort();
}

/* ---- tokens: what a scheduler would do ---- */

static void schedule(void)
{
    /* release: what the scheduling thread did; pairs with the acquire in take_token. */
    tri_fetch_add_acq_rel_64(&tokens, 1);
}

static bool take_token(void)
{
    uint64_t seen = tri_load_relaxed_64(&tokens);

    while (seen > 0) {
        if (tri_cas_acq_rel_64(&tokens, &seen, seen - 1))
            return true;
    }
    return false;
}

/* ---- those outside ---- */

struct sender {
    pthread_t thread;
    struct tri_random random;
    int number;
    uint32_t generation;  /* as it was some messages ago: what is sent meanwhile is stale */
};

static void push_one(struct sender *me, int64_t number)
{
    struct tri_message *message = tri_message_new(tri_thread_self(), 40, false);

    MUST(message != NULL);
    message->sender = (uint32_t)me->number;
    if (number % 16 == 0)
        me->generation = tri_load_acquire_32(&generation);
    message->generation = me->generation;
    if (tri_random_below(&me->random, 7) == 0)
        message->flags |= TRI_MESSAGE_SOLICITED;
    memcpy(tri_message_payload(message), &number, sizeof(number));

    enum tri_push answer = tri_lane_push(&lane, message, setup.capacity);
    if (answer == TRI_PUSH_QUEUED || answer == TRI_PUSH_WAKE) {
        tri_fetch_add_relaxed_64(&accepted, 1);
        if (answer == TRI_PUSH_WAKE)
            schedule();
        return;
    }
    MUST(answer == TRI_PUSH_FULL || setup.has_lives);
    tri_fetch_add_relaxed_64(&refused, 1);
    tri_message_free(message);
    if (tri_random_below(&me->random, 2) == 0)
        sched_yield();
}

static void *run_pusher(void *context)
{
    struct sender *me = context;

    for (int64_t i = 0; i < setup.messages / setup.pushers; i++)
        push_one(me, i);
    return NULL;
}

static void *run_alerter(void *context)
{
    struct sender *me = context;

    for (int i = 0; i < NOTICES; i++) {
        struct tri_message *notice = tri_message_new(tri_thread_self(), 8, false);
        MUST(notice != NULL);
        enum tri_push answer = tri_urgent_push(&urgent, &lane, notice);
        if (answer == TRI_PUSH_WAKE)
            schedule();
        if (answer == TRI_PUSH_CLOSED) {
            MUST(setup.has_lives);
            tri_message_free(notice);
            tri_fetch_add_acq_rel_64(&noticed, 1);
        }
        if (tri_random_below(&me->random, 4) == 0)
            sched_yield();
    }
    return NULL;
}

static void *run_stopper(void *context)
{
    (void)context;
    int64_t patience = tri_clock_system() + PATIENCE_S * TRI_NS_PER_S;

    for (int i = 0; i < LIVES; i++) {
        /* acquire: its life stands in the urgent lane; pairs with the release in begin_life. */
        uint32_t known = tri_load_acquire_32(&ref);
        uint16_t life = tri_urgent_life(&urgent);
        if (tri_load_acquire_32(&generation) != known)
            continue;
        tri_store_release_32(&aimed_at, life);
        enum tri_push answer = tri_urgent_signal(&urgent, &lane, TRI_SIGNAL_STOP, life);
        if (answer == TRI_PUSH_WAKE)
            schedule();
        while (answer != TRI_PUSH_CLOSED && tri_load_acquire_32(&generation) == known) {
            MUST(tri_clock_system() < patience);
            sched_yield();
        }
    }
    return NULL;
}

/* ---- the actor ---- */

static void count(uint64_t *counter)
{
    tri_store_relaxed_64(counter, *counter + 1);
}

static void expect_order(const struct tri_message *message)
{
    int64_t number;

    memcpy(&number, tri_message_payload(message), sizeof(number));
    MUST(message->sender < PUSHERS_MAX);
    MUST(number > actor.last_seen[message->sender]);
    actor.last_seen[message->sender] = number;
}

static void drop_aside(void)
{
    while (actor.aside_count > 0) {
        struct tri_message *message = actor.aside[--actor.aside_count];
        tri_lane_settle(&lane, message);
        memset(message, 0xEE, 64);
        message->size_class = TRI_POOL_64;
        tri_message_free(message);
    }
}

static void handle(struct tri_message *message)
{
    expect_order(message);
    actor.seen++;
    if (message->generation == tri_load_relaxed_32(&generation))
        count(&actor.handled);
    else
        count(&actor.stale);
    /* The notice that ends the hold must still be to come. */
    if (actor.seen % 701 == 0 && tri_load_relaxed_64(&noticed) + 2 < NOTICES) {
        actor.is_held = true;
        actor.holds++;
    }
    if (actor.seen % 3 != 0) {
        tri_lane_done(&lane, message);
        return;
    }
    tri_lane_detach(&lane, message);
    actor.aside[actor.aside_count++] = message;
    uint32_t most = setup.capacity / 4 < ASIDE_MAX ? setup.capacity / 4 : ASIDE_MAX;
    if ((uint32_t)actor.aside_count >= most)
        drop_aside();
}

static void see_notices(struct tri_message *notices)
{
    while (notices != NULL) {
        struct tri_message *notice = notices;
        notices = notice->next;
        tri_message_free(notice);
        actor.is_held = false;
        tri_fetch_add_acq_rel_64(&noticed, 1);
    }
}

static void begin_life(void)
{
    actor.life++;
    actor.is_held = false;
    tri_lane_open(&lane, setup.capacity);
    tri_urgent_open(&urgent, actor.life);
    /* release: the open lanes; pairs with the acquire in run_stopper. */
    tri_store_release_32(&ref, generation);
    schedule();
}

static void end_life(void)
{
    drop_aside();
    /* release: pairs with the acquire of senders and the stopper. */
    tri_store_release_32(&generation, generation + 1);
    struct tri_message *unhandled = tri_lane_close(&lane);
    while (unhandled != NULL) {
        struct tri_message *message = unhandled;
        unhandled = message->next;
        expect_order(message);
        tri_message_free(message);
        count(&actor.returned);
    }
    see_notices(tri_urgent_close(&urgent).notices);
    tri_store_release_32(&running, 0);
    begin_life();
}

/* Returns whether this life ended. */
static bool look(void)
{
    struct tri_urgent_found found = tri_urgent_take(&urgent, &lane);

    see_notices(found.notices);
    if (found.signals == 0)
        return false;
    MUST(found.signals == TRI_SIGNAL_STOP);
    MUST(tri_load_acquire_32(&aimed_at) == actor.life);
    end_life();
    return true;
}

static void turn(void)
{
    bool must_look = false;

    MUST(tri_exchange_acq_rel_32(&running, 1) == 0);
    for (;;) {
        if (must_look || tri_urgent_is_waiting(&urgent)) {
            must_look = false;
            if (look())
                return;
        }
        struct tri_message *message = actor.is_held ? NULL : tri_lane_next(&lane);
        if (message != NULL) {
            handle(message);
            continue;
        }
        if (!actor.is_held)
            drop_aside();
        tri_store_release_32(&running, 0);
        enum tri_sleep sleep = actor.is_held ? tri_lane_hold(&lane) : tri_lane_rest(&lane);
        if (sleep == TRI_SLEEP_ASLEEP)
            return;
        must_look = sleep == TRI_SLEEP_ALERTED;
        MUST(tri_exchange_acq_rel_32(&running, 1) == 0);
    }
}

static void *run_worker(void *context)
{
    (void)context;
    while (!tri_load_acquire_32(&is_over)) {
        if (take_token())
            turn();
        else
            sched_yield();
    }
    return NULL;
}

/* ---- one run ---- */

static uint64_t accounted_for(void)
{
    return tri_load_relaxed_64(&actor.handled) + tri_load_relaxed_64(&actor.returned) +
           tri_load_relaxed_64(&actor.stale);
}

static void wait_until_quiet(void)
{
    int64_t patience = tri_clock_system() + PATIENCE_S * TRI_NS_PER_S;

    while (accounted_for() != tri_load_relaxed_64(&accepted) ||
           tri_load_acquire_64(&noticed) != NOTICES || tri_load_acquire_64(&tokens) != 0 ||
           tri_load_acquire_32(&running) != 0) {
        MUST(tri_clock_system() < patience);
        sched_yield();
    }
}

static void begin(const struct setup *given)
{
    setup = *given;
    memset(&lane, 0, sizeof(lane));
    memset(&urgent, 0, sizeof(urgent));
    memset(&actor, 0, sizeof(actor));
    memset(actor.last_seen, -1, sizeof(actor.last_seen));
    tokens = accepted = refused = noticed = 0;
    is_over = running = 0;
    generation = 1;
    actor.life = (uint16_t)given->seed;
    begin_life();
}

static void start(struct sender *sender, int number, void *(*run)(void *))
{
    sender->number = number;
    tri_random_seed(&sender->random, setup.seed + (uint64_t)number);
    MUST(pthread_create(&sender->thread, NULL, run, sender) == 0);
}

static void run(const struct setup *given)
{
    static struct sender senders[PUSHERS_MAX + 2];
    static struct sender workers[WORKERS];
    int count_of_senders = given->pushers + 1 + given->has_lives;
    int64_t began = tri_clock_system();

    begin(given);
    for (int i = 0; i < WORKERS; i++)
        start(&workers[i], i, run_worker);
    for (int i = 0; i < count_of_senders; i++)
        start(&senders[i], i,
              i < given->pushers    ? run_pusher
              : i == given->pushers ? run_alerter
                                    : run_stopper);
    for (int i = 0; i < count_of_senders; i++)
        pthread_join(senders[i].thread, NULL);
    wait_until_quiet();
    tri_store_release_32(&is_over, 1);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);

    MUST(tri_lane_depth(&lane) == 0);
    MUST(!tri_urgent_is_waiting(&urgent));
    MUST(accepted + refused == (uint64_t)(given->messages / given->pushers * given->pushers));
    MUST(accepted == actor.handled + actor.returned + actor.stale);
    printf("pushers %d capacity %5u lives %2u: accepted %7llu handled %7llu returned %5llu "
           "stale %4llu held %3llu, %5.0f ms\n",
           setup.pushers, setup.capacity, (unsigned)generation, (unsigned long long)accepted,
           (unsigned long long)actor.handled, (unsigned long long)actor.returned,
           (unsigned long long)actor.stale, (unsigned long long)actor.holds,
           (double)(tri_clock_system() - began) / (double)TRI_NS_PER_MS);
    fflush(stdout);
}

static long long number_after(int argc, char **argv, const char *option, long long otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], option) == 0)
            return atoll(argv[i + 1]);
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    static const int all_pushers[] = { 1, 2, 4, 8 };
    static const uint32_t all_capacities[] = { 1, 5, 1024, TRI_LANE_CAPACITY_MAX,
                                               TRI_LANE_NO_LIMIT };
    long long pushers = number_after(argc, argv, "--pushers", 0);
    long long capacity = number_after(argc, argv, "--capacity", -1);
    long long messages = number_after(argc, argv, "--messages", MESSAGES);
    long long seed = number_after(argc, argv, "--seed", 1);
    long long rounds = number_after(argc, argv, "--rounds", 1);

    if (pushers < 0 || pushers > PUSHERS_MAX || capacity > (long long)TRI_LANE_CAPACITY_MAX) {
        fprintf(stderr, "lanes: at most %d pushers and a capacity of %u\n", PUSHERS_MAX,
                TRI_LANE_CAPACITY_MAX);
        return 2;
    }
    for (long long i = 0; i < rounds * 40; i++) {
        struct setup one = {
            .pushers = pushers > 0 ? (int)pushers : all_pushers[i / 2 % 4],
            .capacity = capacity >= 0 ? (uint32_t)capacity : all_capacities[i / 8 % 5],
            .messages = (int)messages,
            .has_lives = i % 2 == 1,
            .seed = (uint64_t)(seed + i),
        };
        run(&one);
    }
    return 0;
}
