/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The verbs about supervisors: starting a tree, adding and stopping children at run time.
 *
 * What the forms for threads outside wait for is an outcome that travels with the tree or with the
 * message: whoever comes to know it tells it, and a message that nobody handles tells -ESRCH when
 * it is dropped.
 *
 * Partners: actors/supervisor.c; actors/stop.c asks for the roots.
 */

#include <errno.h>
#include <string.h>

#include "actors/deliver.h"
#include "actors/names.h"
#include "actors/spawn.h"
#include "actors/supervisor.h"
#include "base/clock.h"

/* ---- roots ---------------------------------------------------------------------------------- */

/* Starts a root, which owns the tree if this succeeds. */
static tr_ref start_root(tr_system *sys, tr_self *self, struct tri_tree *tree)
{
    const struct tri_spawning spawning = {
        .type = &tri_supervisor_actor, .initial = &tree, .flags = TRI_ACTOR_INTERNAL,
    };

    tree->is_root = true;
    /* Held over the spawn: its end cannot come before it stands in the list. */
    pthread_mutex_lock(&sys->lock);
    uint64_t seed = sys->seed + sys->supervisors++;
    tri_tree_seed(tree, &seed);
    tri_list_push_back(&sys->roots, &tree->link);
    tr_ref ref = tri_spawn(sys, self, &spawning);
    if (tr_ref_error(ref) == 0)
        tree->ref = ref;
    else
        tri_link_remove(&tree->link);
    pthread_mutex_unlock(&sys->lock);
    return ref;
}

tr_ref tri_supervisor_last_root(tr_system *sys)
{
    tr_ref ref = tr_none();

    pthread_mutex_lock(&sys->lock);
    struct tri_link *last = tri_list_last(&sys->roots);
    if (last != NULL)
        ref = TRI_CONTAINER_OF(last, struct tri_tree, link)->ref;
    pthread_mutex_unlock(&sys->lock);
    return ref;
}

tr_ref tr_self_supervise(tr_self *self, const tr_supervisor *spec)
{
    struct tri_tree *tree;
    int error = tri_self_check(self);

    if (error == 0)
        error = tri_tree_new(spec, &tree);
    if (error < 0)
        return tri_ref_failed(error);

    tr_ref ref = start_root(self->system, self, tree);
    if (tr_ref_error(ref) < 0)
        tri_tree_free(tree);
    return ref;
}

int tri_supervise_main(tr_system *sys, const tr_supervisor *spec)
{
    struct tri_tree *tree;
    int error = tri_tree_new(spec, &tree);

    if (error < 0)
        return error;
    tree->is_main = true;
    error = tr_ref_error(start_root(sys, NULL, tree));
    if (error < 0)
        tri_tree_free(tree);
    return error;
}

/* Inside the gate. */
static tr_ref supervise(tr_system *sys, const tr_supervisor *spec)
{
    struct tri_tree *tree;
    int error = tri_tree_new(spec, &tree);
    struct tri_outcome *outcome = error == 0 ? tri_outcome_new() : NULL;

    if (error < 0)
        return tri_ref_failed(error);
    if (outcome == NULL) {
        tri_tree_free(tree);
        return tri_ref_failed(-ENOMEM);
    }
    tree->outcome = outcome;

    tr_ref ref = start_root(sys, NULL, tree);
    error = tr_ref_error(ref);
    if (error < 0) {
        tri_tree_free(tree);
        tri_outcome_tell(outcome, error, tr_none());
    }
    error = tri_outcome_wait(outcome, TR_FOREVER, &ref);
    return error < 0 ? tri_ref_failed(error) : ref;
}

/* Enters for a verb that waits. */
static int enter_to_wait(tr_system *sys)
{
    return tri_worker_current() != NULL ? -EDEADLK : tri_system_enter(sys);
}

tr_ref tr_system_supervise(tr_system *sys, const tr_supervisor *spec)
{
    int error = enter_to_wait(sys);

    if (error < 0)
        return tri_ref_failed(error);
    tr_ref ref = supervise(sys, spec);
    tri_system_leave(sys);
    return ref;
}

/* ---- children at run time ------------------------------------------------------------------- */

/* 0, -ESRCH, or -EINVAL for an actor that is no supervisor of this system. */
static int check_supervisor(const tr_system *sys, tr_ref ref)
{
    struct tri_actor *actor;
    int error = tri_slot_look(sys->index, ref, &actor);

    if (error < 0)
        return error;
    return tri_load_relaxed_ptr(&actor->type) == tri_type_of(&tri_supervisor_actor) ? 0 : -EINVAL;
}

/* Gives `value` to a supervisor; on success it is the message's. */
static int send(tr_system *sys, tr_self *self, tr_ref to, const tr_message_info *info,
                const void *value)
{
    int error;
    struct tri_message *message =
        tri_message_make(tri_thread_self(), info, info->size, false, &error);

    if (message == NULL)
        return error;
    memcpy(tri_message_payload(message), value, info->size);
    error = tri_deliver_message(sys, self, to, message);
    if (error < 0)
        tri_message_free(message);
    return error;
}

/* `outcome` may be NULL, and has been told when this fails. */
static int start_child(tr_system *sys, tr_self *self, tr_ref to, const tr_child *spec,
                       struct tri_outcome *outcome)
{
    struct tri_child_start request;
    int error = check_supervisor(sys, to);

    if (error == 0)
        error = tri_place_new(spec, &request.place);
    if (error < 0) {
        tri_outcome_tell(outcome, error, tr_none());
        return error;
    }
    request.place->outcome = outcome;
    error = send(sys, self, to, &tri_child_start_info, &request);
    if (error < 0) {
        request.place->outcome = NULL;
        tri_outcome_tell(outcome, error, tr_none());
        tri_place_free(request.place);
    }
    return error;
}

/* The same. */
static int stop_child(tr_system *sys, tr_self *self, tr_ref to, const char *name,
                      struct tri_outcome *outcome)
{
    struct tri_child_stop request = { .outcome = outcome };
    int error = tri_name_check(name);

    if (error == 0)
        error = check_supervisor(sys, to);
    if (error == 0) {
        memcpy(request.name, name, strlen(name) + 1);
        error = send(sys, self, to, &tri_child_stop_info, &request);
    }
    if (error < 0)
        tri_outcome_tell(outcome, error, tr_none());
    return error;
}

static int wait(struct tri_outcome *outcome, tr_ref *ret_ref)
{
    return tri_outcome_wait(outcome, tri_clock_now() + TR_MS(TRI_CHILD_USUAL_MS), ret_ref);
}

int tr_self_child_start(tr_self *self, tr_ref supervisor, const tr_child *child)
{
    int error = tri_self_check(self);

    return error < 0 ? error : start_child(self->system, self, supervisor, child, NULL);
}

int tr_system_child_start(tr_system *sys, tr_ref supervisor, const tr_child *child,
                          tr_ref *ret_child)
{
    tr_ref ref;
    int error = enter_to_wait(sys);

    if (error < 0)
        return error;
    struct tri_outcome *outcome = tri_outcome_new();
    if (outcome != NULL)
        (void)start_child(sys, NULL, supervisor, child, outcome);
    error = outcome != NULL ? wait(outcome, &ref) : -ENOMEM;
    tri_system_leave(sys);
    if (error == 0 && ret_child != NULL)
        *ret_child = ref;
    return error;
}

int tr_self_child_stop(tr_self *self, tr_ref supervisor, const char *name)
{
    int error = tri_self_check(self);

    return error < 0 ? error : stop_child(self->system, self, supervisor, name, NULL);
}

int tr_system_child_stop(tr_system *sys, tr_ref supervisor, const char *name)
{
    tr_ref ref;
    int error = enter_to_wait(sys);

    if (error < 0)
        return error;
    struct tri_outcome *outcome = tri_outcome_new();
    if (outcome != NULL)
        (void)stop_child(sys, NULL, supervisor, name, outcome);
    error = outcome != NULL ? wait(outcome, &ref) : -ENOMEM;
    tri_system_leave(sys);
    return error;
}
