/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_OTP_PROBE_H
#define TROUPE_TESTS_SUPPORT_OTP_PROBE_H

/*
 * Probes: actors that a test leads from outside.
 *
 * What. A probe does what it is told (probe_do runs a function inside it, and waits for its
 * result), and records whatever else it gets in a book, where the test waits for it.
 *
 * Why. What actors promise is seen from two sides: inside, where verbs are called, and outside,
 * where a test has to wait without knowing how long. With one actor that calls anything and one
 * place that waits, a test reads as the sentence that it checks, and no test sleeps.
 *
 * Rules
 *   1. Every wait ends: after PROBE_PATIENCE it fails the test.
 *   2. That nothing comes is checked at a quiet point (probe_quiet), never after a pause.
 *   3. A book outlives the incarnations that write in it, until probe_stop; one may serve several
 *      probes, each entry says who wrote it.
 */

#include <pthread.h>
#include <stdint.h>

#include <troupe/troupe.h>

#define PROBE_PATIENCE TR_SEC(20)

/* Something to do inside a probe; its result is what probe_do returns. */
typedef int probe_action(tr_self *self, void *arg);

struct probe_note   { int number; };
struct probe_call   { probe_action *action; void *arg; };
struct probe_result { int value; };
struct probe_return { int value; };         /* the handler returns it: TR_STOP, or a crash */
struct probe_start  { int error; };         /* never sent: an incarnation has started */
struct probe_end    { tr_reason reason; };  /* never sent: .stop was run */

#define PROBE_MESSAGES(M)                                                                          \
    M(probe_note) M(probe_call) M(probe_result) M(probe_return) M(probe_start) M(probe_end)
TR_PROTOCOL(probe, 9000, PROBE_MESSAGES);

/* What a probe has seen. */
struct probe_entry {
    uint32_t tag;  /* which of the union */
    tr_ref by;
    uint32_t incarnation;
    tr_ref sender;
    void *context;
    union {
        struct probe_note note;
        struct probe_start start;
        struct probe_end end;
        struct tr_down down;
        struct tr_exited exited;
        struct tr_ended ended;
        struct tr_failed failed;
        struct tr_idle idle;
        struct tr_dead_letter dead;
    };
};

struct probe_book;

/* ---- systems ---- */

/* A system whose log goes to a count; `workers` 0: two. */
tr_system *probe_system(uint32_t workers);

/* Lines of that log with TR_LOG_ERROR or TR_LOG_WARNING so far. */
unsigned probe_complaints(void);

/* Waits until nothing runs any more and checks the accounting. */
tr_stats probe_quiet(tr_system *sys);

/* probe_quiet, then an orderly stop, which must succeed; frees all books. */
void probe_stop(tr_system *sys);

/* ---- books ---- */

struct probe_book *probe_book(void);

/* Whether the probes of this book fail in .start, with which error; 0: they do not. */
void probe_book_fail_start(struct probe_book *book, int error);

/* The first entry of this tag that was not asked for yet; waits for it. */
struct probe_entry probe_expect(struct probe_book *book, uint32_t tag);

/* As probe_expect, of one probe alone. */
struct probe_entry probe_expect_by(struct probe_book *book, tr_ref by, uint32_t tag);

/* The first entry that was not asked for yet, of any tag but the two that are never sent. */
struct probe_entry probe_next(struct probe_book *book);

/* Entries of this tag so far, asked for or not. */
unsigned probe_count(struct probe_book *book, uint32_t tag);

/* ---- gates: what keeps an action, and with it its actor and its worker, waiting ---- */

struct probe_gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
};

#define PROBE_GATE_CLOSED { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false }

void probe_gate_open(struct probe_gate *gate);

/* 0, or -ETIMEDOUT. */
int probe_gate_await(struct probe_gate *gate);

/* ---- probes ---- */

struct probe { struct probe_book *book; };

/* For child specifications: TR_CHILD(probe, .book = book). */
extern const tr_actor_type probe_actor;

tr_ref probe_spawn(tr_system *sys, struct probe_book *book);

/* Runs an action in a probe and returns its result, or why it could not be had. */
int probe_do(tr_system *sys, tr_ref probe, probe_action *action, void *arg);

/* As probe_do, without waiting. */
void probe_tell(tr_system *sys, tr_ref probe, probe_action *action, void *arg);

/* probe_do for the verbs that tests need most; each must succeed. */
tr_token probe_monitor(tr_system *sys, tr_ref probe, tr_ref target);
void probe_link(tr_system *sys, tr_ref probe, tr_ref target);
void probe_trap(tr_system *sys, tr_ref probe);

/* Makes its handler return `value`: TR_STOP, or an error to crash with. */
void probe_make_return(tr_system *sys, tr_ref probe, int value);

void probe_send_note(tr_system *sys, tr_ref to, int number);

/* Returns when all that this thread has sent to the probe before was handled. */
void probe_sync(tr_system *sys, tr_ref probe);

/* Waits until an actor's present incarnation has ended. */
void probe_await_end(tr_system *sys, tr_ref actor);

/* Waits until a name leads to an actor, or (`there` false) to none any more. */
tr_ref probe_await_name(tr_system *sys, const char *name, bool there);

/* Whether the two agree; the text must be the same too, unless NULL. */
bool probe_reason_is(const tr_reason *reason, tr_reason_kind kind, int code, const char *text);

#endif
