/* SPDX-License-Identifier: BSD-2-Clause */

/* See journal.h for the machines and the rules. */

#include "journal.h"

#include <errno.h>

#define SECOND       1000              /* milliseconds */
#define PIECES_AHEAD (1024u * 1024)    /* snapshot bytes that may wait to be written */
#define KEPT         (256u * 1024)     /* bytes of buffer kept between writes */
#define COMPACT_FROM (64ull * 1024 * 1024)

static const struct kv_action nothing = { .what = KV_DO_NOTHING };

/* ---- one file ---- */

static bool lane_add(struct kv_lane *lane, struct kv_slice record, uint64_t number)
{
    size_t before = lane->filling.size;

    kv_buffer_add_slice(&lane->filling, record);
    if (lane->filling.failed) {
        lane->filling.size = before;
        lane->filling.failed = false;
        return false;
    }
    lane->filling_to = number;
    return true;
}

static bool lane_has_work(const struct kv_lane *lane)
{
    return !lane->writing && (lane->flying.size > 0 || lane->filling.size > 0);
}

static bool lane_is_empty(const struct kv_lane *lane)
{
    return !lane->writing && lane->flying.size == 0 && lane->filling.size == 0;
}

/* IDLE, RETRYING to WRITING */
static struct kv_action lane_write(struct kv_lane *lane, enum kv_do what)
{
    if (lane->flying.size == 0) {
        struct kv_buffer empty = lane->flying;

        lane->flying = lane->filling;
        lane->filling = empty;
        lane->flying_to = lane->filling_to;
        lane->flown = 0;
    }
    lane->writing = true;
    return (struct kv_action){
        .what = what, .offset = lane->offset,
        .data = { lane->flying.data + lane->flown, lane->flying.size - lane->flown },
    };
}

/* WRITING to IDLE, once all is written; a part of it is gone on with by the next write. */
static void lane_written(struct kv_lane *lane, size_t size)
{
    lane->writing = false;
    lane->flown += size;
    lane->offset += size;
    if (lane->flown < lane->flying.size)
        return;
    lane->written_to = lane->flying_to;
    lane->flown = 0;
    kv_buffer_clear(&lane->flying, KEPT);
}

static void lane_release(struct kv_lane *lane)
{
    kv_buffer_release(&lane->filling);
    kv_buffer_release(&lane->flying);
    *lane = (struct kv_lane){ 0 };
}

/* ---- the log ---- */

void kv_journal_start(struct kv_journal *journal, uint64_t size)
{
    journal->log.offset = size;
    journal->compacted_size = size;
    if (journal->compact_from == 0)
        journal->compact_from = COMPACT_FROM;
    if (size == 0)
        kv_log_write_header(&journal->log.filling, &journal->identity);
}

void kv_journal_release(struct kv_journal *journal)
{
    lane_release(&journal->log);
    lane_release(&journal->fresh);
}

/* Whether the new file gets the records, too. */
static bool copies(const struct kv_journal *journal)
{
    return journal->compaction >= KV_COMPACTION_COPYING &&
           journal->compaction <= KV_COMPACTION_NAMING;
}

bool kv_journal_add(struct kv_journal *journal, struct kv_slice record, uint64_t number)
{
    if (!lane_add(&journal->log, record, number))
        return false;
    if (!copies(journal) || journal->doomed || lane_add(&journal->fresh, record, number))
        return true;
    journal->doomed = true;
    return journal->compaction < KV_COMPACTION_RENAMING;
}

void kv_journal_snapshot(struct kv_journal *journal, struct kv_slice record, bool over)
{
    journal->snapshot_out = false;
    if (journal->compaction != KV_COMPACTION_COPYING)
        return;
    journal->snapshot_over = over;
    if (record.size > 0 && !lane_add(&journal->fresh, record, journal->fresh.filling_to))
        journal->doomed = true;
}

void kv_journal_orphaned(struct kv_journal *journal)
{
    journal->snapshot_out = false;
    journal->orphan = true;
    if (journal->compaction == KV_COMPACTION_OPENING ||
        (journal->compaction == KV_COMPACTION_COPYING && !journal->snapshot_over))
        journal->doomed = true;
}

void kv_journal_discard(struct kv_journal *journal)
{
    struct kv_lane *lane = &journal->log;

    kv_journal_orphaned(journal);
    if (journal->error == 0 || lane->writing || journal->compaction == KV_COMPACTION_NAMING)
        return;
    lane->offset -= lane->flown;
    lane->flown = 0;
    kv_buffer_clear(&lane->filling, KEPT);
    kv_buffer_clear(&lane->flying, KEPT);
}

bool kv_journal_is_quiet(const struct kv_journal *journal)
{
    return lane_is_empty(&journal->log) && !journal->syncing &&
           journal->compaction == KV_COMPACTION_NONE;
}

/* From CATCHING_UP on, and for good once a sync has failed, the old file rests. */
static bool log_rests(const struct kv_journal *journal)
{
    return journal->broken || (journal->compaction >= KV_COMPACTION_CATCHING_UP &&
                               journal->compaction <= KV_COMPACTION_NAMING);
}

static bool sync_is_due(const struct kv_journal *journal, int64_t now)
{
    if (journal->syncing || log_rests(journal) || journal->log.written_to <= journal->synced_to)
        return false;
    return journal->hasty || journal->fsync == KV_FSYNC_ALWAYS ||
           (journal->fsync == KV_FSYNC_EVERYSEC && now >= journal->sync_at);
}

static struct kv_action next_for_log(struct kv_journal *journal, int64_t now)
{
    if (sync_is_due(journal, now)) {
        journal->syncing = true;
        journal->syncing_to = journal->log.written_to;
        return (struct kv_action){ .what = KV_DO_SYNC };
    }
    if (lane_has_work(&journal->log) && !log_rests(journal) &&
        (journal->error == 0 || now >= journal->retry_at))
        return lane_write(&journal->log, KV_DO_WRITE);
    return nothing;
}

/* ---- compaction ---- */

static bool compaction_is_due(const struct kv_journal *journal, int64_t now)
{
    if (now < journal->retry_at || journal->orphan || (journal->hasty && !journal->broken))
        return false;
    if (journal->wanted || journal->broken)
        return true;
    return journal->error == 0 && journal->log.offset >= journal->compact_from &&
           journal->log.offset / 2 >= journal->compacted_size;
}

static struct kv_action step(struct kv_journal *journal, enum kv_do what)
{
    journal->stepping = true;
    return (struct kv_action){ .what = what };
}

static struct kv_action next_for_copying(struct kv_journal *journal)
{
    struct kv_lane *fresh = &journal->fresh;

    if (lane_has_work(fresh))
        return lane_write(fresh, KV_DO_WRITE_NEW);
    if (!journal->snapshot_over && !journal->snapshot_out && fresh->filling.size < PIECES_AHEAD) {
        journal->snapshot_out = true;
        return (struct kv_action){ .what = KV_DO_SNAPSHOT };
    }
    if (!journal->snapshot_over || fresh->writing)
        return nothing;
    journal->compaction = KV_COMPACTION_SYNCING;
    return step(journal, KV_DO_SYNC_NEW);
}

/* Until the new file has all that the old one has. */
static struct kv_action next_for_catching_up(struct kv_journal *journal)
{
    struct kv_lane *fresh = &journal->fresh;

    if (journal->log.writing || journal->syncing || fresh->writing)
        return nothing;
    if (fresh->written_to < journal->log.written_to)
        return lane_write(fresh, KV_DO_WRITE_NEW);
    journal->compaction = KV_COMPACTION_SEALING;
    journal->sealed_to = fresh->written_to;
    return step(journal, KV_DO_SYNC_NEW);
}

/* NAMING to NONE: what waits for the new file waits in its lane, the old one's copy goes. */
static struct kv_action take_over(struct kv_journal *journal)
{
    struct kv_lane old = journal->log;

    journal->log = journal->fresh;
    journal->fresh = (struct kv_lane){ 0 };
    lane_release(&old);
    journal->synced_to = journal->sealed_to;
    journal->compacted_size = journal->log.offset;
    journal->compaction = KV_COMPACTION_NONE;
    journal->named = false;
    journal->doomed = false;
    journal->broken = false;
    journal->error = 0;
    return (struct kv_action){ .what = KV_DO_SWITCH };
}

static struct kv_action next_for_compaction(struct kv_journal *journal, int64_t now)
{
    if (journal->stepping)
        return nothing;
    if (journal->doomed && journal->compaction < KV_COMPACTION_NAMING) {
        if (journal->fresh.writing || journal->snapshot_out)
            return nothing;
        lane_release(&journal->fresh);
        journal->doomed = false;
        journal->compaction = KV_COMPACTION_REMOVING;
    }
    switch (journal->compaction) {
    case KV_COMPACTION_NONE:
        if (!compaction_is_due(journal, now))
            return nothing;
        journal->wanted = false;
        journal->compaction = KV_COMPACTION_OPENING;
        return step(journal, KV_DO_OPEN_NEW);
    case KV_COMPACTION_COPYING:
        return next_for_copying(journal);
    case KV_COMPACTION_CATCHING_UP:
        return next_for_catching_up(journal);
    case KV_COMPACTION_RENAMING:
        return step(journal, KV_DO_RENAME);
    case KV_COMPACTION_NAMING:
        if (journal->named)
            return take_over(journal);
        return now >= journal->retry_at ? step(journal, KV_DO_SYNC_NAMES) : nothing;
    case KV_COMPACTION_REMOVING:
        return step(journal, KV_DO_REMOVE_NEW);
    case KV_COMPACTION_OPENING:
    case KV_COMPACTION_SYNCING:
    case KV_COMPACTION_SEALING:
        break;  /* stepping */
    }
    return nothing;
}

struct kv_action kv_journal_next(struct kv_journal *journal, int64_t now)
{
    struct kv_action action = next_for_log(journal, now);

    return action.what != KV_DO_NOTHING ? action : next_for_compaction(journal, now);
}

/* ---- what is done ---- */

static void fail(struct kv_journal *journal, int error, int64_t now)
{
    journal->error = error;
    journal->retry_at = now + SECOND;
}

void kv_journal_distrust(struct kv_journal *journal, int error, int64_t now)
{
    journal->broken = true;
    fail(journal, error, now);
}

static void log_written(struct kv_journal *journal, int64_t result, int64_t now)
{
    if (result <= 0) {
        journal->log.writing = false;
        fail(journal, result < 0 ? (int)result : -EIO, now);
        return;
    }
    lane_written(&journal->log, (size_t)result);
    if (!journal->broken)
        journal->error = 0;
}

static void log_synced(struct kv_journal *journal, int64_t result, int64_t now)
{
    journal->syncing = false;
    journal->sync_at = now + SECOND;
    if (result < 0) {
        kv_journal_distrust(journal, (int)result, now);
        return;
    }
    journal->synced_to = journal->syncing_to;
}

/* That the log itself works on is not a compaction's business, until the new file has the name. */
static void compaction_failed(struct kv_journal *journal, int error, int64_t now)
{
    if (journal->compaction == KV_COMPACTION_NAMING) {
        fail(journal, error, now);
        return;
    }
    journal->doomed = journal->compaction != KV_COMPACTION_REMOVING;
    if (!journal->doomed)
        journal->compaction = KV_COMPACTION_NONE;
    journal->retry_at = now + SECOND;
    /* By itself it is tried again when the log has grown by half. */
    journal->compacted_size = journal->log.offset - journal->log.offset / 4;
}

static void compaction_stepped(struct kv_journal *journal)
{
    switch (journal->compaction) {
    case KV_COMPACTION_OPENING:
        journal->compaction = KV_COMPACTION_COPYING;
        journal->snapshot_over = false;
        journal->fresh.filling_to = journal->log.filling_to;
        kv_log_write_header(&journal->fresh.filling, &journal->identity);
        break;
    case KV_COMPACTION_SYNCING:
        journal->compaction = KV_COMPACTION_CATCHING_UP;
        break;
    case KV_COMPACTION_SEALING:
        journal->compaction = KV_COMPACTION_RENAMING;
        break;
    case KV_COMPACTION_RENAMING:
        journal->compaction = KV_COMPACTION_NAMING;
        break;
    case KV_COMPACTION_REMOVING:
        journal->compaction = KV_COMPACTION_NONE;
        break;
    case KV_COMPACTION_NAMING:
        journal->named = true;
        break;
    case KV_COMPACTION_NONE:
    case KV_COMPACTION_COPYING:
    case KV_COMPACTION_CATCHING_UP:
        break;
    }
}

void kv_journal_done(struct kv_journal *journal, enum kv_do what, int64_t result, int64_t now)
{
    switch (what) {
    case KV_DO_WRITE:
        log_written(journal, result, now);
        return;
    case KV_DO_SYNC:
        log_synced(journal, result, now);
        return;
    case KV_DO_WRITE_NEW:
        lane_written(&journal->fresh, result > 0 ? (size_t)result : 0);
        if (result <= 0)
            compaction_failed(journal, result < 0 ? (int)result : -EIO, now);
        return;
    case KV_DO_OPEN_NEW:
    case KV_DO_SYNC_NEW:
    case KV_DO_RENAME:
    case KV_DO_SYNC_NAMES:
    case KV_DO_REMOVE_NEW:
        journal->stepping = false;
        if (result < 0)
            compaction_failed(journal, (int)result, now);
        else
            compaction_stepped(journal);
        return;
    case KV_DO_NOTHING:
    case KV_DO_SNAPSHOT:
    case KV_DO_SWITCH:
        return;
    }
}

/* ---- when ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t kv_journal_wake_at(const struct kv_journal *journal)
{
    int64_t at = INT64_MAX;

    if (journal->fsync == KV_FSYNC_EVERYSEC && sync_is_due(journal, INT64_MAX))
        at = earlier(at, journal->sync_at);
    if (journal->error != 0 && lane_has_work(&journal->log) && !log_rests(journal))
        at = earlier(at, journal->retry_at);
    if (journal->compaction == KV_COMPACTION_NAMING && !journal->stepping)
        at = earlier(at, journal->retry_at);
    if (journal->compaction == KV_COMPACTION_NONE && !journal->orphan &&
        (journal->wanted || journal->broken))
        at = earlier(at, journal->retry_at);
    return at;
}

void kv_journal_hasten(struct kv_journal *journal)
{
    journal->hasty = true;
    journal->wanted = false;
    if (journal->compaction > KV_COMPACTION_NONE &&
        journal->compaction < KV_COMPACTION_CATCHING_UP)
        journal->doomed = true;
}

bool kv_journal_is_settled(const struct kv_journal *journal)
{
    return lane_is_empty(&journal->log) && !journal->syncing && !log_rests(journal) &&
           journal->synced_to >= journal->log.written_to;
}
