/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Tokens wander through a graph by chance, copied, moved or forwarded; each owns memory. At the end
 * every hop was made and every piece of memory was dropped once.
 */

#include "support/stress.h"

enum { NODES = 150, TOKENS = 400, HOPS = 60, FORWARDS = 40 };

struct graph_token { uint32_t hops; uint32_t random; uint64_t *owned; unsigned char load[48]; };
struct graph_note  { uint32_t random; uint32_t forwards; };

static void token_drop(void *msg);

#define GRAPH_MESSAGES(M) M(graph_token, TR_DROP(token_drop)) M(graph_note)
TR_PROTOCOL(graph, 9101, GRAPH_MESSAGES);

struct node { uint64_t random; };

static tr_ref nodes[NODES];
static struct stress_latch arrived = STRESS_LATCH(0);

static struct {
    pthread_mutex_t lock;
    uint64_t made;
    uint64_t dropped;
} memory = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t *make_owned(uint64_t value)
{
    uint64_t *owned = malloc(sizeof *owned);

    STRESS_CHECK(owned != NULL, "out of memory");
    *owned = value;
    pthread_mutex_lock(&memory.lock);
    memory.made++;
    pthread_mutex_unlock(&memory.lock);
    return owned;
}

static void token_drop(void *msg)
{
    struct graph_token *token = msg;

    if (token->owned == NULL)
        return;
    free(token->owned);
    pthread_mutex_lock(&memory.lock);
    memory.dropped++;
    pthread_mutex_unlock(&memory.lock);
}

static int send_copy(tr_self *self, const struct graph_token *token, tr_ref to)
{
    struct graph_token copy = *token;

    copy.hops--;
    copy.owned = make_owned(*token->owned);
    return tr_send_copy(self, to, graph_token, &copy);
}

static int send_on(tr_self *self, tr_ref to)
{
    struct graph_token *token = tr_take(self, graph_token);

    STRESS_CHECK(token != NULL, "it was taken before");
    token->hops--;
    return tr_post(self, to, &token);
}

static int send_new(tr_self *self, const struct graph_token *token, tr_ref to)
{
    struct graph_token *fresh = tr_new(graph_token);

    STRESS_CHECK(fresh != NULL, "out of memory");
    fresh->hops = token->hops - 1;
    fresh->owned = make_owned(*token->owned);
    memcpy(fresh->load, token->load, sizeof fresh->load);
    return tr_post(self, to, &fresh);
}

static void check_load(const struct graph_token *token)
{
    for (size_t i = 0; i < sizeof token->load; i++)
        STRESS_CHECK(token->load[i] == (unsigned char)*token->owned, "a damaged message");
}

TR_ON(node, graph_token, self, me, msg)
{
    tr_ref to = nodes[stress_below(&me->random, NODES)];

    check_load(msg);
    if (msg->hops == 0) {
        stress_latch_down(&arrived);
        return TR_OK;
    }
    switch (stress_below(&me->random, 3)) {
    case 0:
        STRESS_OK(send_copy(self, msg, to));
        break;
    case 1:
        STRESS_OK(send_on(self, to));
        break;
    default:
        STRESS_OK(send_new(self, msg, to));
    }
    return TR_OK;
}

/* Forwarded as it is, until chance says that it has come far enough. */
TR_ON(node, graph_note, self, me, msg)
{
    if (stress_below(&me->random, msg->forwards) == 0)
        stress_latch_down(&arrived);
    else
        STRESS_OK(tr_forward(self, nodes[stress_below(&me->random, NODES)]));
    return TR_OK;
}

static const tr_actor_type node_actor = {
    TR_STATE(node), .capacity = 2048,
    .on = TR_TABLE(TR_HANDLES(node, graph_token), TR_HANDLES(node, graph_note)),
};

static void send_tokens(tr_system *sys, uint64_t *random)
{
    for (uint32_t i = 0; i < TOKENS; i++) {
        struct graph_token token = { .hops = HOPS, .owned = make_owned(i) };

        memset(token.load, (int)(i & 0xff), sizeof token.load);
        STRESS_OK(tr_send_copy(sys, nodes[stress_below(random, NODES)], graph_token, &token));
        STRESS_OK(tr_send(sys, nodes[stress_below(random, NODES)], graph_note,
                          .forwards = FORWARDS));
    }
}

static void run(uint32_t workers, const struct stress *stress)
{
    tr_system *sys = stress_system(workers);
    uint64_t random = stress->seed * 1000 + workers;
    tr_stats stats = { .handled = 0 };

    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = stress_ref(tr_spawn(sys, node, .random = stress_random(&random)));
    for (uint64_t round = 0; round < stress->rounds; round++) {
        stress_latch_set(&arrived, 2 * TOKENS);
        send_tokens(sys, &random);
        stress_latch_await(&arrived);
    }
    stats = stress_quiet(sys);
    STRESS_CHECK(stats.rejected == 0 && stats.queued == 0 && stats.dead_letters == 0, "lost");
    STRESS_OK(tr_system_stop(sys, TR_SEC(20)));
    STRESS_CHECK(memory.made == memory.dropped, "%llu made, %llu dropped",
                 (unsigned long long)memory.made, (unsigned long long)memory.dropped);
    printf("graph: %u workers: %llu messages, %llu steals\n", workers,
           (unsigned long long)stats.handled, (unsigned long long)stats.steals);
}

int main(int count, char **words)
{
    struct stress stress = stress_begin(count, words, 6);

    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        run(workers, &stress);
    return 0;
}
