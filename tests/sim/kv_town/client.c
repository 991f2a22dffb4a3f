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

#include "answer.h"
#include "town.h"

#define COMMANDS_MAX 12u
#define PATIENCE     TR_SEC(100)
#define SLOW_MS      45000       /* from here on an answer counts as none: who waits so long? */

struct client_go { uint32_t turn; };
struct client_patience { uint32_t turn; };

#define CLIENT_MESSAGES(M) M(client_go) M(client_patience)
TR_PROTOCOL(client, 9301, CLIENT_MESSAGES);

/* A command on its way: what it changes, and where. */
struct command {
    struct history_change changes[ANSWER_PARTS_MAX];
    uint32_t keys[ANSWER_PARTS_MAX];
    uint32_t count;
    bool is_array;       /* its reply has a part for each change, else one for all */
    bool is_silent;      /* it changes no key: any good answer will do */
};

struct client_state {
    struct command commands[COMMANDS_MAX];
    uint32_t first;      /* not answered yet */
    uint32_t count;
    char *input;
    size_t input_size;
    size_t input_room;
    char *output;
    size_t output_size;
    size_t output_room;
    tr_io io;
    bool is_connected;
    bool has_ended;      /* its half of the connection */
    uint32_t connection;
    uint32_t life;       /* when it connected */
    uint32_t checked;    /* the life in which all keys have been read, */
    uint32_t to_check;   /* or the next one to be */
    uint32_t id;         /* of the last text */
    bool compacts_again; /* with the next batch */
    bool is_checking;    /* the batch reads keys for that */
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
    return &town.histories[me->number][key];
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static void add_bytes(char **buffer, size_t *size, size_t *room, const void *bytes, size_t more)
{
    if (*size + more > *room) {
        *room = (*size + more) * 2;
        *buffer = realloc(*buffer, *room);
        if (*buffer == NULL)
            abort();
    }
    memcpy(*buffer + *size, bytes, more);
    *size += more;
}

static void say(struct client_state *s, const void *bytes, size_t size)
{
    add_bytes(&s->output, &s->output_size, &s->output_room, bytes, size);
}

static void say_word(struct client_state *s, const char *word, size_t size)
{
    char head[24];

    say(s, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", size));
    say(s, word, size);
    say(s, "\r\n", 2);
}

static void say_number(struct client_state *s, int64_t number)
{
    char text[24];

    say_word(s, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

static void say_name(struct client_state *s, uint32_t words, const char *name)
{
    char head[16];

    say(s, head, (size_t)snprintf(head, sizeof head, "*%u\r\n", words));
    say_word(s, name, strlen(name));
}

/* ---- making commands ------------------------------------------------------------------------ */

static struct command *add_command(struct client_state *s)
{
    struct command *command = &s->commands[s->count++];

    *command = (struct command){ .count = 0 };
    return command;
}

static struct history_change *add_change(const struct client *me, struct command *command,
                                         enum history_kind kind, uint32_t key)
{
    const struct client_state *s = state_of(me);
    struct history_change *change = &command->changes[command->count];

    *change = (struct history_change){
        .kind = kind, .sent = town_now(), .connection = s->connection, .life = s->life,
    };
    command->keys[command->count++] = key;
    return change;
}

static void say_key(const struct client *me, uint32_t key)
{
    const char *name = history_of(me, key)->key;

    say_word(state_of(me), name, strlen(name));
}

/* A new text for the key: mostly short, sometimes of many pieces. */
static void say_text(const struct client *me, uint32_t key, struct history_change *change)
{
    static char text[HISTORY_TEXT_MAX];
    uint32_t kind = town_draw(32);
    uint32_t most = kind == 0 ? HISTORY_TEXT_MAX : kind < 6 ? 3000 : 60;

    change->id = ++state_of(me)->id;
    change->size = 1 + town_draw(most);
    history_text(history_of(me, key), change->id, change->size, text);
    say_word(state_of(me), text, change->size);
}

static int64_t draw_duration(void)
{
    return 1 + town_draw(town_draw(2) == 0 ? 30 : 3000);
}

static void make_set(const struct client *me, uint32_t key)
{
    struct client_state *s = state_of(me);
    bool expires = town_draw(4) == 0;
    struct history_change *change = add_change(me, add_command(s), HISTORY_SET, key);

    say_name(s, expires ? 5 : 3, "SET");
    say_key(me, key);
    say_text(me, key, change);
    if (!expires)
        return;
    change->lasts = draw_duration();
    say_word(s, "PX", 2);
    say_number(s, change->lasts);
}

static void make_append(const struct client *me, uint32_t key)
{
    struct client_state *s = state_of(me);
    struct history_change *change = add_change(me, add_command(s), HISTORY_APPEND, key);

    say_name(s, 3, "APPEND");
    say_key(me, key);
    say_text(me, key, change);
}

static void make_add(const struct client *me, uint32_t key)
{
    struct client_state *s = state_of(me);
    struct history_change *change = add_change(me, add_command(s), HISTORY_ADD, key);

    change->number = 1;
    if (town_draw(3) != 0) {
        say_name(s, 2, "INCR");
        say_key(me, key);
        return;
    }
    change->number = (int64_t)town_draw(2000) - 1000;
    say_name(s, 3, "INCRBY");
    say_key(me, key);
    say_number(s, change->number);
}

static void make_expire(const struct client *me, uint32_t key)
{
    struct client_state *s = state_of(me);
    struct history_change *change = add_change(me, add_command(s), HISTORY_EXPIRE, key);

    change->lasts = draw_duration();
    say_name(s, 3, "PEXPIRE");
    say_key(me, key);
    say_number(s, change->lasts);
}

static void make_plain(const struct client *me, enum history_kind kind, uint32_t key)
{
    struct client_state *s = state_of(me);

    (void)add_change(me, add_command(s), kind, key);
    say_name(s, 2, kind == HISTORY_GET ? "GET" : kind == HISTORY_DELETE ? "DEL" : "PERSIST");
    say_key(me, key);
}

/* Keys with an odd number are counted with. */
static bool is_counter(uint32_t key)
{
    return key % 2 == 1;
}

/* Several keys at once, each different: in several shards. */
static void make_many(const struct client *me, bool is_write)
{
    struct client_state *s = state_of(me);
    struct command *command = add_command(s);
    uint32_t keys[TOWN_KEYS_MAX];
    uint32_t count = 0;

    for (uint32_t key = 0; key < town.key_count; key++) {
        bool fits = !is_write || (!is_counter(key) && !history_is_vague(history_of(me, key)));
        if (fits && count < ANSWER_PARTS_MAX && town_draw(3) != 0)
            keys[count++] = key;
    }
    if (count == 0)
        keys[count++] = 0;
    say_name(s, is_write ? 1 + 2 * count : 1 + count, is_write ? "MSET" : "MGET");
    command->is_array = !is_write;
    for (uint32_t i = 0; i < count; i++) {
        struct history_change *change = add_change(me, command,
                                                   is_write ? HISTORY_SET : HISTORY_GET, keys[i]);
        say_key(me, keys[i]);
        if (is_write)
            say_text(me, keys[i], change);
    }
}

static void say_crash(struct client_state *s, uint32_t shard)
{
    say_name(s, 2, "CRASH");
    say_number(s, shard);
    town.report->counts.shard_crashes++;
}

/* A shard crashes, and again, perhaps while it replays. */
static void make_crashes(struct client_state *s)
{
    uint32_t shard = town_draw(town.settings.shards);

    for (uint32_t i = 1 + town_draw(2); i > 0 && s->count < COMMANDS_MAX; i--) {
        add_command(s)->is_silent = true;
        say_crash(s, shard);
    }
}

static void make_compaction(struct client_state *s)
{
    if (s->count == COMMANDS_MAX)
        return;
    add_command(s)->is_silent = true;
    say_name(s, 1, "BGREWRITEAOF");
    town.report->counts.compactions++;
}

/* What acts on the service itself: crashes, compactions, and a second one while the first may be
 * under way, with a crash. */
static void make_silent(struct client_state *s)
{
    if (town_draw(2) == 0) {
        make_crashes(s);
        return;
    }
    make_compaction(s);
    s->compacts_again = town_draw(2) == 0;
}

static void compact_again(struct client_state *s)
{
    s->compacts_again = false;
    make_compaction(s);
    make_crashes(s);
}

static void make_change(const struct client *me, uint32_t key)
{
    switch (town_draw(10)) {
    case 0:
        make_plain(me, HISTORY_DELETE, key);
        break;
    case 1:
        make_expire(me, key);
        break;
    case 2:
        make_plain(me, HISTORY_PERSIST, key);
        break;
    default:
        if (is_counter(key))
            make_add(me, key);
        else if (town_draw(3) == 0)
            make_append(me, key);
        else
            make_set(me, key);
    }
}

static void make_any(const struct client *me)
{
    uint32_t key = town_draw(town.key_count);
    uint32_t kind = town_draw(64);

    if (kind < 2)
        make_silent(state_of(me));
    else if (kind < 6)
        make_many(me, kind < 4 && !history_is_vague(history_of(me, 0)));
    else if (kind < 20 || history_is_vague(history_of(me, key)))
        make_plain(me, HISTORY_GET, key);
    else
        make_change(me, key);
}

/* ---- answers -------------------------------------------------------------------------------- */

static const char *const names[] = { "GET", "SET", "DEL", "INCR", "APPEND", "PEXPIRE", "PERSIST" };

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
                  town_now(), town.life, change->connection, names[change->kind], history->key,
                  change->id, change->size, change->number, change->lasts, change->sent, answer);
}

static _Noreturn void complain(const struct client *me, const struct command *command, uint32_t i,
                               const struct answer *answer)
{
    const struct history *history = history_of(me, command->keys[i]);
    const struct history_answer *value = &answer->parts[command->is_array ? i : 0].value;
    char known[256];

    history_print(history, known, sizeof known);
    town_fail("client %u, life %u: %s %s answered \"%.40s\" (size %u, sum %08x), known is: %s",
              me->number, town.life, names[command->changes[i].kind], history->key, answer->text,
              value->size, (unsigned)value->sum, known);
}

/* Rule 2. What a disk refuses is forgotten at the end of a life, too. */
static bool is_from_before(const struct client_state *s, const struct history *history)
{
    return (town.window >= 0 && s->life <= town.lost_life) ||
           (town.disk_may_refuse && s->life <= history->over);
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
    const struct command *command = &s->commands[s->first];
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
    tr_timer timer = tr_after(self, delay, client_go, .turn = ++s->turn);

    return tr_timer_error(timer);
}

/* Rule 1. */
static int leave(tr_self *self, const struct client *me, bool was_broken)
{
    struct client_state *s = state_of(me);

    for (; s->first < s->count; s->first++) {
        const struct command *command = &s->commands[s->first];
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
    s->first = s->count = 0;
    s->input_size = s->output_size = 0;
    s->has_ended = false;
    s->connection = ++town.connections;
    s->to_check = 0;
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
    s->life = town.life;
    return go_later(self, me, 0);
}

/* ---- talking -------------------------------------------------------------------------------- */

static bool has_to_check(const struct client_state *s)
{
    return s->checked != s->life || town.phase == TOWN_CHECKING;
}

static void make_batch(const struct client *me)
{
    struct client_state *s = state_of(me);
    uint32_t count = 1 + town_draw(town_draw(4) == 0 ? COMMANDS_MAX : 4);

    s->first = s->count = 0;
    s->output_size = 0;
    s->is_checking = has_to_check(s);
    if (s->is_checking) {
        while (s->to_check + s->count < town.key_count && s->count < COMMANDS_MAX)
            make_plain(me, HISTORY_GET, s->to_check + s->count);
        return;
    }
    if (s->compacts_again)
        compact_again(s);
    while (s->count < count)
        make_any(me);
    town.work_left -= count;
}

/* In one piece, or in two. */
static int send_batch(tr_self *self, const struct client *me)
{
    struct client_state *s = state_of(me);
    size_t cut = town_draw(8) == 0 ? town_draw((uint32_t)s->output_size) : 0;
    int err = cut > 0 ? tr_write(self, s->io, s->output, cut) : 0;

    if (err >= 0)
        err = tr_write(self, s->io, s->output + cut, s->output_size - cut);
    if (err >= 0 && !s->is_checking && town_draw(40) == 0) {
        s->has_ended = true;
        err = tr_write_end(self, s->io);
    }
    if (err < 0)
        return leave(self, me, true);
    err = tr_timer_error(tr_after(self, PATIENCE, client_patience, .turn = ++s->turn));
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
    make_batch(me);
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

    s->to_check = is_good ? s->to_check + s->count : 0;
    if (!is_good)
        return go_later(self, me, TR_MS(50));
    if (s->to_check < town.key_count)
        return go_later(self, me, 0);
    s->checked = s->life;
    s->to_check = 0;
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

    while (s->first < s->count) {
        int64_t size = answer_read(s->input + at, s->input_size - at, &answer);
        if (size < 0)
            town_fail("client %u: an answer that makes no sense: \"%.40s\"", me->number,
                      s->input + at);
        if (size == 0)
            break;
        *ret_good &= take_answer(me, &answer);
        s->first++;
        at += (size_t)size;
    }
    if (s->first == s->count && at < s->input_size)
        town_fail("client %u: an answer that nobody asked for", me->number);
    memmove(s->input, s->input + at, s->input_size - at);
    s->input_size -= at;
    return 0;
}

TR_ON(client, tr_data, self, me, msg)
{
    struct client_state *s = state_of(me);
    bool is_good = true;

    if (!tr_io_equal(msg->io, s->io) || !s->is_connected)
        return TR_OK;
    add_bytes(&s->input, &s->input_size, &s->input_room, msg->bytes->data, msg->bytes->size);
    take_answers(me, &is_good);
    if (s->first == s->count)
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
    *state_of(me) = (struct client_state){ .turn = 0 };
    return go_later(self, me, TR_US(town_draw(20000)));
}

TR_END(client, self, me, reason)
{
    free(state_of(me)->input);
    free(state_of(me)->output);
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
