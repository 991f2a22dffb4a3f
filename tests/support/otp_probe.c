/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Books and probes: see otp_probe.h.
 *
 * A book is a list of entries under a lock. Whoever waits for an entry waits on a condition
 * variable with a deadline; an entry is marked when a test has asked for it, so that asking twice
 * for a tag gives two entries, in the order in which they were written.
 */

#include "support/otp_probe.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define ENTRIES_MAX 65536
#define QUIET_LOOKS 5  /* equal figures in a row that count as quiet */

struct probe_book {
    struct probe_book *next;  /* of all that this test's thread has made */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct probe_entry *entries;
    bool *asked_for;
    unsigned count;
    int start_error;
};

static const tr_ask_policy patient = { .timeout = PROBE_PATIENCE };

static struct probe_book *books;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned complaints;

/* ---- systems ---- */

static void count_complaint(void *context, tr_log_level level, const char *text)
{
    (void)context, (void)text;
    if (level == TR_LOG_INFO)
        return;
    pthread_mutex_lock(&log_lock);
    complaints++;
    pthread_mutex_unlock(&log_lock);
}

unsigned probe_complaints(void)
{
    pthread_mutex_lock(&log_lock);
    unsigned count = complaints;
    pthread_mutex_unlock(&log_lock);
    return count;
}

tr_system *probe_system(uint32_t workers)
{
    tr_config config = { .workers = workers == 0 ? 2 : workers, .log = count_complaint };
    tr_system *sys = NULL;

    cr_assert_eq(tr_system_open(&config, &sys), 0);
    return sys;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static bool is_balanced(const tr_stats *s)
{
    return s->attempted == s->accepted + s->rejected &&
           s->accepted == s->handled + s->crashed + s->dead_letters + s->dropped + s->expired +
                              s->queued;
}

tr_stats probe_quiet(tr_system *sys)
{
    tr_stats before = { .attempted = UINT64_MAX };
    tr_stats now = { .attempted = 0 };
    int equal = 0;

    for (int i = 0; i < (int)(PROBE_PATIENCE / TR_MS(1)) && equal < QUIET_LOOKS; i++) {
        cr_assert_eq(tr_system_stats(sys, &now), 0);
        bool same = now.attempted == before.attempted && now.handled == before.handled &&
                    now.turns == before.turns && now.ended == before.ended;
        equal = same && is_balanced(&now) ? equal + 1 : 0;
        before = now;
        pause_ms(1);
    }
    cr_assert(is_balanced(&now),
              "the books do not balance: attempted %llu accepted %llu rejected %llu handled %llu "
              "crashed %llu dead %llu dropped %llu expired %llu queued %llu",
              (unsigned long long)now.attempted, (unsigned long long)now.accepted,
              (unsigned long long)now.rejected, (unsigned long long)now.handled,
              (unsigned long long)now.crashed, (unsigned long long)now.dead_letters,
              (unsigned long long)now.dropped, (unsigned long long)now.expired,
              (unsigned long long)now.queued);
    cr_assert_eq(equal, QUIET_LOOKS, "it does not become quiet");
    return now;
}

static void free_books(void)
{
    struct probe_book *next;

    for (struct probe_book *book = books; book != NULL; book = next) {
        next = book->next;
        free(book->entries);
        free(book->asked_for);
        free(book);
    }
    books = NULL;
}

void probe_stop(tr_system *sys)
{
    probe_quiet(sys);
    cr_assert_eq(tr_system_stop(sys, PROBE_PATIENCE), 0);
    free_books();
}

/* ---- books ---- */

struct probe_book *probe_book(void)
{
    struct probe_book *book = calloc(1, sizeof *book);

    cr_assert_not_null(book);
    book->entries = calloc(ENTRIES_MAX, sizeof *book->entries);
    book->asked_for = calloc(ENTRIES_MAX, sizeof *book->asked_for);
    cr_assert(book->entries != NULL && book->asked_for != NULL);
    pthread_mutex_init(&book->lock, NULL);
    pthread_cond_init(&book->changed, NULL);
    book->next = books;
    books = book;
    return book;
}

void probe_book_fail_start(struct probe_book *book, int error)
{
    pthread_mutex_lock(&book->lock);
    book->start_error = error;
    pthread_mutex_unlock(&book->lock);
}

static int start_error_of(struct probe_book *book)
{
    pthread_mutex_lock(&book->lock);
    int error = book->start_error;
    pthread_mutex_unlock(&book->lock);
    return error;
}

static void write_entry(struct probe_book *book, const struct probe_entry *entry)
{
    pthread_mutex_lock(&book->lock);
    if (book->count < ENTRIES_MAX)
        book->entries[book->count++] = *entry;
    pthread_cond_broadcast(&book->changed);
    pthread_mutex_unlock(&book->lock);
}

/* What an entry has to be; tag 0: any that was sent. */
struct wanted {
    tr_ref by;
    uint32_t tag;
};

static bool is_wanted(const struct probe_entry *entry, const struct wanted *wanted)
{
    if (tr_ref_is_some(wanted->by) && !tr_ref_equal(wanted->by, entry->by))
        return false;
    if (wanted->tag == 0)
        return entry->tag != TR_TAG_probe_start && entry->tag != TR_TAG_probe_end;
    return wanted->tag == entry->tag;
}

/* Under the lock: the first such entry that was not asked for, or NULL. */
static struct probe_entry *find_entry(struct probe_book *book, const struct wanted *wanted)
{
    for (unsigned i = 0; i < book->count; i++)
        if (!book->asked_for[i] && is_wanted(&book->entries[i], wanted)) {
            book->asked_for[i] = true;
            return &book->entries[i];
        }
    return NULL;
}

static struct probe_entry await_entry(struct probe_book *book, struct wanted wanted)
{
    struct probe_entry *entry;
    struct probe_entry found = { .tag = 0 };
    struct timespec deadline;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PROBE_PATIENCE / TR_SEC(1);
    pthread_mutex_lock(&book->lock);
    while ((entry = find_entry(book, &wanted)) == NULL && err == 0)
        err = pthread_cond_timedwait(&book->changed, &book->lock, &deadline);
    if (entry != NULL)
        found = *entry;
    pthread_mutex_unlock(&book->lock);
    cr_assert_neq(found.tag, 0, "message %u has not come", (unsigned)wanted.tag);
    return found;
}

struct probe_entry probe_expect(struct probe_book *book, uint32_t tag)
{
    return await_entry(book, (struct wanted){ .tag = tag });
}

struct probe_entry probe_expect_by(struct probe_book *book, tr_ref by, uint32_t tag)
{
    return await_entry(book, (struct wanted){ .by = by, .tag = tag });
}

struct probe_entry probe_next(struct probe_book *book)
{
    return await_entry(book, (struct wanted){ .tag = 0 });
}

unsigned probe_count(struct probe_book *book, uint32_t tag)
{
    unsigned count = 0;

    pthread_mutex_lock(&book->lock);
    for (unsigned i = 0; i < book->count; i++)
        count += book->entries[i].tag == tag;
    pthread_mutex_unlock(&book->lock);
    return count;
}

/* ---- gates ---- */

void probe_gate_open(struct probe_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

int probe_gate_await(struct probe_gate *gate)
{
    struct timespec deadline;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PROBE_PATIENCE / TR_SEC(1);
    pthread_mutex_lock(&gate->lock);
    while (!gate->is_open && err == 0)
        err = pthread_cond_timedwait(&gate->opened, &gate->lock, &deadline);
    pthread_mutex_unlock(&gate->lock);
    return -err;
}

/* ---- the actor ---- */

static struct probe_entry entry_of(tr_self *self, uint32_t tag)
{
    struct probe_entry entry = {
        .tag = tag, .by = tr_me(self), .incarnation = tr_incarnation(self),
    };

    return entry;
}

#define RECORDS(message, field)                                                                    \
    TR_ON(probe, message, self, me, msg)                                                           \
    {                                                                                              \
        struct probe_entry entry = entry_of(self, TR_TAG_##message);                               \
        entry.sender = tr_sender(self);                                                            \
        entry.context = tr_context(self);                                                          \
        entry.field = *msg;                                                                        \
        write_entry(me->book, &entry);                                                             \
        return TR_OK;                                                                              \
    }

RECORDS(probe_note, note)
RECORDS(tr_down, down)
RECORDS(tr_exited, exited)
RECORDS(tr_ended, ended)
RECORDS(tr_failed, failed)
RECORDS(tr_idle, idle)
RECORDS(tr_dead_letter, dead)

TR_ON(probe, probe_call, self, me, msg)
{
    int err = tr_reply(self, probe_result, .value = msg->action(self, msg->arg));

    return err == -EINVAL ? TR_OK : err;  /* from probe_tell: nobody asks */
}

TR_ON(probe, probe_return, self, me, msg)
{
    return msg->value;
}

TR_START(probe, self, me)
{
    struct probe_entry entry = entry_of(self, TR_TAG_probe_start);

    entry.start.error = start_error_of(me->book);
    write_entry(me->book, &entry);
    return entry.start.error;
}

TR_END(probe, self, me, reason)
{
    struct probe_entry entry = entry_of(self, TR_TAG_probe_end);

    entry.end.reason = *reason;
    write_entry(me->book, &entry);
}

const tr_actor_type probe_actor = {
    TR_STATE(probe), .start = TR_STARTS(probe), .stop = TR_ENDS(probe), .capacity = 8192,
    .on = TR_TABLE(TR_HANDLES(probe, probe_note), TR_HANDLES(probe, probe_call),
                   TR_HANDLES(probe, probe_return), TR_HANDLES(probe, tr_down),
                   TR_HANDLES(probe, tr_exited), TR_HANDLES(probe, tr_ended),
                   TR_HANDLES(probe, tr_failed), TR_HANDLES(probe, tr_idle),
                   TR_HANDLES(probe, tr_dead_letter)),
};

tr_ref probe_spawn(tr_system *sys, struct probe_book *book)
{
    tr_ref probe = tr_spawn(sys, probe, .book = book);

    cr_assert_eq(tr_ref_error(probe), 0);
    return probe;
}

/* ---- leading a probe ---- */

int probe_do(tr_system *sys, tr_ref probe, probe_action *action, void *arg)
{
    struct probe_call call = { .action = action, .arg = arg };
    struct probe_result result = { .value = 0 };
    int err = tr_ask_wait(sys, probe, &patient, probe_call, &call, probe_result, &result);

    return err < 0 ? err : result.value;
}

void probe_tell(tr_system *sys, tr_ref probe, probe_action *action, void *arg)
{
    cr_assert_eq(tr_send(sys, probe, probe_call, .action = action, .arg = arg), 0);
}

struct target {
    tr_ref who;
    tr_token token;
};

static int do_monitor(tr_self *self, void *arg)
{
    struct target *target = arg;

    return tr_monitor(self, target->who, &target->token);
}

tr_token probe_monitor(tr_system *sys, tr_ref probe, tr_ref target)
{
    struct target what = { .who = target };

    cr_assert_eq(probe_do(sys, probe, do_monitor, &what), 0);
    return what.token;
}

static int do_link(tr_self *self, void *arg)
{
    return tr_link(self, *(tr_ref *)arg);
}

void probe_link(tr_system *sys, tr_ref probe, tr_ref target)
{
    cr_assert_eq(probe_do(sys, probe, do_link, &target), 0);
}

static int do_trap(tr_self *self, void *arg)
{
    (void)arg;
    return tr_trap(self, true);
}

void probe_trap(tr_system *sys, tr_ref probe)
{
    cr_assert_eq(probe_do(sys, probe, do_trap, NULL), 0);
}

void probe_make_return(tr_system *sys, tr_ref probe, int value)
{
    cr_assert_eq(tr_send(sys, probe, probe_return, .value = value), 0);
}

void probe_send_note(tr_system *sys, tr_ref to, int number)
{
    cr_assert_eq(tr_send(sys, to, probe_note, .number = number), 0);
}

static int do_nothing(tr_self *self, void *arg)
{
    (void)self, (void)arg;
    return 0;
}

void probe_sync(tr_system *sys, tr_ref probe)
{
    cr_assert_eq(probe_do(sys, probe, do_nothing, NULL), 0);
}

void probe_await_end(tr_system *sys, tr_ref actor)
{
    struct probe_book *book = probe_book();
    tr_ref watcher = probe_spawn(sys, book);

    probe_monitor(sys, watcher, actor);
    probe_expect(book, TR_TAG_tr_down);
    cr_assert_eq(tr_stop(sys, watcher), 0);
}

tr_ref probe_await_name(tr_system *sys, const char *name, bool there)
{
    tr_ref found = tr_lookup(sys, name);

    for (int i = 0; tr_ref_is_some(found) != there; i++) {
        cr_assert_lt(i, (int)(PROBE_PATIENCE / TR_MS(1)), "the name %s", name);
        pause_ms(1);
        found = tr_lookup(sys, name);
    }
    return found;
}

bool probe_reason_is(const tr_reason *reason, tr_reason_kind kind, int code, const char *text)
{
    return reason->kind == kind && reason->code == code &&
           (text == NULL || strcmp(reason->text, text) == 0);
}
