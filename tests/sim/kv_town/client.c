/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A client of the service, at the other end of the network: it changes keys that are its own, many
 * commands at a time, and holds each answer against what it knows.
 *
 *     ┌──────┐ a while  ┌────────────┐ connected  ┌─────────┐ ◄┐ all answered: the next batch
 *     │ AWAY │ ───────► │ CONNECTING │ ─────────► │ TALKING │ ─┘
 *     └──────┘          └────────────┘            └─────────┘
 *         ▲                   │ refused                │ the end, an error, or out of a whim
 *         └───────────────────┴────────────────────────┘
 *
 * In a new life of the service, and in the end, it first reads all its keys.
 *
 * Rules
 *   1. What was not answered on a connection is never answered: its changes are pending.
 *   2. An answer that comes when the power has been lost is an answer of before: under a policy
 *      that may lose it, it counts for nothing.
 *
 * Partners: history.c judges; town.c ends the lives.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/io.h>

#include "batch.h"
#include "town.h"

#define PATIENCE TR_SEC(100)
#define SLOW_MS  45000       /* from here on an answer counts as none: who waits so long? */

struct client_go { uint32_t turn; };
struct client_patience { uint32_t turn; };

#define CLIENT_MESSAGES(M) M(client_go) M(client_patience)
TR_PROTOCOL(client, 9301, CLIENT_MESSAGES);

struct client_state {
    struct batch batch;
    struct bytes input;
    tr_io io;
    bool is_connected;
    bool has_ended;      /* its half of the connection */
    uint32_t checked;    /* the life in which all keys have been read */
    bool is_checking;    /* the batch reads keys for that */
    tr_timer patience;
    uint32_t turn;       /* timers of earlier ones mean nothing */
    bool is_done;
};

static struct client_state states[TOWN_CLIENTS_MAX];

static struct client_state *state_of(const struct client *me)
{
    return &states[me->number];
}

static struct history *history_of(const struct client *me, uint32_t key)
{
    return batch_history(&state_of(me)->batch, key);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* For people, who look for what went wrong with one key. */
static void tell(const struct client *me, const struct command *command, uint32_t i,
                 const char *answer)
{
    const struct history *history = history_of(me, command->keys[i]);
    const struct history_change *change = &command->changes[i];

    if (town.tells_of == NULL || strcmp(town.tells_of, history->key) != 0)
        return;
    (void)fprintf(stderr, "town: %" PRId64 " ms, life %u, connection %u: %s %s %u, %u bytes, %"
                          PRId64 " for %" PRId64 " ms, sent at %" PRId64 ": %.50s\n",
                  town_now(), town.life, change->connection, batch_names[change->kind],
                  history->key, change->id, change->size, change->number, change->lasts,
                  change->sent, answer);
}

static _Noreturn void complain(const struct client *me, const struct command *command, uint32_t i,
                               const struct answer *answer)
{
    const struct history *history = history_of(me, command->keys[i]);
    const struct history_answer *value = &answer->parts[command->is_array ? i : 0].value;
    char known[256];

    history_print(history, known, sizeof known);
    town_fail("client %u, life %u: %s %s answered \"%.40s\" (size %u, sum %08x), known is: %s",
              me->number, town.life, batch_names[command->changes[i].kind], history->key,
              answer->text, value->size, (unsigned)value->sum, known);
}

/* Rule 2. What a disk refuses is forgotten at the end of a life, too. */
static bool is_from_before(const struct client_state *s, const struct history *history)
{
    return (town.window >= 0 && s->batch.life <= town.lost_life) ||
           (town.disk_may_refuse && s->batch.life <= history->over);
}

/* The log is sound if a write was sent after the last failed sync, and acknowledged by the service
 * that saw it fail: the next one does not know. */
static void note_acknowledged(const struct history_change *change)
{
    town.report->counts.acknowledged++;
    town.is_sound |= town.window < 0 && change->sent > town.sync_failed_at &&
                     change->life == town.sync_failed_life;
}

static void check_time(const struct client *me, const struct history_change *change)
{
    if (town_now() - change->sent > SLOW_MS)
        town_fail("client %u, life %u: an answer took %" PRId64 " ms", me->number, town.life,
                  town_now() - change->sent);
}

static void take_part(const struct client *me, const struct command *command, uint32_t i,
                      const struct answer *answer)
{
    const struct history_change *change = &command->changes[i];
    const struct answer_part *part = &answer->parts[command->is_array ? i : 0];
    struct history *history = history_of(me, command->keys[i]);
    struct town_counts *counts = &town.report->counts;

    tell(me, command, i, answer->text);
    check_time(me, change);
    if (is_from_before(state_of(me), history)) {
        history_unanswered(history, change, town_now());
    } else if (part->error == ANSWER_FAILED) {
        counts->failed++;
        history_failed(history, change, town_now());
    } else if (part->error == ANSWER_REFUSED) {
        counts->refused++;
        history_refused(history, change, town_now());
    } else if (part->error == ANSWER_WRONG ||
               !history_answered(history, change, &part->value, town_now())) {
        complain(me, command, i, answer);
    } else if (history_was_read(change, &part->value)) {
        counts->reads++;
    } else {
        note_acknowledged(change);
    }
}

/* False: it has to read its keys again. */
static bool take_answer(const struct client *me, const struct answer *answer)
{
    const struct client_state *s = state_of(me);
    const struct command *command = &s->batch.commands[s->batch.first];
    bool is_good = true;

    if (command->is_array != answer->is_array ||
        (command->is_array && command->count != answer->count))
        town_fail("client %u: an answer to another question: \"%.40s\"", me->number, answer->text);
    if (command->is_silent && answer->parts[0].error == ANSWER_WRONG)
        town_fail("client %u: \"%.40s\"", me->number, answer->text);
    for (uint32_t i = 0; i < command->count; i++) {
        take_part(me, command, i, answer);
        is_good &= answer->parts[command->is_array ? i : 0].error == ANSWER_GOOD;
    }
    return is_good;
}

/* ---- connecting and leaving ----------------------------------------------------------------- */

static int go_later(tr_self *self, const struct client *me, tr_time delay)
{
    struct client_state *s = state_of(me);

    (void)tr_cancel(self, s->patience);
    return tr_timer_error(tr_after(self, delay, client_go, .turn = ++s->turn));
}

/* Rule 1. */
static int leave(tr_self *self, const struct client *me, bool was_broken)
{
    struct client_state *s = state_of(me);

    for (; s->batch.first < s->batch.count; s->batch.first++) {
        const struct command *command = &s->batch.commands[s->batch.first];
        for (uint32_t i = 0; i < command->count; i++) {
            tell(me, command, i, "nothing");
            history_unanswered(history_of(me, command->keys[i]), &command->changes[i],
                               town_now());
            town.report->counts.unanswered += command->changes[i].kind != HISTORY_GET;
        }
    }
    town.report->counts.broken += was_broken;
    (void)tr_close(self, s->io);
    s->is_connected = false;
    return go_later(self, me, TR_US(town_draw(town_draw(4) == 0 ? 300000 : 5000)));
}

static int connect_now(tr_self *self, const struct client *me)
{
    struct client_state *s = state_of(me);

    s->io = tr_connect(self, "127.0.0.1", town.settings.port);
    s->input.size = 0;
    s->has_ended = false;
    batch_connected(&s->batch, ++town.connections);
    return tr_io_error(s->io);
}

TR_ON(client, tr_connected, self, me, msg)
{
    struct client_state *s = state_of(me);

    if (!tr_io_equal(msg->io, s->io))
        return TR_OK;
    if (msg->error < 0)
        return leave(self, me, false);
    town.report->counts.connections++;
    s->is_connected = true;
    s->batch.life = town.life;
    return go_later(self, me, 0);
}

/* ---- talking -------------------------------------------------------------------------------- */

static bool has_to_check(const struct client_state *s)
{
    return s->checked != s->batch.life || town.phase == TOWN_CHECKING;
}

static void make_batch(struct client_state *s)
{
    s->is_checking = has_to_check(s);
    if (s->is_checking)
        batch_check(&s->batch);
    else
        batch_work(&s->batch);
}

/* In one piece, or in two. */
static int send_batch(tr_self *self, const struct client *me)
{
    struct client_state *s = state_of(me);
    size_t cut = town_draw(8) == 0 ? town_draw((uint32_t)s->batch.bytes.size) : 0;
    int err = cut > 0 ? tr_write(self, s->io, s->batch.bytes.data, cut) : 0;

    if (err >= 0)
        err = tr_write(self, s->io, s->batch.bytes.data + cut, s->batch.bytes.size - cut);
    if (err >= 0 && !s->is_checking && town_draw(40) == 0) {
        s->has_ended = true;
        err = tr_write_end(self, s->io);
    }
    if (err < 0)
        return leave(self, me, true);
    s->patience = tr_after(self, PATIENCE, client_patience, .turn = ++s->turn);
    err = tr_timer_error(s->patience);
    return err < 0 ? err : tr_read(self, s->io, 1);
}

TR_ON(client, client_go, self, me, msg)
{
    struct client_state *s = state_of(me);

    if (msg->turn != s->turn || s->is_done)
        return TR_OK;
    if (!s->is_connected)
        return connect_now(self, me);
    if (town.is_quiet && !has_to_check(s))
        return go_later(self, me, TR_MS(200));
    make_batch(s);
    return send_batch(self, me);
}

TR_ON(client, client_patience, self, me, msg)
{
    const struct client_state *s = state_of(me);

    return msg->turn == s->turn && s->is_connected ? leave(self, me, true) : TR_OK;
}

/* All keys have been read, if `is_good`. */
static int finish_check(tr_self *self, const struct client *me, bool is_good)
{
    struct client_state *s = state_of(me);

    if (!is_good)
        return go_later(self, me, TR_MS(50));
    s->checked = s->batch.life;
    if (town.phase == TOWN_CHECKING) {
        s->is_done = true;
        town.clients_done++;
        return TR_OK;
    }
    return go_later(self, me, 0);
}

/* The batch is answered. */
static int go_on(tr_self *self, const struct client *me, bool is_good)
{
    struct client_state *s = state_of(me);

    if (s->has_ended)
        return tr_read(self, s->io, 1); /* which brings the end */
    if (s->is_checking)
        return finish_check(self, me, is_good);
    if (town_draw(30) == 0)
        return leave(self, me, false);
    return go_later(self, me, town_draw(3) == 0 ? TR_US(town_draw(20000)) : 0);
}

/* Takes the answers that have come; 0, or a negative error. */
static int take_answers(const struct client *me, bool *ret_good)
{
    struct client_state *s = state_of(me);
    struct answer answer;
    size_t at = 0;

    while (s->batch.first < s->batch.count) {
        int64_t size = answer_read(s->input.data + at, s->input.size - at, &answer);
        if (size < 0)
            town_fail("client %u: an answer that makes no sense: \"%.40s\"", me->number,
                      s->input.data + at);
        if (size == 0)
            break;
        *ret_good &= take_answer(me, &answer);
        s->batch.first++;
        at += (size_t)size;
    }
    if (s->batch.first == s->batch.count && at < s->input.size)
        town_fail("client %u: an answer that nobody asked for", me->number);
    memmove(s->input.data, s->input.data + at, s->input.size - at);
    s->input.size -= at;
    return 0;
}

TR_ON(client, tr_data, self, me, msg)
{
    struct client_state *s = state_of(me);
    bool is_good = true;

    if (!tr_io_equal(msg->io, s->io) || !s->is_connected)
        return TR_OK;
    bytes_add(&s->input, msg->bytes->data, msg->bytes->size);
    take_answers(me, &is_good);
    if (s->batch.first == s->batch.count)
        return go_on(self, me, is_good);
    if (town_draw(200) == 0)
        return leave(self, me, false);
    return tr_read(self, s->io, 1);
}

TR_ON(client, tr_eof, self, me, msg)
{
    const struct client_state *s = state_of(me);

    if (!tr_io_equal(msg->io, s->io) || !s->is_connected)
        return TR_OK;
    return leave(self, me, !s->has_ended);
}

TR_ON(client, tr_written, self, me, msg)
{
    return TR_OK; /* what could not be sent ends the connection */
}

/* ---- life ----------------------------------------------------------------------------------- */

TR_START(client, self, me)
{
    *state_of(me) = (struct client_state){ .batch.client = me->number };
    return go_later(self, me, TR_US(town_draw(20000)));
}

TR_END(client, self, me, reason)
{
    if (!state_of(me)->is_done)
        town_fail("client %u ended: %d %d", me->number, (int)reason->kind, reason->code);
    free(state_of(me)->input.data);
    free(state_of(me)->batch.bytes.data);
}

const tr_actor_type client_actor = {
    TR_STATE(client), .start = TR_STARTS(client), .stop = TR_ENDS(client),
    .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(client, tr_connected), TR_HANDLES(client, tr_data),
                   TR_HANDLES(client, tr_eof), TR_HANDLES(client, tr_written),
                   TR_HANDLES(client, client_go), TR_HANDLES(client, client_patience)),
};

tr_ref client_spawn(tr_system *sys, uint32_t number)
{
    return tr_spawn(sys, client, .number = number);
}
