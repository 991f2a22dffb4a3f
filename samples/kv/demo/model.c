/* SPDX-License-Identifier: BSD-2-Clause */

#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_text(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_state(const struct state *a, const struct state *b)
{
    return a->present == b->present && same_text(a->value, b->value);
}

static void state_free(struct state *state)
{
    free((void *)(uintptr_t)state->value.data);
    *state = (struct state){ .present = false };
}

static int64_t number_in(const struct state *state)
{
    char digits[24] = "0";

    if (state->present && state->value.size < sizeof digits) {
        memcpy(digits, state->value.data, state->value.size);
        digits[state->value.size] = '\0';
    }
    return strtoll(digits, NULL, 10);
}

static struct text joined(struct text first, struct text second)
{
    char *data = demo_alloc(first.size + second.size);

    if (first.size > 0)
        memcpy(data, first.data, first.size);
    if (second.size > 0)
        memcpy(data + first.size, second.data, second.size);
    return (struct text){ data, first.size + second.size };
}

/* What the operation makes of a state: a new one, owned by the caller. */
static struct state after(const struct state *state, const struct operation *op)
{
    char digits[24];

    switch (op->kind) {
    case OPERATION_SET:
        return (struct state){ true, text_copy(op->argument) };
    case OPERATION_APPEND:
        return (struct state){ true, joined(state->value, op->argument) };
    case OPERATION_ADD:
        snprintf(digits, sizeof digits, "%" PRId64, number_in(state) + op->by);
        return (struct state){ true, text_copy(text_of(digits)) };
    case OPERATION_DELETE:
    case OPERATION_TAKE:
        return (struct state){ .present = false };
    case OPERATION_GET:
        break;
    }
    if (!state->present)
        return (struct state){ .present = false };
    return (struct state){ true, text_copy(state->value) };
}

static bool is_value_of(const struct resp_reply *reply, const struct state *state)
{
    if (!state->present)
        return reply->kind == RESP_NIL;
    return reply->kind == RESP_BULK && same_text(reply->text, state->value);
}

static bool is_integer(const struct resp_reply *reply, int64_t value)
{
    return reply->kind == RESP_INTEGER && reply->integer == value;
}

/* Whether the operation, done in this state, gives that answer. */
static bool follows(const struct resp_reply *reply, const struct state *state,
                    const struct operation *op)
{
    switch (op->kind) {
    case OPERATION_GET:
    case OPERATION_TAKE:
        return is_value_of(reply, state);
    case OPERATION_SET:
        return reply->kind == RESP_STATUS && same_text(reply->text, text_of("OK"));
    case OPERATION_APPEND:
        return is_integer(reply, (int64_t)(state->value.size + op->argument.size));
    case OPERATION_ADD:
        return is_integer(reply, number_in(state) + op->by);
    case OPERATION_DELETE:
        return is_integer(reply, state->present ? 1 : 0);
    }
    return false;
}

/* A set: a state that is there already is given back instead. */
static void add_state(struct model_key *key, struct state state)
{
    for (unsigned i = 0; i < key->count; i++) {
        if (same_state(&key->states[i], &state)) {
            state_free(&state);
            return;
        }
    }
    key->states[key->count++] = state;
}

void model_forget(struct model_key *key)
{
    for (unsigned i = 0; i < key->count; i++)
        state_free(&key->states[i]);
    free(key->states);
    *key = (struct model_key){ NULL, 0 };
}

static struct model_key room_for(unsigned count)
{
    return (struct model_key){ demo_alloc(count * sizeof(struct state)), 0 };
}

void model_open(struct model_key *key)
{
    *key = room_for(1);
    add_state(key, (struct state){ .present = false });
}

void model_close(struct model_key *key)
{
    model_forget(key);
}

/* What was not known is known after an operation whose result does not depend on it. */
static void settle(struct model_key *key, const struct operation *op)
{
    const struct state nothing = { .present = false };

    if (op->kind != OPERATION_SET && op->kind != OPERATION_DELETE && op->kind != OPERATION_TAKE)
        return;
    *key = room_for(1);
    add_state(key, after(&nothing, op));
}

bool model_answered(struct model_key *key, const struct operation *op,
                    const struct resp_reply *reply)
{
    struct model_key next;

    if (key->count == 0) {
        settle(key, op);
        return true;
    }
    next = room_for(key->count);
    for (unsigned i = 0; i < key->count; i++) {
        if (follows(reply, &key->states[i], op))
            add_state(&next, after(&key->states[i], op));
    }
    bool possible = next.count > 0;
    if (op->kind == OPERATION_GET || !possible) {
        model_forget(&next);
        return possible;
    }
    model_forget(key);
    *key = next;
    return true;
}

void model_unanswered(struct model_key *key, const struct operation *op)
{
    unsigned before = key->count;
    struct model_key next;

    if (before == 0 || op->kind == OPERATION_GET)
        return;
    if (before * 2 > MODEL_STATES_MAX) {
        model_forget(key);
        return;
    }
    next = room_for(before * 2);
    memcpy(next.states, key->states, before * sizeof(struct state));
    next.count = before;
    for (unsigned i = 0; i < before; i++)
        add_state(&next, after(&next.states[i], op));
    free(key->states);
    *key = next;
}

bool model_certain(const struct model_key *key)
{
    return key->count == 1;
}
