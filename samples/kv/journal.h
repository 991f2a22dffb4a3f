/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_JOURNAL_H
#define KV_JOURNAL_H

/*
 * Decides what happens to a log's files and when: it is told what has come and what is done, and
 * answers what to do next. It touches no file and no clock itself.
 *
 * Why. Writes wait for writes, and syncs for syncs, while records keep coming: whatever has
 * gathered by the time one is done goes out with the next, so that one sync acknowledges all
 * records before it, and throughput follows the disk without any tuning. Records are numbered by
 * their sender; the journal knows up to which number they are written, and synced.
 *
 * The file, two machines side by side:
 *
 *     ┌──────┐  records    ┌─────────┐ error ┌──────────┐       ┌───────┐ due  ┌─────────┐
 *     │ IDLE │ ──────────► │ WRITING │ ────► │ RETRYING │       │ CLEAN │ ───► │ SYNCING │
 *     └──────┘ ◄────────── └─────────┘ ◄──── └──────────┘       └───────┘ ◄─── └─────────┘
 *                 done               a second later                 │    done       │ error
 *                                                                BROKEN ◄───────────┘
 *
 * A write that fails is made again at the same place. A sync that fails has lost who knows what: it
 * is not tried again, the file is given up, and a compaction writes everything to a new one. Until
 * then `error` stands, and whoever sends records should send none.
 *
 * Compaction: a new file gets a snapshot, in pieces, between which the records that come meanwhile
 * stand in their order; then it takes the old one's place.
 *
 *     NONE ─► OPENING ─► COPYING ─► SYNCING ─► CATCHING_UP ─► SEALING ─► RENAMING ─► NAMING ─► NONE
 *                         │  ▲                  the old file   the rest   over the    sync of the
 *                         └──┘ snapshot         rests          synced     old one     directory
 *     an error in any of them but NAMING: REMOVING ─► NONE; in NAMING: tried again
 *
 * Rules
 *   1. What is acknowledged is in the file that bears the log's name, before and after a rename:
 *      the old file gets nothing more from CATCHING_UP on, and the new one has been synced with all
 *      that the old one has before it takes its name.
 *   2. Records that come from CATCHING_UP on wait in memory for both files: they are acknowledged
 *      from whichever it turns out to be.
 *   3. Each action is answered by one kv_journal_done. One write and one sync per file at a time.
 *
 * Partners: log_actor.c does what it says; log.c makes the records; shard.c sends them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "log.h"

enum kv_fsync {
    KV_FSYNC_NO,
    KV_FSYNC_EVERYSEC,
    KV_FSYNC_ALWAYS,
};

enum kv_do {
    KV_DO_NOTHING,
    KV_DO_WRITE,        /* `data` at `offset` of the log */
    KV_DO_SYNC,         /* the log */
    KV_DO_SNAPSHOT,     /* ask for the next piece: answered by kv_journal_snapshot */
    KV_DO_OPEN_NEW,     /* create the new file, empty */
    KV_DO_WRITE_NEW,
    KV_DO_SYNC_NEW,
    KV_DO_RENAME,       /* the new file over the log */
    KV_DO_SYNC_NAMES,   /* the directory */
    KV_DO_REMOVE_NEW,   /* close and remove it */
    KV_DO_SWITCH,       /* the new file is the log from now on: no answer */
};

enum kv_compaction {
    KV_COMPACTION_NONE,
    KV_COMPACTION_OPENING,
    KV_COMPACTION_COPYING,
    KV_COMPACTION_SYNCING,
    KV_COMPACTION_CATCHING_UP,
    KV_COMPACTION_SEALING,
    KV_COMPACTION_RENAMING,
    KV_COMPACTION_NAMING,
    KV_COMPACTION_REMOVING,
};

struct kv_action {
    enum kv_do what;
    uint64_t offset;
    struct kv_slice data;    /* until the action is answered */
};

/* One file's write machine. */
struct kv_lane {
    struct kv_buffer filling;  /* records that came since the last write began */
    struct kv_buffer flying;   /* what is being written, */
    size_t flown;              /* of which this much is */
    uint64_t offset;           /* where the next byte goes */
    uint64_t filling_to;       /* number of the last record in each */
    uint64_t flying_to;
    uint64_t written_to;
    bool writing;
};

struct kv_journal {
    /* set once */
    enum kv_fsync fsync;
    struct kv_log_identity identity;
    uint64_t compact_from;     /* a log smaller than this is not compacted by itself */

    struct kv_lane log;
    struct kv_lane fresh;      /* the compaction's */
    uint64_t synced_to;
    uint64_t syncing_to;
    uint64_t compacted_size;   /* the log's size when it was last compact */
    int64_t sync_at;           /* EVERYSEC: not before; milliseconds of any clock */
    int64_t retry_at;          /* RETRYING, NAMING: not before */
    int error;                 /* of what does not work at present */
    bool syncing;
    bool broken;

    enum kv_compaction compaction;
    uint64_t sealed_to;        /* SEALING on: what the new file's sync covers */
    bool stepping;             /* the state's one action is out */
    bool snapshot_out;         /* a piece was asked for */
    bool snapshot_over;
    bool named;                /* NAMING is done: to be switched */
    bool doomed;               /* the compaction, once nothing of it is out */
    bool wanted;               /* a compaction, as soon as one can begin */
    bool orphan;               /* none can: nobody has a snapshot */
    bool hasty;
};

/* The log has `size` good bytes, 0: it is new. */
void kv_journal_start(struct kv_journal *journal, uint64_t size);
void kv_journal_release(struct kv_journal *journal);

/* A record, numbered higher than the one before. false: no memory, the record is not in. */
bool kv_journal_add(struct kv_journal *journal, struct kv_slice record, uint64_t number);

/* Whoever sends records has gone: no piece that was asked for will come, and none can be asked for
 * until the journal is started again. */
void kv_journal_orphaned(struct kv_journal *journal);

/* The same, where records cannot be written: gives up those that are not, so that a new sender does
 * not find them in the log one day. */
void kv_journal_discard(struct kv_journal *journal);

/* What stands in the log may not be on the disk: the file is given up, as after a failed sync. */
void kv_journal_distrust(struct kv_journal *journal, int error, int64_t now);

/* Whether nothing is out or waiting: the file can be read. */
bool kv_journal_is_quiet(const struct kv_journal *journal);

/* A piece of the snapshot that was asked for: a record, or nothing; `over`: it was the last. */
void kv_journal_snapshot(struct kv_journal *journal, struct kv_slice record, bool over);

/* What to do now; to be called until it answers NOTHING. */
struct kv_action kv_journal_next(struct kv_journal *journal, int64_t now);

/* `what` is done: `result` bytes written, or 0 or more; or a negative error. */
void kv_journal_done(struct kv_journal *journal, enum kv_do what, int64_t result, int64_t now);

/* Up to which number records are as safe as the policy asks. */
static inline uint64_t kv_journal_acknowledged(const struct kv_journal *journal)
{
    return journal->fsync == KV_FSYNC_ALWAYS ? journal->synced_to : journal->log.written_to;
}

/* When to call kv_journal_next again if nothing else happens; INT64_MAX: no need. */
int64_t kv_journal_wake_at(const struct kv_journal *journal);

/* For an orderly end: syncs at once what is written, whatever the policy, and begins no
 * compaction. */
void kv_journal_hasten(struct kv_journal *journal);

/* Whether all records are written and synced. */
bool kv_journal_is_settled(const struct kv_journal *journal);

#endif
