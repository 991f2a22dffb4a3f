/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The town's life: a service that is ended and begun again on one disk, clients that live through
 * all of it, and a fate that decides when and how each of its lives ends.
 *
 *     ┌─────────┐ enough was asked of it, or it took too long     ┌──────┐
 *     │ service │ ──────────────────────────────────────────────► │ over │ ─► the next life
 *     └─────────┘   the power is lost, the process dies,          └──────┘
 *                   or it ends in an orderly way
 *
 * The service is run as its main runs it, by kv_service_run, on the thread of the program: where it
 * ends is a signal, as with any service. Clients and fate are another system's actors: another
 * machine's, for the network.
 *
 * Partners: io/simulated.h has the machine; client.c judges what it kept.
 */

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "town.h"

#include "base/limits.h"
#include "io/sim_disk.h"
#include "io/simulated.h"
#include "sim/inside.h"

#define PORT          7000
#define LIFE_MAX      TR_SEC(90)   /* of one that gets nowhere */
#define CHECK_MAX     TR_SEC(1200)
#define REFUSALS_MAX  40u

struct town town;

_Noreturn void town_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(town.report->what, sizeof town.report->what, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "town: seed %llu: %s\n", (unsigned long long)town.report->seed,
                  town.report->what);
    (void)fflush(NULL);
    _exit(1);
}

uint32_t town_draw(uint32_t below)
{
    return tri_random_below(&town.random, below);
}

/* ---- faults --------------------------------------------------------------------------------- */

struct plan {
    const char *fault;
    uint32_t most;    /* of a million */
};

static const struct plan network[] = {
    { "net.break", 4000 },  { "net.half_close", 2000 }, { "net.short", 60000 },
    { "net.delay", 20000 }, { "net.full", 20000 },      { "net.refuse", 100000 },
};

static const struct plan actors[] = {
    { "crash@kv_shard", 6000 },      { "crash@kv_log_actor", 4000 },
    { "crash@kv_door", 3000 },       { "crash@kv_connection", 3000 },
    { "delay@kv_shard", 10000 },     { "delay@kv_log_actor", 10000 },
    { "delay@kv_connection", 5000 }, { "stall", 1000 },
};

static const struct plan mild[] = { { "disk.slow", 40000 }, { "disk.short", 60000 } };
static const struct plan refusing[] = { { "disk.full", 60000 }, { "disk.write", 30000 } };
static const struct plan failing[] = { { "disk.sync", 20000 }, { "disk.names", 50000 } };

static void set_rate(const char *fault, double rate)
{
    if (tri_sim_set_rule(fault, rate) < 0)
        town_fail("the fault %s cannot be set", fault);
}

static void set_faults(const struct plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        set_rate(plans[i].fault, town_draw(2) == 0 ? 0 : town_draw(plans[i].most) / 1e6);
}

static void end_faults(const struct plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        set_rate(plans[i].fault, 0);
}

#define SET(plans) set_faults(plans, sizeof plans / sizeof plans[0])
#define END(plans) end_faults(plans, sizeof plans / sizeof plans[0])

static void begin_all_faults(void)
{
    if (town_draw(4) != 0)
        SET(network);
    town.actors_may_fail = town_draw(2) != 0;
    if (town.actors_may_fail)
        SET(actors);
    town.disk_may_be_slow = town_draw(2) != 0;
    if (town.disk_may_be_slow)
        SET(mild);
    town.disk_may_fail = town_draw(6) == 0;
    town.disk_may_refuse = town.disk_may_fail || town_draw(3) == 0;
    if (town.disk_may_refuse && (!town.disk_may_fail || town_draw(2) == 0))
        SET(refusing);
    if (!town.disk_may_fail)
        return;
    SET(failing);
    town.settings.shards = 1; /* whose log it is that a sync fails for */
}

static void end_all_faults(void)
{
    END(network);
    END(actors);
    END(mild);
    END(refusing);
    END(failing);
    tri_disk_limit(UINT64_MAX);
}

/* ---- what has happened, for the clients' books ---------------------------------------------- */

static void each_history(void (*visit)(struct history *history))
{
    for (uint32_t i = 0; i < town.client_count; i++) {
        for (uint32_t key = 0; key < town.key_count; key++)
            visit(&town.histories[i][key]);
    }
}

static void tell_power_lost(struct history *history)
{
    history_power_lost(history, town_now() - town.window, town_now());
}

static void tell_life_over(struct history *history)
{
    history_life_over(history, town.life, town_now());
}

static void release_history(struct history *history)
{
    history_release(history);
}

static void lose_power(void)
{
    town.report->counts.power_losses++;
    tri_simio_machine_crash(true);
    town.lost_life = town.life;
    if (town.window >= 0)
        each_history(tell_power_lost);
}

/* ---- fate ----------------------------------------------------------------------------------- */

struct fate_tick { uint32_t unused; };

#define FATE_MESSAGES(M) M(fate_tick)
TR_PROTOCOL(fate, 9302, FATE_MESSAGES);

struct fate {
    uint32_t life;    /* whose end is being waited for */
    tr_time began;
    tr_time ends;     /* 0: when its work is done */
    bool is_full;     /* the disk */
};

static void end_life(void)
{
    static const char *const ways[] = { "loses its power", "dies", "is told to stop" };
    uint32_t how = town.phase == TOWN_CHECKING ? 7 : town_draw(8);

    town.is_up = false;
    if (town.tells_of != NULL)
        (void)fprintf(stderr, "town: %lld ms: life %u %s\n", (long long)town_now(), town.life,
                      ways[how < 4 ? 0 : how < 6 ? 1 : 2]);
    if (how < 4) {
        lose_power();
    } else if (how < 6) {
        town.report->counts.deaths++;
        tri_simio_machine_crash(false);
    } else {
        town.report->counts.orderly_ends++;
    }
    (void)raise(SIGTERM);
}

static bool is_over(tr_self *self, const struct fate *me)
{
    tr_time age = tr_now(self) - me->began;

    if (town.phase == TOWN_WORKING && age > LIFE_MAX)
        town_fail("life %u gets nowhere", town.life);
    if (town.phase == TOWN_WORKING)
        return town.work_left <= 0 && tr_now(self) >= me->ends;
    if (age > CHECK_MAX)
        town_fail("the clients cannot read their keys: %u of %u are done", town.clients_done,
                  town.client_count);
    return town.clients_done == town.client_count;
}

/* Now and then there is no room left on the disk for a while. */
static void fill_disk(struct fate *me)
{
    if (!town.disk_may_refuse || town.phase == TOWN_CHECKING || town_draw(60) != 0)
        return;
    me->is_full = !me->is_full;
    tri_disk_limit(me->is_full ? tri_disk_used() + town_draw(2000) : UINT64_MAX);
}

/* Often a life ends when its work is done, sometimes after a time in which nobody asks for
 * anything. */
static void begin_waiting(tr_self *self, struct fate *me)
{
    if (town.phase == TOWN_CHECKING || town.work_left > 0 || me->ends != 0)
        return;
    me->ends = tr_now(self);
    town.is_quiet = town_draw(5) == 0;
    if (town.is_quiet)
        me->ends += TR_MS(town_draw(12000));
}

static void note_failed_syncs(void)
{
    uint64_t failures = tri_sim_covered("disk.sync");

    if (failures == town.sync_failures)
        return;
    town.sync_failures = failures;
    town.sync_failed_at = town_now();
    town.sync_failed_life = town.life;
    town.is_sound = false;
}

TR_ON(fate, fate_tick, self, me, msg)
{
    if (me->life != town.life) {
        me->life = town.life;
        me->began = tr_now(self);
        me->ends = 0;
        town.is_quiet = false;
    }
    note_failed_syncs();
    begin_waiting(self, me);
    fill_disk(me);
    if (town.is_up && is_over(self, me))
        end_life();
    return tr_timer_error(tr_after(self, TR_US(200 + town_draw(20000)), fate_tick, 0));
}

TR_START(fate, self, me)
{
    return tr_send(self, tr_me(self), fate_tick, 0);
}

static const tr_actor_type fate_actor = {
    TR_STATE(fate), .start = TR_STARTS(fate), .on = TR_TABLE(TR_HANDLES(fate, fate_tick)),
};

static void report_end(void)
{
    struct town_counts *counts = &town.report->counts;

    counts->steps = tri_sim_steps();
    counts->torn = tri_sim_covered("disk: a crash tore a write");
    counts->lost = tri_sim_covered("disk: a crash lost writes");
    counts->faults = tri_sim_covered("crash");
    town.report->hash = tri_sim_hash();
    town.report->is_done = true;
}

/* ---- lives ---------------------------------------------------------------------------------- */

/* After a sync that failed the power may be lost before all is written anew: of the log a piece in
 * the middle is gone then, and the service rightly refuses it. That is the end of this town. */
static void end_damaged(void)
{
    note_failed_syncs();
    if (town.sync_failures == 0 || town.is_sound)
        town_fail("life %u: the service does not start any more", town.life);
    town.report->counts.damaged++;
    report_end();
    (void)fflush(NULL);
    _exit(0);
}

/* A service that refuses to start is started again, as whoever keeps it would. */
static void run_service(void)
{
    static struct kv_service service;
    uint32_t refusals = 0;

    for (;;) {
        service = (struct kv_service){ .settings = town.settings };
        town.is_up = true;
        int err = kv_service_run(&service);
        if (!town.is_up)
            return;
        town.report->counts.refusals++;
        if (service.refused && !town.disk_may_fail)
            town_fail("life %u: the service refuses to work: %d", town.life, err);
        if (!service.refused && !town.actors_may_fail)
            town_fail("life %u: the service ended by itself: %d", town.life, err);
        if (++refusals > REFUSALS_MAX)
            end_damaged();
    }
}

/* An orderly end leaves nothing that a loss of power could take, unless its sync fails. */
static void end_orderly(void)
{
    if (tri_simio_machine_is_down() || town.phase == TOWN_CHECKING || town.disk_may_fail ||
        town_draw(2) == 0)
        return;
    tri_simio_machine_crash(true);
    town.report->counts.power_losses++;
}

static void live(void)
{
    town.life++;
    town.report->counts.lives++;
    run_service();
    note_failed_syncs();
    end_orderly();
    each_history(tell_life_over);
    tri_sim_sleep(TR_US(town_draw(100000)));
    if (tri_simio_machine_is_down())
        tri_simio_machine_start();
}

/* In some lives hardly more is done than to look. */
static int64_t draw_work(void)
{
    uint32_t kind = town_draw(8);

    return kind < 2 ? town_draw(6) : 20 + town_draw(kind == 2 ? 400 : 100);
}

static void live_all(void)
{
    while (town.life < town.lives) {
        town.work_left = draw_work();
        live();
    }
    end_all_faults();
    town.phase = TOWN_CHECKING;
    live();
}

/* ---- the town ------------------------------------------------------------------------------- */

static enum kv_fsync draw_policy(void)
{
    uint32_t kind = town_draw(8);

    return kind < 5 ? KV_FSYNC_ALWAYS : kind < 7 ? KV_FSYNC_EVERYSEC : KV_FSYNC_NO;
}

/* What a loss of power may cost. A second passes between two syncs; each of them, and the write
 * before, may take two on a slow disk, and an actor may stand still for some time. */
static int64_t window_of(enum kv_fsync policy)
{
    switch (policy) {
    case KV_FSYNC_ALWAYS:
        return -1;
    case KV_FSYNC_EVERYSEC:
        return town.disk_may_be_slow ? 9000 : 2500;
    case KV_FSYNC_NO:
        break;
    }
    return INT64_MAX / 4;
}

static void draw_settings(void)
{
    struct kv_settings *settings = &town.settings;

    *settings = (struct kv_settings){
        .bind = "127.0.0.1", .dir = "/kv", .port = PORT, .shards = 1 + town_draw(4),
        .workers = 1 + town_draw(4), .appendonly = true, .fsync = draw_policy(), .run_id = "town",
    };
    settings->hash_key.low = tri_random_next(&town.random);
    settings->hash_key.high = tri_random_next(&town.random);
    settings->salt = tri_random_next(&town.random);
    town.client_count = 1 + town_draw(TOWN_CLIENTS_MAX);
    town.key_count = 2 + town_draw(TOWN_KEYS_MAX - 1);
    town.lives = 1 + town_draw(7);
    town.has_databases = town_draw(3) == 0;
    /* With limits that are shrunk it would take too long. */
    town.is_heavy = town_draw(40) == 0 && TRI_READ_BYTES > HISTORY_TEXT_MAX;
}

static void begin_histories(void)
{
    for (uint32_t i = 0; i < town.client_count; i++) {
        for (uint32_t key = 0; key < town.key_count; key++) {
            char name[sizeof "c4294967295:4294967295"];
            (void)snprintf(name, sizeof name, "c%u:%u", i, key);
            history_init(&town.histories[i][key], name);
            town.histories[i][key].keeps_past = town.window >= 0;
            town.histories[i][key].disk_may_refuse = town.disk_may_refuse;
            town.histories[i][key].disk_may_fail = town.disk_may_fail;
        }
    }
}

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)level, (void)text;
}

static void tell_plan(void)
{
    static const char *const policies[] = { "no", "everysec", "always" };

    if (town.tells_of != NULL)
        (void)fprintf(stderr, "town: %u shards, %u clients, appendfsync %s%s%s%s\n",
                      town.settings.shards, town.client_count, policies[town.settings.fsync],
                      town.actors_may_fail ? ", actors may fail" : "",
                      town.disk_may_refuse ? ", the disk may refuse" : "",
                      town.disk_may_fail ? ", and fail" : "");
}

void town_run(struct town_report *report)
{
    const tr_config config = { .workers = 3, .log = no_log };
    tr_system *clients;

    town = (struct town){ .report = report, .tells_of = getenv("KV_TOWN_KEY") };
    report->seed = tri_sim_options()->seed;
    tri_random_seed(&town.random, report->seed);
    draw_settings();
    begin_all_faults();
    town.window = window_of(town.settings.fsync);
    tell_plan();
    begin_histories();
    if (tr_system_open(&config, &clients) < 0)
        town_fail("the clients' system does not start");
    for (uint32_t i = 0; i < town.client_count; i++)
        (void)client_spawn(clients, i);
    (void)tr_spawn(clients, fate, .life = 0);
    live_all();
    (void)tr_system_stop(clients, TR_SEC(60));
    each_history(release_history);
    report_end();
}
