/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/*
 * The journal on a disk of our own: it forgets at any moment whatever was not synced, fails at any
 * operation, and finishes operations in any order. What was acknowledged must be in the file that
 * bears the log's name.
 */

#include "kv/journal.h"

#include <errno.h>

#include "kv/memory.h"
#include "kv/replay.h"
#include "support/test.h"

static const struct kv_log_identity identity = { 0, 1, 42 };

/* A file as it stands in the page cache and as it stands on the platter. */
struct file {
    struct kv_buffer cached;
    struct kv_buffer synced;
};

#define KEYS 50

struct disk {
    struct kv_journal journal;
    struct file *log;           /* the one the journal writes to as its log */
    struct file *fresh;
    struct file *named;         /* the one that has the name now, */
    struct file *named_synced;  /* and the one that will have it after a loss of power */
    struct kv_action out[8];    /* actions not answered yet */
    int outs;
    uint64_t values[KEYS];      /* what the sender's memory holds: number of a key's last record */
    uint64_t number;            /* of the last record */
    uint64_t seed;
    int snapshot_at;
    int64_t now;
    unsigned failures;          /* one operation in so many fails; 0: none */
};

static unsigned chance(struct disk *d, unsigned sides)
{
    d->seed ^= d->seed << 13;
    d->seed ^= d->seed >> 7;
    d->seed ^= d->seed << 17;
    return (unsigned)(d->seed >> 11) % sides;
}

static void write_at(struct kv_buffer *to, uint64_t offset, const char *data, size_t size)
{
    while (to->size < offset + size)
        kv_buffer_add(to, "\0", 1);
    memcpy(to->data + offset, data, size);
}

static void sync_file(struct file *file)
{
    kv_buffer_clear(&file->synced, SIZE_MAX);
    kv_buffer_add(&file->synced, file->cached.data, file->cached.size);
}

static void free_file(struct file *file)
{
    kv_buffer_release(&file->cached);
    kv_buffer_release(&file->synced);
    free(file);
}

static void make_record(struct kv_buffer *record, int key, uint64_t number)
{
    size_t begun;

    kv_buffer_clear(record, SIZE_MAX);
    begun = kv_log_begin(record);
    kv_log_add(record, &(struct kv_log_operation){
        .kind = KV_LOG_SET, .key = { (const char *)&key, sizeof key },
        .value = { (const char *)&number, sizeof number } });
    kv_log_commit(record, begun, identity.salt);
}

/* ---- the sender ---- */

static void send_record(struct disk *d)
{
    struct kv_buffer record = { 0 };
    int key = (int)chance(d, KEYS);

    if (d->journal.error != 0)
        return;
    d->values[key] = ++d->number;
    make_record(&record, key, d->number);
    cr_assert(kv_journal_add(&d->journal, (struct kv_slice){ record.data, record.size },
                             d->number));
    kv_buffer_release(&record);
}

/* A few keys at a time, as they are now. */
static void send_snapshot(struct disk *d)
{
    struct kv_buffer record = { 0 };
    size_t begun = kv_log_begin(&record);
    bool over;

    for (int i = 0; i < 7 && d->snapshot_at < KEYS; i++, d->snapshot_at++) {
        uint64_t number = d->values[d->snapshot_at];

        if (number > 0)
            kv_log_add(&record, &(struct kv_log_operation){
                .kind = KV_LOG_SET,
                .key = { (const char *)&d->snapshot_at, sizeof d->snapshot_at },
                .value = { (const char *)&number, sizeof number } });
    }
    kv_log_commit(&record, begun, identity.salt);
    over = d->snapshot_at == KEYS;
    kv_journal_snapshot(&d->journal, (struct kv_slice){ record.data, record.size }, over);
    kv_buffer_release(&record);
}

/* ---- the disk ---- */

static int64_t perform(struct disk *d, const struct kv_action *action)
{
    size_t size = action->data.size;

    if (d->failures > 0 && chance(d, d->failures) == 0) {
        if (action->what == KV_DO_WRITE && chance(d, 2))
            write_at(&d->log->cached, action->offset, action->data.data, size / 2);
        return -ENOSPC;
    }
    switch (action->what) {
    case KV_DO_WRITE:
        size = chance(d, 4) == 0 && size > 1 ? size / 2 : size;
        write_at(&d->log->cached, action->offset, action->data.data, size);
        return (int64_t)size;
    case KV_DO_WRITE_NEW:
        write_at(&d->fresh->cached, action->offset, action->data.data, size);
        return (int64_t)size;
    case KV_DO_SYNC:
        sync_file(d->log);
        return 0;
    case KV_DO_SYNC_NEW:
        sync_file(d->fresh);
        return 0;
    case KV_DO_OPEN_NEW:
        if (d->fresh != NULL)
            free_file(d->fresh);  /* it could not be removed the last time */
        d->fresh = calloc(1, sizeof *d->fresh);
        d->snapshot_at = 0;
        return 0;
    case KV_DO_RENAME:
        d->named = d->fresh;
        return 0;
    case KV_DO_SYNC_NAMES:
        d->named_synced = d->named;
        return 0;
    case KV_DO_REMOVE_NEW:
        if (d->fresh != NULL)
            free_file(d->fresh);
        d->fresh = NULL;
        return 0;
    default:
        return 0;
    }
}

static void take_actions(struct disk *d)
{
    struct kv_action action;

    while ((action = kv_journal_next(&d->journal, d->now)).what != KV_DO_NOTHING) {
        if (action.what == KV_DO_SWITCH) {
            free_file(d->log);
            d->log = d->fresh;
            d->fresh = NULL;
            continue;
        }
        cr_assert(d->outs < 8);
        d->out[d->outs++] = action;
    }
}

static void finish_one(struct disk *d)
{
    int which = (int)chance(d, (unsigned)d->outs);
    struct kv_action action = d->out[which];

    d->out[which] = d->out[--d->outs];
    if (action.what == KV_DO_SNAPSHOT)
        send_snapshot(d);
    else
        kv_journal_done(&d->journal, action.what, perform(d, &action), d->now);
    take_actions(d);
}

/* ---- the verdict ---- */

static int read_back(void *context, const struct kv_log_operation *operation)
{
    uint64_t *values = context;
    int key;

    memcpy(&key, operation->key.data, sizeof key);
    memcpy(&values[key], operation->value.data, sizeof values[key]);
    return 0;
}

/* Every acknowledged record's key has that record's value or a later one's. */
static void check(const struct disk *d, const struct kv_buffer *bytes, uint64_t acknowledged,
                  const uint64_t *first_after)
{
    uint64_t values[KEYS] = { 0 };
    struct kv_replay replay = { .identity = identity, .apply = read_back, .context = values };

    if (bytes->size > 0)
        cr_assert(kv_replay_feed(&replay, bytes->data, bytes->size) == 0);
    for (int i = 0; i < KEYS; i++)
        cr_assert(values[i] >= first_after[i], "key %d has %lu, acknowledged up to %lu", i,
                  (unsigned long)values[i], (unsigned long)acknowledged);
    (void)d;
    kv_replay_release(&replay);
}

static void start_disk(struct disk *d, uint64_t seed, enum kv_fsync fsync)
{
    *d = (struct disk){ .seed = seed * 2654435761u + 1 };
    d->journal = (struct kv_journal){ .fsync = fsync, .identity = identity };
    kv_journal_start(&d->journal, 0);
    d->log = calloc(1, sizeof *d->log);
    d->named = d->named_synced = d->log;
    take_actions(d);
}

static void stop_disk(struct disk *d)
{
    if (d->fresh != NULL)
        free_file(d->fresh);
    free_file(d->log);
    kv_journal_release(&d->journal);
}

/* The last acknowledged record of each key: kept up to date as acknowledgements come. */
struct history {
    int keys[100000];
};

static void run(uint64_t seed, enum kv_fsync fsync, unsigned failures)
{
    static struct history history;
    struct disk d;
    uint64_t must[KEYS] = { 0 };
    uint64_t seen = 0;

    start_disk(&d, seed, fsync);
    d.failures = failures;
    for (int step = 0; step < 600; step++) {
        uint64_t before = d.number;
        uint64_t acknowledged;

        d.now += chance(&d, 300);
        if (chance(&d, 50) == 0)
            d.journal.wanted = true;
        if (chance(&d, 3) > 0)
            send_record(&d);
        if (d.number > before)
            for (int i = 0; i < KEYS; i++)
                if (d.values[i] == d.number)
                    history.keys[d.number] = i;
        take_actions(&d);
        if (d.outs > 0 && chance(&d, 3) > 0)
            finish_one(&d);
        acknowledged = kv_journal_acknowledged(&d.journal);
        cr_assert(acknowledged >= seen && acknowledged <= d.number, "it only moves on");
        while (seen < acknowledged) {
            seen++;
            must[history.keys[seen]] = seen;
        }
        /* killed now: the page cache survives; without power: only what was synced does */
        check(&d, &d.named->cached, seen, must);
        if (fsync == KV_FSYNC_ALWAYS) {
            check(&d, &d.named->synced, seen, must);
            check(&d, &d.named_synced->synced, seen, must);
        }
    }
    stop_disk(&d);
}

Test(kv_journal, what_is_acknowledged_is_there)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        run(seed, KV_FSYNC_ALWAYS, 0);
}

Test(kv_journal, what_is_acknowledged_is_there_on_a_failing_disk)
{
    for (uint64_t seed = 1; seed <= 100; seed++)
        run(seed, KV_FSYNC_ALWAYS, 3 + (unsigned)(seed % 20));
}

Test(kv_journal, without_syncs_a_killed_process_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run(seed, KV_FSYNC_NO, (unsigned)(seed % 3) * 7);
        run(seed, KV_FSYNC_EVERYSEC, (unsigned)(seed % 3) * 7);
    }
}

static void settle(struct disk *d)
{
    take_actions(d);
    for (int i = 0; i < 1000 && d->outs > 0; i++)
        finish_one(d);
}

Test(kv_journal, one_sync_acknowledges_all_before_it)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_ALWAYS);
    settle(&d);
    for (int i = 0; i < 100; i++)
        send_record(&d);
    take_actions(&d);
    cr_assert(d.outs == 1 && d.out[0].what == KV_DO_WRITE);
    settle(&d);
    cr_assert(kv_journal_acknowledged(&d.journal) == 100);
    stop_disk(&d);
}

Test(kv_journal, everysec_syncs_once_a_second)
{
    struct disk d;
    int syncs = 0;

    start_disk(&d, 1, KV_FSYNC_EVERYSEC);
    settle(&d);
    for (d.now = 0; d.now < 10000; d.now += 10) {
        send_record(&d);
        take_actions(&d);
        while (d.outs > 0) {
            syncs += d.out[0].what == KV_DO_SYNC;
            d.out[7] = d.out[0];
            d.out[0] = d.out[--d.outs];
            kv_journal_done(&d.journal, d.out[7].what, perform(&d, &d.out[7]), d.now);
            take_actions(&d);
        }
    }
    cr_assert(syncs >= 9 && syncs <= 11, "%d", syncs);
    cr_assert(kv_journal_wake_at(&d.journal) > 9000);
    stop_disk(&d);
}

Test(kv_journal, a_full_disk_is_an_error_until_it_is_not)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_NO);
    settle(&d);
    send_record(&d);
    take_actions(&d);
    cr_assert(d.outs == 1);
    d.outs = 0;
    kv_journal_done(&d.journal, KV_DO_WRITE, -ENOSPC, 0);
    cr_assert(d.journal.error == -ENOSPC);
    take_actions(&d);
    cr_assert(d.outs == 0, "not at once");
    d.now = kv_journal_wake_at(&d.journal);
    settle(&d);
    cr_assert(d.journal.error == 0 && kv_journal_acknowledged(&d.journal) == 1);
    stop_disk(&d);
}

Test(kv_journal, a_failed_sync_leads_to_a_new_file)
{
    struct disk d;
    struct file *old;

    start_disk(&d, 1, KV_FSYNC_ALWAYS);
    settle(&d);
    old = d.log;
    send_record(&d);
    take_actions(&d);
    finish_one(&d);
    while (d.out[0].what != KV_DO_SYNC)
        finish_one(&d);
    d.outs = 0;
    kv_journal_done(&d.journal, KV_DO_SYNC, -EIO, d.now);
    cr_assert(d.journal.error == -EIO && kv_journal_acknowledged(&d.journal) == 0);
    d.now += 1000;
    settle(&d);
    cr_assert(d.log != old && d.named_synced == d.log);
    cr_assert(d.journal.error == 0 && kv_journal_acknowledged(&d.journal) == 1);
    stop_disk(&d);
}

Test(kv_journal, a_log_that_has_grown_is_compacted_by_itself)
{
    struct disk d;
    struct file *old;

    start_disk(&d, 1, KV_FSYNC_NO);
    d.journal.compact_from = 20000;
    settle(&d);
    old = d.log;
    for (int i = 0; i < 1000 && d.log == old; i++) {
        send_record(&d);
        settle(&d);
    }
    cr_assert(d.log != old);
    cr_assert(d.log->cached.size < 20000);
    stop_disk(&d);
}

Test(kv_journal, a_sender_that_has_gone_ends_the_compaction)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_NO);
    settle(&d);
    d.journal.wanted = true;
    take_actions(&d);
    while (d.outs > 0 && d.out[0].what != KV_DO_SNAPSHOT)
        finish_one(&d);
    cr_assert(d.journal.compaction == KV_COMPACTION_COPYING);
    d.outs = 0;
    kv_journal_orphaned(&d.journal);
    settle(&d);
    cr_assert(d.journal.compaction == KV_COMPACTION_NONE && d.fresh == NULL);
    stop_disk(&d);
}

Test(kv_journal, without_a_sender_no_compaction_begins)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_ALWAYS);
    settle(&d);
    kv_journal_orphaned(&d.journal);
    d.journal.wanted = true;
    kv_journal_distrust(&d.journal, -EIO, d.now);
    d.now += 5000;
    settle(&d);
    cr_assert(kv_journal_is_quiet(&d.journal) && d.fresh == NULL);
    cr_assert_eq(kv_journal_wake_at(&d.journal), INT64_MAX);
    stop_disk(&d);
}

Test(kv_journal, what_is_distrusted_is_written_anew)
{
    struct disk d;
    struct file *old;

    start_disk(&d, 1, KV_FSYNC_ALWAYS);
    settle(&d);
    send_record(&d);
    settle(&d);
    old = d.log;
    kv_journal_distrust(&d.journal, -EIO, d.now);
    cr_assert_eq(d.journal.error, -EIO);
    d.now += 1000;
    settle(&d);
    cr_assert(d.log != old && d.named_synced == d.log && d.journal.error == 0);
    stop_disk(&d);
}

Test(kv_journal, an_orderly_end_is_synced)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_NO);
    settle(&d);
    send_record(&d);
    settle(&d);
    cr_assert(!kv_journal_is_settled(&d.journal));
    kv_journal_hasten(&d.journal);
    settle(&d);
    cr_assert(kv_journal_is_settled(&d.journal));
    cr_assert(d.log->synced.size == d.log->cached.size);
    stop_disk(&d);
}

Test(kv_journal, without_memory_a_record_is_refused)
{
    struct disk d;

    start_disk(&d, 1, KV_FSYNC_NO);
    settle(&d);
    kv_memory_fail_after(0);
    cr_assert(!kv_journal_add(&d.journal, KV_SLICE("record"), 1));
    kv_memory_fail_after(-1);
    cr_assert(kv_journal_add(&d.journal, KV_SLICE("record"), 1));
    settle(&d);
    cr_assert(kv_journal_acknowledged(&d.journal) == 1);
    stop_disk(&d);
}
