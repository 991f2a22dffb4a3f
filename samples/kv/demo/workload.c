/* SPDX-License-Identifier: BSD-2-Clause */

#include "workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define FLYING_MAX     4u
#define TRIES          8
#define VALUE_MAX      (64u * 1024)  /* a longer one is not appended to */
#define SHORT_BYTES    96u
#define LONG_BYTES     (16u * 1024)
#define HUGE_BYTES     (300u * 1024)
#define ONE_LONG_IN    100u
#define ONE_HUGE_IN    3000u

void workload_open(struct workload *workload, unsigned number,
                   const struct checker_options *options)
{
    *workload = (struct workload){
        .count = options->keys,
        .number = number,
        .seed = options->seed ^ ((uint64_t)number << 32),
        .doubtful = UINT32_MAX,
    };
    workload->keys = demo_alloc(options->keys * sizeof *workload->keys);
    for (unsigned i = 0; i < options->keys; i++) {
        model_open(&workload->keys[i].model);
        workload->keys[i].flying = 0;
    }
}

void workload_close(struct workload *workload)
{
    for (unsigned i = 0; i < workload->count; i++)
        model_close(&workload->keys[i].model);
    free(workload->keys);
    workload->keys = NULL;
}

struct model_key *workload_key(struct workload *workload, uint32_t key)
{
    return &workload->keys[key].model;
}

static bool is_counter(uint32_t key)
{
    return key % 4 == 0;
}

static uint32_t length(uint64_t *seed)
{
    if (chance_below(seed, ONE_HUGE_IN) == 0)
        return chance_below(seed, HUGE_BYTES);
    if (chance_below(seed, ONE_LONG_IN) == 0)
        return chance_below(seed, LONG_BYTES);
    return chance_below(seed, SHORT_BYTES);
}

static struct text unique_text(struct workload *workload)
{
    uint32_t filling = length(&workload->seed);
    char *data = demo_alloc(48 + (size_t)filling);
    size_t used = (size_t)snprintf(data, 48, "%u.%" PRIu64 ":", workload->number,
                                   workload->sequence++);

    for (uint32_t i = 0; i < filling; i++)
        data[used++] = (char)(chance_next(&workload->seed) & 0xff);
    return (struct text){ data, used };
}

static struct text unique_number(struct workload *workload)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, 1000 * ++workload->sequence);
    return text_copy(text_of(digits));
}

static void add_operation(struct workload *workload, struct command *command, uint32_t key,
                          struct operation op)
{
    unsigned i = command->count++;

    command->keys[i] = key;
    command->operations[i] = op;
    snprintf(command->names[i], WORKLOAD_NAME_MAX, "check:%u:%" PRIu32, workload->number, key);
    workload->keys[key].flying++;
}

static struct operation set_to_new(struct workload *workload, uint32_t key)
{
    return (struct operation){
        .kind = OPERATION_SET,
        .argument = is_counter(key) ? unique_number(workload) : unique_text(workload),
    };
}

static struct operation counter_operation(struct workload *workload, uint32_t key)
{
    int64_t by = (int64_t)chance_below(&workload->seed, 1000) - 500;

    switch (chance_below(&workload->seed, 10)) {
    case 0:
        return set_to_new(workload, key);
    case 1:
        return (struct operation){ .kind = OPERATION_DELETE };
    case 2:
        return (struct operation){ .kind = OPERATION_TAKE };
    case 3:
        return (struct operation){ .kind = OPERATION_GET };
    case 4:
        return (struct operation){ .kind = OPERATION_ADD, .by = -1 };
    case 5:
        return (struct operation){ .kind = OPERATION_ADD, .by = by };
    default:
        return (struct operation){ .kind = OPERATION_ADD, .by = 1 };
    }
}

static bool is_long(const struct workload *workload, uint32_t key)
{
    const struct model_key *model = &workload->keys[key].model;

    return model->count > 0 && model->states[0].value.size > VALUE_MAX;
}

static struct operation text_operation(struct workload *workload, uint32_t key)
{
    switch (chance_below(&workload->seed, 10)) {
    case 0:
        return (struct operation){ .kind = OPERATION_DELETE };
    case 1:
        return (struct operation){ .kind = OPERATION_TAKE };
    case 2:
        return (struct operation){ .kind = OPERATION_GET };
    case 3:
    case 4:
        if (!is_long(workload, key))
            return (struct operation){ OPERATION_APPEND, 0, unique_text(workload) };
        break;
    default:
        break;
    }
    return set_to_new(workload, key);
}

/* A key may be written when it is certain what it holds, and little is under way on it. */
static bool is_free(const struct workload *workload, uint32_t key)
{
    return model_certain(&workload->keys[key].model) && workload->keys[key].flying < FLYING_MAX;
}

/* Rule 1: the key is read, and set with the next command. */
static void ask_then_set(struct workload *workload, uint32_t key, struct command *command)
{
    if (!workload->asked)
        workload->doubtful = key;
    workload->asked = !workload->asked;
    add_operation(workload, command, key,
                  workload->asked ? (struct operation){ .kind = OPERATION_GET }
                                  : set_to_new(workload, key));
}

static void add_many(struct workload *workload, struct command *command)
{
    unsigned count = 1 + chance_below(&workload->seed, WORKLOAD_MANY - 1);

    while (count-- > 0) {
        uint32_t key = chance_below(&workload->seed, workload->count);
        bool twice = false;
        for (unsigned i = 0; i < command->count; i++)
            twice = twice || command->keys[i] == key;
        if (!twice && is_free(workload, key))
            add_operation(workload, command, key, set_to_new(workload, key));
    }
}

bool workload_next(struct workload *workload, struct command *ret_command)
{
    struct command command = { .count = 0 };

    if (workload->asked) {
        ask_then_set(workload, workload->doubtful, &command);
        *ret_command = command;
        return true;
    }
    for (int i = 0; i < TRIES && command.count == 0; i++) {
        uint32_t key = chance_below(&workload->seed, workload->count);
        if (is_free(workload, key))
            add_operation(workload, &command, key,
                          is_counter(key) ? counter_operation(workload, key)
                                          : text_operation(workload, key));
        else if (workload->keys[key].flying == 0)
            ask_then_set(workload, key, &command);
    }
    if (command.count > 0 && command.operations[0].kind == OPERATION_SET && !workload->asked &&
        chance_below(&workload->seed, 4) == 0)
        add_many(workload, &command);
    *ret_command = command;
    return command.count > 0;
}

void workload_get(struct workload *workload, uint32_t key, struct command *ret_command)
{
    struct command command = { .count = 0 };

    add_operation(workload, &command, key, (struct operation){ .kind = OPERATION_GET });
    *ret_command = command;
}

static void write_many(const struct command *command, struct bytes *bytes)
{
    struct text words[1 + 2 * WORKLOAD_MANY] = { text_of("MSET") };

    for (unsigned i = 0; i < command->count; i++) {
        words[1 + 2 * i] = text_of(command->names[i]);
        words[2 + 2 * i] = command->operations[i].argument;
    }
    resp_command(bytes, words, 1 + 2 * (size_t)command->count);
}

static const char *name_of(const struct operation *op)
{
    switch (op->kind) {
    case OPERATION_SET:
        return "SET";
    case OPERATION_APPEND:
        return "APPEND";
    case OPERATION_ADD:
        return op->by == 1 ? "INCR" : op->by == -1 ? "DECR" : "INCRBY";
    case OPERATION_DELETE:
        return "DEL";
    case OPERATION_TAKE:
        return "GETDEL";
    case OPERATION_GET:
        break;
    }
    return "GET";
}

void workload_write(const struct command *command, struct bytes *bytes)
{
    const struct operation *op = &command->operations[0];
    struct text words[3] = { text_of(name_of(op)), text_of(command->names[0]), op->argument };
    char digits[24];
    size_t count = 2;

    if (command->count > 1) {
        write_many(command, bytes);
        return;
    }
    if (op->kind == OPERATION_SET || op->kind == OPERATION_APPEND)
        count = 3;
    if (op->kind == OPERATION_ADD && op->by != 1 && op->by != -1) {
        snprintf(digits, sizeof digits, "%" PRId64, op->by);
        words[2] = text_of(digits);
        count = 3;
    }
    resp_command(bytes, words, count);
}

void workload_describe(const struct workload *workload, uint32_t key, char *ret_words,
                       size_t size)
{
    const struct model_key *model = &workload->keys[key].model;
    const struct state *state = model->states;

    if (model->count != 1)
        snprintf(ret_words, size, "one of %u values", model->count);
    else if (!state->present)
        snprintf(ret_words, size, "absent");
    else
        snprintf(ret_words, size, "%zu bytes, %.*s", state->value.size,
                 (int)(state->value.size < 16 ? state->value.size : 16), state->value.data);
}

void workload_finished(struct workload *workload, struct command *command)
{
    for (unsigned i = 0; i < command->count; i++) {
        workload->keys[command->keys[i]].flying--;
        free((void *)(uintptr_t)command->operations[i].argument.data);
    }
    command->count = 0;
}

void workload_unanswered(struct workload *workload, struct command *command)
{
    for (unsigned i = 0; i < command->count; i++)
        model_unanswered(&workload->keys[command->keys[i]].model, &command->operations[i]);
    workload_finished(workload, command);
}
