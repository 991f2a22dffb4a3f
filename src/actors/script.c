/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What. Tests as scripts: <troupe/sim.h>.
 *
 *     script ── acts ──► ┌───────┐ ◄── messages ── actors under test
 *            ◄─ inbox ── │ probe │ ── sends, asks, answers ──►
 *                        └───────┘
 *
 * Why a probe. Replies, monitors and mocks need an actor; a script has none. What must be done in
 * a turn of the probe's travels to it as an act, and the script takes steps until it is done. A
 * plain send needs no turn: the script signs it with the probe's name.
 *
 * Rules
 *   1. There is one thread: the probe's turns and the script write the same lists without locks.
 *   2. The probe copies what comes and keeps it; what a message owns goes with the copy, to the
 *      caller of the expectation, or is dropped at the end.
 *   3. Ends are noted for every actor, in a ring: who expects one need not have asked for it.
 *
 * Partners: sim/loop.c takes the steps; lifecycle.c tells of ends.
 */

#include "actors/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/error.h>
#include <troupe/sim.h>

#include "actors/deliver.h"
#include "actors/disturb.h"
#include "actors/notice.h"
#include "actors/protocol.h"
#include "actors/spawn.h"
#include "base/memory.h"
#include "sim/inside.h"

/* Ends that nobody has expected yet; older ones are forgotten. */
#define ENDS 1024u

/* A minute costs nothing where nothing happens in it. */
#define PATIENCE TR_SEC(60)

#define STEPS_MAX 1000000u
#define TEXT_MAX  512

struct letter {
    struct tri_link link;
    const tr_message_info *info;
    tr_caller caller; /* where it is an ask */
    size_t size;
    unsigned char payload[];
};

struct end {
    tr_ref who; /* none: has been expected */
    tr_reason reason;
};

/* Something to be done in the probe's turn. */
struct act {
    int (*act)(tr_self *self, const struct act *act);
    tr_ref to;
    tr_caller caller;
    const tr_message_info *info;
    const void *value;
    int *result; /* above 0 until it is done */
};

struct tr_sim {
    tr_system *sys;
    tr_ref probe;
    struct tri_list inbox;
    tr_caller caller; /* of the ask that was expected last */
    struct end ends[ENDS];
    uint32_t end_count; /* in all */
};

static struct tr_sim *current;

/* ---- the probe ------------------------------------------------------------------------------ */

struct probe {
    struct tr_sim *sim;
};

enum { TR_TAG_act = TRI_TAG_SCRIPT_ACT };

static tr_message_state act_state;
static const tr_message_info act_info = {
    .name = "act", .tag = TR_TAG_act, .size = sizeof(struct act), .align = _Alignof(struct act),
    .state = &act_state,
};

TR_ON(probe, act, self, me, msg)
{
    *msg->result = msg->act(self, msg);
    return TR_OK;
}

/* Rule 2. */
TR_OTHERWISE(probe, self, me, msg)
{
    struct letter *letter = tri_alloc(sizeof *letter + msg->size);

    if (letter == NULL)
        return -ENOMEM;
    *letter = (struct letter){ .info = msg->info, .size = msg->size };
    memcpy(letter->payload, msg->payload, msg->size);
    if (self->msg != NULL) {
        self->msg->flags &= (uint8_t)~TRI_MESSAGE_OWNS;
        if (self->msg->flags & TRI_MESSAGE_ASK)
            (void)tr_call_hold(self, &letter->caller);
    }
    tri_list_push_back(&me->sim->inbox, &letter->link);
    return TR_OK;
}

static const tr_actor_type probe_actor = {
    TR_STATE(probe), .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(probe, act)), .otherwise = TR_ANYTHING_ELSE(probe),
};

static bool is_done(const void *result)
{
    return *(const int *)result <= 0;
}

/* Has something done by the probe. */
static int perform(tr_sim *sim, struct act *act)
{
    int result = 1;

    act->result = &result;
    int error = tr_system_send(sim->sys, sim->probe, &act_info, act);
    if (error < 0)
        return error;
    /* A limit that is reached is lifted: until it is done, nothing of `act` may go. */
    while (tri_sim_drive(is_done, &result, TR_FOREVER) == -ECANCELED)
        continue;
    return result;
}

/* ---- begin and end -------------------------------------------------------------------------- */

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

/* The environment's seed and options, or the test's. */
static bool read_options(uint64_t seed, const char *text, struct tri_sim_options *ret_options)
{
    const char *environment = getenv("TROUPE_SIM");
    char all[TEXT_MAX], error[128];
    bool is_given = text != NULL && text[0] != '\0';

    if (environment != NULL && environment[0] != '\0')
        (void)snprintf(all, sizeof all, "%s", environment);
    else
        (void)snprintf(all, sizeof all, "%llu%s%s", (unsigned long long)seed, is_given ? "," : "",
                       is_given ? text : "");
    if (tri_sim_options_parse(all, ret_options, error))
        return true;
    (void)fprintf(stderr, "troupe: tr_sim_start: %s\n", error);
    return false;
}

static int open_system(tr_sim *sim)
{
    const tr_config config = { .log = no_log };
    struct tri_spawning spawning = {
        .type = &probe_actor, .initial = &(struct probe){ sim }, .flags = TRI_ACTOR_INTERNAL,
    };
    int error = tr_system_open(&config, &sim->sys);

    if (error < 0)
        return error;
    sim->probe = tri_spawn(sim->sys, NULL, &spawning);
    error = tr_ref_error(sim->probe);
    if (error < 0)
        (void)tr_system_stop(sim->sys, 0);
    return error;
}

tr_sim *tr_sim_start(uint64_t seed, const char *options)
{
    struct tri_sim_options parsed;
    tr_sim *sim = NULL;
    int error;

    if (!read_options(seed, options, &parsed))
        return NULL;
    error = current != NULL || tri_systems_live() ? -EBUSY : 0;
    if (error == 0 && (sim = tri_alloc_zeroed(sizeof *sim)) == NULL)
        error = -ENOMEM;
    if (error == 0) {
        if (tri_sim_is_on())
            tri_sim_end(); /* begun by the environment */
        tri_list_init(&sim->inbox);
        tri_sim_begin(&parsed);
        tri_sim_let_script();
        current = sim;
        error = open_system(sim);
    }
    if (error == 0)
        return sim;
    (void)fprintf(stderr, "troupe: tr_sim_start: %s\n", tr_strerror(error));
    if (current != NULL && current == sim) {
        current = NULL;
        tri_sim_end();
    }
    tri_free(sim);
    return NULL;
}

static void drop_letter(struct letter *letter)
{
    if (letter->info->drop != NULL)
        letter->info->drop(letter->payload);
    tri_free(letter);
}

int tr_sim_stop(tr_sim *sim)
{
    int error;

    if (sim == NULL)
        return 0;
    error = tr_system_stop(sim->sys, PATIENCE);
    while (!tri_list_is_empty(&sim->inbox))
        drop_letter(TRI_CONTAINER_OF(tri_list_pop_front(&sim->inbox), struct letter, link));
    if (getenv("TROUPE_SIM") != NULL)
        tri_sim_say();
    tri_sim_end();
    current = NULL;
    tri_free(sim);
    return error;
}

tr_system *tr_sim_system(const tr_sim *sim)
{
    return sim != NULL ? sim->sys : NULL;
}

tr_ref tr_sim_me(const tr_sim *sim)
{
    return sim->probe;
}

uint64_t tr_sim_hash(const tr_sim *sim)
{
    (void)sim;
    return tri_sim_hash();
}

/* ---- time ----------------------------------------------------------------------------------- */

bool tr_sim_step(tr_sim *sim)
{
    (void)sim;
    return tri_sim_step_now();
}

int tr_sim_idle(tr_sim *sim)
{
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        if (!tr_sim_step(sim))
            return 0;
    }
    return -ETIMEDOUT;
}

void tr_sim_advance(tr_sim *sim, tr_time duration)
{
    (void)sim;
    if (duration > 0)
        tri_sim_sleep(duration);
}

/* ---- messages ------------------------------------------------------------------------------- */

int tr_sim_send_raw(tr_sim *sim, tr_ref to, const tr_message_info *info, const void *value)
{
    int error;
    struct tri_message *message;

    if (info == NULL || value == NULL)
        return -EINVAL;
    message = tri_message_make(tri_thread_self(), info, info->size, false, &error);
    if (message == NULL)
        return error;
    memcpy(tri_message_payload(message), value, info->size);
    tri_message_sign(message, sim->probe);
    error = tri_deliver_message(sim->sys, NULL, to, message);
    if (error < 0)
        tri_message_free(message);
    return error;
}

static int act_ask(tr_self *self, const struct act *act)
{
    static const tr_ask_policy policy = { .timeout = PATIENCE };

    return tr_call_error(tr_ask_raw(self, act->to, &policy, act->info, act->value));
}

int tr_sim_ask_raw(tr_sim *sim, tr_ref to, const tr_message_info *info, const void *value)
{
    struct act act = { .act = act_ask, .to = to, .info = info, .value = value };

    return perform(sim, &act);
}

static int act_answer(tr_self *self, const struct act *act)
{
    return tr_answer_raw(self, act->caller, act->info, act->value);
}

int tr_sim_reply_raw(tr_sim *sim, const tr_message_info *info, const void *value)
{
    struct act act = { .act = act_answer, .caller = sim->caller, .info = info, .value = value };

    if (info == NULL || value == NULL)
        return -EINVAL;
    if (sim->caller.bits == 0)
        return -ENOENT;
    sim->caller.bits = 0;
    return perform(sim, &act);
}

/* ---- expectations --------------------------------------------------------------------------- */

static int complain(int error, const char *wanted, const char *came)
{
    const struct tri_sim_options *options = tri_sim_options();

    (void)fprintf(stderr, "troupe: expected %s, but %s came (seed %llu, step %llu, %lld us)\n",
                  wanted, came, (unsigned long long)options->seed,
                  (unsigned long long)tri_sim_steps(),
                  (long long)((tri_sim_now() - TRI_SIM_BEGINS_AT) / TR_US(1)));
    return error;
}

static bool has_letter(const void *context)
{
    const tr_sim *sim = context;

    return !tri_list_is_empty(&sim->inbox);
}

/* The one that is next, within that time, or NULL. */
static struct letter *await_letter(tr_sim *sim, tr_time duration)
{
    if (tri_sim_drive(has_letter, sim, tri_sim_now() + duration) < 0 && !has_letter(sim))
        return NULL;
    return TRI_CONTAINER_OF(tri_list_first(&sim->inbox), struct letter, link);
}

int tr_sim_expect_raw(tr_sim *sim, const tr_message_info *info, void *ret)
{
    struct letter *letter = await_letter(sim, PATIENCE);

    if (letter == NULL)
        return complain(-ETIMEDOUT, info->name, "nothing");
    if (letter->info->tag != info->tag)
        return complain(-ENOMSG, info->name, letter->info->name);
    tri_link_remove(&letter->link);
    sim->caller = letter->caller;
    if (ret == NULL) {
        drop_letter(letter);
        return 0;
    }
    memcpy(ret, letter->payload, info->size);
    tri_free(letter);
    return 0;
}

int tr_sim_expect_none(tr_sim *sim, tr_time duration)
{
    const struct letter *letter = await_letter(sim, duration);

    return letter == NULL ? 0 : complain(-ENOMSG, "nothing", letter->info->name);
}

/* ---- ends ----------------------------------------------------------------------------------- */

void tri_script_ended(const tr_self *self, const tr_reason *reason)
{
    if (current == NULL || self->system != current->sys)
        return;
    struct end *end = &current->ends[current->end_count++ % ENDS];
    end->who = tri_self_ref(self);
    end->reason = *reason;
}

static struct end *find_end(tr_sim *sim, tr_ref who)
{
    uint32_t from = sim->end_count > ENDS ? sim->end_count - ENDS : 0;

    for (; from < sim->end_count; from++) {
        if (tr_ref_equal(sim->ends[from % ENDS].who, who))
            return &sim->ends[from % ENDS];
    }
    return NULL;
}

static bool has_ended(const void *context)
{
    return find_end(current, *(const tr_ref *)context) != NULL;
}

int tr_sim_expect_exit(tr_sim *sim, tr_ref actor, tr_reason *ret_reason)
{
    struct end *end;

    (void)tri_sim_drive(has_ended, &actor, tri_sim_now() + PATIENCE);
    end = find_end(sim, actor);
    if (end == NULL)
        return complain(-ETIMEDOUT, "an end", "none");
    end->who = tr_none();
    if (ret_reason != NULL)
        *ret_reason = end->reason;
    return 0;
}

/* ---- faults --------------------------------------------------------------------------------- */

int tr_sim_fault(tr_sim *sim, const char *fault, double rate)
{
    int error = sim == NULL || fault == NULL ? -EINVAL : tri_sim_set_rule(fault, rate);

    if (error == 0)
        tri_disturb_begin();
    return error;
}
