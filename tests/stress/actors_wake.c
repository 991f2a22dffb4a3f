/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Wake-ups, by the thousand: messages, timers, resumes and stops that meet an actor, a worker or a
 * whole system just as it falls asleep. Each is followed by a wait for what it must cause; one that
 * is lost never returns.
 */

#include "support/stress.h"

#include <errno.h>

enum { ACTORS = 8, THREADS = 3 };

struct wake_call  { uint32_t number; };
struct wake_relay { uint32_t hops; };
struct wake_later { uint32_t us; };
struct wake_ring  { uint32_t unused; };

#define WAKE_MESSAGES(M) M(wake_call) M(wake_relay) M(wake_later) M(wake_ring)
TR_PROTOCOL(wake, 9105, WAKE_MESSAGES);

struct sleeper { tr_caller caller; bool is_waiting; uint64_t calls; };

static tr_ref sleepers[ACTORS];
static const tr_ask_policy patient = { .timeout = TR_SEC(60) };

TR_ON(sleeper, wake_call, self, me, msg)
{
    me->calls++;
    return tr_reply_copy(self, wake_call, msg);
}

/* Goes round, each hop a wake-up, and is answered by the last one: a forwarded ask. */
TR_ON(sleeper, wake_relay, self, me, msg)
{
    me->calls++;
    if (me->calls % ACTORS == 0)
        return tr_reply_copy(self, wake_relay, msg);
    return tr_forward(self, sleepers[me->calls % ACTORS]);
}

/* Answered when a timer has woken it; at once, where it waits for one already. */
TR_ON(sleeper, wake_later, self, me, msg)
{
    if (me->is_waiting)
        return tr_reply_copy(self, wake_later, msg);
    me->is_waiting = true;
    STRESS_OK(tr_call_hold(self, &me->caller));
    return tr_timer_error(tr_after(self, TR_US(msg->us), wake_ring, .unused = 0));
}

TR_ON(sleeper, wake_ring, self, me, msg)
{
    me->is_waiting = false;
    return tr_answer(self, me->caller, wake_later, .us = 0);
}

static const tr_actor_type sleeper_actor = {
    TR_STATE(sleeper), .capacity = 256,
    .on = TR_TABLE(TR_HANDLES(sleeper, wake_call), TR_HANDLES(sleeper, wake_relay),
                   TR_HANDLES(sleeper, wake_later), TR_HANDLES(sleeper, wake_ring)),
};

struct caller {
    tr_system *sys;
    uint64_t random;
    uint64_t rounds;
};

static void spin(uint32_t turns)
{
    for (volatile uint32_t i = 0; i < turns; i++)
        continue;
}

static void call(struct caller *me, tr_ref who)
{
    struct wake_call question = { .number = (uint32_t)stress_random(&me->random) };
    struct wake_call answer = { .number = 0 };

    STRESS_OK(tr_ask_wait(me->sys, who, &patient, wake_call, &question, wake_call, &answer));
    STRESS_CHECK(answer.number == question.number, "another answer");
}

static void relay(struct caller *me, tr_ref who)
{
    struct wake_relay token = { .hops = 0 };

    STRESS_OK(tr_ask_wait(me->sys, who, &patient, wake_relay, &token, wake_relay, &token));
}

static void call_later(struct caller *me, tr_ref who)
{
    struct wake_later later = { .us = stress_below(&me->random, 2500) };

    STRESS_OK(tr_ask_wait(me->sys, who, &patient, wake_later, &later, wake_later, &later));
}

static void call_while_suspended(struct caller *me, tr_ref who)
{
    STRESS_OK(tr_suspend(me->sys, who));
    STRESS_OK(tr_resume(me->sys, who));
    call(me, who);
}

/* Born, asked and stopped: the end answers what comes too late. */
static void call_the_dying(struct caller *me)
{
    tr_ref who = stress_ref(tr_spawn(me->sys, sleeper, .calls = 0));
    struct wake_call question = { .number = 1 };
    struct wake_call answer;

    if (stress_below(&me->random, 2))
        STRESS_OK(tr_stop(me->sys, who));
    int err = tr_ask_wait(me->sys, who, &patient, wake_call, &question, wake_call, &answer);
    STRESS_CHECK(err == 0 || err == -ESRCH, "%s", tr_strerror(err));
    err = tr_stop(me->sys, who);
    STRESS_CHECK(err == 0 || err == -ESRCH, "%s", tr_strerror(err));
}

static void *run_caller(void *arg)
{
    struct caller *me = arg;

    for (uint64_t i = 0; i < me->rounds; i++) {
        tr_ref who = sleepers[stress_below(&me->random, ACTORS)];
        spin(stress_below(&me->random, 3) ? 0 : stress_below(&me->random, 100000));
        switch (stress_below(&me->random, 8)) {
        case 0:
            relay(me, who);
            break;
        case 1:
            call_while_suspended(me, who);
            break;
        case 2:
            call_the_dying(me);
            break;
        case 3:
            call_later(me, who);
            break;
        default:
            call(me, who);
        }
    }
    return NULL;
}

static void run(uint32_t workers, const struct stress *stress)
{
    tr_system *sys = stress_system(workers);
    uint64_t random = stress->seed * 1000 + workers;
    struct caller callers[THREADS];
    pthread_t threads[THREADS];

    for (uint32_t i = 0; i < ACTORS; i++)
        sleepers[i] = stress_ref(tr_spawn(sys, sleeper, .calls = i));
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){ sys, stress_random(&random), stress->rounds };
        STRESS_OK(pthread_create(&threads[i], NULL, run_caller, &callers[i]));
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    tr_stats stats = stress_quiet(sys);
    STRESS_CHECK(stats.alive == ACTORS, "%llu are alive", (unsigned long long)stats.alive);
    STRESS_OK(tr_system_stop(sys, TR_SEC(20)));
    printf("wake: %u workers: %llu messages, %llu wakes, %llu parks\n", workers,
           (unsigned long long)stats.handled, (unsigned long long)stats.wakes,
           (unsigned long long)stats.parks);
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 2000);

    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        run(workers, &stress);
    return 0;
}
