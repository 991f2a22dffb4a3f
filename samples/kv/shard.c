/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A shard: runs connections' works on its store, and answers when the log says so.
 *
 *     ┌───────────┐ pieces of the log: applied      ┌─────────┐
 *     │ REPLAYING │ ──────────────────────────────► │ SERVING │
 *     └───────────┘   works wait                    └─────────┘
 *          └── the log is damaged: the service stops and says where
 *
 * A work runs at once; its reply waits until all that was written before it, by whomever, is as
 * safe as the policy asks. So nobody reads what could still be lost, and works are answered in
 * their order. Records gather here until the works that are waiting have run, and while the log has
 * some: one message and one write for all of them.
 *
 * Rules
 *   1. The store is never ahead of what has been, or will be, given to the log: if a record cannot
 *      be made or sent, the shard crashes and begins again from the log.
 *   2. What still waits when an incarnation ends is freed; the askers are told by the runtime.
 *   3. A piece of a snapshot goes out behind all records that its values contain.
 *
 * Partners: work.c runs; log_actor.c writes; connection.c asks.
 */

#include <errno.h>
#include <stdio.h>

#include "memory.h"
#include "replay.h"
#include "service.h"

#define SWEEP_EVERY    TR_MS(100)
#define SWEEP_BUCKETS  4096u
#define SWEEP_AGAIN    16          /* sweeps in a row while they find much */
#define PIECE_BUCKETS  512u
#define PIECE_SIZE     (64u * 1024)
#define RECORDS_KEPT   (256u * 1024)

struct queue {
    struct kv_work *first;
    struct kv_work **end;
};

struct kv_shard_state {
    struct kv_store store;
    struct kv_replay replay;
    struct kv_buffer records;   /* not given to the log yet */
    uint64_t number;            /* of the last record */
    uint64_t sent;              /* given to the log */
    uint64_t acknowledged;
    struct queue waiting;       /* run, for an acknowledgement; REPLAYING: to be run */
    tr_ref log;
    uint32_t epoch;
    bool replaying;
    bool sweeping;              /* a timer is set */
    bool gathering;             /* a kv_gathered is on its way */
    bool logged;
    char refusal[128];          /* the error that writes get while they cannot be logged, or "" */
    uint32_t snapshot_database;
    uint64_t snapshot_cursor;
    tr_caller hail;             /* the door, while it waits */
    bool hailed;
};

static int64_t unix_ms(void)
{
    return tr_unix_now() / TR_MS(1);
}

/* ---- works that wait ---- */

static void enqueue(struct queue *queue, struct kv_work *work)
{
    work->next = NULL;
    if (queue->first == NULL)
        queue->end = &queue->first;
    *queue->end = work;
    queue->end = &work->next;
}

static struct kv_work *dequeue(struct queue *queue)
{
    struct kv_work *work = queue->first;

    if (work != NULL)
        queue->first = work->next;
    return work;
}

static int answer(tr_self *self, struct kv_work *work)
{
    tr_caller caller = { work->caller };
    int err = tr_answer(self, caller, kv_ran, .work = work);

    if (err < 0)
        kv_work_free(work);
    if (err == -ENOMEM)
        tr_answer_refuse(self, caller, -ENOMEM);
    return TR_OK;
}

/* ---- records ---- */

/* Gives the log what has gathered, if it has finished the last, or `now`. */
static int send_records(tr_self *self, struct kv_shard_state *s, bool now)
{
    tr_bytes *bytes = NULL;
    int err;

    if (s->records.size == 0 && !s->store.compaction_wanted)
        return 0;
    if (!now && s->sent > s->acknowledged)
        return 0;
    if (s->records.size > 0)
        bytes = kv_bytes_of(s->records.data, s->records.size);
    if (s->records.size > 0 && bytes == NULL)
        return -ENOMEM;
    err = tr_send(self, s->log, kv_append, .records = bytes, .number = s->number,
                  .epoch = s->epoch, .compact = s->store.compaction_wanted);
    if (err < 0) {
        tr_bytes_drop(bytes);
        return err;
    }
    s->sent = s->number;
    s->store.compaction_wanted = false;
    kv_buffer_clear(&s->records, RECORDS_KEPT);
    return 0;
}

/* Has what gathers sent when the works that are in the mailbox have run. */
static int send_records_soon(tr_self *self, struct kv_shard_state *s)
{
    int err;

    if (s->gathering || s->sent > s->acknowledged ||
        (s->records.size == 0 && !s->store.compaction_wanted))
        return 0;
    err = tr_send(self, tr_me(self), kv_gathered, 0);
    s->gathering = err == 0;
    return err;
}

static size_t begin_record(struct kv_shard_state *s)
{
    s->store.now = unix_ms();
    return s->logged ? kv_log_begin(&s->records) : 0;
}

/* 0; -ENOMEM: what was done cannot be written down. */
static int end_record(struct kv_shard *me, size_t begun)
{
    struct kv_shard_state *s = me->state;

    if (!s->logged)
        return 0;
    if (kv_log_commit(&s->records, begun, me->service->settings.salt))
        s->number++;
    return s->records.failed ? -ENOMEM : 0;
}

static void note_error(struct kv_shard_state *s, int error)
{
    if (error == 0)
        s->refusal[0] = '\0';
    else
        snprintf(s->refusal, sizeof s->refusal,
                 "-MISCONF Errors writing to the AOF file: %s\r\n", strerror(-error));
}

/* Answers the works whose records are safe; when they cannot be made so, all, with an error in the
 * place of what was written. */
static void answer_waiting(tr_self *self, struct kv_shard_state *s)
{
    bool refused = s->refusal[0] != '\0';

    while (s->waiting.first != NULL &&
           (refused || s->waiting.first->sequence <= s->acknowledged)) {
        struct kv_work *work = dequeue(&s->waiting);

        if (work->sequence > s->acknowledged)
            kv_work_refuse_written(work, s->refusal);
        answer(self, work);
    }
}

/* ---- works ---- */

static void sweep_later(tr_self *self, struct kv_shard_state *s)
{
    if (s->sweeping || !kv_store_expires(&s->store))
        return;
    s->sweeping = tr_timer_error(tr_after(self, SWEEP_EVERY, kv_sweep, 0)) == 0;
}

static int run_work(tr_self *self, struct kv_shard *me, struct kv_work *work)
{
    struct kv_shard_state *s = me->state;
    size_t begun = begin_record(s);
    int err;

    kv_work_run(work, &s->store, s->refusal[0] != '\0' ? s->refusal : NULL);
    err = end_record(me, begun);
    work->sequence = s->refusal[0] != '\0' ? 0 : s->number;
    enqueue(&s->waiting, work);
    if (err < 0)
        return err;
    sweep_later(self, s);
    return s->logged ? send_records_soon(self, s) : 0;
}

TR_ON(kv_shard, kv_gathered, self, me, msg)
{
    me->state->gathering = false;
    return send_records(self, me->state, false);
}

TR_ON(kv_shard, kv_run, self, me, msg)
{
    struct kv_run *mine = (struct kv_run *)(uintptr_t)msg;
    struct kv_shard_state *s = me->state;
    tr_caller caller;
    int err = tr_call_hold(self, &caller);

    if (err < 0)
        return tr_refuse(self, err), TR_OK;
    mine->work->caller = caller.bits;
    if (s->replaying)
        enqueue(&s->waiting, mine->work);
    else
        err = run_work(self, me, mine->work);
    mine->work = NULL;
    if (err == 0 && !s->replaying)
        answer_waiting(self, s);
    return err;
}

TR_ON(kv_shard, kv_acknowledged, self, me, msg)
{
    struct kv_shard_state *s = me->state;

    if (msg->epoch != s->epoch)
        return TR_OK;
    s->acknowledged = msg->number;
    note_error(s, msg->error);
    answer_waiting(self, s);
    return msg->error == 0 ? send_records(self, s, false) : TR_OK;
}

TR_ON(kv_shard, kv_sweep, self, me, msg)
{
    struct kv_shard_state *s = me->state;
    size_t begun = begin_record(s);
    int again = SWEEP_AGAIN;
    int err;

    s->sweeping = false;
    while (kv_store_sweep(&s->store, SWEEP_BUCKETS) > SWEEP_BUCKETS / 8 && --again > 0)
        ;
    err = end_record(me, begun);
    if (err < 0)
        return err;
    sweep_later(self, s);
    return s->logged && s->refusal[0] == '\0' ? send_records(self, s, false) : TR_OK;
}

TR_ON(kv_shard, kv_crash, self, me, msg)
{
    return tr_fail(self, -EFAULT, "told to crash");
}

TR_ON(kv_shard, kv_hail, self, me, msg)
{
    if (!me->state->replaying)
        return tr_reply(self, kv_ready, 0);
    me->state->hailed = tr_call_hold(self, &me->state->hail) == 0;
    return TR_OK;
}

/* ---- snapshots ---- */

struct piece {
    struct kv_shard_state *state;
    struct kv_buffer record;
};

static void add_to_piece(void *context, struct kv_entry *entry)
{
    struct piece *piece = context;

    if (entry->expires <= piece->state->store.now)
        return;
    kv_log_add(&piece->record, &(struct kv_log_operation){
        .kind = entry->expires == KV_NEVER ? KV_LOG_SET : KV_LOG_SET_EXPIRING,
        .database = (uint8_t)piece->state->snapshot_database,
        .key = kv_entry_key(entry), .value = kv_entry_value(entry), .expires = entry->expires,
    });
}

/* Goes on through the databases until the piece is full; true: there is no more. */
static bool fill_piece(struct piece *piece)
{
    struct kv_shard_state *s = piece->state;
    uint32_t buckets = PIECE_BUCKETS;

    while (s->snapshot_database < KV_LOG_DATABASES && buckets-- > 0 &&
           piece->record.size < PIECE_SIZE) {
        s->snapshot_cursor = kv_keyspace_scan(&s->store.spaces[s->snapshot_database],
                                              s->snapshot_cursor, add_to_piece, piece);
        if (s->snapshot_cursor == 0)
            s->snapshot_database++;
    }
    return s->snapshot_database == KV_LOG_DATABASES;
}

TR_ON(kv_shard, kv_snapshot_ask, self, me, msg)
{
    struct kv_shard_state *s = me->state;
    struct piece piece = { .state = s };
    tr_bytes *bytes = NULL;
    size_t begun;
    bool over;
    int err;

    if (msg->epoch != s->epoch)
        return TR_OK;
    if (msg->first) {
        s->snapshot_database = 0;
        s->snapshot_cursor = 0;
    }
    err = send_records(self, s, true);
    if (err < 0)
        return err;
    begun = kv_log_begin(&piece.record);
    over = fill_piece(&piece);
    if (kv_log_commit(&piece.record, begun, me->service->settings.salt))
        bytes = kv_bytes_of(piece.record.data, piece.record.size);
    if (piece.record.failed || (piece.record.size > 0 && bytes == NULL))
        err = -ENOMEM;
    kv_buffer_release(&piece.record);
    if (err == 0)
        err = tr_send(self, s->log, kv_snapshot_piece, .record = bytes, .epoch = s->epoch,
                      .over = over);
    if (err < 0)
        tr_bytes_drop(bytes);
    return err;
}

/* ---- replaying ---- */

static int begin_serving(tr_self *self, struct kv_shard *me)
{
    struct kv_shard_state *s = me->state;
    struct kv_work *work = s->waiting.first;
    int err = 0;

    s->replaying = false;
    s->store.record = s->logged ? &s->records : NULL;
    s->waiting.first = NULL;
    while (work != NULL) {
        struct kv_work *next = work->next;

        if (err == 0)
            err = run_work(self, me, work);
        else
            kv_work_free(work);
        work = next;
    }
    if (err < 0)
        return err;
    answer_waiting(self, s);
    sweep_later(self, s);
    if (s->hailed)
        err = tr_answer(self, s->hail, kv_ready, 0);
    s->hailed = false;
    return err;
}

/* What is wrong with a log cannot be mended by a restart. */
static int refuse_log(tr_self *self, struct kv_shard *me, int error)
{
    const struct kv_replay *replay = &me->state->replay;
    const char *what = "damaged";

    if (error == -EXDEV)
        what = "another shard's, or of another number of shards,";
    else if (error == -EPROTO)
        what = "of another version";
    else if (error == -ENOMEM)
        what = "too large for the memory there is,";
    fprintf(stderr,
            "troupe-kv: shard %u: the log %s/shard-%u.log is %s at byte %llu; not starting\n",
            me->shard, me->service->settings.dir, me->shard, what,
            (unsigned long long)replay->good);
    me->service->refused = true;
    tr_self_shutdown(self);
    return TR_OK;
}

static int finish_replay(tr_self *self, struct kv_shard *me)
{
    struct kv_shard_state *s = me->state;
    uint64_t torn = kv_replay_torn(&s->replay);
    int err;

    if (torn > 0)
        fprintf(stderr, "troupe-kv: shard %u: cut %llu bytes of a torn record off the log at "
                        "byte %llu\n",
                me->shard, (unsigned long long)torn, (unsigned long long)s->replay.good);
    kv_replay_release(&s->replay);
    err = tr_send(self, s->log, kv_replayed, .good = s->replay.good, .epoch = s->epoch);
    return err < 0 ? err : begin_serving(self, me);
}

TR_ON(kv_shard, kv_replay_piece, self, me, msg)
{
    struct kv_shard_state *s = me->state;
    int err = 0;

    if (msg->epoch != s->epoch || !s->replaying)
        return TR_OK;
    if (msg->bytes != NULL)
        err = kv_replay_feed(&s->replay, msg->bytes->data, msg->bytes->size);
    if (err < 0)
        return refuse_log(self, me, err);
    if (msg->over)
        return finish_replay(self, me);
    return tr_send(self, s->log, kv_replay_ask, .epoch = s->epoch, .first = false);
}

/* ---- start ---- */

static void release(void *state)
{
    struct kv_shard_state *s = state;
    struct kv_work *work;

    while ((work = dequeue(&s->waiting)) != NULL)
        kv_work_free(work);
    kv_store_release(&s->store);
    kv_replay_release(&s->replay);
    kv_buffer_release(&s->records);
    kv_free(s);
}

static int ask_for_log(tr_self *self, struct kv_shard *me)
{
    struct kv_shard_state *s = me->state;
    char name[KV_NAME_MAX];
    int err;

    kv_log_name(name, me->shard);
    s->log = tr_lookup(self, name);
    err = tr_link(self, s->log);
    if (err < 0)
        return err;
    return tr_send(self, s->log, kv_replay_ask, .epoch = s->epoch, .first = true);
}

TR_START(kv_shard, self, me)
{
    const struct kv_settings *settings = &me->service->settings;
    struct kv_shard_state *s = kv_alloc_zeroed(sizeof *s);
    int err;

    if (s == NULL)
        return -ENOMEM;
    err = tr_defer(self, release, s);
    if (err < 0)
        return err;
    me->state = s;
    s->epoch = tr_incarnation(self);
    s->logged = settings->appendonly;
    s->store.hash_key = settings->hash_key;
    s->store.shard = me->shard;
    s->store.shards = settings->shards;
    s->store.now = unix_ms();
    s->store.chance = settings->hash_key.low + me->shard;
    s->replay = (struct kv_replay){
        .identity = { me->shard, settings->shards, settings->salt },
        .apply = kv_store_apply, .context = &s->store,
    };
    if (!s->logged)
        return 0;
    s->replaying = true;
    return ask_for_log(self, me);
}

const tr_actor_type kv_shard_actor = {
    TR_STATE(kv_shard), .start = TR_STARTS(kv_shard), .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(kv_shard, kv_run), TR_HANDLES(kv_shard, kv_acknowledged),
                   TR_HANDLES(kv_shard, kv_sweep), TR_HANDLES(kv_shard, kv_crash),
                   TR_HANDLES(kv_shard, kv_gathered),
                   TR_HANDLES(kv_shard, kv_hail), TR_HANDLES(kv_shard, kv_snapshot_ask),
                   TR_HANDLES(kv_shard, kv_replay_piece)),
};
