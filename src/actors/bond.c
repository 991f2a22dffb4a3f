/* SPDX-License-Identifier: BSD-2-Clause */

/* See bond.h for the two sides and their rules. */

#include "actors/bond.h"

#include <errno.h>

#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/lifecycle.h"
#include "actors/notice.h"
#include "actors/own.h"
#include "base/memory.h"
#include "base/spin.h"

enum { MAKER, BEARER, SIDES };

#define MONITOR    TRI_BOND_MONITOR
#define WATCH      TRI_BOND_WATCH
#define LINK       TRI_BOND_LINK
#define SUSPENSION TRI_BOND_SUSPENSION

struct side {
    struct tri_link link; /* in the list of its actor */
    bool listed;
    tr_ref actor;
    uint32_t incarnation;
    struct tri_message *tell;  /* what this side's end tells the other; NULL: nothing, or told */
    alignas(16) struct tri_message close; /* this side's, to the other one; as lanes want it */
};

struct tri_bond {
    uint32_t held; /* any thread: rule 1 */
    enum tri_bond_kind kind;
    uint64_t id; /* never used again; of a monitor or watch: the maker's token */
    struct side sides[SIDES];
    alignas(16) struct tri_message open;
    struct tri_more *spare; /* for a bearer that has none yet */

    /* both sides, under the lock: what the maker is told, monitor and watch */
    struct tri_spin lock;
    bool closed;    /* the maker wants to hear nothing more */
    bool in_flight; /* the bearer's message is on its way, and the mailbox's */
    bool finally;
    uint32_t times;
    tr_reason reason;
};

static uint64_t last_id;

/* ---- records -------------------------------------------------------------------------------- */

static void let_go(struct tri_bond *bond)
{
    /* release, acquire: who frees has seen what the other side did last. */
    if (tri_fetch_sub_acq_rel_32(&bond->held, 1) > 1)
        return;
    for (int i = 0; i < SIDES; i++)
        if (bond->sides[i].tell != NULL)
            tri_message_free(bond->sides[i].tell);
    tri_free(bond->spare);
    tri_free(bond);
}

static void enlist(struct tri_list *list, struct side *side)
{
    tri_list_push_back(list, &side->link);
    side->listed = true;
}

/* Takes a side out of its actor's list: its hold goes to the caller. */
static void delist(struct side *side)
{
    tri_link_remove(&side->link);
    side->listed = false;
}

static struct tri_bond *bond_of(struct side *side, int which)
{
    return TRI_CONTAINER_OF(side - which, struct tri_bond, sides);
}

static struct side *side_of(struct tri_link *link)
{
    return TRI_CONTAINER_OF(link, struct side, link);
}

static const tr_message_info *info_of(enum tri_bond_kind kind)
{
    return kind == MONITOR ? &tr_down_info : kind == WATCH ? &tr_ended_info : &tr_exited_info;
}

/* The message by which a side tells of its end. */
static struct tri_message *make_tell(tr_self *self, enum tri_bond_kind kind,
                                     enum tri_token_kind origin)
{
    int error;
    const tr_message_info *info = info_of(kind);
    struct tri_message *message = tri_message_make(self->thread, info, info->size, true, &error);

    if (message == NULL)
        return NULL;
    message->flags |= TRI_MESSAGE_SOLICITED;
    tri_message_envelope(message)->origin = (uint16_t)origin;
    return message;
}

static enum tri_token_kind origin_of(enum tri_bond_kind kind)
{
    return kind == MONITOR ? TRI_TOKEN_MONITOR : kind == WATCH ? TRI_TOKEN_WATCH : TRI_TOKEN_LINK;
}

/* The messages and the token that a bond of this kind needs. */
static int equip(tr_self *self, struct tri_bond *bond)
{
    struct tri_actor *actor = self->actor;

    if (bond->kind == SUSPENSION)
        return 0;
    bond->sides[BEARER].tell = make_tell(self, bond->kind, origin_of(bond->kind));
    if (bond->sides[BEARER].tell == NULL)
        return -ENOMEM;
    if (bond->kind == LINK) {
        bond->sides[MAKER].tell = make_tell(self, LINK, TRI_TOKEN_LINK);
        return bond->sides[MAKER].tell != NULL ? 0 : -ENOMEM;
    }
    return tri_token_open(&actor->more->tokens, actor->incarnation, origin_of(bond->kind), bond,
                          &bond->id);
}

static void name_notice(struct tri_message *notice, uint32_t tag)
{
    notice->tag = tag;
    notice->flags = 0;
}

/* A record in the maker's list, and held for the bearer. */
static int make(tr_self *self, enum tri_bond_kind kind, tr_ref bearer, struct tri_bond **ret_bond)
{
    struct tri_actor *actor = self->actor;
    struct tri_more *more = tri_more_of(actor);
    struct tri_bond *bond = more != NULL ? tri_alloc_zeroed(sizeof *bond) : NULL;
    int error = -ENOMEM;

    if (bond == NULL)
        return error;
    bond->kind = kind;
    bond->held = 1;
    /* relaxed: only that no two are alike. */
    bond->id = tri_fetch_add_relaxed_64(&last_id, 1) + 1;
    bond->spare = tri_more_new();
    if (bond->spare != NULL)
        error = equip(self, bond);
    if (error < 0) {
        let_go(bond);
        return error;
    }
    bond->held = SIDES;
    bond->sides[MAKER].actor = tri_ref_of(actor);
    bond->sides[MAKER].incarnation = actor->incarnation;
    bond->sides[BEARER].actor = bearer;
    name_notice(&bond->open, TRI_NOTICE_BOND_OPEN);
    name_notice(&bond->sides[MAKER].close, TRI_NOTICE_BOND_CLOSE);
    name_notice(&bond->sides[BEARER].close, TRI_NOTICE_BOND_CLOSE);
    bond->sides[MAKER].close.sender = MAKER;
    bond->sides[BEARER].close.sender = BEARER;
    enlist(&more->made, &bond->sides[MAKER]);
    *ret_bond = bond;
    return 0;
}

/* ---- telling of ends ------------------------------------------------------------------------ */

struct end {
    const tr_reason *reason;
    uint32_t incarnation;
    bool restarting;
};

static void tell_down(tr_self *self, struct tri_bond *bond, const struct end *end)
{
    struct side *bearer = &bond->sides[BEARER];
    struct tri_message *message = bearer->tell;
    bool goes;

    tri_spin_lock(&bond->lock);
    goes = !bond->closed;
    bond->in_flight = goes;
    tri_spin_unlock(&bond->lock);
    if (!goes)
        return;
    bearer->tell = NULL;
    *(struct tr_down *)tri_message_payload(message) = (struct tr_down){
        .monitor = { bond->id },
        .who = bearer->actor,
        .reason = *end->reason,
        .incarnation = end->incarnation,
        .restarting = end->restarting,
    };
    tri_message_envelope(message)->token = bond->id;
    if (tri_deliver_message(self->system, self, bond->sides[MAKER].actor, message) < 0)
        tri_message_free(message);
}

/* By the lane that suits the receiver, as far as can be seen from here: it decides itself. */
static int send_exit(tr_system *sys, tr_self *self, tr_ref to, struct tri_message *message)
{
    const struct tri_actor *receiver = tri_slot_at(to);
    int error;

    if (receiver != NULL && tri_actor_traps(receiver)) {
        message->tag = TR_TAG_tr_exited;
        error = tri_deliver_message(sys, self, to, message);
    } else {
        message->tag = TRI_NOTICE_EXIT;
        error = tri_deliver_notice(sys, self, to, message);
    }
    if (error < 0)
        tri_message_free(message);
    return error;
}

static void fill_exit(struct tri_message *message, tr_ref who, uint64_t id, const struct end *end)
{
    *(struct tr_exited *)tri_message_payload(message) = (struct tr_exited){
        .who = who,
        .reason = *end->reason,
        .incarnation = end->incarnation,
        .restarting = end->restarting,
    };
    tri_message_envelope(message)->token = id;
}

/* One side of a link has ended. */
static void tell_exit(tr_self *self, struct tri_bond *bond, int which, const struct end *end)
{
    struct side *side = &bond->sides[which];
    struct tri_message *message = side->tell;

    side->tell = NULL;
    fill_exit(message, side->actor, bond->id, end);
    (void)send_exit(self->system, self, bond->sides[SIDES - 1 - which].actor, message);
}

/* The message of a watch could not be delivered: it is the record's again, unless its maker has
 * left it to the mailbox where it thought it was. */
static void take_back(struct tri_bond *bond, struct tri_message *message)
{
    bool orphaned;

    tri_spin_lock(&bond->lock);
    bond->in_flight = false;
    orphaned = bond->sides[BEARER].tell == NULL;
    tri_spin_unlock(&bond->lock);
    if (orphaned)
        tri_message_free(message);
}

/* Adds an end to those that a watch has to tell, and tells unless that is under way. */
static void tell_watch(tr_self *self, struct tri_bond *bond, const tr_reason *reason, bool finally)
{
    struct tri_message *message = bond->sides[BEARER].tell;
    bool goes;

    tri_spin_lock(&bond->lock);
    bond->reason = *reason;
    bond->finally = finally;
    bond->times++;
    goes = !bond->in_flight && !bond->closed;
    bond->in_flight |= goes;
    tri_spin_unlock(&bond->lock);
    if (!goes)
        return;
    tri_message_envelope(message)->token = bond->id;
    if (tri_deliver_message(self->system, self, bond->sides[MAKER].actor, message) < 0)
        take_back(bond, message);
}

/* ---- closing -------------------------------------------------------------------------------- */

/* The maker wants to hear nothing more. False: too late, word of the end is on its way. */
static bool hear_no_more(struct tri_bond *bond)
{
    bool in_flight;

    tri_spin_lock(&bond->lock);
    bond->closed = true;
    in_flight = bond->in_flight;
    if (in_flight && bond->kind == WATCH)
        bond->sides[BEARER].tell = NULL; /* the mailbox frees it */
    tri_spin_unlock(&bond->lock);
    return !in_flight;
}

/* A side leaves by its own will: its hold goes with the notice. */
static void close_side(tr_self *self, struct tri_bond *bond, int which)
{
    struct side *side = &bond->sides[which];

    delist(side);
    if (tri_deliver_notice(self->system, self, bond->sides[SIDES - 1 - which].actor, &side->close)
        < 0)
        let_go(bond);
}

static void hold_or_release(struct tri_actor *actor)
{
    if (actor->more->suspensions > 0)
        actor->special |= TRI_HELD_SUSPENDED;
    else
        actor->special &= (uint8_t)~TRI_HELD_SUSPENDED;
}

/* A side leaves because the other one has: nobody needs to be told. */
static void leave(tr_self *self, struct tri_bond *bond, int which)
{
    struct side *side = &bond->sides[which];

    delist(side);
    if (bond->kind == SUSPENSION && which == BEARER) {
        self->actor->more->suspensions--;
        hold_or_release(self->actor);
    }
    let_go(bond);
}

/* ---- notices -------------------------------------------------------------------------------- */

void tri_bond_opened(tr_self *self, struct tri_message *notice)
{
    struct tri_bond *bond = TRI_CONTAINER_OF(notice, struct tri_bond, open);
    struct tri_actor *actor = self->actor;

    if (actor->more == NULL) {
        actor->more = bond->spare;
        bond->spare = NULL;
    }
    bond->sides[BEARER].incarnation = actor->incarnation;
    enlist(&actor->more->borne, &bond->sides[BEARER]);
    if (bond->kind == SUSPENSION) {
        actor->more->suspensions++;
        hold_or_release(actor);
    }
}

void tri_bond_came_late(tr_self *self, struct tri_message *notice, const tr_reason *reason)
{
    struct tri_bond *bond = TRI_CONTAINER_OF(notice, struct tri_bond, open);
    struct end end = { .reason = reason };

    if (bond->kind == MONITOR)
        tell_down(self, bond, &end);
    else if (bond->kind == WATCH)
        tell_watch(self, bond, reason, true);
    else if (bond->kind == LINK)
        tell_exit(self, bond, BEARER, &end);
    let_go(bond);
}

void tri_bond_closed(tr_self *self, struct tri_message *notice)
{
    struct side *from = TRI_CONTAINER_OF(notice, struct side, close);
    /* The two sides' notices tell themselves apart by their places in the record. */
    int which = notice->sender == MAKER ? MAKER : BEARER;
    struct tri_bond *bond = bond_of(from, which);
    int other = SIDES - 1 - which;

    if (bond->sides[other].listed)
        leave(self, bond, other);
    let_go(bond);
}

/* ---- messages ------------------------------------------------------------------------------- */

static struct side *find_link(struct tri_list *list, uint64_t id, int which)
{
    TRI_LIST_EACH(list, link) {
        struct side *side = side_of(link);
        struct tri_bond *bond = bond_of(side, which);

        if (bond->kind == LINK && bond->id == id)
            return side;
    }
    return NULL;
}

bool tri_bond_exit_is_meant(tr_self *self, const struct tri_message *message)
{
    uint64_t id = tri_message_envelope(message)->token;
    struct tri_more *more = self->actor->more;

    if (id == 0)
        return true;
    if (more == NULL)
        return false;
    struct side *side = find_link(&more->made, id, MAKER);
    int which = MAKER;
    if (side == NULL) {
        side = find_link(&more->borne, id, BEARER);
        which = BEARER;
    }
    if (side == NULL)
        return false;
    leave(self, bond_of(side, which), which);
    return true;
}

/* An exit in the user lane; one who does not trap any more obeys it, by way of the urgent lane. */
static bool exit_arrived(tr_self *self)
{
    struct tri_message *message = self->msg;

    if (tri_actor_traps(self->actor)) {
        tri_cover(TRI_COVERED_EXIT_TRAPPED);
        return tri_bond_exit_is_meant(self, message);
    }
    tri_lane_detach(&self->actor->lane, message);
    self->fate |= TRI_FATE_HANDED_OVER;
    message->tag = TRI_NOTICE_EXIT;
    if (tri_deliver_notice(self->system, self, tri_self_ref(self), message) < 0)
        tri_message_free(message);
    return false;
}

/* Takes what has gathered: the handler gets a copy, because from here on the bearer may send the
 * same message again. After the final end it will not: then the message is the mailbox's alone. */
static bool watch_arrived(tr_self *self, struct tri_bond *bond)
{
    struct tr_ended *ended = &self->ended;

    tri_spin_lock(&bond->lock);
    *ended = (struct tr_ended){
        .watch = { bond->id },
        .who = bond->sides[BEARER].actor,
        .reason = bond->reason,
        .times = bond->times,
        .finally = bond->finally,
    };
    if (ended->finally) {
        bond->sides[BEARER].tell = NULL;
    } else {
        tri_lane_detach(&self->actor->lane, self->msg);
        self->fate |= TRI_FATE_HANDED_OVER;
    }
    bond->times = 0;
    bond->in_flight = false;
    tri_spin_unlock(&bond->lock);
    self->payload = ended;
    if (ended->finally) {
        tri_token_close(&self->actor->more->tokens, bond->id);
        delist(&bond->sides[MAKER]);
        let_go(bond);
    }
    return true;
}

bool tri_bond_arrived(tr_self *self, const struct tri_envelope *envelope)
{
    struct tri_actor *actor = self->actor;
    struct tri_bond *bond;

    if (envelope->origin == TRI_TOKEN_LINK)
        return exit_arrived(self);
    bond = actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation,
                         (enum tri_token_kind)envelope->origin, envelope->token);
    if (bond == NULL)
        return false;
    if (bond->kind == WATCH)
        return watch_arrived(self, bond);
    tri_token_close(&actor->more->tokens, bond->id);
    delist(&bond->sides[MAKER]);
    let_go(bond);
    return true;
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void end_made(tr_self *self, struct tri_bond *bond, const struct end *end)
{
    if (bond->kind == LINK) {
        tell_exit(self, bond, MAKER, end);
        leave(self, bond, MAKER);
        return;
    }
    (void)hear_no_more(bond);
    close_side(self, bond, MAKER);
}

static void end_borne(tr_self *self, struct tri_bond *bond, const struct end *end)
{
    switch (bond->kind) {
    case MONITOR:
        tell_down(self, bond, end);
        break;
    case LINK:
        tell_exit(self, bond, BEARER, end);
        break;
    case WATCH:
        if (!end->restarting)
            return; /* the final end tells it */
        tell_watch(self, bond, end->reason, false);
        return;
    case SUSPENSION:
        return; /* its maker has not ended: it holds the next incarnation too */
    }
    leave(self, bond, BEARER);
}

void tri_bond_incarnation_ends(tr_self *self, const tr_reason *reason, bool restarting)
{
    struct tri_actor *actor = self->actor;
    struct end end = { reason, actor->incarnation, restarting };

    TRI_LIST_EACH(&actor->more->made, made)
        end_made(self, bond_of(side_of(made), MAKER), &end);
    TRI_LIST_EACH(&actor->more->borne, borne)
        end_borne(self, bond_of(side_of(borne), BEARER), &end);
}

void tri_bond_actor_ends(tr_self *self, const tr_reason *reason)
{
    struct tri_actor *actor = self->actor;

    TRI_LIST_EACH(&actor->more->borne, link) {
        struct tri_bond *bond = bond_of(side_of(link), BEARER);

        if (bond->kind == WATCH)
            tell_watch(self, bond, reason, true);
        leave(self, bond, BEARER);
    }
}

int tri_exit_send(tr_system *sys, tr_self *self, tr_ref to, const tr_reason *reason)
{
    struct end end = { .reason = reason };
    int error;
    struct tri_message *message = tri_message_make(tri_thread_self(), &tr_exited_info,
                                                   sizeof(struct tr_exited), true, &error);

    if (message == NULL)
        return error;
    message->flags |= TRI_MESSAGE_SOLICITED;
    tri_message_envelope(message)->origin = TRI_TOKEN_LINK;
    fill_exit(message, self != NULL ? tri_self_ref(self) : tr_none(), 0, &end);
    return send_exit(sys, self, to, message);
}

/* ---- for the verbs -------------------------------------------------------------------------- */

int tri_bond_make(tr_self *self, enum tri_bond_kind kind, tr_ref bearer, uint64_t *ret_token)
{
    struct tri_bond *bond;
    int error = make(self, kind, bearer, &bond);

    if (error < 0)
        return error;
    *ret_token = bond->id;
    if (tri_deliver_notice(self->system, self, bearer, &bond->open) < 0) {
        tr_reason reason;
        tri_reason_set(&reason, TR_LOST, -ESRCH, NULL);
        tri_bond_came_late(self, &bond->open, &reason);
    }
    return 0;
}

int tri_bond_unmake(tr_self *self, enum tri_bond_kind kind, uint64_t token, bool flush)
{
    struct tri_actor *actor = self->actor;
    struct tri_bond *bond = actor->more == NULL ? NULL
        : tri_token_find(&actor->more->tokens, actor->incarnation, origin_of(kind), token);

    if (bond == NULL)
        return -ENOENT;
    if (!hear_no_more(bond) && kind == MONITOR && !flush)
        return 0; /* its tr_down has been sent, and will be handled */
    tri_token_close(&actor->more->tokens, token);
    close_side(self, bond, MAKER);
    return 0;
}

/* A side of a bond of this kind with that actor, or NULL. */
static struct side *find_with(struct tri_list *list, enum tri_bond_kind kind, tr_ref actor,
                              int which)
{
    TRI_LIST_EACH(list, link) {
        struct side *side = side_of(link);
        struct tri_bond *bond = bond_of(side, which);

        if (bond->kind == kind && tr_ref_equal(bond->sides[SIDES - 1 - which].actor, actor))
            return side;
    }
    return NULL;
}

bool tri_bond_has(tr_self *self, enum tri_bond_kind kind, tr_ref with)
{
    struct tri_more *more = self->actor->more;

    if (more == NULL)
        return false;
    return find_with(&more->made, kind, with, MAKER) != NULL ||
           (kind == LINK && find_with(&more->borne, kind, with, BEARER) != NULL);
}

bool tri_bond_close_with(tr_self *self, enum tri_bond_kind kind, tr_ref with)
{
    struct tri_more *more = self->actor->more;
    struct side *side = more == NULL ? NULL : find_with(&more->made, kind, with, MAKER);

    if (side != NULL) {
        close_side(self, bond_of(side, MAKER), MAKER);
        return true;
    }
    side = more == NULL || kind != LINK ? NULL : find_with(&more->borne, kind, with, BEARER);
    if (side == NULL)
        return false;
    close_side(self, bond_of(side, BEARER), BEARER);
    return true;
}
