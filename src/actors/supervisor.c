/* SPDX-License-Identifier: BSD-2-Clause */

/* See supervisor.h and place.h for the two state machines and their rules. */

#include "actors/supervisor.h"

#include <errno.h>
#include <stdio.h>

#include <troupe/error.h>
#include <troupe/timer.h>

#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/lifecycle.h"
#include "actors/more.h"
#include "actors/notice.h"
#include "actors/run.h"
#include "actors/spawn.h"
#include "base/assert.h"
#include "base/clock.h"

/* The state; what lasts longer than an incarnation stands in the tree. */
struct supervisor {
    struct tri_tree *tree;
};

/* What its timers carry. */
struct timer_of {
    struct tri_place *place;
};

enum {
    TAG_BACKOFF_OVER = 112,
    TAG_GRACE_OVER,
    TAG_CHILD_START,
    TAG_CHILD_STOP,
};

static tr_message_state backoff_over_state, grace_over_state;

static const tr_message_info backoff_over_info = {
    .name = "backoff over", .tag = TAG_BACKOFF_OVER, .size = sizeof(struct timer_of),
    .align = _Alignof(struct timer_of), .state = &backoff_over_state,
};

static const tr_message_info grace_over_info = {
    .name = "grace over", .tag = TAG_GRACE_OVER, .size = sizeof(struct timer_of),
    .align = _Alignof(struct timer_of), .state = &grace_over_state,
};

static void begin_end(tr_self *self, struct tri_tree *tree, const tr_reason *reason,
                      enum tri_signal signal);
static void start_next(tr_self *self, struct tri_tree *tree);

static struct tri_tree *tree_of(const tr_self *self)
{
    return ((struct supervisor *)self->actor->state)->tree;
}

static bool is_held(const tr_self *self)
{
    return (self->actor->special & TRI_HELD_RESTART) != 0;
}

static const char *name_of(const struct tri_place *place)
{
    if (place->spec.name != NULL)
        return place->spec.name;
    return place->tree != NULL ? "a supervisor" : place->spec.type->name;
}

/* What a reason comes to for who waits for a start. */
static int error_of(const tr_reason *reason)
{
    return reason->code < 0 ? reason->code : -ECANCELED;
}

/* ---- one place: timers and signals ---------------------------------------------------------- */

static void cancel_timer(tr_self *self, struct tri_place *place)
{
    if (place->timer.bits != 0)
        (void)tr_cancel(self, place->timer);
    place->timer.bits = 0;
}

/* False: there is no timer. A held supervisor has none. */
static bool set_timer(tr_self *self, struct tri_place *place, tr_time delay,
                      const tr_message_info *info)
{
    struct timer_of value = { place };

    if (is_held(self))
        return false;
    place->timer = tr_after_raw(self, delay, info, &value);
    if (tr_timer_error(place->timer) == 0)
        return true;
    place->timer.bits = 0;
    return false;
}

static void signal_child(tr_self *self, const struct tri_place *place)
{
    /* One that has gone meanwhile says so itself. */
    (void)tri_deliver_signal(self->system, self, place->ref,
                             place->is_killed ? TRI_SIGNAL_KILL : TRI_SIGNAL_STOP);
}

/* Whether it may wait for the supervisor's next incarnation. */
static bool may_be_held(const struct tri_place *place)
{
    return !place->is_dynamic && !place->is_forgotten && place->spec.restart != TR_TEMPORARY;
}

static bool is_down(const struct tri_tree *tree, const struct tri_place *place)
{
    return place->state == TRI_PLACE_ABSENT
           || (place->state == TRI_PLACE_HELD && tree->wanted == TRI_CHILD_HELD
               && may_be_held(place));
}

/* any → STOPPING */
static void stop_child(tr_self *self, struct tri_tree *tree, struct tri_place *place,
                       enum tri_signal signal)
{
    bool keep = tree->phase == TRI_TREE_ENDING && tree->wanted == TRI_CHILD_HELD
                && may_be_held(place);

    cancel_timer(self, place);
    place->state = TRI_PLACE_STOPPING;
    place->is_killed = signal == TRI_SIGNAL_KILL;
    /* release: before the signal; pairs with the acquire in tri_child_restarts. */
    tri_store_release_32(&place->child.wanted, keep ? TRI_CHILD_HELD : TRI_CHILD_GONE);
    signal_child(self, place);
    if (place->is_killed || place->spec.grace == TR_FOREVER || is_held(self)
        || set_timer(self, place, place->spec.grace, &grace_over_info))
        return;
    place->is_killed = true; /* no memory for the grace */
    signal_child(self, place);
}

/* ---- one place: start and restart ----------------------------------------------------------- */

/* ABSENT → STARTING */
static int spawn_child(tr_self *self, struct tri_place *place)
{
    const struct tr_spawn_options options = {
        .name = place->spec.name, .capacity = place->spec.capacity,
        .overflow = place->spec.overflow,
    };
    bool is_tree = place->tree != NULL;
    struct tri_spawning spawning = {
        .options = &options, .type = is_tree ? &tri_supervisor_actor : place->spec.type,
        .initial = place->child.initial, .child = &place->child,
        .flags = is_tree ? TRI_ACTOR_INTERNAL : 0,
    };

    place->child.supervisor = tri_self_ref(self);
    tri_store_relaxed_32(&place->child.wanted, TRI_CHILD_AS_SPECIFIED);
    place->ref = tri_spawn(self->system, self, &spawning);
    if (tr_ref_error(place->ref) < 0)
        return tr_ref_error(place->ref);
    place->state = TRI_PLACE_STARTING;
    return 0;
}

/* HELD → STARTING */
static void restart_child(tr_self *self, struct tri_place *place)
{
    cancel_timer(self, place);
    tri_cover(place->spec.restart == TR_TRANSIENT ? TRI_COVERED_RESTART_TRANSIENT
                                                  : TRI_COVERED_RESTART_PERMANENT);
    place->state = TRI_PLACE_STARTING;
    /* release: before the notice, which publishes it. */
    tri_store_release_32(&place->child.wanted, TRI_CHILD_AS_SPECIFIED);
    /* One that was stopped while it was held says so itself. */
    (void)tri_deliver_notice(self->system, self, place->ref, &place->child.restarted);
}

static void remove_place(struct tri_tree *tree, struct tri_place *place)
{
    tri_assert(place->state == TRI_PLACE_ABSENT);
    if (tree->cursor == place)
        tree->cursor = place->link.next == &tree->places.ring ? NULL
                                                              : tri_place_of(place->link.next);
    tri_link_remove(&place->link);
    tree->count--;
    tri_place_free(place);
}

static void tell(struct tri_place *place, int error)
{
    tri_outcome_tell(place->outcome, error, error < 0 ? tr_none() : place->ref);
    place->outcome = NULL;
}

/* A child's first start in this incarnation of the supervisor did not succeed. */
static void start_failed(tr_self *self, struct tri_tree *tree, struct tri_place *place, int error)
{
    tr_reason reason = { .kind = TR_ERROR, .code = error };

    if (place->is_dynamic) { /* its own affair, and that of who added it */
        place->is_forgotten = true;
        place->error = error;
        if (place->state != TRI_PLACE_ABSENT) {
            stop_child(self, tree, place, TRI_SIGNAL_STOP);
        } else {
            tell(place, error);
            remove_place(tree, place);
            if (tree->phase == TRI_TREE_STARTING)
                start_next(self, tree);
        }
        return;
    }
    (void)snprintf(reason.text, sizeof reason.text, "%.24s did not start", name_of(place));
    begin_end(self, tree, &reason, TRI_SIGNAL_STOP);
}

static void give_up(tr_self *self, struct tri_tree *tree, const struct tri_place *place)
{
    tr_reason reason;

    tri_cover(TRI_COVERED_SUPERVISOR_GAVE_UP);
    tri_log(self->system, TR_LOG_ERROR,
            "%s was restarted more than %u times within %lld ms: its supervisor gives up",
            name_of(place), (unsigned)tree->spec.restarts_max,
            (long long)(tree->spec.within / TR_MS(1)));
    tri_reason_set(&reason, TR_ERROR, -ECONNRESET, "restart intensity");
    begin_end(self, tree, &reason, TRI_SIGNAL_STOP);
}

/* HELD: it has crashed, or its restart did not succeed. */
static void restart_later(tr_self *self, struct tri_tree *tree, struct tri_place *place)
{
    tr_time now = tri_clock_now();
    tr_time delay;

    if (!tri_intensity_allows(&tree->intensity, now)) {
        give_up(self, tree, place);
        return;
    }
    if (now - place->up_since >= tree->spec.within)
        place->row = 0;
    delay = tri_backoff(&tree->random, tree->spec.backoff_min, tree->spec.backoff_max,
                        place->row++);
    tri_log(self->system, TR_LOG_INFO, "%s ended (%s) %s: restarted in %lld ms", name_of(place),
            tr_error_name(place->child.ended_for.code), place->child.ended_for.text,
            (long long)(delay / TR_MS(1)));
    if (delay == 0 || !set_timer(self, place, delay, &backoff_over_info))
        restart_child(self, place);
    else
        tri_cover(TRI_COVERED_RESTART_LATER);
}

/* ---- one place: what its child says --------------------------------------------------------- */

static void child_started(tr_self *self, struct tri_tree *tree, struct tri_place *place)
{
    if (place->state == TRI_PLACE_STOPPING) {
        signal_child(self, place); /* the first signal may have been for the life before */
        return;
    }
    place->state = TRI_PLACE_UP;
    place->has_been_up = true;
    place->up_since = tri_clock_now();
    tell(place, 0);
    if (tree->cursor != place)
        return;
    tree->cursor = place->link.next == &tree->places.ring ? NULL : tri_place_of(place->link.next);
    start_next(self, tree);
}

static void stop_next(tr_self *self, struct tri_tree *tree);

static void child_ended(tr_self *self, struct tri_tree *tree, struct tri_place *place)
{
    enum tri_place_state before = place->state;

    if (before == TRI_PLACE_STOPPING
        && tri_load_relaxed_32(&place->child.wanted) == TRI_CHILD_GONE) {
        signal_child(self, place); /* it is held, and has to go */
        return;
    }
    cancel_timer(self, place);
    place->state = TRI_PLACE_HELD;
    if (tree->phase == TRI_TREE_ENDING)
        stop_next(self, tree);
    else if (before == TRI_PLACE_STARTING && !place->has_been_up)
        start_failed(self, tree, place, error_of(&place->child.ended_for));
    else
        restart_later(self, tree, place);
}

/* Its place is free, or is given up. */
static void child_gone(tr_self *self, struct tri_tree *tree, struct tri_place *place)
{
    enum tri_place_state before = place->state;
    bool was_cursor = tree->cursor == place;

    cancel_timer(self, place);
    place->state = TRI_PLACE_ABSENT;
    place->ref = tr_none();
    if (place->is_forgotten || place->is_dynamic) {
        if (place->is_forgotten)
            tell(place, place->error);
        else if (before == TRI_PLACE_STARTING)
            tell(place, error_of(&place->child.gone_for));
        remove_place(tree, place);
        if (was_cursor && tree->phase == TRI_TREE_STARTING)
            start_next(self, tree);
    } else if (was_cursor && tree->phase == TRI_TREE_STARTING) {
        start_failed(self, tree, place, error_of(&place->child.gone_for));
    }
    if (tree->phase == TRI_TREE_ENDING)
        stop_next(self, tree);
}

/* ---- the whole: start ----------------------------------------------------------------------- */

/* Starts the child under the cursor; without one, all have started. */
static void start_next(tr_self *self, struct tri_tree *tree)
{
    struct tri_place *place = tree->cursor;
    int error = 0;

    if (place == NULL) {
        tree->phase = TRI_TREE_RUNNING;
        tree->has_run = true;
        tri_outcome_tell(tree->outcome, 0, tri_self_ref(self));
        tree->outcome = NULL;
        tri_life_started(self);
        return;
    }
    if (place->state == TRI_PLACE_STOPPING)
        return; /* for good: then the next one's turn comes */
    if (place->state == TRI_PLACE_HELD)
        restart_child(self, place);
    else
        error = spawn_child(self, place);
    if (error < 0)
        start_failed(self, tree, place, error);
}

static int start(tr_self *self, void *me)
{
    struct tri_tree *tree = ((struct supervisor *)me)->tree;

    if (tree->phase != TRI_TREE_DOWN)
        return TR_OK; /* told to end before it began */
    tree->phase = TRI_TREE_STARTING;
    tri_intensity_reset(&tree->intensity);
    TRI_LIST_EACH(&tree->places, link) {
        tri_place_of(link)->has_been_up = false;
        tri_place_of(link)->row = 0;
    }
    tree->cursor = tri_place_of(tri_list_first(&tree->places));
    start_next(self, tree);
    return TR_OK;
}

/* ---- the whole: end ------------------------------------------------------------------------- */

/* Tells the last child that is not down yet to stop, unless it has been told. */
static void stop_next(tr_self *self, struct tri_tree *tree)
{
    tree->is_finished = false;
    for (struct tri_link *link = tree->places.ring.previous; link != &tree->places.ring;
         link = link->previous) {
        struct tri_place *place = tri_place_of(link);

        if (is_down(tree, place))
            continue;
        if (place->state != TRI_PLACE_STOPPING)
            stop_child(self, tree, place, TRI_SIGNAL_STOP);
        return;
    }
    tree->is_finished = true;
    (void)tri_lane_alert(&self->actor->lane); /* supervisor.h, rule 2 */
}

/* Rule 3 of supervisor.h. */
static enum tri_child_wanted wanted_after(const tr_self *self, const tr_reason *reason)
{
    const struct tri_child *child = self->actor->more != NULL ? self->actor->more->child : NULL;

    return !is_held(self) && child != NULL && tri_child_restarts(child, reason) ? TRI_CHILD_HELD
                                                                                : TRI_CHILD_GONE;
}

static void kill_all(tr_self *self, struct tri_tree *tree)
{
    tree->is_killing = true;
    TRI_LIST_EACH(&tree->places, link) {
        if (!is_down(tree, tri_place_of(link)))
            stop_child(self, tree, tri_place_of(link), TRI_SIGNAL_KILL);
    }
}

/* The end has begun, but now nobody will restart it: who was to be held has to go. */
static void let_none_be_held(tr_self *self, struct tri_tree *tree)
{
    tree->wanted = TRI_CHILD_GONE;
    TRI_LIST_EACH(&tree->places, link) {
        struct tri_place *place = tri_place_of(link);

        if (place->state == TRI_PLACE_STOPPING) {
            tri_store_release_32(&place->child.wanted, TRI_CHILD_GONE);
            signal_child(self, place);
        }
    }
}

/* any → ENDING */
static void begin_end(tr_self *self, struct tri_tree *tree, const tr_reason *reason,
                      enum tri_signal signal)
{
    enum tri_child_wanted wanted = wanted_after(self, reason);

    if (tree->phase != TRI_TREE_ENDING) {
        tree->phase = TRI_TREE_ENDING;
        tree->cursor = NULL;
        tree->wanted = wanted;
        tree->reason = *reason;
    } else if (wanted == TRI_CHILD_GONE && tree->wanted != TRI_CHILD_GONE) {
        let_none_be_held(self, tree);
    }
    if (signal == TRI_SIGNAL_KILL && !tree->is_killing) {
        tree->reason = *reason;
        kill_all(self, tree);
    }
    stop_next(self, tree);
}

static enum tri_next end_root(tr_self *self, struct tri_tree *tree, const tr_reason *reason)
{
    tr_system *sys = self->system;
    enum tri_next next = tri_life_end(self, reason);

    tri_assert(next == TRI_NEXT_ENDED);
    pthread_mutex_lock(&sys->lock);
    tri_link_remove(&tree->link);
    pthread_mutex_unlock(&sys->lock);
    tri_outcome_tell(tree->outcome, error_of(reason), tr_none());
    if (tree->is_main)
        tri_run_tell_end(sys, reason, tree->has_run);
    tri_tree_free(tree);
    return next;
}

/* ENDING → DOWN, or gone. After this the tree may be its supervisor's, or freed. */
static enum tri_next end(tr_self *self, struct tri_tree *tree)
{
    tr_reason reason = tree->reason;
    bool holds = tree->wanted == TRI_CHILD_HELD && !is_held(self);

    if (tree->is_root)
        return end_root(self, tree, &reason);
    tree->phase = TRI_TREE_DOWN;
    tree->is_killing = false;
    tree->is_finished = false;
    TRI_LIST_EACH(&tree->places, link)
        tri_place_of(link)->timer.bits = 0; /* they end with the incarnation */
    return holds ? tri_life_hold(self, &reason) : tri_life_end(self, &reason);
}

/* ---- hooks ---------------------------------------------------------------------------------- */

static void notice(tr_self *self, struct tri_message *message)
{
    struct tri_tree *tree = tree_of(self);
    struct tri_child *child;

    switch (message->tag) {
    case TRI_NOTICE_CHILD_STARTED:
        child = TRI_CONTAINER_OF(message, struct tri_child, started);
        child_started(self, tree, TRI_CONTAINER_OF(child, struct tri_place, child));
        break;
    case TRI_NOTICE_CHILD_ENDED:
        child = TRI_CONTAINER_OF(message, struct tri_child, ended);
        child_ended(self, tree, TRI_CONTAINER_OF(child, struct tri_place, child));
        break;
    default:
        child = TRI_CONTAINER_OF(message, struct tri_child, gone);
        child_gone(self, tree, TRI_CONTAINER_OF(child, struct tri_place, child));
    }
}

static enum tri_next looked(tr_self *self, uint32_t signals, const tr_reason *exit)
{
    struct tri_tree *tree = tree_of(self);
    tr_reason reason;

    if (signals & TRI_SIGNAL_KILL) {
        tri_reason_set(&reason, TR_KILLED, 0, NULL);
        begin_end(self, tree, &reason, TRI_SIGNAL_KILL);
    } else if (signals & TRI_SIGNAL_STOP) {
        tri_reason_set(&reason, TR_SHUTDOWN, 0, NULL);
        begin_end(self, tree, &reason, TRI_SIGNAL_STOP);
    } else if (exit != NULL) {
        begin_end(self, tree, exit, TRI_SIGNAL_STOP);
    }
    return tree->phase == TRI_TREE_ENDING && tree->is_finished ? end(self, tree) : TRI_NEXT_GO_ON;
}

/* ---- messages ------------------------------------------------------------------------------- */

static int on_backoff_over(tr_self *self, void *me, const void *msg)
{
    struct tri_place *place = ((const struct timer_of *)msg)->place;
    const struct tri_tree *tree = ((struct supervisor *)me)->tree;

    place->timer.bits = 0;
    if (place->state == TRI_PLACE_HELD && tree->phase != TRI_TREE_ENDING)
        restart_child(self, place);
    return TR_OK;
}

static int on_grace_over(tr_self *self, void *me, const void *msg)
{
    struct tri_place *place = ((const struct timer_of *)msg)->place;

    (void)me;
    place->timer.bits = 0;
    if (place->state != TRI_PLACE_STOPPING)
        return TR_OK;
    tri_cover(TRI_COVERED_SUPERVISOR_KILLED);
    tri_log(self->system, TR_LOG_WARNING, "%s did not stop within %lld ms: killed", name_of(place),
            (long long)(place->spec.grace / TR_MS(1)));
    place->is_killed = true;
    signal_child(self, place);
    return TR_OK;
}

/* Takes the place out of the message; 0, or why the child cannot be added. */
static int add_child(tr_self *self, struct tri_tree *tree, struct tri_place *place)
{
    uint64_t seed = tri_random_next(&tree->random);

    if (tree->phase == TRI_TREE_ENDING)
        return -ESRCH;
    if (tree->count >= TRI_CHILDREN_MAX)
        return -ENOSPC;
    if (place->spec.name != NULL && tri_tree_find(tree, place->spec.name) != NULL)
        return -EEXIST;
    if (place->tree != NULL)
        tri_tree_seed(place->tree, &seed);
    place->is_dynamic = true;
    if (tree->phase == TRI_TREE_RUNNING) {
        int error = spawn_child(self, place);
        if (error < 0)
            return error;
    } /* else its turn comes: it is behind the cursor */
    tri_list_push_back(&tree->places, &place->link);
    tree->count++;
    return 0;
}

static int on_child_start(tr_self *self, void *me, const void *msg)
{
    struct tri_child_start *request = (struct tri_child_start *)(uintptr_t)msg;
    int error = add_child(self, ((struct supervisor *)me)->tree, request->place);

    if (error < 0)
        tell(request->place, error); /* and the message drops it */
    else
        request->place = NULL;
    return TR_OK;
}

/* 0 when it has been told to stop, and who asks will hear; 1 when it is forgotten already. */
static int stop_for_good(tr_self *self, struct tri_tree *tree, struct tri_child_stop *request)
{
    struct tri_place *place = tri_tree_find(tree, request->name);

    if (tree->phase == TRI_TREE_ENDING)
        return -ESRCH;
    if (place == NULL)
        return -ENOENT;
    if (place->state == TRI_PLACE_STOPPING)
        return -EALREADY;
    tell(place, -ECANCELED);
    place->is_forgotten = true;
    if (place->state == TRI_PLACE_ABSENT) {
        remove_place(tree, place);
        return 1;
    }
    place->outcome = request->outcome;
    request->outcome = NULL;
    stop_child(self, tree, place, TRI_SIGNAL_STOP);
    return 0;
}

static int on_child_stop(tr_self *self, void *me, const void *msg)
{
    struct tri_child_stop *request = (struct tri_child_stop *)(uintptr_t)msg;
    int result = stop_for_good(self, ((struct supervisor *)me)->tree, request);

    if (result != 0) {
        tri_outcome_tell(request->outcome, result < 0 ? result : 0, tr_none());
        request->outcome = NULL;
    }
    return TR_OK;
}

/* ---- the type ------------------------------------------------------------------------------- */

static void drop_child_start(void *msg)
{
    struct tri_child_start *request = msg;

    if (request->place != NULL)
        tri_place_free(request->place);
}

static void drop_child_stop(void *msg)
{
    tri_outcome_tell(((struct tri_child_stop *)msg)->outcome, -ESRCH, tr_none());
}

static tr_message_state child_start_state, child_stop_state;

const tr_message_info tri_child_start_info = {
    .name = "child start", .tag = TAG_CHILD_START, .size = sizeof(struct tri_child_start),
    .align = _Alignof(struct tri_child_start), .drop = drop_child_start,
    .state = &child_start_state,
};

const tr_message_info tri_child_stop_info = {
    .name = "child stop", .tag = TAG_CHILD_STOP, .size = sizeof(struct tri_child_stop),
    .align = _Alignof(struct tri_child_stop), .drop = drop_child_stop,
    .state = &child_stop_state,
};

static const tr_handler reactions[] = {
    { &backoff_over_info, on_backoff_over }, { &grace_over_info, on_grace_over },
    { &tri_child_start_info, on_child_start }, { &tri_child_stop_info, on_child_stop },
    { NULL, NULL },
};

static const struct tri_hooks hooks = { .notice = notice, .looked = looked };

static tr_type_state supervisor_state;

const tr_actor_type tri_supervisor_actor = {
    .name = "supervisor", .state_size = sizeof(struct supervisor),
    .state_align = _Alignof(struct supervisor), .on = reactions, .start = start,
    .state = &supervisor_state,
};

int tri_supervisor_prepare(void)
{
    static pthread_mutex_t preparing = PTHREAD_MUTEX_INITIALIZER;
    struct tri_type *type;
    int error;

    pthread_mutex_lock(&preparing);
    error = tri_type_compile(&tri_supervisor_actor, &type);
    if (error == 0 && type->hooks == NULL)
        type->hooks = &hooks;
    pthread_mutex_unlock(&preparing);
    return error;
}
