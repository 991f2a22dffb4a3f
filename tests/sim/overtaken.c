/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A small program for exhaustive search: two messengers carry a word each, and whoever waits for
 * them takes it that the first one sent is the first to come. With the word "any" it does not.
 *
 *     overtaken [any]
 */

#include <stdio.h>

#include <troupe/troupe.h>

struct post_carry { uint32_t word; };
struct post_word  { uint32_t word; };
struct post_await { uint32_t unused; };
struct post_done  { uint32_t first; };

#define POST_MESSAGES(M) M(post_carry) M(post_word) M(post_await) M(post_done)
TR_PROTOCOL(post, 9203, POST_MESSAGES);

static tr_ref waiting_ref;

struct messenger { uint32_t unused; };

TR_ON(messenger, post_carry, self, me, msg)
{
    return tr_send(self, waiting_ref, post_word, .word = msg->word);
}

static const tr_actor_type messenger_actor = {
    TR_STATE(messenger), .on = TR_TABLE(TR_HANDLES(messenger, post_carry)),
};

struct waiting { uint32_t first; tr_caller caller; };

TR_ON(waiting, post_await, self, me, msg)
{
    for (uint32_t word = 1; word <= 2; word++) {
        tr_ref messenger = tr_spawn(self, messenger, .unused = 0);
        int error = tr_send(self, messenger, post_carry, .word = word);
        if (error < 0)
            return error;
    }
    return tr_call_hold(self, &me->caller);
}

TR_ON(waiting, post_word, self, me, msg)
{
    if (me->first != 0)
        return tr_answer(self, me->caller, post_done, .first = me->first);
    me->first = msg->word;
    return TR_OK;
}

static const tr_actor_type waiting_actor = {
    TR_STATE(waiting),
    .on = TR_TABLE(TR_HANDLES(waiting, post_await), TR_HANDLES(waiting, post_word)),
};

int main(int count, char **words)
{
    const tr_config config = { .workers = 1 };
    const tr_ask_policy patient = { .timeout = TR_SEC(60) };
    const struct post_await await = { 0 };
    struct post_done done = { 0 };
    tr_system *sys = tr_system_start(&config);

    (void)words;
    waiting_ref = tr_spawn(sys, waiting, .first = 0);
    int error = tr_ask_wait(sys, waiting_ref, &patient, post_await, &await, post_done, &done);
    if (error == 0)
        error = tr_system_stop(sys, TR_SEC(5));
    if (error == 0 && (count > 1 || done.first == 1))
        return 0;
    (void)fprintf(stderr, "overtaken: word %u came first (%d)\n", (unsigned)done.first, error);
    return 1;
}
