/* SPDX-License-Identifier: BSD-2-Clause */

#include "figures.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <troupe/timer.h>

#include "call.h"
#include "client.h"
#include "reply.h"
#include "session.h"

#define REDIS_VERSION "7.0.15"  /* whose commands these are: clients look at it for what works */

void kv_run_info(struct kv_call *call)
{
    const struct kv_store *store = call->store;
    struct kv_figures figures = {
        .bytes = kv_store_bytes(store), .expired = store->expired,
        .hits = store->hits, .misses = store->misses,
    };

    for (unsigned i = 0; i < KV_LOG_DATABASES; i++) {
        figures.keys[i] = kv_keyspace_count(&store->spaces[i]);
        figures.expiring[i] = store->spaces[i].expiring;
    }
    kv_reply_raw(call->out, &figures, sizeof figures);
}

void kv_figures_add(struct kv_figures *sum, const struct kv_figures *more)
{
    for (unsigned i = 0; i < KV_LOG_DATABASES; i++) {
        sum->keys[i] += more->keys[i];
        sum->expiring[i] += more->expiring[i];
    }
    sum->bytes += more->bytes;
    sum->expired += more->expired;
    sum->hits += more->hits;
    sum->misses += more->misses;
}

/* ---- the text ---- */

struct info {
    const struct kv_session *session;
    const struct kv_figures *figures;
    struct kv_buffer *text;
};

__attribute__((format(printf, 2, 3))) static void line(struct info *info, const char *format, ...)
{
    char text[512];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size > 0)
        kv_buffer_add(info->text, text, strlen(text));
    KV_REPLY(info->text, "\r\n");
}

static void server(struct info *info)
{
    const struct kv_settings *settings = info->session->settings;
    uint64_t up = (uint64_t)(tr_unix_now() / TR_SEC(1)) - settings->started;

    line(info, "redis_version:%s", REDIS_VERSION);
    line(info, "redis_mode:standalone");
    line(info, "server_name:troupe-kv");
    line(info, "process_id:%ld", (long)getpid());
    line(info, "run_id:%s", settings->run_id);
    line(info, "tcp_port:%u", settings->port);
    line(info, "uptime_in_seconds:%" PRIu64, up);
    line(info, "uptime_in_days:%" PRIu64, up / 86400);
    line(info, "shards:%u", settings->shards);
    line(info, "workers:%u", settings->workers);
}

static void clients(struct info *info)
{
    line(info, "connected_clients:%" PRIu64, kv_clients_count(info->session->settings));
    line(info, "blocked_clients:0");
}

static void memory(struct info *info)
{
    line(info, "used_memory:%" PRIu64, info->figures->bytes);
    line(info, "used_memory_dataset:%" PRIu64, info->figures->bytes);
    line(info, "maxmemory:0");
    line(info, "maxmemory_policy:noeviction");
}

static void persistence(struct info *info)
{
    line(info, "loading:0");
    line(info, "async_loading:0");
    line(info, "aof_enabled:%d", info->session->settings->appendonly);
    line(info, "aof_rewrite_in_progress:0");
    line(info, "rdb_bgsave_in_progress:0");
    line(info, "rdb_last_bgsave_status:ok");
}

static void stats(struct info *info)
{
    line(info, "expired_keys:%" PRIu64, info->figures->expired);
    line(info, "evicted_keys:0");
    line(info, "keyspace_hits:%" PRIu64, info->figures->hits);
    line(info, "keyspace_misses:%" PRIu64, info->figures->misses);
}

static void replication(struct info *info)
{
    line(info, "role:master");
    line(info, "connected_slaves:0");
    line(info, "master_repl_offset:0");
}

static void cpu_time(struct info *info, const char *whose, int who)
{
    struct rusage used;

    if (getrusage(who, &used) < 0)
        return;
    line(info, "used_cpu_sys%s:%ld.%06ld", whose, (long)used.ru_stime.tv_sec,
         (long)used.ru_stime.tv_usec);
    line(info, "used_cpu_user%s:%ld.%06ld", whose, (long)used.ru_utime.tv_sec,
         (long)used.ru_utime.tv_usec);
}

static void cpu(struct info *info)
{
    cpu_time(info, "", RUSAGE_SELF);
    cpu_time(info, "_children", RUSAGE_CHILDREN);
}

static void keyspace(struct info *info)
{
    const struct kv_figures *figures = info->figures;

    for (unsigned i = 0; i < KV_LOG_DATABASES; i++)
        if (figures->keys[i] > 0)
            line(info, "db%u:keys=%" PRIu64 ",expires=%" PRIu64 ",avg_ttl=0", i, figures->keys[i],
                 figures->expiring[i]);
}

static const struct section {
    const char *name;
    const char *title;
    void (*write)(struct info *info);
} sections[] = {
    { "server", "Server", server },
    { "clients", "Clients", clients },
    { "memory", "Memory", memory },
    { "persistence", "Persistence", persistence },
    { "stats", "Stats", stats },
    { "replication", "Replication", replication },
    { "cpu", "CPU", cpu },
    { "keyspace", "Keyspace", keyspace },
};

#define SECTIONS (sizeof sections / sizeof sections[0])

uint32_t kv_info_section(struct kv_slice name)
{
    for (size_t i = 0; i < SECTIONS; i++)
        if (kv_slice_is_word(name, sections[i].name))
            return 1u << i;
    if (kv_slice_is_word(name, "default") || kv_slice_is_word(name, "all") ||
        kv_slice_is_word(name, "everything"))
        return KV_INFO_ALL;
    return 0;
}

void kv_info_write(const struct kv_session *session, const struct kv_figures *figures,
                   uint32_t wanted, struct kv_buffer *out)
{
    struct kv_buffer text = { 0 };
    struct info info = { session, figures, &text };

    for (size_t i = 0; i < SECTIONS; i++) {
        if (!(wanted & 1u << i))
            continue;
        if (text.size > 0)
            KV_REPLY(&text, "\r\n");
        line(&info, "# %s", sections[i].title);
        sections[i].write(&info);
    }
    out->failed |= text.failed;
    kv_reply_bulk(out, (struct kv_slice){ text.data, text.size });
    kv_buffer_release(&text);
}
