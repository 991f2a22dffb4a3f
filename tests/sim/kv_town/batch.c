/* SPDX-License-Identifier: BSD-2-Clause */

/* See batch.h. */

#include "batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "town.h"

const char *const batch_names[] = { "GET", "SET", "DEL", "INCR", "APPEND", "PEXPIRE", "PERSIST",
                                    "GETDEL", "SETNX", "FLUSHDB" };

struct history *batch_history(const struct batch *batch, uint32_t key)
{
    return &town.histories[batch->client][key];
}

/* ---- bytes ---------------------------------------------------------------------------------- */

void bytes_add(struct bytes *bytes, const void *more, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL)
            abort();
    }
    memcpy(bytes->data + bytes->size, more, size);
    bytes->size += size;
}

static void say(struct batch *s, const void *bytes, size_t size)
{
    bytes_add(&s->bytes, bytes, size);
}

static void say_word(struct batch *s, const char *word, size_t size)
{
    char head[24];

    say(s, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", size));
    say(s, word, size);
    say(s, "\r\n", 2);
}

static void say_number(struct batch *s, int64_t number)
{
    char text[24];

    say_word(s, text, (size_t)snprintf(text, sizeof text, "%" PRId64, number));
}

static void say_name(struct batch *s, uint32_t words, const char *name)
{
    char head[16];

    say(s, head, (size_t)snprintf(head, sizeof head, "*%u\r\n", words));
    say_word(s, name, strlen(name));
}

/* ---- making commands ------------------------------------------------------------------------ */

static struct command *add_command(struct batch *s)
{
    struct command *command = &s->commands[s->count++];

    *command = (struct command){ .count = 0 };
    return command;
}

static struct history_change *add_change(struct batch *s, struct command *command,
                                         enum history_kind kind, uint32_t key)
{
    struct history_change *change = &command->changes[command->count];

    *change = (struct history_change){
        .kind = kind, .sent = town_now(), .connection = s->connection, .life = s->life,
    };
    command->keys[command->count++] = key;
    return change;
}

/* With a database for each client all of them use the same names. */
static void say_key(struct batch *s, uint32_t key)
{
    const char *name = batch_history(s, key)->key;

    if (town.has_databases)
        name = strchr(name, ':');
    say_word(s, name, strlen(name));
}

/* Whether so much has no answer, this batch included, that with another change the worlds would be
 * too many. */
static bool is_vague(const struct batch *s, uint32_t key)
{
    const struct history *history = batch_history(s, key);
    uint32_t waiting = history->pending_count;

    for (uint32_t i = 0; i < s->count; i++) {
        for (uint32_t part = 0; part < s->commands[i].count; part++)
            waiting += s->commands[i].keys[part] == key &&
                       s->commands[i].changes[part].kind != HISTORY_GET;
    }
    return waiting > HISTORY_PENDING_MAX / 3 || history_is_vague(history);
}

/* A new text for the key: mostly short, sometimes of many pieces. */
static void say_text(struct batch *s, uint32_t key, struct history_change *change)
{
    static char text[HISTORY_TEXT_MAX];
    uint32_t kind = town_draw(32);
    uint32_t most = kind == 0 || town.is_heavy ? HISTORY_TEXT_MAX : kind < 6 ? 3000 : 60;

    change->id = ++s->id;
    change->size = 1 + town_draw(most);
    history_text(batch_history(s, key), change->id, change->size, text);
    say_word(s, text, change->size);
}

static int64_t draw_duration(void)
{
    return 1 + town_draw(town_draw(2) == 0 ? 30 : 3000);
}

static void make_set(struct batch *s, uint32_t key)
{
    bool expires = town_draw(4) == 0;
    struct history_change *change = add_change(s, add_command(s), HISTORY_SET, key);

    say_name(s, expires ? 5 : 3, "SET");
    say_key(s, key);
    say_text(s, key, change);
    if (!expires)
        return;
    change->lasts = draw_duration();
    say_word(s, "PX", 2);
    say_number(s, change->lasts);
}

static void make_append(struct batch *s, uint32_t key)
{
    struct history_change *change = add_change(s, add_command(s), HISTORY_APPEND, key);

    say_name(s, 3, "APPEND");
    say_key(s, key);
    say_text(s, key, change);
}

static void make_add(struct batch *s, uint32_t key)
{
    struct history_change *change = add_change(s, add_command(s), HISTORY_ADD, key);

    change->number = 1;
    if (town_draw(3) != 0) {
        say_name(s, 2, "INCR");
        say_key(s, key);
        return;
    }
    change->number = (int64_t)town_draw(2000) - 1000;
    say_name(s, 3, "INCRBY");
    say_key(s, key);
    say_number(s, change->number);
}

static void make_expire(struct batch *s, uint32_t key)
{
    struct history_change *change = add_change(s, add_command(s), HISTORY_EXPIRE, key);

    change->lasts = draw_duration();
    say_name(s, 3, "PEXPIRE");
    say_key(s, key);
    say_number(s, change->lasts);
}

static void make_plain(struct batch *s, enum history_kind kind, uint32_t key)
{
    (void)add_change(s, add_command(s), kind, key);
    say_name(s, 2, batch_names[kind]);
    say_key(s, key);
}

static void make_set_new(struct batch *s, uint32_t key)
{
    struct history_change *change = add_change(s, add_command(s), HISTORY_SET_NEW, key);

    say_name(s, 3, "SETNX");
    say_key(s, key);
    say_text(s, key, change);
}

/* All keys of this client, where it has a database of its own. */
static void make_flush(struct batch *s)
{
    struct command *command = add_command(s);

    for (uint32_t key = 0; key < town.key_count; key++)
        (void)add_change(s, command, HISTORY_FLUSH, key);
    say_name(s, 1, "FLUSHDB");
}

static bool may_flush(struct batch *s)
{
    for (uint32_t key = 0; key < town.key_count; key++) {
        if (is_vague(s, key))
            return false;
    }
    return town.has_databases;
}

static void make_select(struct batch *s)
{
    add_command(s)->is_silent = true;
    say_name(s, 2, "SELECT");
    say_number(s, (s->client * 5 + 3) % 16);
}

/* Keys with an odd number are counted with. */
static bool is_counter(uint32_t key)
{
    return key % 2 == 1;
}

/* Several keys at once, each different: in several shards. */
static void make_many(struct batch *s, bool is_write)
{
    struct command *command = add_command(s);
    uint32_t keys[TOWN_KEYS_MAX];
    uint32_t count = 0;

    for (uint32_t key = 0; key < town.key_count; key++) {
        bool fits = !is_write || (!is_counter(key) && !is_vague(s, key));
        if (fits && count < ANSWER_PARTS_MAX && town_draw(3) != 0)
            keys[count++] = key;
    }
    if (count == 0)
        keys[count++] = 0;
    say_name(s, is_write ? 1 + 2 * count : 1 + count, is_write ? "MSET" : "MGET");
    command->is_array = !is_write;
    for (uint32_t i = 0; i < count; i++) {
        struct history_change *change = add_change(s, command,
                                                   is_write ? HISTORY_SET : HISTORY_GET, keys[i]);
        say_key(s, keys[i]);
        if (is_write)
            say_text(s, keys[i], change);
    }
}

static void say_crash(struct batch *s, uint32_t shard)
{
    say_name(s, 2, "CRASH");
    say_number(s, shard);
    town.report->counts.shard_crashes++;
}

/* A shard crashes, and again, perhaps while it replays. */
static void make_crashes(struct batch *s)
{
    uint32_t shard = town_draw(town.settings.shards);

    for (uint32_t i = 1 + town_draw(2); i > 0 && s->count < BATCH_COMMANDS_MAX; i--) {
        add_command(s)->is_silent = true;
        say_crash(s, shard);
    }
}

static void make_compaction(struct batch *s)
{
    if (s->count == BATCH_COMMANDS_MAX)
        return;
    add_command(s)->is_silent = true;
    say_name(s, 1, "BGREWRITEAOF");
    town.report->counts.compactions++;
}

/* What acts on the service itself: crashes, compactions, and a second one while the first may be
 * under way, with a crash. */
static void make_silent(struct batch *s)
{
    if (town_draw(2) == 0) {
        make_crashes(s);
        return;
    }
    make_compaction(s);
    s->compacts_again = town_draw(2) == 0;
}

static void compact_again(struct batch *s)
{
    s->compacts_again = false;
    make_compaction(s);
    make_crashes(s);
}

static void make_change(struct batch *s, uint32_t key)
{
    switch (town_draw(12)) {
    case 0:
        make_plain(s, HISTORY_DELETE, key);
        break;
    case 3:
        make_plain(s, HISTORY_TAKE, key);
        break;
    case 4:
        if (is_counter(key))
            make_add(s, key);
        else
            make_set_new(s, key);
        break;
    case 1:
        make_expire(s, key);
        break;
    case 2:
        make_plain(s, HISTORY_PERSIST, key);
        break;
    default:
        if (is_counter(key))
            make_add(s, key);
        else if (town_draw(3) == 0)
            make_append(s, key);
        else
            make_set(s, key);
    }
}

static void make_any(struct batch *s)
{
    uint32_t key = town_draw(town.key_count);
    uint32_t kind = town_draw(64);

    if (kind < 2)
        make_silent(s);
    else if (kind == 20 && may_flush(s))
        make_flush(s);
    else if (kind < 6)
        make_many(s, kind < 4 && !is_vague(s, 0));
    else if (kind < 20 || is_vague(s, key))
        make_plain(s, HISTORY_GET, key);
    else
        make_change(s, key);
}

/* ---- batches -------------------------------------------------------------------------------- */

static void begin(struct batch *s)
{
    s->first = s->count = 0;
    s->bytes.size = 0;
    if (town.has_databases && !s->has_selected)
        make_select(s);
    s->has_selected = true;
}

void batch_check(struct batch *batch)
{
    begin(batch);
    for (uint32_t key = 0; key < town.key_count; key++)
        make_plain(batch, HISTORY_GET, key);
}

void batch_work(struct batch *batch)
{
    uint32_t count = 1 + town_draw(town_draw(4) == 0 ? BATCH_COMMANDS_MAX : 4);

    begin(batch);
    if (batch->compacts_again)
        compact_again(batch);
    while (batch->count < count)
        make_any(batch);
    town.work_left -= count;
}

void batch_connected(struct batch *batch, uint32_t connection)
{
    batch->first = batch->count = 0;
    batch->has_selected = false;
    batch->connection = connection;
}
