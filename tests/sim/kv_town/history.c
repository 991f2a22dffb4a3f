/* SPDX-License-Identifier: BSD-2-Clause */

/* See history.h. */

#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER INT64_MAX

static const struct history_state absent = { .dies_from = NEVER, .dies_to = NEVER };

/* ---- texts ---------------------------------------------------------------------------------- */

uint64_t history_sum(uint64_t sum, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    return sum;
}

void history_text(const struct history *history, uint32_t id, uint32_t size, char *ret_text)
{
    char name[48];
    int length = snprintf(name, sizeof name, "<%s.%u.%u>", history->key, id, size);

    for (uint32_t i = 0; i < size; i++)
        ret_text[i] = i < (uint32_t)length ? name[i] : (char)('a' + (id + i) % 26);
}

/* ---- one change of one state ---------------------------------------------------------------- */

static void set_text(struct history_state *state, uint64_t sum, const char *text, uint32_t size)
{
    state->sum = history_sum(sum, text, size);
    state->size += size;
}

static void put_text(const struct history *history, const struct history_change *change,
                     struct history_state *state)
{
    static char text[HISTORY_TEXT_MAX];

    history_text(history, change->id, change->size, text);
    set_text(state, state->exists ? state->sum : HISTORY_SUM, text, change->size);
    state->exists = true;
}

static void put_number(struct history_state *state, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, number);

    state->exists = true;
    state->size = 0;
    state->number = number;
    set_text(state, HISTORY_SUM, text, (uint32_t)size);
}

static void put_time(struct history_state *state, int64_t lasts, int64_t from, int64_t to)
{
    state->dies_from = lasts > 0 ? from + lasts : NEVER;
    state->dies_to = lasts > 0 ? to + lasts : NEVER;
}

static struct history_answer number_answer(int64_t number)
{
    return (struct history_answer){ .type = ':', .number = number };
}

static struct history_answer value_answer(const struct history_state *state)
{
    if (!state->exists)
        return (struct history_answer){ .type = '_' };
    return (struct history_answer){ .type = '$', .sum = state->sum, .size = state->size };
}

/* What the change makes of a state that has not expired, done between those times. */
static struct history_answer change_state(const struct history *history,
                                          const struct history_change *change,
                                          struct history_state *state, const int64_t times[2])
{
    struct history_answer answer = number_answer(state->exists);

    switch (change->kind) {
    case HISTORY_GET:
        return value_answer(state);
    case HISTORY_SET:
        *state = absent;
        put_text(history, change, state);
        put_time(state, change->lasts, times[0], times[1]);
        return (struct history_answer){ .type = '+' };
    case HISTORY_DELETE:
        *state = absent;
        break;
    case HISTORY_TAKE:
        answer = value_answer(state);
        *state = absent;
        break;
    case HISTORY_SET_NEW:
        answer.number = !state->exists;
        if (!state->exists)
            put_text(history, change, state);
        break;
    case HISTORY_FLUSH:
        *state = absent;
        return (struct history_answer){ .type = '+' };
    case HISTORY_ADD:
        put_number(state, (state->exists ? state->number : 0) + change->number);
        return number_answer(state->number);
    case HISTORY_APPEND:
        put_text(history, change, state);
        return number_answer(state->size);
    case HISTORY_EXPIRE:
        if (state->exists)
            put_time(state, change->lasts, times[0], times[1]);
        break;
    case HISTORY_PERSIST:
        answer.number = state->dies_to != NEVER;
        put_time(state, 0, 0, 0);
        break;
    }
    return answer;
}

/* ---- worlds --------------------------------------------------------------------------------- */

static void *grow(void *array, uint32_t *room, size_t size)
{
    *room = *room == 0 ? 8 : *room * 2;
    array = realloc(array, *room * size);
    if (array == NULL)
        abort();
    return array;
}

static bool is_same(const struct history_state *a, const struct history_state *b)
{
    return a->exists == b->exists && a->size == b->size && a->sum == b->sum &&
           a->number == b->number && a->dies_from == b->dies_from && a->dies_to == b->dies_to;
}

static void add_world(struct history *history, const struct history_world *world)
{
    for (uint32_t i = 0; i < history->world_count; i++) {
        const struct history_world *other = &history->worlds[i];
        if (other->pending == world->pending && is_same(&other->state, &world->state))
            return;
    }
    if (history->world_count == history->world_room)
        history->worlds = grow(history->worlds, &history->world_room, sizeof *world);
    history->worlds[history->world_count++] = *world;
}

/* The worlds in hand, which are replaced by what follows from them. */
struct worlds {
    struct history_world *list;
    uint32_t count;
};

static struct worlds take_worlds(struct history *history)
{
    struct worlds taken = { history->worlds, history->world_count };

    history->worlds = NULL;
    history->world_count = history->world_room = 0;
    return taken;
}

static void note_past(struct history *history, const struct history_state *state, int64_t now)
{
    if (history->past_count > 0 && is_same(&history->past[history->past_count - 1].state, state)) {
        history->past[history->past_count - 1].until = now;
        return;
    }
    if (history->past_count == history->past_room)
        history->past = grow(history->past, &history->past_room, sizeof *history->past);
    history->past[history->past_count++] = (struct history_past){ *state, now };
}

static void leave_worlds(struct history *history, const struct worlds *worlds, int64_t now)
{
    for (uint32_t i = 0; i < worlds->count && history->keeps_past; i++)
        note_past(history, &worlds->list[i].state, now);
    free(worlds->list);
}

static bool is_answer(const struct history_answer *expected, const struct history_answer *answer)
{
    return answer == NULL ||
           (expected->type == answer->type && expected->number == answer->number &&
            expected->sum == answer->sum && expected->size == answer->size);
}

/* Adds what the change makes of a world, if the answer, unless NULL, is what it would give. The
 * key may or may not have expired by then. */
static void follow(struct history *history, const struct history_world *world,
                   const struct history_change *change, const struct history_answer *answer,
                   int64_t now)
{
    const struct history_state *state = &world->state;
    const int64_t times[2] = { change->sent, now };

    for (int alive = 0; alive < 2; alive++) {
        struct history_world next = *world;
        struct history_answer expected;

        if (alive ? !state->exists || times[0] >= state->dies_to
                  : state->exists && times[1] < state->dies_from)
            continue;
        if (!alive)
            next.state = absent;
        expected = change_state(history, change, &next.state, times);
        if (is_answer(&expected, answer))
            add_world(history, &next);
    }
}

/* The bits of what the same connection has brought before, and of this one. */
static uint32_t bits_up_to(const struct history *history, uint32_t place)
{
    uint32_t bits = UINT32_C(1) << place;

    for (uint32_t i = 0; i < place; i++) {
        if (history->pending[i].connection == history->pending[place].connection)
            bits |= UINT32_C(1) << i;
    }
    return bits;
}

/* Adds the worlds in which some of what has no answer has been done by now. */
static void close_worlds(struct history *history, int64_t now)
{
    for (uint32_t i = 0; i < history->world_count; i++) {
        for (uint32_t place = 0; place < history->pending_count; place++) {
            struct history_world world = history->worlds[i];

            if (!(world.pending >> place & 1))
                continue;
            world.pending &= ~bits_up_to(history, place);
            follow(history, &world, &history->pending[place], NULL, now);
        }
    }
}

/* ---- what is heard -------------------------------------------------------------------------- */

bool history_was_read(const struct history_change *change, const struct history_answer *answer)
{
    switch (change->kind) {
    case HISTORY_GET:
        return true;
    case HISTORY_DELETE:
    case HISTORY_EXPIRE:
    case HISTORY_PERSIST:
    case HISTORY_SET_NEW:
        return answer->number == 0;
    case HISTORY_TAKE:
        return answer->type == '_';
    default:
        return false;
    }
}

bool history_answered(struct history *history, const struct history_change *change,
                      const struct history_answer *answer, int64_t now)
{
    bool is_read = history_was_read(change, answer);
    bool rules_out = !is_read || !history->is_loose;
    uint32_t count;

    close_worlds(history, now);
    struct worlds before = take_worlds(history);
    for (uint32_t i = 0; i < before.count; i++)
        follow(history, &before.list[i], change, answer, now);
    count = history->world_count;
    if (count == 0 || !rules_out) {
        free(take_worlds(history).list);
        history->worlds = before.list;
        history->world_count = history->world_room = before.count;
        return count > 0;
    }
    leave_worlds(history, &before, now);
    if (!is_read)
        history->is_loose = false;
    return true;
}

void history_failed(struct history *history, const struct history_change *change, int64_t now)
{
    uint32_t before;

    history->is_loose |= history->disk_may_refuse;
    close_worlds(history, now);
    before = history->world_count;
    for (uint32_t i = 0; i < before; i++) {
        struct history_world world = history->worlds[i];
        follow(history, &world, change, NULL, now);
    }
}

void history_refused(struct history *history, const struct history_change *change, int64_t now)
{
    history_failed(history, change, now);
    history->is_loose = true;
}

void history_unanswered(struct history *history, const struct history_change *change, int64_t now)
{
    if (change->kind == HISTORY_GET)
        return;
    if (change->life <= history->over) {
        history_failed(history, change, now);
        return;
    }
    history->is_loose |= history->disk_may_refuse;
    if (history->pending_count == HISTORY_PENDING_MAX)
        abort(); /* its client goes on changing a vague key */
    for (uint32_t i = 0; i < history->world_count; i++)
        history->worlds[i].pending |= UINT32_C(1) << history->pending_count;
    history->pending[history->pending_count++] = *change;
}

bool history_is_vague(const struct history *history)
{
    return history->pending_count > HISTORY_PENDING_MAX / 3 || history->world_count > 24;
}

/* ---- what happens to the service ------------------------------------------------------------ */

static void forget_pending(struct history *history, uint32_t place)
{
    uint32_t low = (UINT32_C(1) << place) - 1;

    history->pending_count--;
    memmove(&history->pending[place], &history->pending[place + 1],
            (history->pending_count - place) * sizeof history->pending[0]);
    struct worlds before = take_worlds(history);
    for (uint32_t i = 0; i < before.count; i++) {
        struct history_world world = before.list[i];
        world.pending = (world.pending & low) | (world.pending >> 1 & ~low);
        add_world(history, &world);
    }
    free(before.list);
}

void history_life_over(struct history *history, uint32_t life, int64_t now)
{
    close_worlds(history, now);
    for (uint32_t place = history->pending_count; place-- > 0;) {
        if (history->pending[place].life <= life)
            forget_pending(history, place);
    }
    history->is_loose = history->disk_may_fail && history->world_count > 1;
    history->over = life;
}

void history_power_lost(struct history *history, int64_t since, int64_t now)
{
    uint32_t all;

    close_worlds(history, now);
    all = history->pending_count == 0 ? 0 : UINT32_MAX >> (32 - history->pending_count);
    for (uint32_t i = 0; i < history->past_count; i++) {
        const struct history_world world = { history->past[i].state, all };
        if (history->past[i].until >= since)
            add_world(history, &world);
    }
    history->past_count = 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

void history_init(struct history *history, const char *key)
{
    const struct history_world nothing = { .state = absent };

    *history = (struct history){ 0 };
    (void)snprintf(history->key, sizeof history->key, "%s", key);
    add_world(history, &nothing);
}

void history_release(struct history *history)
{
    free(history->worlds);
    free(history->past);
}

void history_print(const struct history *history, char *ret_text, size_t size)
{
    size_t at = 0;

    ret_text[0] = '\0';
    for (uint32_t i = 0; i < history->world_count && i < 4 && at < size; i++) {
        const struct history_state *state = &history->worlds[i].state;
        at += (size_t)snprintf(ret_text + at, size - at,
                               "%s%s (size %u, number %" PRId64 ", sum %08x, pending %x)",
                               i > 0 ? "; " : "", state->exists ? "there" : "absent", state->size,
                               state->number, (unsigned)state->sum, history->worlds[i].pending);
    }
}
