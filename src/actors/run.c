/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. tr_run: a system and its tree from start to stop, on the caller's thread.
 *
 * Why handlers. A thread that waits for signals would need them blocked in every thread of the
 * program, those that were there before included. A handler that sets a bit and wakes the caller
 * needs nothing: or-ing a word and posting a semaphore are safe in it. (Waking a futex is too, but
 * ThreadSanitizer holds a signal back until its thread comes to a call that it knows.)
 *
 * Rules
 *   1. What was installed before is called after our own, and put back at the end.
 *   2. The caller's thread lets both signals in as long as tr_run lasts.
 *   3. A second SIGINT gets the default: the process ends by it, whatever hangs.
 *
 * Partners: actors/stop.c; actors/supervisor.c tells the end of the tree.
 */

#include "actors/run.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>

#include <troupe/error.h>

#include "actors/supervisor.h"
#include "sim/inside.h"

#define STOP_WITHIN_USUAL TR_SEC(10)

static const int handled[] = { SIGTERM, SIGINT };

/* The system that tr_run runs, or NULL; and whether there is a tr_run at all. */
static tr_system *running;
static uint32_t is_running;

/* Posted after each word that is told; never destroyed, so that a late post does no harm. */
static sem_t word_told;
static pthread_once_t word_once = PTHREAD_ONCE_INIT;

static uint32_t interrupts;
static struct sigaction previous[TRI_COUNT_OF(handled)];

/* ---- what is told --------------------------------------------------------------------------- */

void tri_run_tell(tr_system *sys, uint32_t what)
{
    /* release: told_error, if it comes with one; pairs with the acquire in wait_for_word. */
    tri_or_acq_rel_32(&sys->told, what);
    if (tri_load_relaxed_ptr(&running) == sys)
        (void)sem_post(&word_told);
}

void tri_run_tell_end(tr_system *sys, const tr_reason *reason, bool has_run)
{
    if (!has_run)
        sys->told_error = reason->code < 0 ? reason->code : -ECANCELED;
    else if (reason->kind == TR_ERROR || reason->kind == TR_FAULT)
        sys->told_error = -ECONNRESET;
    tri_run_tell(sys, TRI_TOLD_ENDED);
}

static void make_word(void)
{
    (void)sem_init(&word_told, 0, 0);
}

static bool is_told(const void *sys)
{
    return tri_load_relaxed_32(&((const tr_system *)sys)->told) != 0;
}

/* Nobody sends a simulated program a signal: where nothing else can happen, it is as if. */
static void simulate(tr_system *sys)
{
    if (tri_sim_drive(is_told, sys, TR_FOREVER) < 0)
        tri_run_tell(sys, TRI_TOLD_STOP);
}

static uint32_t wait_for_word(tr_system *sys)
{
    if (tri_sim_is_on())
        simulate(sys);
    for (;;) {
        /* acquire: told_error; pairs with the release in tri_run_tell. */
        uint32_t told = tri_load_acquire_32(&sys->told);
        if (told != 0)
            return told;
        (void)sem_wait(&word_told);
    }
}

/* ---- signals -------------------------------------------------------------------------------- */

/* Rule 1. */
static void call_previous(int signal_number, siginfo_t *info, void *context)
{
    for (size_t i = 0; i < TRI_COUNT_OF(handled); i++) {
        const struct sigaction *action = &previous[i];

        if (handled[i] != signal_number)
            continue;
        if (action->sa_flags & SA_SIGINFO)
            action->sa_sigaction(signal_number, info, context);
        else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN)
            action->sa_handler(signal_number);
    }
}

/* Rule 3: delivered as soon as the handler returns. */
static void end_at_once(void)
{
    struct sigaction usual = { .sa_handler = SIG_DFL };

    (void)sigaction(SIGINT, &usual, NULL);
    (void)raise(SIGINT);
}

static void on_signal(int signal_number, siginfo_t *info, void *context)
{
    int saved = errno;
    tr_system *sys = tri_load_relaxed_ptr(&running);

    if (signal_number == SIGINT && tri_fetch_add_relaxed_32(&interrupts, 1) > 0) {
        end_at_once();
        return;
    }
    if (sys != NULL)
        tri_run_tell(sys, TRI_TOLD_STOP);
    call_previous(signal_number, info, context);
    errno = saved;
}

static void install(sigset_t *ret_mask)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_RESTART };
    sigset_t both;

    action.sa_sigaction = on_signal;
    sigemptyset(&action.sa_mask);
    sigemptyset(&both);
    tri_store_relaxed_32(&interrupts, 0);
    /* `previous` is complete before a handler that reads it can run. */
    for (size_t i = 0; i < TRI_COUNT_OF(handled); i++) {
        (void)sigaction(handled[i], NULL, &previous[i]);
        (void)sigaddset(&both, handled[i]);
    }
    for (size_t i = 0; i < TRI_COUNT_OF(handled); i++)
        (void)sigaction(handled[i], &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &both, ret_mask);
}

static void put_back(const sigset_t *mask)
{
    (void)pthread_sigmask(SIG_SETMASK, mask, NULL);
    for (size_t i = 0; i < TRI_COUNT_OF(handled); i++)
        (void)sigaction(handled[i], &previous[i], NULL);
}

/* ---- the run -------------------------------------------------------------------------------- */

static int run_tree(tr_system *sys, const tr_supervisor *tree)
{
    tr_time within = sys->config.stop_within != 0 ? sys->config.stop_within : STOP_WITHIN_USUAL;
    int error = tri_supervise_main(sys, tree);

    if (error == 0 && wait_for_word(sys) & TRI_TOLD_ENDED)
        error = sys->told_error;

    int stopped = tr_system_stop(sys, within);
    return error < 0 ? error : stopped;
}

static int run(const tr_config *config, const tr_supervisor *tree)
{
    tr_system *sys;
    sigset_t mask;
    int error = tr_system_open(config, &sys);

    if (error < 0)
        return error;
    pthread_once(&word_once, make_word);
    tri_store_relaxed_ptr(&running, sys);
    install(&mask);
    error = run_tree(sys, tree);
    put_back(&mask);
    tri_store_relaxed_ptr(&running, NULL);
    return error;
}

int tr_run(const tr_config *config, const tr_supervisor *tree)
{
    uint32_t seen = 0;

    if (tree == NULL)
        return -EINVAL;
    if (tri_worker_current() != NULL)
        return -EDEADLK;
    /* acquire, release: two runs, one after the other, share what stands above. */
    if (!tri_cas_acq_rel_32(&is_running, &seen, 1))
        return -EBUSY;
    int error = run(config, tree);
    tri_store_release_32(&is_running, 0);
    return error;
}

int tr_self_shutdown(tr_self *self)
{
    int error = tri_self_check(self);

    if (error == 0)
        tri_run_tell(self->system, TRI_TOLD_STOP);
    return error;
}

int tr_system_shutdown(tr_system *sys)
{
    int error = tri_system_enter(sys);

    if (error < 0)
        return error;
    tri_run_tell(sys, TRI_TOLD_STOP);
    tri_system_leave(sys);
    return 0;
}
