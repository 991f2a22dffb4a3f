/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_KV_DEMO_CRASHER_H
#define TROUPE_KV_DEMO_CRASHER_H

/*
 * Makes one shard after the other fail, and takes the time until each answers again.
 *
 *     RESTS ──(pause over)──> CRASHES ──(CRASH answered)──> PROBES ──(all shards answer)──> RESTS
 *
 * Why. Which key lies on which shard is the service's secret. So the probe is one MGET of enough
 * keys to have some on every shard: it is answered without an error only if the failed shard
 * answers again, and what it takes beyond that is what such an MGET takes anyway.
 *
 * Rules
 *   1. A shard that is not back within CRASHER_LIMIT_NS is given up and counted.
 *   2. A broken connection ends the attempt, which then counts for nothing.
 */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "histogram.h"
#include "net.h"

#define CRASHER_PAUSE_NS (200 * MILLISECOND_NS)  /* on average: several times a second */
#define CRASHER_LIMIT_NS (5 * SECOND_NS)

struct crasher {
    uint16_t port;
    unsigned shards;
    uint64_t seed;
    bool resting;  /* for good: no more crashes */
    enum { CRASHER_RESTS, CRASHER_CRASHES, CRASHER_PROBES } state;
    uint64_t next_ns;     /* RESTS: the next crash */
    uint64_t since_ns;    /* the command, then its answer */
    uint64_t crashes;     /* CRASH commands that were answered with OK */
    uint64_t recoveries;  /* shards that were seen to answer again */
    uint64_t given_up;
    struct histogram recovery;  /* ns */
    char refusal[128];          /* what the service answered to CRASH, when not OK */
    struct net net;
};

void crasher_open(struct crasher *crasher, uint16_t port, unsigned shards, uint64_t seed);
void crasher_close(struct crasher *crasher);

struct pollfd crasher_wanted(const struct crasher *crasher);
void crasher_serve(struct crasher *crasher, short events);

/* The service was killed. */
void crasher_disconnect(struct crasher *crasher);

#endif
