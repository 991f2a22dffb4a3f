/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A shard's log as an actor: does with files what the journal decides, and reads them back.
 *
 *     ┌─────────┐ open, sized ┌────────┐ kv_replay_ask, quiet ┌───────────┐
 *     │ OPENING │ ──────────► │ SERVING│ ───────────────────► │ REPLAYING │
 *     └─────────┘             └────────┘ ◄─────────────────── └───────────┘
 *                                         kv_replayed: cut behind what is good
 *
 * Why. It outlives its shard: see service.h. While it reads for a new incarnation it writes
 * nothing; before, it finishes what it has been given by the last one.
 *
 * Rules
 *   1. Operations on one handle are done in their order. Syncs go through a handle of their own, so
 *      that a write need not wait for a sync that began before it.
 *   2. What a new incarnation reads is on the disk first, unless the policy asks for no syncs: the
 *      last one's records may have been written and not synced, and are seen from now on.
 *   3. What cannot be opened or read is fatal: the service says why and stops. What cannot be
 *      written or synced is the journal's to handle.
 *
 * Partners: journal.c decides; shard.c sends records and replays.
 */

#include <errno.h>
#include <stdio.h>

#include "journal.h"
#include "memory.h"
#include "service.h"

#define PIECE (1024u * 1024)
#define WRITE_HERE_MAX (64u * 1024)
#define SLOW_MS        3
#define SLOW_FOR_MS    1000

enum phase {
    OPENING,
    SERVING,
    REPLAYING,
};

struct kv_log_keeper {
    enum phase phase;
    struct kv_journal journal;
    tr_io file;
    tr_io sync_file;
    tr_io fresh;
    tr_ref shard;
    uint32_t epoch;            /* of the shard that it serves */
    bool replay_wanted;
    bool reading;              /* an operation of a replay is out: no other one begins before */
    int doubt;                 /* why what is read may not be on the disk, or 0 */
    bool snapshot_begun;
    int64_t slow_until;        /* writes go to the pool: one here took long */
    uint64_t read_to;
    uint64_t told;             /* the last acknowledgement, */
    int told_error;
    tr_timer timer;
    int64_t timer_at;          /* INT64_MAX: it is not set */
    char path[512];
    char fresh_path[520];
};

/* Contexts of file operations: the action they answer, or one of these. */
enum {
    OPENED = 100,
    NAMED,
    SYNC_OPENED,
    SYNC_FIRST,
    READ_PIECE,
    CUT,
    CLOSING,
};

static void *context_of(int what)
{
    return (void *)(intptr_t)what;
}

static int64_t now_ms(tr_self *self)
{
    return tr_now(self) / TR_MS(1);
}

static const char *folder(const struct kv_log_actor *me)
{
    return me->service->settings.dir;
}

/* Says why, and stops the service: nothing that a restart could mend. */
static int give_up(tr_self *self, struct kv_log_actor *me, const char *what, int error)
{
    fprintf(stderr, "troupe-kv: shard %u: cannot %s %s: %s\n", me->shard, what, me->keeper->path,
            strerror(-error));
    me->service->refused = true;
    tr_self_shutdown(self);
    return TR_OK;
}

/* ---- start ---- */

static void release(void *keeper)
{
    kv_journal_release(&((struct kv_log_keeper *)keeper)->journal);
    kv_free(keeper);
}

static tr_io open_for_sync(tr_self *self, struct kv_log_keeper *k)
{
    return tr_file_open(self, .path = k->path, .flags = TR_OPEN_READ | TR_OPEN_WRITE,
                        .context = context_of(SYNC_OPENED));
}

static void reset_journal(struct kv_log_actor *me, uint64_t size)
{
    const struct kv_settings *settings = &me->service->settings;
    struct kv_journal *journal = &me->keeper->journal;

    kv_journal_release(journal);
    *journal = (struct kv_journal){
        .fsync = settings->fsync,
        .identity = { me->shard, settings->shards, settings->salt },
    };
    kv_journal_start(journal, size);
}

TR_START(kv_log_actor, self, me)
{
    struct kv_log_keeper *k = kv_alloc_zeroed(sizeof *k);
    int err;

    if (k == NULL)
        return -ENOMEM;
    err = tr_defer(self, release, k);
    if (err < 0)
        return err;
    me->keeper = k;
    k->timer_at = INT64_MAX;
    snprintf(k->path, sizeof k->path, "%s/shard-%u.log", folder(me), me->shard);
    snprintf(k->fresh_path, sizeof k->fresh_path, "%s.new", k->path);
    tr_trap(self, true);
    k->file = tr_file_open(self, .path = k->path,
                           .flags = TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE,
                           .context = context_of(OPENED));
    return tr_io_error(k->file);
}

/* ---- what the journal wants ---- */

/* The log's next write at once, where that is cheap: into the system's memory. While a sync is
 * under way the system may let writers wait for it, and after a write that took long the disk is
 * behind: then the pool is the place for it. */
static bool write_now(tr_self *self, struct kv_log_keeper *k, const struct kv_action *action)
{
    tr_bytes bytes = { action->data.size, (unsigned char *)(uintptr_t)action->data.data };
    int64_t began = now_ms(self);
    int64_t result;

    if (action->what != KV_DO_WRITE || bytes.size > WRITE_HERE_MAX || k->journal.syncing ||
        k->journal.fsync == KV_FSYNC_ALWAYS || began < k->slow_until)
        return false;
    result = tr_file_write_now(self, k->file, .offset = action->offset, .bytes = &bytes);
    if (result == -EAGAIN)
        return false;
    if (now_ms(self) - began > SLOW_MS)
        k->slow_until = began + SLOW_FOR_MS;
    kv_journal_done(&k->journal, KV_DO_WRITE, result, now_ms(self));
    return true;
}

/* Writes need bytes that outlive the journal's buffer. */
static int start_write(tr_self *self, tr_io file, const struct kv_action *action)
{
    tr_bytes *bytes = kv_bytes_of(action->data.data, action->data.size);
    int err;

    if (bytes == NULL)
        return -ENOMEM;
    err = tr_file_write(self, file, .offset = action->offset, .bytes = bytes,
                        .context = context_of((int)action->what));
    tr_bytes_drop(bytes);
    return err;
}

/* Later operations on the handle fail if opening it did, so its own outcome is enough. */
static int open_fresh(tr_self *self, struct kv_log_keeper *k)
{
    k->snapshot_begun = false;
    k->fresh = tr_file_open(self, .path = k->fresh_path,
                            .flags = TR_OPEN_READ | TR_OPEN_WRITE | TR_OPEN_CREATE | TR_OPEN_EMPTY,
                            .context = context_of((int)KV_DO_OPEN_NEW));
    return tr_io_error(k->fresh);
}

static int start_action(tr_self *self, struct kv_log_actor *me, const struct kv_action *action)
{
    struct kv_log_keeper *k = me->keeper;
    void *context = context_of((int)action->what);

    switch (action->what) {
    case KV_DO_WRITE:
        return start_write(self, k->file, action);
    case KV_DO_WRITE_NEW:
        return start_write(self, k->fresh, action);
    case KV_DO_SYNC:
        return tr_file_sync(self, k->sync_file, context);
    case KV_DO_SYNC_NEW:
        return tr_file_sync(self, k->fresh, context);
    case KV_DO_OPEN_NEW:
        return open_fresh(self, k);
    case KV_DO_RENAME:
        return tr_path_rename(self, .path = k->fresh_path, .to = k->path, .context = context);
    case KV_DO_SYNC_NAMES:
        return tr_path_sync(self, .path = folder(me), .context = context);
    case KV_DO_REMOVE_NEW:
        tr_close(self, k->fresh);
        return tr_path_remove(self, .path = k->fresh_path, .context = context);
    case KV_DO_SNAPSHOT:
    case KV_DO_SWITCH:
    case KV_DO_NOTHING:
        break;
    }
    return 0;
}

/* The new file bears the log's name. */
static void switch_files(tr_self *self, struct kv_log_keeper *k)
{
    tr_close(self, k->file);
    tr_close(self, k->sync_file);
    k->file = k->fresh;
    k->sync_file = open_for_sync(self, k);
}

static void ask_for_snapshot(tr_self *self, struct kv_log_keeper *k)
{
    if (tr_send(self, k->shard, kv_snapshot_ask, .epoch = k->epoch,
                .first = !k->snapshot_begun) < 0)
        kv_journal_orphaned(&k->journal);
    k->snapshot_begun = true;
}

static void tell(tr_self *self, struct kv_log_keeper *k)
{
    uint64_t number = kv_journal_acknowledged(&k->journal);

    if (k->phase != SERVING || k->replay_wanted ||
        (number == k->told && k->journal.error == k->told_error))
        return;
    k->told = number;
    k->told_error = k->journal.error;
    tr_send(self, k->shard, kv_acknowledged, .number = number, .epoch = k->epoch,
            .error = k->told_error);
}

static void set_timer(tr_self *self, struct kv_log_keeper *k)
{
    int64_t at = kv_journal_wake_at(&k->journal);
    int64_t now = now_ms(self);

    if (at >= k->timer_at)
        return;
    if (k->timer_at != INT64_MAX)
        tr_cancel(self, k->timer);
    k->timer_at = at;
    k->timer = tr_after(self, TR_MS(at > now ? at - now : 0), kv_tick, 0);
}

/* ---- reading for a new incarnation ---- */

static void read_piece(tr_self *self, struct kv_log_actor *me)
{
    struct kv_log_keeper *k = me->keeper;
    int err = tr_file_read(self, k->file, .offset = k->read_to, .size = PIECE,
                           .context = context_of(READ_PIECE));

    if (err < 0)
        give_up(self, me, "read", err);
    k->reading = err == 0;
}

/* Rule 2. A file that has been given up stays so. */
static void sync_first(tr_self *self, struct kv_log_actor *me)
{
    struct kv_log_keeper *k = me->keeper;

    k->doubt = me->service->doubts[me->shard];
    if (k->doubt == 0 && me->service->settings.fsync != KV_FSYNC_NO) {
        k->doubt = tr_file_sync(self, k->file, context_of(SYNC_FIRST));
        k->reading = k->doubt == 0;
    }
    if (!k->reading)
        read_piece(self, me);
}

static void begin_replay_when_quiet(tr_self *self, struct kv_log_actor *me)
{
    struct kv_log_keeper *k = me->keeper;

    if (!k->replay_wanted || k->reading || k->phase != SERVING ||
        !kv_journal_is_quiet(&k->journal))
        return;
    k->replay_wanted = false;
    k->phase = REPLAYING;
    k->read_to = 0;
    sync_first(self, me);
}

/* Does all that is to be done now. */
static void pump(tr_self *self, struct kv_log_actor *me)
{
    struct kv_log_keeper *k = me->keeper;

    while (k->phase == SERVING) {
        struct kv_action action = kv_journal_next(&k->journal, now_ms(self));
        int err;

        if (action.what == KV_DO_NOTHING)
            break;
        if (write_now(self, k, &action))
            continue;
        err = start_action(self, me, &action);
        if (action.what == KV_DO_SWITCH) {
            switch_files(self, k);
            me->service->doubts[me->shard] = 0;
        } else if (action.what == KV_DO_SNAPSHOT) {
            ask_for_snapshot(self, k);
        } else if (err < 0) {
            kv_journal_done(&k->journal, action.what, err, now_ms(self));
        }
    }
    tell(self, k);
    begin_replay_when_quiet(self, me);
    if (k->phase == SERVING)
        set_timer(self, k);
}

TR_ON(kv_log_actor, kv_tick, self, me, msg)
{
    me->keeper->timer_at = INT64_MAX;
    pump(self, me);
    return TR_OK;
}

/* ---- from the shard ---- */

TR_ON(kv_log_actor, kv_append, self, me, msg)
{
    struct kv_log_keeper *k = me->keeper;

    if (msg->epoch != k->epoch)
        return TR_OK;
    k->journal.wanted |= msg->compact;
    if (msg->records != NULL &&
        !kv_journal_add(&k->journal,
                        (struct kv_slice){ (const char *)msg->records->data, msg->records->size },
                        msg->number))
        return -ENOMEM;  /* and the shard with it, which begins again from what is written */
    pump(self, me);
    return TR_OK;
}

TR_ON(kv_log_actor, kv_snapshot_piece, self, me, msg)
{
    struct kv_log_keeper *k = me->keeper;
    struct kv_slice record = { NULL, 0 };

    if (msg->epoch != k->epoch)
        return TR_OK;
    if (msg->record != NULL)
        record = (struct kv_slice){ (const char *)msg->record->data, msg->record->size };
    kv_journal_snapshot(&k->journal, record, msg->over);
    pump(self, me);
    return TR_OK;
}

TR_ON(kv_log_actor, kv_replay_ask, self, me, msg)
{
    struct kv_log_keeper *k = me->keeper;
    char name[KV_NAME_MAX];

    if (!msg->first) {
        if (msg->epoch == k->epoch && k->phase == REPLAYING)
            read_piece(self, me);
        return TR_OK;
    }
    kv_shard_name(name, me->shard);
    k->shard = tr_lookup(self, name);
    k->epoch = msg->epoch;
    k->replay_wanted = true;
    if (k->phase == REPLAYING)
        k->phase = SERVING;  /* the one that it read for has gone */
    if (k->phase == SERVING) {
        kv_journal_discard(&k->journal);
        pump(self, me);
    }
    return TR_OK;
}

TR_ON(kv_log_actor, kv_replayed, self, me, msg)
{
    struct kv_log_keeper *k = me->keeper;
    int err = 0;

    if (msg->epoch != k->epoch || k->phase != REPLAYING)
        return TR_OK;
    reset_journal(me, msg->good);
    if (k->doubt < 0)
        kv_journal_distrust(&k->journal, k->doubt, now_ms(self));
    k->told = 0;
    k->told_error = 0;
    k->reading = k->read_to > msg->good;
    if (k->reading)
        err = tr_file_truncate(self, k->file, .size = msg->good, .context = context_of(CUT));
    if (err < 0)
        return give_up(self, me, "cut", err);
    if (!k->reading) {
        k->phase = SERVING;
        pump(self, me);
    }
    return TR_OK;
}

/* The shard has crashed: its next incarnation asks for the log. */
TR_ON(kv_log_actor, tr_exited, self, me, msg)
{
    kv_journal_orphaned(&me->keeper->journal);
    if (me->keeper->phase == SERVING)
        pump(self, me);
    return TR_OK;
}

/* ---- from the files ---- */

static int opened(tr_self *self, struct kv_log_actor *me, const struct tr_file_done *done)
{
    struct kv_log_keeper *k = me->keeper;

    if (done->error < 0)
        return give_up(self, me, "open", done->error);
    reset_journal(me, done->size);
    k->sync_file = open_for_sync(self, k);
    return tr_path_sync(self, .path = folder(me), .context = context_of(NAMED));
}

static int named(tr_self *self, struct kv_log_actor *me, const struct tr_file_done *done)
{
    if (done->error < 0)
        return give_up(self, me, "sync the folder of", done->error);
    /* Nothing is due yet: whether the file has a header is known when it has been replayed. */
    kv_journal_release(&me->keeper->journal);
    me->keeper->phase = SERVING;
    begin_replay_when_quiet(self, me);
    return TR_OK;
}

/* An operation of a replay is done. False: it was for an incarnation that has gone. */
static bool goes_on(tr_self *self, struct kv_log_actor *me)
{
    me->keeper->reading = false;
    if (me->keeper->phase == REPLAYING)
        return true;
    begin_replay_when_quiet(self, me);
    return false;
}

static int synced_first(tr_self *self, struct kv_log_actor *me, const struct tr_file_done *done)
{
    if (!goes_on(self, me))
        return TR_OK;
    me->keeper->doubt = me->service->doubts[me->shard] = done->error;
    read_piece(self, me);
    return TR_OK;
}

static int piece_read(tr_self *self, struct kv_log_actor *me, const struct tr_file_done *done)
{
    struct kv_log_keeper *k = me->keeper;
    uint64_t size = done->bytes == NULL ? 0 : done->bytes->size;

    if (!goes_on(self, me))
        return TR_OK;
    if (done->error < 0)
        return give_up(self, me, "read", done->error);
    k->read_to += size;
    tr_send(self, k->shard, kv_replay_piece, .bytes = tr_bytes_share(done->bytes),
            .epoch = k->epoch, .over = size < PIECE);
    return TR_OK;
}

static int was_cut(tr_self *self, struct kv_log_actor *me, const struct tr_file_done *done)
{
    if (done->error < 0)
        return give_up(self, me, "cut", done->error);
    if (!goes_on(self, me))
        return TR_OK;
    me->keeper->phase = SERVING;
    pump(self, me);
    return TR_OK;
}

TR_ON(kv_log_actor, tr_file_done, self, me, msg)
{
    int what = (int)(intptr_t)msg->context;

    switch (what) {
    case OPENED:
        return opened(self, me, msg);
    case NAMED:
        return named(self, me, msg);
    case SYNC_FIRST:
        return synced_first(self, me, msg);
    case READ_PIECE:
        return piece_read(self, me, msg);
    case CUT:
        return was_cut(self, me, msg);
    case SYNC_OPENED:
        return TR_OK;  /* a sync through it fails if this did */
    default:
        break;
    }
    kv_journal_done(&me->keeper->journal, (enum kv_do)what,
                    msg->error < 0 ? msg->error : (int64_t)msg->size, now_ms(self));
    if (me->keeper->journal.broken)
        me->service->doubts[me->shard] = me->keeper->journal.error;
    if (me->keeper->replay_wanted)
        kv_journal_discard(&me->keeper->journal);  /* what cannot be written now: see there */
    pump(self, me);
    return TR_OK;
}

/* ---- end ---- */

/* An orderly end leaves a synced file, whatever the policy; nobody waits for anything any more, but
 * what is begun here is done before the system has stopped. */
TR_END(kv_log_actor, self, me, reason)
{
    if (me->keeper != NULL)
        (void)tr_file_sync(self, me->keeper->file, context_of(CLOSING));
}

const tr_actor_type kv_log_actor_actor = {
    TR_STATE(kv_log_actor), .start = TR_STARTS(kv_log_actor), .stop = TR_ENDS(kv_log_actor),
    .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(kv_log_actor, kv_append), TR_HANDLES(kv_log_actor, tr_file_done),
                   TR_HANDLES(kv_log_actor, kv_tick), TR_HANDLES(kv_log_actor, kv_snapshot_piece),
                   TR_HANDLES(kv_log_actor, kv_replay_ask), TR_HANDLES(kv_log_actor, kv_replayed),
                   TR_HANDLES(kv_log_actor, tr_exited)),
};
