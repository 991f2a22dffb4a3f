/* SPDX-License-Identifier: BSD-2-Clause */

/* See crasher.h. */

#include "crasher.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROBES       128u  /* with eight shards, none has a key in 1 of 25 million probes */
#define PROBE_NAME   16u
#define PROBE_GAP_NS (MILLISECOND_NS / 10)

void crasher_open(struct crasher *crasher, uint16_t port, unsigned shards, uint64_t seed)
{
    *crasher = (struct crasher){ .port = port, .shards = shards, .seed = seed };
    net_open(&crasher->net);
}

void crasher_close(struct crasher *crasher)
{
    net_free(&crasher->net);
}

static void rest(struct crasher *crasher)
{
    uint64_t half = CRASHER_PAUSE_NS / 2;

    crasher->state = CRASHER_RESTS;
    crasher->next_ns = clock_ns() + half + chance_next(&crasher->seed) % CRASHER_PAUSE_NS;
}

void crasher_disconnect(struct crasher *crasher)
{
    net_close(&crasher->net);
    rest(crasher);
}

static void send_crash(struct crasher *crasher)
{
    char shard[12];
    struct text words[2] = { text_of("CRASH") };

    snprintf(shard, sizeof shard, "%" PRIu32, chance_below(&crasher->seed, crasher->shards));
    words[1] = text_of(shard);
    resp_command(&crasher->net.out, words, 2);
    crasher->state = CRASHER_CRASHES;
    crasher->since_ns = clock_ns();
}

static void send_probe(struct crasher *crasher)
{
    char names[PROBES][PROBE_NAME];
    struct text words[PROBES + 1] = { text_of("MGET") };

    for (unsigned i = 0; i < PROBES; i++) {
        snprintf(names[i], sizeof names[i], "probe:%u", i);
        words[i + 1] = text_of(names[i]);
    }
    resp_command(&crasher->net.out, words, PROBES + 1);
}

static void crash_answered(struct crasher *crasher, const struct resp_reply *reply)
{
    if (reply->kind != RESP_STATUS) {
        snprintf(crasher->refusal, sizeof crasher->refusal, "%.*s",
                 (int)(reply->text.size < 100 ? reply->text.size : 100), reply->text.data);
        rest(crasher);
        return;
    }
    crasher->crashes++;
    crasher->since_ns = clock_ns();
    crasher->state = CRASHER_PROBES;
    send_probe(crasher);
}

static void probe_answered(struct crasher *crasher, const struct resp_reply *reply)
{
    uint64_t taken = clock_ns() - crasher->since_ns;

    if (reply->kind == RESP_ARRAY) {
        crasher->recoveries++;
        histogram_add(&crasher->recovery, taken);
        rest(crasher);
        return;
    }
    clock_sleep_ns(PROBE_GAP_NS);
    send_probe(crasher);
}

static void take_reply(struct crasher *crasher)
{
    struct resp_reply reply;
    long size = net_reply(&crasher->net, &reply);

    if (size < 0 || (size > 0 && crasher->state == CRASHER_RESTS)) {
        crasher_disconnect(crasher);
        return;
    }
    if (size == 0)
        return;
    if (crasher->state == CRASHER_CRASHES)
        crash_answered(crasher, &reply);
    else
        probe_answered(crasher, &reply);
    net_taken(&crasher->net, size);
}

struct pollfd crasher_wanted(const struct crasher *crasher)
{
    return net_wanted(&crasher->net);
}

void crasher_serve(struct crasher *crasher, short events)
{
    uint64_t now = clock_ns();

    if (crasher->net.fd < 0) {
        if (now >= crasher->next_ns && net_connect(&crasher->net, crasher->port) < 0)
            rest(crasher);
        return;
    }
    if (net_serve(&crasher->net, events) < 0) {
        crasher_disconnect(crasher);
        return;
    }
    take_reply(crasher);
    if (crasher->state == CRASHER_RESTS) {
        if (!crasher->resting && crasher->net.fd >= 0 && now >= crasher->next_ns)
            send_crash(crasher);
    } else if (now > crasher->since_ns + CRASHER_LIMIT_NS) {
        crasher->given_up++;
        crasher_disconnect(crasher);
    }
    if (net_serve(&crasher->net, 0) < 0)
        crasher_disconnect(crasher);
}
