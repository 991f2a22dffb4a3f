/* SPDX-License-Identifier: BSD-2-Clause */

/* See session.h for the states and the rules. */

#include "session.h"

#include "reply.h"

#define CALLS_MAX   4096u         /* per round; a round ends behind the command that passes it */
#define INPUT_KEPT  (16u * 1024)
#define ROUND_KEPT  1024u

void kv_session_start(struct kv_session *session, const struct kv_settings *settings, uint64_t id)
{
    *session = (struct kv_session){
        .settings = settings, .id = id, .crash = KV_NO_CRASH,
        .chance = settings->hash_key.high + id,
    };
}

void kv_session_release(struct kv_session *session)
{
    for (uint32_t i = 0; i < KV_SHARDS_MAX; i++) {
        kv_work_free(session->works[i]);
        session->works[i] = NULL;
    }
    kv_resp_release(&session->resp);
    kv_steps_release(&session->steps);
    kv_buffer_release(&session->input);
    kv_buffer_release(&session->output);
    kv_buffer_release(&session->slots);
    kv_buffer_release(&session->local);
    kv_buffer_release(&session->scratch);
    kv_buffer_release(&session->wish.ids);
}

void kv_session_give_up(struct kv_session *session, const char *error)
{
    session->closing = true;
    kv_reply_error(&session->output, "%s", error);
}

bool kv_session_feed(struct kv_session *session, const void *bytes, size_t size)
{
    if (session->closing)
        return true;
    if (session->input.size + size > KV_RESP_BUFFER_MAX)
        return false;
    kv_buffer_add(&session->input, bytes, size);
    return !session->input.failed;
}

/* Forgets the bytes that no command needs any more. */
static void drop_parsed(struct kv_session *session)
{
    struct kv_buffer *input = &session->input;
    uint32_t kept = kv_resp_kept(&session->resp);

    if (kept == 0)
        return;
    kv_resp_shift(&session->resp, kept);
    if (kept < input->size)
        memmove(input->data, input->data + kept, input->size - kept);
    input->size -= kept;
    if (input->size == 0)
        kv_buffer_clear(input, INPUT_KEPT);
}

static bool round_is_full(const struct kv_session *session)
{
    return session->calls >= CALLS_MAX || session->closing || session->shutdown ||
           session->crash != KV_NO_CRASH || session->steps.kind != KV_STEPS_NONE ||
           session->wish.kind != KV_WISH_NONE;
}

static void begin_round(struct kv_session *session)
{
    kv_buffer_clear(&session->slots, ROUND_KEPT);
    kv_buffer_clear(&session->local, ROUND_KEPT);
    session->filled = 0;
    session->lost = 0;
    session->again = 0;
    session->slots_done = 0;
    session->local_done = 0;
    session->calls = 0;
}

static void end_round(struct kv_session *session)
{
    kv_round_compose(session);
    if (session->again != 0)
        return;
    for (uint64_t left = session->filled; left != 0; left &= left - 1) {
        struct kv_work *work = session->works[__builtin_ctzll(left)];

        if (work != NULL)
            kv_work_reset(work);
    }
    begin_round(session);
}

/* A command could not be taken in for lack of memory: none of this round's has been sent. */
static void abandon_round(struct kv_session *session)
{
    for (uint64_t left = session->filled; left != 0; left &= left - 1)
        kv_work_reset(session->works[__builtin_ctzll(left)]);
    begin_round(session);
    kv_steps_stop(session);
    kv_session_give_up(session, "OOM out of memory");
}

static enum kv_resp_found add_commands(struct kv_session *session)
{
    struct kv_buffer *input = &session->input;
    enum kv_resp_found found = KV_RESP_MORE;

    while (!round_is_full(session)) {
        found = kv_resp_next(&session->resp, input->data, input->size);
        if (found != KV_RESP_COMMAND)
            break;
        kv_round_add(session);
    }
    drop_parsed(session);
    return found;
}

uint64_t kv_session_parse(struct kv_session *session)
{
    enum kv_resp_found found = KV_RESP_MORE;

    if (session->again != 0) {
        session->waiting = session->again;
        session->again = 0;
        return session->waiting;
    }
    if (session->steps.pending)
        kv_steps_send(session);
    else
        found = add_commands(session);
    if (session->slots.failed || session->local.failed || session->scratch.failed ||
        session->wish.ids.failed) {
        abandon_round(session);
        return 0;
    }
    session->waiting = session->filled;
    if (session->waiting == 0)
        end_round(session);
    if (found == KV_RESP_ERROR && session->waiting == 0) {
        char error[80] = "ERR ";

        strncat(error, session->resp.error, sizeof error - 5);
        kv_session_give_up(session, error);
    }
    return session->waiting;
}

struct kv_work *kv_session_take(struct kv_session *session, uint32_t shard)
{
    struct kv_work *work = session->works[shard];

    session->works[shard] = NULL;
    return work;
}

static bool is_back(struct kv_session *session, uint32_t shard)
{
    session->waiting &= ~(UINT64_C(1) << shard);
    if (session->waiting != 0)
        return false;
    end_round(session);
    return true;
}

bool kv_session_answered(struct kv_session *session, struct kv_work *work)
{
    session->works[work->shard] = work;
    return is_back(session, work->shard);
}

bool kv_session_lost(struct kv_session *session, uint32_t shard)
{
    session->lost |= UINT64_C(1) << shard;
    return is_back(session, shard);
}
