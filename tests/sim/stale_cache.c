/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A program with a bug of order, for the search of seeds to find: it looks right, and every plain
 * run of it passes.
 *
 * A store tells a notifier of each write, which tells the cache; the store also answers the writer,
 * who then reads from the cache. That the word through the notifier is faster than the answer
 * through the writer is nobody's promise: where the notifier waits long enough for its turn, the
 * cache is more than LAG_MAX versions behind.
 *
 *     stale_cache [ROUNDS [LAG_MAX]]
 */

#include <stdio.h>
#include <stdlib.h>

#include <troupe/troupe.h>

struct cache_write   { uint32_t version; };
struct cache_written { uint32_t version; };
struct cache_changed { uint32_t version; };
struct cache_read    { uint32_t unused; };
struct cache_value   { uint32_t version; };
struct cache_begin   { uint32_t rounds; };
struct cache_done    { uint32_t lag; };

#define CACHE_MESSAGES(M)                                                                          \
    M(cache_write) M(cache_written) M(cache_changed) M(cache_read) M(cache_value) M(cache_begin)   \
    M(cache_done)
TR_PROTOCOL(cache, 9202, CACHE_MESSAGES);

static tr_ref store_ref, notifier_ref, cache_ref;
static const tr_ask_policy patient = { .timeout = TR_SEC(60) };

struct store { uint32_t version; };

TR_ON(store, cache_write, self, me, msg)
{
    me->version = msg->version;
    int error = tr_reply(self, cache_written, .version = me->version);
    return error < 0 ? error
                     : tr_send(self, notifier_ref, cache_changed, .version = me->version);
}

static const tr_actor_type store_actor = {
    TR_STATE(store), .on = TR_TABLE(TR_HANDLES(store, cache_write)),
};

struct notifier { uint32_t unused; };

TR_ON(notifier, cache_changed, self, me, msg)
{
    return tr_send(self, cache_ref, cache_changed, .version = msg->version);
}

static const tr_actor_type notifier_actor = {
    TR_STATE(notifier), .on = TR_TABLE(TR_HANDLES(notifier, cache_changed)),
};

struct cache { uint32_t version; };

TR_ON(cache, cache_changed, self, me, msg)
{
    me->version = msg->version;
    return TR_OK;
}

TR_ON(cache, cache_read, self, me, msg)
{
    return tr_reply(self, cache_value, .version = me->version);
}

static const tr_actor_type cache_actor = {
    TR_STATE(cache),
    .on = TR_TABLE(TR_HANDLES(cache, cache_changed), TR_HANDLES(cache, cache_read)),
};

struct writer { uint32_t version, rounds, lag; tr_caller caller; };

static uint32_t lag_max = 2;

static int write_next(tr_self *self, struct writer *me)
{
    if (me->version == me->rounds || me->lag > lag_max)
        return tr_answer(self, me->caller, cache_done, .lag = me->lag);
    me->version++;
    return tr_call_error(tr_ask(self, store_ref, &patient, cache_write, .version = me->version));
}

TR_ON(writer, cache_begin, self, me, msg)
{
    int error = tr_call_hold(self, &me->caller);

    me->rounds = msg->rounds;
    return error < 0 ? error : write_next(self, me);
}

TR_ON(writer, cache_written, self, me, msg)
{
    return tr_call_error(tr_ask(self, cache_ref, &patient, cache_read));
}

TR_ON(writer, cache_value, self, me, msg)
{
    uint32_t lag = me->version - msg->version;

    me->lag = lag > me->lag ? lag : me->lag;
    return write_next(self, me);
}

static const tr_actor_type writer_actor = {
    TR_STATE(writer),
    .on = TR_TABLE(TR_HANDLES(writer, cache_begin), TR_HANDLES(writer, cache_written),
                   TR_HANDLES(writer, cache_value)),
};

int main(int count, char **words)
{
    const tr_config config = { .workers = 1 };
    const struct cache_begin begin = { count > 1 ? (uint32_t)atoi(words[1]) : 500 };
    struct cache_done done = { 0 };
    tr_system *sys = tr_system_start(&config);

    if (count > 2)
        lag_max = (uint32_t)atoi(words[2]);
    store_ref = tr_spawn(sys, store, .version = 0);
    notifier_ref = tr_spawn(sys, notifier, .unused = 0);
    cache_ref = tr_spawn(sys, cache, .version = 0);
    tr_ref writer = tr_spawn(sys, writer, .version = 0);
    int error = tr_ask_wait(sys, writer, &patient, cache_begin, &begin, cache_done, &done);
    if (error == 0)
        error = tr_system_stop(sys, TR_SEC(5));
    if (error < 0 || done.lag > lag_max) {
        (void)fprintf(stderr, "stale_cache: %u versions behind (%d)\n", (unsigned)done.lag, error);
        return 1;
    }
    return 0;
}
