/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Storms of life and death: actors spawn, stop, kill, exit, suspend, resume, link, unlink, monitor,
 * demonitor, name and trap each other by chance, while outside threads do the same. One observer
 * monitors every one of them: it learns of each end exactly once, and the books balance.
 */

#include "support/stress.h"

#include <errno.h>

enum { PLACES = 64, PULSES = 4, THREADS = 2, TOKENS = 4 };

struct storm_live    { uint32_t random; };
struct storm_observe { tr_ref who; };
struct storm_pulse   { uint32_t unused; };

#define STORM_MESSAGES(M) M(storm_live) M(storm_observe) M(storm_pulse)
TR_PROTOCOL(storm, 9103, STORM_MESSAGES);

/* ---- who is thought to live: refs at places, overwritten by chance ---- */

static struct {
    pthread_mutex_t lock;
    tr_ref refs[PLACES];
} town = { .lock = PTHREAD_MUTEX_INITIALIZER };

static tr_ref someone(uint64_t *random)
{
    uint32_t place = stress_below(random, PLACES);

    pthread_mutex_lock(&town.lock);
    tr_ref who = town.refs[place];
    pthread_mutex_unlock(&town.lock);
    return who;
}

/* Returns who had the place. */
static tr_ref settle(uint64_t *random, tr_ref who)
{
    uint32_t place = stress_below(random, PLACES);

    pthread_mutex_lock(&town.lock);
    tr_ref before = town.refs[place];
    town.refs[place] = who;
    pthread_mutex_unlock(&town.lock);
    return before;
}

/* ---- the observer ---- */

static tr_ref observer;

static struct {
    pthread_mutex_t lock;
    uint64_t observed;
    uint64_t downs;
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct observer { uint64_t unused; };

TR_ON(observer, storm_observe, self, me, msg)
{
    tr_token token;

    STRESS_OK(tr_monitor(self, msg->who, &token));
    pthread_mutex_lock(&seen.lock);
    seen.observed++;
    pthread_mutex_unlock(&seen.lock);
    return TR_OK;
}

TR_ON(observer, tr_down, self, me, msg)
{
    pthread_mutex_lock(&seen.lock);
    seen.downs++;
    pthread_mutex_unlock(&seen.lock);
    return TR_OK;
}

static const tr_actor_type observer_actor = {
    TR_STATE(observer), .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(observer, storm_observe), TR_HANDLES(observer, tr_down)),
};

/* ---- citizens ---- */

struct citizen { uint64_t random; uint32_t tokens; tr_token monitors[TOKENS]; };

static const tr_actor_type citizen_actor;

static int bring_up(tr_self *self, struct citizen *me)
{
    tr_spawn_options options = { .link = stress_below(&me->random, 4) == 0,
                                 .monitor = stress_below(&me->random, 4) == 0 };
    tr_ref child = stress_ref(
        tr_spawn_with(self, &options, citizen, .random = stress_random(&me->random)));

    STRESS_OK(tr_send(self, observer, storm_observe, .who = child));
    tr_ref before = settle(&me->random, child);
    if (tr_ref_is_some(before))
        (void)tr_stop(self, before);  /* so that there are not more and more of them */
    return TR_OK;
}

static int exchange_monitors(tr_self *self, struct citizen *me)
{
    uint32_t i = me->tokens++ % TOKENS;

    if (me->tokens > TOKENS)
        (void)tr_demonitor(self, me->monitors[i], stress_below(&me->random, 2) == 0);
    STRESS_OK(tr_monitor(self, someone(&me->random), &me->monitors[i]));
    return TR_OK;
}

static int name_someone(tr_self *self, struct citizen *me)
{
    char name[8];

    snprintf(name, sizeof name, "n%u", stress_below(&me->random, 16));
    (void)tr_name(self, someone(&me->random), name);
    tr_ref found = tr_lookup(self, name);
    if (tr_ref_is_some(found))
        (void)tr_send(self, found, storm_live, .random = 0);
    return TR_OK;
}

static int exit_someone(tr_self *self, struct citizen *me)
{
    tr_reason reason = { .kind = stress_below(&me->random, 2) ? TR_ERROR : TR_NORMAL,
                         .code = -ECANCELED };

    (void)tr_exit(self, someone(&me->random), &reason);
    return TR_OK;
}

static int touch_someone(tr_self *self, struct citizen *me)
{
    tr_ref other = someone(&me->random);

    switch (stress_below(&me->random, 8)) {
    case 0:
        (void)tr_stop(self, other);
        break;
    case 1:
        (void)tr_kill(self, other);
        break;
    case 2:
        (void)tr_suspend(self, other);
        break;
    case 3:
        (void)tr_resume(self, other);
        break;
    case 4:
        STRESS_OK(tr_link(self, other));
        break;
    case 5:
        (void)tr_unlink(self, other);
        break;
    case 6:
        return exit_someone(self, me);
    default:
        (void)tr_send(self, other, storm_live, .random = 0);
    }
    return TR_OK;
}

TR_ON(citizen, storm_live, self, me, msg)
{
    switch (stress_below(&me->random, 12)) {
    case 0:
    case 1:
    case 2:
        return bring_up(self, me);
    case 3:
        return exchange_monitors(self, me);
    case 4:
        return name_someone(self, me);
    case 5:
        return tr_trap(self, stress_below(&me->random, 2) == 0);
    case 6:
        return stress_below(&me->random, 8) == 0 ? TR_STOP : TR_OK;
    case 7:
        return stress_below(&me->random, 8) == 0 ? -EIO : TR_OK;
    default:
        return touch_someone(self, me);
    }
}

TR_OTHERWISE(citizen, self, me, msg)
{
    return TR_OK;  /* downs and exits of others */
}

static const tr_actor_type citizen_actor = {
    TR_STATE(citizen), .on = TR_TABLE(TR_HANDLES(citizen, storm_live)),
    .otherwise = TR_ANYTHING_ELSE(citizen), .capacity = 128,
};

/* ---- what drives them ---- */

static struct stress_latch done = STRESS_LATCH(0);

struct pulse { uint64_t random; uint64_t left; };

TR_ON(pulse, storm_pulse, self, me, msg)
{
    for (int i = 0; i < 20 && me->left > 0; i++, me->left--)
        (void)tr_send(self, someone(&me->random), storm_live, .random = 0);
    if (me->left > 0)
        return tr_send(self, tr_me(self), storm_pulse, .unused = 0);
    stress_latch_down(&done);
    return TR_STOP;
}

static const tr_actor_type pulse_actor = {
    TR_STATE(pulse), .on = TR_TABLE(TR_HANDLES(pulse, storm_pulse)), .capacity = 4,
};

static tr_ref spawn_from_outside(tr_system *sys, uint64_t *random)
{
    tr_ref citizen = stress_ref(tr_spawn(sys, citizen, .random = stress_random(random)));

    STRESS_OK(tr_send(sys, observer, storm_observe, .who = citizen));
    return citizen;
}

static void settle_from_outside(tr_system *sys, uint64_t *random)
{
    tr_ref citizen = spawn_from_outside(sys, random);
    tr_ref before = settle(random, citizen);
    if (tr_ref_is_some(before))
        (void)tr_kill(sys, before);
}

struct outsider {
    tr_system *sys;
    uint64_t random;
    uint64_t left;
};

static void *run_outsider(void *arg)
{
    struct outsider *me = arg;

    for (; me->left > 0; me->left--) {
        tr_ref who = someone(&me->random);
        switch (stress_below(&me->random, 5)) {
        case 0:
            settle_from_outside(me->sys, &me->random);
            break;
        case 1:
            (void)tr_suspend(me->sys, who);
            (void)tr_send(me->sys, who, storm_live, .random = 0);
            (void)tr_resume(me->sys, who);
            break;
        case 2:
            (void)tr_stop(me->sys, who);
            break;
        default:
            (void)tr_send(me->sys, who, storm_live, .random = 0);
        }
    }
    stress_latch_down(&done);
    return NULL;
}

/* All that have a place; who was born meanwhile, and who is suspended without one, may live on. */
static void end_all(tr_system *sys)
{
    pthread_mutex_lock(&town.lock);
    for (int i = 0; i < PLACES; i++)
        (void)tr_kill(sys, town.refs[i]);
    pthread_mutex_unlock(&town.lock);
}

/* Everybody who was observed and has not been told to have ended is alive. */
static bool is_accounted(const tr_stats *stats)
{
    pthread_mutex_lock(&seen.lock);
    uint64_t missing = seen.observed - seen.downs;
    pthread_mutex_unlock(&seen.lock);
    return missing == stats->alive - 1;
}

/* Looks again as long as a loaded machine may have kept the observer from its mailbox. */
static tr_stats check(tr_system *sys)
{
    tr_stats stats = stress_quiet(sys);

    for (int i = 0; i < 100 && !is_accounted(&stats); i++)
        stats = stress_quiet(sys);
    if (!is_accounted(&stats)) {
        stress_print_stats(&stats);
        STRESS_CHECK(false, "%llu observed, %llu ended", (unsigned long long)seen.observed,
                     (unsigned long long)seen.downs);
    }
    return stats;
}

static void run(uint32_t workers, const struct stress *stress)
{
    tr_system *sys = stress_system(workers);
    uint64_t random = stress->seed * 1000 + workers;
    struct outsider outsiders[THREADS];
    pthread_t threads[THREADS];

    seen.observed = seen.downs = 0;
    observer = stress_ref(tr_spawn(sys, observer, .unused = 0));
    stress_latch_set(&done, PULSES + THREADS);
    for (int i = 0; i < PLACES; i++)
        town.refs[i] = spawn_from_outside(sys, &random);
    for (int i = 0; i < PULSES; i++) {
        tr_ref pulse = stress_ref(tr_spawn(sys, pulse, .random = stress_random(&random),
                                           .left = stress->rounds));
        STRESS_OK(tr_send(sys, pulse, storm_pulse, .unused = 0));
    }
    for (int i = 0; i < THREADS; i++) {
        outsiders[i] = (struct outsider){ sys, stress_random(&random), stress->rounds / 10 };
        STRESS_OK(pthread_create(&threads[i], NULL, run_outsider, &outsiders[i]));
    }
    stress_latch_await(&done);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    end_all(sys);
    tr_stats stats = check(sys);
    STRESS_OK(tr_system_stop(sys, TR_SEC(20)));
    printf("storm: %u workers: %llu lived, %llu are left, %llu messages\n", workers,
           (unsigned long long)seen.observed, (unsigned long long)stats.alive - 1,
           (unsigned long long)stats.accepted);
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 60000);

    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        run(workers, &stress);
    return 0;
}
