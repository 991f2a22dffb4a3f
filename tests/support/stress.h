/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_STRESS_H
#define TROUPE_TESTS_SUPPORT_STRESS_H

/*
 * What the stress programs of the actor layer have in common: arguments, chance, waiting, checking.
 *
 * Every program runs as NAME [SEED [ROUNDS]], for 1, 2, 4 and 8 workers, prints one line for each,
 * and ends with a message and status 1 when a figure is wrong or nothing moves any more.
 */

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <troupe/troupe.h>

#define STRESS_LIMIT_S 160
#define STRESS_QUIET_LOOKS 5

struct stress {
    uint64_t seed;
    uint64_t rounds;
};

#define STRESS_CHECK(holds, ...)                                                                   \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #holds);                            \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define STRESS_OK(error)                                                                           \
    do {                                                                                           \
        int stress_error_ = (error);                                                               \
        STRESS_CHECK(stress_error_ == 0, "%s", tr_strerror(stress_error_));                        \
    } while (0)

/* ---- chance (splitmix64) ---- */

TR_UNUSED static uint64_t stress_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

TR_UNUSED static uint32_t stress_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(stress_random(state) >> 33) % bound;
}

/* ---- the program ---- */

TR_UNUSED static void stress_on_alarm(int signal_number)
{
    static const char text[] = "stress: nothing moves any more\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

    (void)signal_number, (void)ignored;
    _exit(1);
}

/* Under ThreadSanitizer a program does a tenth. */
#ifdef TRI_CK_COMPILER
#define STRESS_ROUNDS(rounds) ((rounds) / 10 + 1)
#else
#define STRESS_ROUNDS(rounds) (rounds)
#endif

TR_UNUSED static struct stress stress_begin(int count, char **words, uint64_t rounds)
{
    struct stress stress = { .seed = 1, .rounds = STRESS_ROUNDS(rounds) };

    if (count > 1)
        stress.seed = strtoull(words[1], NULL, 10);
    if (count > 2)
        stress.rounds = strtoull(words[2], NULL, 10);
    if (stress.rounds == 0 || count > 3) {
        fprintf(stderr, "usage: %s [SEED [ROUNDS]]\n", words[0]);
        exit(2);
    }
    if (count <= 2) {
        signal(SIGALRM, stress_on_alarm);
        alarm(STRESS_LIMIT_S);
    }
    return stress;
}

TR_UNUSED static void stress_no_log(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

TR_UNUSED static tr_system *stress_system(uint32_t workers)
{
    tr_config config = { .workers = workers, .log = stress_no_log };
    tr_system *sys = NULL;

    STRESS_OK(tr_system_open(&config, &sys));
    return sys;
}

TR_UNUSED static tr_ref stress_ref(tr_ref ref)
{
    STRESS_OK(tr_ref_error(ref));
    return ref;
}

/* ---- waiting: a count that goes down ---- */

struct stress_latch {
    pthread_mutex_t lock;
    pthread_cond_t reached;
    uint64_t left;
};

#define STRESS_LATCH(count)                                                                        \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, (count)                               \
    }

TR_UNUSED static void stress_latch_set(struct stress_latch *latch, uint64_t count)
{
    pthread_mutex_lock(&latch->lock);
    latch->left = count;
    pthread_mutex_unlock(&latch->lock);
}

TR_UNUSED static void stress_latch_down(struct stress_latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    STRESS_CHECK(latch->left > 0, "more than were awaited");
    if (--latch->left == 0)
        pthread_cond_broadcast(&latch->reached);
    pthread_mutex_unlock(&latch->lock);
}

TR_UNUSED static void stress_latch_await(struct stress_latch *latch)
{
    pthread_mutex_lock(&latch->lock);
    while (latch->left > 0)
        pthread_cond_wait(&latch->reached, &latch->lock);
    pthread_mutex_unlock(&latch->lock);
}

/* ---- accounts ---- */

TR_UNUSED static bool stress_is_balanced(const tr_stats *s)
{
    return s->attempted == s->accepted + s->rejected &&
           s->accepted == s->handled + s->crashed + s->dead_letters + s->dropped + s->expired +
                              s->queued &&
           s->spawned == s->ended + s->alive;
}

TR_UNUSED static void stress_print_stats(const tr_stats *s)
{
    fprintf(stderr,
            "attempted %llu accepted %llu rejected %llu handled %llu crashed %llu dead %llu "
            "dropped %llu expired %llu queued %llu spawned %llu ended %llu alive %llu\n",
            (unsigned long long)s->attempted, (unsigned long long)s->accepted,
            (unsigned long long)s->rejected, (unsigned long long)s->handled,
            (unsigned long long)s->crashed, (unsigned long long)s->dead_letters,
            (unsigned long long)s->dropped, (unsigned long long)s->expired,
            (unsigned long long)s->queued, (unsigned long long)s->spawned,
            (unsigned long long)s->ended, (unsigned long long)s->alive);
}

/* Waits until nothing changes any more; the books must then balance, at the latest after 30 s. */
TR_UNUSED static tr_stats stress_quiet(tr_system *sys)
{
    tr_stats now = { .attempted = 0 };
    tr_stats before = { .attempted = UINT64_MAX };
    int equal = 0;

    for (int i = 0; i < 30000 && equal < STRESS_QUIET_LOOKS; i++) {
        STRESS_OK(tr_system_stats(sys, &now));
        bool same = now.attempted == before.attempted && now.handled == before.handled &&
                    now.turns == before.turns && now.ended == before.ended;
        equal = same && stress_is_balanced(&now) ? equal + 1 : 0;
        before = now;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    if (equal < STRESS_QUIET_LOOKS) {
        stress_print_stats(&now);
        STRESS_CHECK(equal == STRESS_QUIET_LOOKS, "not quiet, or the books do not balance");
    }
    return now;
}

#endif
