/* SPDX-License-Identifier: BSD-2-Clause */

/* See steps.h for the stages and the rules. */

#include "steps.h"

#include "command.h"
#include "copy.h"
#include "number.h"
#include "reply.h"
#include "session.h"

#define KEPT  1024u  /* bytes of each buffer that are kept from one command to the next */
#define WORDS 8u     /* of a step */
#define READ_MAX 64u /* of a command with options */

/* ---- the command's words ---- */

static struct kv_slice word(const struct kv_steps *steps, uint32_t i)
{
    struct kv_arg arg;

    memcpy(&arg, steps->args.data + i * sizeof arg, sizeof arg);
    return (struct kv_slice){ steps->bytes.data + arg.at, arg.size };
}

/* The input moves on before the command is through. */
static void keep_words(struct kv_steps *steps, const struct kv_request *request)
{
    steps->count = request->count;
    for (uint32_t i = 0; i < request->count; i++) {
        struct kv_arg arg = { (uint32_t)steps->bytes.size, request->args[i].size };

        kv_buffer_add(&steps->args, &arg, sizeof arg);
        kv_buffer_add(&steps->bytes, request->data + request->args[i].at, arg.size);
    }
}

static uint64_t hash_of(const struct kv_session *session, struct kv_slice key)
{
    return kv_hash(&session->settings->hash_key, key.data, key.size);
}

static uint32_t shard_of(const struct kv_session *session, struct kv_slice key)
{
    return kv_hash_shard(hash_of(session, key), session->settings->shards);
}

/* ---- sending ---- */

/* The words of one call, behind each other in the session's scratch. */
struct call {
    struct kv_session *session;
    struct kv_arg args[WORDS];
    uint32_t count;
};

static void begin_call(struct call *call, struct kv_session *session)
{
    *call = (struct call){ .session = session };
    kv_buffer_clear(&session->scratch, KEPT);
}

static void add_word(struct call *call, struct kv_slice text)
{
    struct kv_buffer *scratch = &call->session->scratch;

    call->args[call->count++] = (struct kv_arg){ (uint32_t)scratch->size, (uint32_t)text.size };
    kv_buffer_add_slice(scratch, text);
}

/* To the shard of the first word, the key. */
static uint64_t send_call(const struct call *call, const struct kv_command *command,
                          uint8_t database)
{
    struct kv_session *session = call->session;
    struct kv_slice key = { session->scratch.data, call->args[0].size };
    struct kv_request request = {
        .command = kv_command_place(command), .database = database, .count = call->count,
        .data = session->scratch.data, .args = call->args,
    };
    uint32_t shard;

    if (session->scratch.failed)
        return 0;
    request.hash = hash_of(session, key);
    shard = kv_hash_shard(request.hash, session->settings->shards);
    kv_round_call(session, shard, &request);
    return UINT64_C(1) << shard;
}

static uint64_t send_fetch(struct kv_session *session, uint32_t first, uint32_t last)
{
    struct call call;

    begin_call(&call, session);
    for (uint32_t i = first; i <= last; i++)
        add_word(&call, word(&session->steps, i));
    return send_call(&call, kv_command_hidden(KV_HIDDEN_FETCH), session->database);
}

/* LCS of two keys in one shard fetches them at once. */
static uint64_t send_fetches(struct kv_session *session)
{
    const struct kv_steps *steps = &session->steps;

    if (steps->kind != KV_STEPS_LCS)
        return send_fetch(session, 1, 1);
    if (shard_of(session, word(steps, 1)) == shard_of(session, word(steps, 2)))
        return send_fetch(session, 1, 2);
    return send_fetch(session, 1, 1) | send_fetch(session, 2, 2);
}

static uint64_t send_set(struct kv_session *session)
{
    const struct kv_steps *steps = &session->steps;
    struct kv_fetched fetched;
    char time[KV_NUMBER_MAX];
    struct call call;

    memcpy(&fetched, steps->fetched.data, sizeof fetched);
    begin_call(&call, session);
    add_word(&call, word(steps, 2));
    add_word(&call, (struct kv_slice){ steps->fetched.data + sizeof fetched, fetched.size });
    if (steps->only_new && !steps->again)
        add_word(&call, KV_SLICE("nx"));
    if (fetched.expires != KV_NEVER) {
        add_word(&call, KV_SLICE("pxat"));
        add_word(&call, (struct kv_slice){ time, kv_number_write(time, fetched.expires) });
    }
    return send_call(&call, kv_command_find(KV_SLICE("set")), steps->database);
}

static uint64_t send_drop(struct kv_session *session)
{
    const struct kv_buffer *fetched = &session->steps.fetched;
    struct call call;

    begin_call(&call, session);
    add_word(&call, word(&session->steps, 1));
    add_word(&call, (struct kv_slice){ fetched->data, fetched->size });
    return send_call(&call, kv_command_hidden(KV_HIDDEN_DROP), session->database);
}

/* MSETNX's keys and values, to all the shards that have some. */
static void send_by_keys(struct kv_session *session, enum kv_hidden which)
{
    const struct kv_steps *steps = &session->steps;
    const struct kv_command *command = kv_command_hidden(which);
    struct kv_request request = {
        .command = kv_command_place(command), .database = session->database,
        .count = steps->count, .data = steps->bytes.data, .args = (void *)steps->args.data,
    };

    kv_round_by_keys(session, &request);
}

void kv_steps_send(struct kv_session *session)
{
    struct kv_steps *steps = &session->steps;
    bool mute = session->mute;
    uint64_t mask = 0;

    session->mute = steps->mute;
    steps->pending = false;
    steps->sum = 0;
    steps->refused = false;
    switch ((enum kv_steps_stage)steps->stage) {
    case KV_STEP_FETCH:
        mask = send_fetches(session);
        break;
    case KV_STEP_SET:
        if (steps->kind == KV_STEPS_MSETNX)
            send_by_keys(session, KV_HIDDEN_MSET);
        else
            mask = send_set(session);
        break;
    case KV_STEP_LOOK:
        send_by_keys(session, KV_HIDDEN_LOOK);
        break;
    case KV_STEP_DROP:
        mask = send_drop(session);
        break;
    }
    if (mask != 0)
        kv_round_step(session, mask);
    session->mute = mute;
}

/* ---- beginning ---- */

static bool read_copy(struct kv_session *session, struct kv_slice *args)
{
    struct kv_steps *steps = &session->steps;
    struct kv_copy copy = { .database = session->database };

    if (!kv_copy_read(args, steps->count, &session->local, &copy))
        return false;
    steps->database = copy.database;
    steps->only_new = !copy.replace;
    steps->keeps = true;
    steps->number = true;
    return true;
}

/* What the command is, from its name and its options; false: the error is in `local`. */
static bool read_kind(struct kv_session *session, const char *name, struct kv_slice *args)
{
    struct kv_steps *steps = &session->steps;

    steps->kind = KV_STEPS_MOVE;
    steps->stage = KV_STEP_FETCH;
    steps->database = session->database;
    if (strcmp(name, "copy") == 0)
        return read_copy(session, args);
    if (strcmp(name, "lcs") == 0) {
        steps->kind = KV_STEPS_LCS;
        return kv_lcs_read(args, steps->count, &session->local, &steps->lcs);
    }
    if (strcmp(name, "msetnx") == 0) {
        steps->kind = KV_STEPS_MSETNX;
        steps->stage = KV_STEP_LOOK;
    }
    steps->only_new = steps->number = strcmp(name, "renamenx") == 0;
    return true;
}

void kv_steps_begin(struct kv_session *session, const struct kv_command *command,
                    const struct kv_request *request)
{
    struct kv_steps *steps = &session->steps;
    struct kv_slice few[READ_MAX];

    kv_steps_stop(session);
    keep_words(steps, request);
    if (steps->bytes.failed || steps->args.failed) {
        session->local.failed = true;
        return;
    }
    steps->mute = session->mute;
    /* Only MSETNX may have more words, and no options. */
    for (uint32_t i = 0; i < steps->count && i < READ_MAX; i++)
        few[i] = word(steps, i);
    if (request->count > READ_MAX && command->step == 1) {
        kv_reply_syntax_error(&session->local);
        kv_steps_stop(session);
    } else if (read_kind(session, command->name, few)) {
        kv_steps_send(session);
    } else {
        kv_steps_stop(session);
    }
}

/* ---- answers ---- */

static int64_t number_in(struct kv_slice reply)
{
    int64_t number = 0;

    if (reply.size > 3)
        kv_number_parse(reply.data + 1, reply.size - 3, &number);
    return number;
}

/* One key's worth of what was fetched; moves behind it. */
static void take_fetched(struct kv_buffer *into, struct kv_slice *reply)
{
    struct kv_fetched fetched;
    size_t size;

    if (reply->size < sizeof fetched)
        return;
    memcpy(&fetched, reply->data, sizeof fetched);
    size = sizeof fetched + fetched.size;
    kv_buffer_clear(into, KEPT);
    kv_buffer_add(into, reply->data, size);
    *reply = (struct kv_slice){ reply->data + size, reply->size - size };
}

void kv_steps_take(struct kv_session *session, uint32_t shard, struct kv_slice reply)
{
    struct kv_steps *steps = &session->steps;

    switch ((enum kv_steps_stage)steps->stage) {
    case KV_STEP_FETCH:
        reply = kv_raw_of(reply);
        if (shard == shard_of(session, word(steps, 1)))
            take_fetched(&steps->fetched, &reply);
        if (steps->kind == KV_STEPS_LCS)
            take_fetched(&steps->other, &reply);
        break;
    case KV_STEP_SET:
        steps->refused = reply.size > 0 && reply.data[0] == '$';
        break;
    case KV_STEP_LOOK:
    case KV_STEP_DROP:
        steps->sum += number_in(reply);
        break;
    }
}

static void go_on_with(struct kv_steps *steps, enum kv_steps_stage stage)
{
    steps->stage = (uint8_t)stage;
    steps->pending = true;
}

static void finish(struct kv_session *session, const char *reply)
{
    kv_buffer_add(&session->output, reply, strlen(reply));
    kv_steps_stop(session);
}

static const char *done(const struct kv_steps *steps)
{
    return steps->number ? ":1\r\n" : "+OK\r\n";
}

static void reply_lcs(struct kv_session *session)
{
    struct kv_steps *steps = &session->steps;
    size_t header = sizeof(struct kv_fetched);
    struct kv_slice a = { steps->fetched.data + header, steps->fetched.size - header };
    struct kv_slice b = { steps->other.data + header, steps->other.size - header };

    kv_lcs_reply(a, b, &steps->lcs, &session->output);
    kv_steps_stop(session);
}

static void end_fetch(struct kv_session *session)
{
    struct kv_steps *steps = &session->steps;
    struct kv_fetched fetched;

    if (steps->fetched.failed || steps->other.failed) {
        session->output.failed = true;
        kv_steps_stop(session);
        return;
    }
    memcpy(&fetched, steps->fetched.data, sizeof fetched);
    if (steps->kind == KV_STEPS_LCS)
        reply_lcs(session);
    else if (fetched.there)
        go_on_with(steps, KV_STEP_SET);
    else if (steps->again)
        finish(session, done(steps));  /* someone else has deleted the source meanwhile */
    else
        finish(session, steps->keeps ? ":0\r\n" : "-ERR no such key\r\n");
}

static void end_set(struct kv_session *session)
{
    struct kv_steps *steps = &session->steps;

    if (steps->kind == KV_STEPS_MSETNX) {
        finish(session, ":1\r\n");
    } else if (steps->refused) {
        finish(session, ":0\r\n");
    } else if (steps->keeps) {
        finish(session, done(steps));
    } else {
        steps->again = true;
        go_on_with(steps, KV_STEP_DROP);
    }
}

void kv_steps_end(struct kv_session *session)
{
    struct kv_steps *steps = &session->steps;

    switch ((enum kv_steps_stage)steps->stage) {
    case KV_STEP_FETCH:
        end_fetch(session);
        break;
    case KV_STEP_LOOK:
        if (steps->sum > 0)
            finish(session, ":0\r\n");
        else
            go_on_with(steps, KV_STEP_SET);
        break;
    case KV_STEP_SET:
        end_set(session);
        break;
    case KV_STEP_DROP:
        if (steps->sum > 0)
            finish(session, done(steps));
        else
            go_on_with(steps, KV_STEP_FETCH);
        break;
    }
}

/* ---- end ---- */

void kv_steps_stop(struct kv_session *session)
{
    struct kv_steps old = session->steps;

    kv_buffer_clear(&old.args, KEPT);
    kv_buffer_clear(&old.bytes, KEPT);
    kv_buffer_clear(&old.fetched, KEPT);
    kv_buffer_clear(&old.other, KEPT);
    session->steps = (struct kv_steps){
        .args = old.args, .bytes = old.bytes, .fetched = old.fetched, .other = old.other,
    };
}

void kv_steps_release(struct kv_steps *steps)
{
    kv_buffer_release(&steps->args);
    kv_buffer_release(&steps->bytes);
    kv_buffer_release(&steps->fetched);
    kv_buffer_release(&steps->other);
}
