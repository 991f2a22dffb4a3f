/* SPDX-License-Identifier: BSD-2-Clause */

/* See checker.h. Which command comes next is decided in workload.c. */

#include "checker.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "model.h"
#include "net.h"
#include "workload.h"

#define RECONNECT_NS (2 * MILLISECOND_NS)
#define STALL_NS     (15 * SECOND_NS)
#define SHOWN_BYTES  40u
#define WORDS_MAX    64u

/* What a loss was seen by. */
struct lost {
    uint32_t key;
    const char *name;
    enum operation_kind operation;
    const struct resp_reply *reply;
};

struct flight {
    struct command command;
    uint64_t sent_ns;
};

struct checker_connection {
    struct net net;
    struct workload workload;
    struct flight flights[WORKLOAD_PIPELINE_MAX];
    unsigned first;    /* the oldest flight */
    unsigned flying;
    unsigned cursor;   /* verification: the next key to ask for */
    bool *verified;    /* by key */
    unsigned missing;  /* keys not verified yet */
    uint64_t retry_ns;
};

void checker_open(struct checker *checker, const struct checker_options *options)
{
    *checker = (struct checker){ .options = *options };
    checker->connections = demo_alloc(options->connections * sizeof *checker->connections);
    for (unsigned i = 0; i < options->connections; i++) {
        struct checker_connection *c = &checker->connections[i];
        *c = (struct checker_connection){ .first = 0 };
        net_open(&c->net);
        workload_open(&c->workload, i, options);
        c->verified = demo_alloc(options->keys * sizeof *c->verified);
    }
}

void checker_close(struct checker *checker)
{
    checker_disconnect(checker);
    for (unsigned i = 0; i < checker->options.connections; i++) {
        net_free(&checker->connections[i].net);
        workload_close(&checker->connections[i].workload);
        free(checker->connections[i].verified);
    }
    free(checker->connections);
    checker->connections = NULL;
}

/* ---- losses ---- */

static void print_text(char *line, size_t size, struct text text)
{
    size_t used = strlen(line);

    for (size_t i = 0; i < text.size && i < SHOWN_BYTES && used + 5 < size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (isprint(byte))
            line[used++] = (char)byte;
        else
            used += (size_t)snprintf(line + used, size - used, "\\x%02x", byte);
    }
    snprintf(line + used, size - used, "%s", text.size > SHOWN_BYTES ? "..." : "");
}

static void print_reply(char *line, size_t size, const struct resp_reply *reply)
{
    size_t used = strlen(line);

    if (reply->kind == RESP_NIL)
        snprintf(line + used, size - used, "nothing");
    else if (reply->kind == RESP_INTEGER)
        snprintf(line + used, size - used, "%" PRId64, reply->integer);
    else
        print_text(line, size, reply->text);
}

/* Before the key is forgotten, which counts a loss once. */
static void note_lost(struct checker *checker, const struct workload *workload,
                      const struct lost *lost)
{
    static const char *const names[] = { "GET", "SET", "APPEND", "INCR", "DEL", "GETDEL" };
    uint64_t shown = checker->counts.lost++;
    char held[WORDS_MAX];
    char *line;

    if (shown >= CHECKER_SHOWN_MAX)
        return;
    line = checker->lost[shown];
    workload_describe(workload, lost->key, held, sizeof held);
    snprintf(line, CHECKER_LINE_MAX, "%s held ", lost->name);
    print_text(line, CHECKER_LINE_MAX, text_of(held));
    size_t used = strlen(line);
    snprintf(line + used, CHECKER_LINE_MAX - used, "; %s answered ", names[lost->operation]);
    print_reply(line, CHECKER_LINE_MAX, lost->reply);
}

/* ---- answers ---- */

static void refused(struct checker *checker, const struct resp_reply *reply)
{
    checker->counts.refused++;
    if (checker->refusal[0] == '\0')
        print_text(checker->refusal, sizeof checker->refusal, reply->text);
}

static void answered(struct checker *checker, struct checker_connection *c,
                     struct command *command, const struct resp_reply *reply)
{
    checker->counts.answered++;
    if (reply->kind == RESP_ERROR) {
        refused(checker, reply);
        workload_unanswered(&c->workload, command);
        return;
    }
    for (unsigned i = 0; i < command->count; i++) {
        const struct operation *op = &command->operations[i];
        struct model_key *key = workload_key(&c->workload, command->keys[i]);
        if (!model_answered(key, op, reply)) {
            note_lost(checker, &c->workload,
                      &(struct lost){ command->keys[i], command->names[i], op->kind, reply });
            model_forget(key);
        }
        if (op->kind != OPERATION_GET)
            checker->counts.written++;
        else if (checker->mode == CHECKER_VERIFIES && !c->verified[command->keys[i]]) {
            c->verified[command->keys[i]] = true;
            c->missing--;
            checker->counts.verified++;
        }
    }
    workload_finished(&c->workload, command);
}

static void land(struct checker_connection *c)
{
    c->first = (c->first + 1) % WORKLOAD_PIPELINE_MAX;
    c->flying--;
}

static void disconnect(struct checker *checker, struct checker_connection *c)
{
    net_close(&c->net);
    while (c->flying > 0) {
        checker->counts.unanswered++;
        workload_unanswered(&c->workload, &c->flights[c->first].command);
        land(c);
    }
    c->cursor = 0;
    c->retry_ns = clock_ns() + RECONNECT_NS;
}

static void take_replies(struct checker *checker, struct checker_connection *c)
{
    struct resp_reply reply;
    long size = 0;

    while (c->flying > 0 && (size = net_reply(&c->net, &reply)) > 0) {
        struct flight *flight = &c->flights[c->first];
        histogram_add(&checker->latency, clock_ns() - flight->sent_ns);
        answered(checker, c, &flight->command, &reply);
        net_taken(&c->net, size);
        land(c);
    }
    if (size < 0 || (c->flying == 0 && c->net.in.size > 0)) {
        checker->counts.malformed++;
        disconnect(checker, c);
    }
}

/* ---- commands ---- */

static void send_command(struct checker *checker, struct checker_connection *c,
                         const struct command *command)
{
    unsigned slot = (c->first + c->flying++) % WORKLOAD_PIPELINE_MAX;

    c->flights[slot] = (struct flight){ *command, clock_ns() };
    workload_write(&c->flights[slot].command, &c->net.out);
    checker->counts.sent++;
}

/* One GET for each key that has not been answered yet; again from the first after an error. */
static void send_gets(struct checker *checker, struct checker_connection *c, unsigned count)
{
    struct command command;

    if (c->cursor == checker->options.keys)
        c->cursor = 0;
    while (c->flying < count && c->cursor < checker->options.keys) {
        if (!c->verified[c->cursor]) {
            workload_get(&c->workload, c->cursor, &command);
            send_command(checker, c, &command);
        }
        c->cursor++;
    }
}

static void send_batch(struct checker *checker, struct checker_connection *c)
{
    struct command command;
    unsigned count;

    if (c->flying > 0 || checker->mode == CHECKER_DRAINS)
        return;
    count = 1 + chance_below(&c->workload.seed, checker->options.pipeline);
    if (checker->mode == CHECKER_VERIFIES) {
        if (c->missing > 0)
            send_gets(checker, c, checker->options.pipeline);
        return;
    }
    while (c->flying < count && workload_next(&c->workload, &command))
        send_command(checker, c, &command);
}

static void serve(struct checker *checker, struct checker_connection *c, short events)
{
    uint64_t now = clock_ns();

    if (c->net.fd < 0) {
        if (now >= c->retry_ns && net_connect(&c->net, checker->options.port) < 0)
            c->retry_ns = now + RECONNECT_NS;
        return;
    }
    if (net_serve(&c->net, events) < 0) {
        checker->counts.broken++;
        disconnect(checker, c);
        return;
    }
    take_replies(checker, c);
    if (c->flying > 0 && now > c->flights[c->first].sent_ns + STALL_NS) {
        checker->counts.stalled++;
        disconnect(checker, c);
    }
    if (c->net.fd >= 0 && !c->net.connecting) {
        send_batch(checker, c);
        if (net_serve(&c->net, 0) < 0) {
            checker->counts.broken++;
            disconnect(checker, c);
        }
    }
}

/* ---- driving ---- */

void checker_load(struct checker *checker)
{
    checker->mode = CHECKER_LOADS;
}

void checker_drain(struct checker *checker)
{
    checker->mode = CHECKER_DRAINS;
}

void checker_verify(struct checker *checker)
{
    checker->mode = CHECKER_VERIFIES;
    checker->counts.verified = 0;
    for (unsigned i = 0; i < checker->options.connections; i++) {
        struct checker_connection *c = &checker->connections[i];
        memset(c->verified, 0, checker->options.keys * sizeof *c->verified);
        c->missing = checker->options.keys;
        c->cursor = 0;
    }
}

bool checker_done(const struct checker *checker)
{
    for (unsigned i = 0; i < checker->options.connections; i++) {
        const struct checker_connection *c = &checker->connections[i];
        if (checker->mode == CHECKER_LOADS || c->flying > 0)
            return false;
        if (checker->mode == CHECKER_VERIFIES && c->missing > 0)
            return false;
    }
    return true;
}

unsigned checker_wanted(struct checker *checker, struct pollfd *ret_wanted)
{
    for (unsigned i = 0; i < checker->options.connections; i++)
        ret_wanted[i] = net_wanted(&checker->connections[i].net);
    return checker->options.connections;
}

void checker_serve(struct checker *checker, const struct pollfd *found)
{
    for (unsigned i = 0; i < checker->options.connections; i++)
        serve(checker, &checker->connections[i], found[i].revents);
}

bool checker_run(struct checker *checker, uint64_t for_ns)
{
    struct pollfd fds[CHECKER_CONNECTIONS_MAX];
    uint64_t deadline = clock_ns() + for_ns;

    while (!checker_done(checker) && clock_ns() < deadline) {
        unsigned count = checker_wanted(checker, fds);
        if (poll(fds, count, 1) < 0) {
            for (unsigned i = 0; i < count; i++)
                fds[i].revents = 0;
        }
        checker_serve(checker, fds);
    }
    return checker_done(checker);
}

void checker_disconnect(struct checker *checker)
{
    for (unsigned i = 0; i < checker->options.connections; i++)
        disconnect(checker, &checker->connections[i]);
}
