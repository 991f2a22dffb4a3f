/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every public function of the core while memory is out: each request of the call fails once, and
 * then that one with all that follow. It answers -ENOMEM, or does without where its comment says
 * so; the actors that it was about end as they should, and the system goes on and stops.
 *
 * The table is held against the headers: a function that is declared and has no row fails the test.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/puppet.h"
#include "support/starve.h"

struct stage {
    tr_system *sys;
    tr_ref actor, other, supervisor;
};

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

static void nothing_to_release(void *arg)
{
    (void)arg;
}

static int of_pointer(const void *pointer)
{
    return pointer != NULL ? 0 : -ENOMEM;
}

static const struct puppet_note note = { 7 };
static const tr_supervisor no_children = { .restarts_max = 5 };
static const tr_supervisor two_children = {
    .children = TR_CHILDREN({ .name = "left", TR_CHILD(puppet) },
                            { .name = "right", TR_CHILD(puppet) }),
};
static const tr_child child = { .name = "child", .type = &puppet_actor };
#define REFUSED (-ECANCELED) /* what an ask is refused with where that is the verb */

static const tr_reason reason = { .kind = TR_ERROR, .code = -EIO, .text = "told to" };
static const tr_spawn_options by_name = { .name = "close" };
static const tr_spawn_options close_by = { .name = "close", .link = true, .monitor = true };

/* ---- inside an actor: each is what one verb does, starved ------------------------------------ */

#define INSIDE(verb, ...)                                                                          \
    static int inside_##verb(TR_UNUSED tr_self *self, void *arg)                                   \
    {                                                                                              \
        TR_UNUSED struct stage *stage = arg;                                                       \
        TR_UNUSED tr_token token = { 0 };                                                          \
        TR_UNUSED tr_caller caller = { 0 };                                                        \
        TR_UNUSED int error = 0;                                                                   \
        __VA_ARGS__                                                                                \
    }

INSIDE(spawn, return STARVED(tr_ref_error(tr_spawn_with(self, &close_by, puppet)));)
INSIDE(send, return STARVED(tr_send(self, stage->other, puppet_note, .value = 1));)
INSIDE(send_raw, return STARVED(tr_send_raw(self, stage->other, puppet_note, &note,
                                            sizeof(note)));)
INSIDE(new, struct puppet_note *made = NULL;
       error = STARVED(of_pointer(made = tr_new(puppet_note))); tr_drop(made); return error;)
INSIDE(drop, struct puppet_note *made = tr_new(puppet_note);
       return STARVED((tr_drop(made), 0));)
INSIDE(post, struct puppet_note *made = tr_new(puppet_note);
       return STARVED(tr_post(self, stage->other, &made));)
INSIDE(forward, return tr_ref_equal(tr_me(self), stage->other)
                           ? 0
                           : STARVED(tr_forward(self, stage->other));)
INSIDE(take, error = tr_call_hold(self, &caller); const void *taken = NULL;
       if (error < 0) return error;
       error = STARVED(of_pointer(taken = tr_take_raw(self)));
       (void)tr_answer(self, caller, puppet_done, .result = error); return 0;)
INSIDE(become, return STARVED(tr_become(self, TR_TABLE(TR_HANDLES(puppet, puppet_note))));)
INSIDE(idle_after, return STARVED(tr_idle_after(self, TR_SEC(100)));)
INSIDE(stop, return STARVED(tr_stop(self, stage->other));)
INSIDE(kill, return STARVED(tr_kill(self, stage->other));)
INSIDE(exit, return STARVED(tr_exit(self, stage->other, &reason));)
INSIDE(fail, return STARVED(tr_fail(self, -EIO, "told to")) == -EIO ? 0 : -EINVAL;)
INSIDE(suspend, return STARVED(tr_suspend(self, stage->other));)
INSIDE(resume, error = tr_suspend(self, stage->other);
       return error < 0 ? error : STARVED(tr_resume(self, stage->other));)
INSIDE(link, return STARVED(tr_link(self, stage->other));)
INSIDE(unlink, error = tr_link(self, stage->other);
       return error < 0 ? error : STARVED(tr_unlink(self, stage->other));)
INSIDE(trap, return STARVED(tr_trap(self, true));)
INSIDE(monitor, return STARVED(tr_monitor(self, stage->other, &token));)
INSIDE(demonitor, error = tr_monitor(self, stage->other, &token);
       return error < 0 ? error : STARVED(tr_demonitor(self, token, true));)
INSIDE(watch, return STARVED(tr_watch(self, stage->other, &token));)
INSIDE(unwatch, error = tr_watch(self, stage->other, &token);
       return error < 0 ? error : STARVED(tr_unwatch(self, token));)
INSIDE(alloc, return STARVED(of_pointer(tr_alloc(self, 100)));)
INSIDE(defer, return STARVED(tr_defer(self, nothing_to_release, NULL));)
INSIDE(name, return STARVED(tr_name(self, stage->other, "other"));)
INSIDE(dead_letters, return STARVED(tr_dead_letters(self, true));)
INSIDE(ask, return STARVED(tr_call_error(tr_ask(self, stage->other, &puppet_patience,
                                                puppet_note)));)
INSIDE(ask_context, return STARVED(tr_call_error(tr_ask_with(self, stage->other, &puppet_patience,
                                                             stage, puppet_note)));)
INSIDE(call_cancel, tr_call call = tr_ask(self, stage->other, &puppet_patience, puppet_note);
       error = tr_call_error(call);
       return error < 0 ? error : STARVED(tr_call_cancel(self, call));)
INSIDE(reply, return STARVED(tr_reply(self, puppet_done, .result = 0));)
INSIDE(refuse, return STARVED(tr_refuse(self, REFUSED));)
INSIDE(hold, error = STARVED(tr_call_hold(self, &caller));
       return error < 0 ? error : tr_answer(self, caller, puppet_done, .result = 0);)
INSIDE(answer, error = tr_call_hold(self, &caller); if (error < 0) return error;
       error = STARVED(tr_answer(self, caller, puppet_done, .result = 0));
       if (error < 0) (void)tr_answer_refuse(self, caller, error);
       return error;)
INSIDE(answer_refuse, error = tr_call_hold(self, &caller);
       return error < 0 ? error : STARVED(tr_answer_refuse(self, caller, REFUSED));)
INSIDE(after, return STARVED(tr_timer_error(tr_after(self, TR_SEC(100), puppet_note)));)
INSIDE(every, return STARVED(tr_timer_error(tr_every(self, TR_SEC(100), puppet_note)));)
INSIDE(cancel, tr_timer timer = tr_after(self, TR_SEC(100), puppet_note);
       error = tr_timer_error(timer); return error < 0 ? error : STARVED(tr_cancel(self, timer));)
INSIDE(supervise, tr_ref tree = tr_none();
       error = STARVED(tr_ref_error(tree = tr_supervise(self, &no_children)));
       (void)tr_stop(self, tree); return error;)
INSIDE(child_start, return STARVED(tr_self_child_start(self, stage->supervisor, &child));)
INSIDE(child_stop, error = tr_self_child_start(self, stage->supervisor, &child);
       return error < 0 ? error : STARVED(tr_self_child_stop(self, stage->supervisor, "child"));)
INSIDE(bytes, tr_bytes *bytes = NULL; error = STARVED(of_pointer(bytes = tr_bytes_new(1000)));
       tr_bytes_drop(bytes); return error;)
INSIDE(shutdown, return STARVED(tr_self_shutdown(self));)

/* What only looks: all of it in one, and nothing of it may fail. */
static int look(tr_self *self)
{
    tr_stats stats;
    tr_system *sys = tr_system_of(self);
    bool wrong = tr_size(self) == 0 || tr_ref_equal(tr_sender(self), tr_me(self))
                 || !tr_ref_is_some(tr_me(self)) || tr_incarnation(self) != 0
                 || tr_call_error(tr_call_answered(self)) < 0 || tr_context(self) != NULL
                 || tr_now(self) <= 0 || tr_now(sys) <= 0 || tr_unix_now() <= 0
                 || tr_missed(self) != 0 || tr_ref_is_some(tr_lookup(self, "nobody"))
                 || tr_ref_is_some(tr_lookup(sys, "nobody")) || tr_system_stats(sys, &stats) < 0
                 || tr_type_stats(sys, &puppet_actor, &stats) < 0
                 || strcmp(tr_error_name(-ENOMEM), "ENOMEM") != 0
                 || tr_strerror(-ENOMEM) == NULL || tr_bytes_share(NULL) != NULL;

    return wrong ? -EINVAL : 0;
}

INSIDE(look, return STARVED(look(self));)

/* ---- outside --------------------------------------------------------------------------------- */

#define OUTSIDE(verb, ...)                                                                         \
    static int outside_##verb(TR_UNUSED struct stage *stage)                                       \
    {                                                                                              \
        TR_UNUSED struct puppet_done done;                                                         \
        TR_UNUSED int error = 0;                                                                   \
        __VA_ARGS__                                                                                \
    }

OUTSIDE(spawn, tr_ref made = tr_none();
        error = STARVED(tr_ref_error(made = tr_spawn_with(stage->sys, &by_name, puppet)));
        (void)tr_kill(stage->sys, made); return error;)
OUTSIDE(send, return STARVED(tr_send(stage->sys, stage->other, puppet_note));)
OUTSIDE(send_raw, return STARVED(tr_send_raw(stage->sys, stage->other, puppet_note, &note,
                                             sizeof(note)));)
OUTSIDE(post, struct puppet_note *made = tr_new(puppet_note);
        return STARVED(tr_post(stage->sys, stage->other, &made));)
OUTSIDE(send_wait, return STARVED(tr_send_wait(stage->sys, stage->other, puppet_note, &note,
                                               TR_SEC(20)));)
OUTSIDE(stop, return STARVED(tr_stop(stage->sys, stage->other));)
OUTSIDE(kill, return STARVED(tr_kill(stage->sys, stage->other));)
OUTSIDE(exit, return STARVED(tr_exit(stage->sys, stage->other, &reason));)
OUTSIDE(suspend, error = STARVED(tr_suspend(stage->sys, stage->other));
        return error < 0 ? error : tr_resume(stage->sys, stage->other);)
OUTSIDE(resume, error = tr_suspend(stage->sys, stage->other);
        return error < 0 ? error : STARVED(tr_resume(stage->sys, stage->other));)
OUTSIDE(name, return STARVED(tr_name(stage->sys, stage->other, "other"));)
OUTSIDE(ask_wait, const struct puppet_then request = { TR_OK };
        error = STARVED(tr_ask_wait(stage->sys, stage->other, &puppet_patience, puppet_then,
                                    &request, puppet_done, &done));
        return error == -ENOMSG ? 0 : error;)
OUTSIDE(supervise, tr_ref tree = tr_none();
        error = STARVED(tr_ref_error(tree = tr_supervise(stage->sys, &two_children)));
        if (error == 0) {
            error = tr_system_child_stop(stage->sys, tree, "left");
            error = error < 0 ? error : tr_system_child_stop(stage->sys, tree, "right");
            (void)tr_stop(stage->sys, tree);
        }
        return error;)
OUTSIDE(child_start, return STARVED(tr_system_child_start(stage->sys, stage->supervisor, &child,
                                                          NULL));)
OUTSIDE(child_stop, error = tr_system_child_start(stage->sys, stage->supervisor, &child, NULL);
        return error < 0 ? error
                         : STARVED(tr_system_child_stop(stage->sys, stage->supervisor, "child"));)
OUTSIDE(open, tr_system *sys = NULL;
        error = STARVED(tr_system_open(&(tr_config){ .workers = 2, .log = no_log }, &sys));
        return error < 0 ? error : tr_system_stop(sys, TR_SEC(20));)
OUTSIDE(start, tr_system *sys = NULL;
        error = STARVED(of_pointer(
            sys = tr_system_start(&(tr_config){ .workers = 1, .log = no_log })));
        return error < 0 ? error : tr_system_stop(sys, TR_SEC(20));)
OUTSIDE(stop_system, tr_system *sys = tr_system_start(&(tr_config){ .workers = 2 });
        error = tr_ref_error(tr_supervise(sys, &two_children));
        error = error < 0 ? error : tr_ref_error(tr_spawn(sys, puppet));
        return error < 0 ? error : STARVED(tr_system_stop(sys, TR_SEC(20)));)
OUTSIDE(shutdown, return STARVED(tr_system_shutdown(stage->sys));)

struct ender {
    int unused;
};

TR_START(ender, self, me)
{
    return tr_self_shutdown(self);
}

static const tr_actor_type ender_actor = { TR_STATE(ender), .start = TR_STARTS(ender) };
static const tr_supervisor ending = { .children = TR_CHILDREN({ TR_CHILD(ender) }) };

OUTSIDE(run, (void)stage;
        return STARVED(tr_run(&(tr_config){ .workers = 1, .log = no_log }, &ending));)

/* ---- the table ------------------------------------------------------------------------------- */

enum outcome { WORKS, MAY_FAIL }; /* whatever is refused; it says -ENOMEM at least once */

struct row {
    const char *verb;
    enum outcome outcome;
    int (*inside)(tr_self *self, void *stage);
    int (*outside)(struct stage *stage);
};

#define IN(verb, outcome, f) { #verb, outcome, inside_##f, NULL }
#define OUT(verb, outcome, f) { #verb, outcome, NULL, outside_##f }

static const struct row table[] = {
    IN(tr_self_spawn, MAY_FAIL, spawn),         OUT(tr_system_spawn, MAY_FAIL, spawn),
    IN(tr_self_send, MAY_FAIL, send),           OUT(tr_system_send, MAY_FAIL, send),
    IN(tr_self_send_raw, MAY_FAIL, send_raw),   OUT(tr_system_send_raw, MAY_FAIL, send_raw),
    IN(tr_self_post, WORKS, post),              OUT(tr_system_post, WORKS, post),
    IN(tr_new_raw, MAY_FAIL, new),              OUT(tr_system_send_wait, MAY_FAIL, send_wait),
    IN(tr_drop, WORKS, drop),                   IN(tr_forward, WORKS, forward),
    IN(tr_take_raw, MAY_FAIL, take),               IN(tr_become, MAY_FAIL, become),
    IN(tr_idle_after, MAY_FAIL, idle_after),    IN(tr_fail, WORKS, fail),
    IN(tr_self_stop, WORKS, stop),              OUT(tr_system_stop_actor, WORKS, stop),
    IN(tr_self_kill, WORKS, kill),              OUT(tr_system_kill, WORKS, kill),
    IN(tr_self_exit, MAY_FAIL, exit),           OUT(tr_system_exit, MAY_FAIL, exit),
    IN(tr_self_suspend, MAY_FAIL, suspend),     OUT(tr_system_suspend, MAY_FAIL, suspend),
    IN(tr_self_resume, WORKS, resume),       OUT(tr_system_resume, WORKS, resume),
    IN(tr_link, MAY_FAIL, link),                IN(tr_unlink, WORKS, unlink),
    IN(tr_trap, WORKS, trap),                   IN(tr_monitor, MAY_FAIL, monitor),
    IN(tr_demonitor, WORKS, demonitor),         IN(tr_watch, MAY_FAIL, watch),
    IN(tr_unwatch, WORKS, unwatch),             IN(tr_alloc, MAY_FAIL, alloc),
    IN(tr_defer, MAY_FAIL, defer),              IN(tr_dead_letters, MAY_FAIL, dead_letters),
    IN(tr_self_name, MAY_FAIL, name),           OUT(tr_system_name, MAY_FAIL, name),
    IN(tr_ask_raw, MAY_FAIL, ask),              IN(tr_ask_context, MAY_FAIL, ask_context),
    IN(tr_call_cancel, WORKS, call_cancel),     OUT(tr_system_ask_wait, MAY_FAIL, ask_wait),
    IN(tr_reply_raw, MAY_FAIL, reply),          IN(tr_refuse, WORKS, refuse),
    IN(tr_call_hold, MAY_FAIL, hold),           IN(tr_answer_raw, MAY_FAIL, answer),
    IN(tr_answer_refuse, WORKS, answer_refuse), IN(tr_bytes_new, MAY_FAIL, bytes),
    IN(tr_bytes_drop, MAY_FAIL, bytes),         IN(tr_cancel, WORKS, cancel),
    IN(tr_after_raw, MAY_FAIL, after),          IN(tr_every_raw, MAY_FAIL, every),
    IN(tr_self_supervise, MAY_FAIL, supervise), OUT(tr_system_supervise, MAY_FAIL, supervise),
    IN(tr_self_child_start, MAY_FAIL, child_start),
    OUT(tr_system_child_start, MAY_FAIL, child_start),
    IN(tr_self_child_stop, MAY_FAIL, child_stop),
    OUT(tr_system_child_stop, MAY_FAIL, child_stop),
    OUT(tr_system_open, MAY_FAIL, open),        OUT(tr_system_start, MAY_FAIL, start),
    OUT(tr_system_stop, WORKS, stop_system),    OUT(tr_run, MAY_FAIL, run),
    IN(tr_self_shutdown, WORKS, shutdown),      OUT(tr_system_shutdown, WORKS, shutdown),
    IN(tr_size, WORKS, look),         IN(tr_sender, WORKS, look),     IN(tr_me, WORKS, look),
    IN(tr_system_of, WORKS, look),    IN(tr_incarnation, WORKS, look),
    IN(tr_self_lookup, WORKS, look),  IN(tr_system_lookup, WORKS, look),
    IN(tr_call_answered, WORKS, look), IN(tr_context, WORKS, look),
    IN(tr_self_now, WORKS, look),     IN(tr_system_now, WORKS, look),
    IN(tr_unix_now, WORKS, look),     IN(tr_missed, WORKS, look),
    IN(tr_system_stats, WORKS, look), IN(tr_type_stats, WORKS, look),
    IN(tr_strerror, WORKS, look),     IN(tr_error_name, WORKS, look),
    IN(tr_bytes_share, WORKS, look),
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/* ---- playing it ------------------------------------------------------------------------------ */

static void stage_open(struct stage *stage)
{
    stage->sys = tr_system_start(&(tr_config){ .workers = 1, .log = no_log });
    cr_assert_not_null(stage->sys);
}

/* Actors of its own for every try: what an earlier one has left behind does not matter. */
static int try_row(const struct row *row, struct stage *stage)
{
    stage->actor = tr_spawn(stage->sys, puppet);
    stage->other = tr_spawn(stage->sys, puppet);
    stage->supervisor = tr_supervise(stage->sys, &no_children);
    cr_assert_eq(tr_ref_error(stage->actor), 0);
    cr_assert_eq(tr_ref_error(stage->other), 0);
    cr_assert_eq(tr_ref_error(stage->supervisor), 0);

    int error = row->inside != NULL ? puppet_do(stage->sys, stage->actor, row->inside, stage)
                                    : row->outside(stage);
    (void)tr_kill(stage->sys, stage->actor);
    (void)tr_kill(stage->sys, stage->other);
    (void)tr_stop(stage->sys, stage->supervisor);
    WAIT_FOR(!tr_ref_is_some(tr_lookup(stage->sys, "child"))
             && !tr_ref_is_some(tr_lookup(stage->sys, "other"))
             && !tr_ref_is_some(tr_lookup(stage->sys, "left"))
             && !tr_ref_is_some(tr_lookup(stage->sys, "right"))
             && !tr_ref_is_some(tr_lookup(stage->sys, "close")));
    return error;
}

static uint32_t alive(tr_system *sys)
{
    tr_stats stats;

    cr_assert_eq(tr_system_stats(sys, &stats), 0);
    return (uint32_t)stats.alive;
}

/* How often it said -ENOMEM. */
static uint32_t play(const struct row *row, uint32_t mode)
{
    struct stage stage;
    uint32_t failed = 0;

    stage_open(&stage);
    uint32_t before = alive(stage.sys);
    starve_first(mode);
    while (starve_next()) {
        int error = try_row(row, &stage);
        uint32_t nth = tri_load_relaxed_32(&starve_request);
        cr_assert(error == 0 || error == -ENOMEM || error == REFUSED, "%s gave %s at request %u",
                  row->verb, tr_error_name(error), nth);
        failed += error == -ENOMEM;
        cr_assert_lt(nth, 1000, "%s has no end", row->verb);
    }
    WAIT_FOR(alive(stage.sys) == before);
    puppet_check_stats(stage.sys);
    cr_assert_eq(tr_system_stop(stage.sys, TR_SEC(20)), 0, "after %s", row->verb);
    return failed;
}

Test(every_verb, says_that_memory_is_out_and_goes_on, .timeout = 240)
{
    tri_memory_refuse_set(starve_refuses);
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t failed = play(&table[i], STARVE_ONCE) + play(&table[i], STARVE_FOR_GOOD);
        if (table[i].outcome == WORKS)
            cr_expect_eq(failed, 0, "%s failed for lack of memory", table[i].verb);
        else
            cr_expect_gt(failed, 0, "%s found memory that there was not", table[i].verb);
    }
}

/* ---- the table and the headers --------------------------------------------------------------- */

static bool has_row(const char *verb, size_t length)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strlen(table[i].verb) == length && memcmp(table[i].verb, verb, length) == 0)
            return true;
    }
    return false;
}

/* Functions declared in a header: TR_API ... tr_name( in one line. */
static unsigned check_header(const char *name)
{
    char path[4096], line[512];
    unsigned count = 0;

    snprintf(path, sizeof(path), "%s/include/troupe/%s", getenv("TROUPE_SOURCE_DIR"), name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = strncmp(line, "TR_API ", 7) == 0 ? strchr(line, '(') : NULL;
        char *start = end;
        while (start != NULL && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
            start--;
        if (start == NULL)
            continue;
        count++;
        cr_expect(has_row(start, (size_t)(end - start)), "%.*s of %s has no row",
                  (int)(end - start), start, name);
    }
    fclose(file);
    return count;
}

Test(every_verb, has_a_row)
{
    static const char *const headers[] = {
        "types.h", "error.h", "message.h", "actor.h", "ask.h", "timer.h", "supervise.h",
        "system.h",
    };
    unsigned count = 0;

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        count += check_header(headers[i]);
    cr_expect_eq(count, ROWS, "rows without a function");
}
