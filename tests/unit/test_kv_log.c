/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/* The log's format and its replay: whole, torn at every byte, damaged at every byte. */

#include "kv/log.h"

#include <errno.h>
#include <stdio.h>

#include "kv/memory.h"
#include "kv/replay.h"
#include "support/test.h"

static const struct kv_log_identity identity = { 1, 4, UINT64_C(0x1234567890abcdef) };

#define RECORDS 3

struct log {
    struct kv_buffer bytes;
    size_t ends[RECORDS + 1];   /* of the header and of each record */
};

static void add_record(struct log *log, int number)
{
    size_t begun = kv_log_begin(&log->bytes);
    char key[8];
    struct kv_slice name = { key, (size_t)snprintf(key, sizeof key, "k%d", number) };

    kv_log_add(&log->bytes, &(struct kv_log_operation){
        .kind = KV_LOG_SET, .database = 2, .key = name, .value = KV_SLICE("some value") });
    kv_log_add(&log->bytes, &(struct kv_log_operation){
        .kind = KV_LOG_EXPIRE, .database = 2, .key = name, .expires = 1234567890123 });
    cr_assert(kv_log_commit(&log->bytes, begun, identity.salt));
    log->ends[number] = log->bytes.size;
}

static void make_log(struct log *log)
{
    kv_log_write_header(&log->bytes, &identity);
    cr_assert(log->bytes.size == KV_LOG_HEADER);
    log->ends[0] = log->bytes.size;
    for (int i = 1; i <= RECORDS; i++)
        add_record(log, i);
}

static int count_operation(void *context, const struct kv_log_operation *operation)
{
    int *count = context;

    cr_assert(operation->database == 2);
    cr_assert(operation->key.size == 2 && operation->key.data[0] == 'k');
    if (operation->kind == KV_LOG_EXPIRE)
        cr_assert(operation->expires == 1234567890123);
    ++*count;
    return 0;
}

struct outcome {
    int error;
    int operations;
    uint64_t good;
    uint64_t torn;
};

static struct outcome replay(const char *bytes, size_t size, size_t piece)
{
    struct outcome outcome = { 0 };
    struct kv_replay replay = {
        .identity = identity, .apply = count_operation, .context = &outcome.operations,
    };

    for (size_t at = 0; at < size && outcome.error == 0; at += piece)
        outcome.error = kv_replay_feed(&replay, bytes + at, size - at < piece ? size - at : piece);
    outcome.good = replay.good;
    outcome.torn = outcome.error == 0 ? kv_replay_torn(&replay) : 0;
    kv_replay_release(&replay);
    return outcome;
}

/* How many records end at or before `at`, and where the last of them does. */
static int records_before(const struct log *log, size_t at, size_t *ret_end)
{
    int records = 0;

    *ret_end = at >= log->ends[0] ? log->ends[0] : 0;
    while (records < RECORDS && log->ends[records + 1] <= at)
        *ret_end = log->ends[++records];
    return records;
}

Test(kv_log, whole_in_pieces_of_any_size)
{
    struct log log = { 0 };

    make_log(&log);
    for (size_t piece = 1; piece <= log.bytes.size; piece++) {
        struct outcome o = replay(log.bytes.data, log.bytes.size, piece);

        cr_assert(o.error == 0 && o.operations == 2 * RECORDS);
        cr_assert(o.good == log.bytes.size && o.torn == 0);
    }
    kv_buffer_release(&log.bytes);
}

Test(kv_log, torn_at_every_byte)
{
    struct log log = { 0 };

    make_log(&log);
    for (size_t size = 0; size <= log.bytes.size; size++) {
        size_t end;
        int records = records_before(&log, size, &end);
        struct outcome o = replay(log.bytes.data, size, 7);

        cr_assert(o.error == 0, "cut to %zu: %d", size, o.error);
        cr_assert(o.operations == 2 * records && o.good == end && o.torn == size - end);
    }
    kv_buffer_release(&log.bytes);
}

Test(kv_log, filled_with_zeroes_from_every_byte)
{
    struct log log = { 0 };
    char bytes[512];

    make_log(&log);
    for (size_t from = 0; from < log.bytes.size; from++) {
        size_t end;
        int records = records_before(&log, from, &end);
        struct outcome o;

        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, log.bytes.data, from);
        o = replay(bytes, log.bytes.size, 11);
        cr_assert(o.error == 0, "zeroes from %zu: %d", from, o.error);
        cr_assert(o.operations >= 2 * records && o.good >= end);
        cr_assert(o.good + o.torn == log.bytes.size);
    }
    kv_buffer_release(&log.bytes);
}

Test(kv_log, a_torn_header_before_a_good_record_is_damage)
{
    struct log log = { 0 };

    make_log(&log);
    for (size_t from = 0; from < KV_LOG_HEADER; from++) {
        memset(log.bytes.data + from, 0, KV_LOG_HEADER - from);
        cr_assert_eq(replay(log.bytes.data, log.bytes.size, 11).error, -EILSEQ, "from %zu", from);
        kv_buffer_release(&log.bytes);
        make_log(&log);
    }
    kv_buffer_release(&log.bytes);
}

Test(kv_log, damaged_at_every_byte)
{
    struct log log = { 0 };

    make_log(&log);
    for (size_t at = 0; at < log.bytes.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct outcome o;
            size_t end;
            int records = records_before(&log, at, &end);

            log.bytes.data[at] = (char)(log.bytes.data[at] ^ (1 << bit));
            o = replay(log.bytes.data, log.bytes.size, 13);
            log.bytes.data[at] = (char)(log.bytes.data[at] ^ (1 << bit));
            cr_assert(o.operations == 2 * records, "no operation of a bad record is applied");
            cr_assert(o.good == end, "the place is named");
            if (at < log.ends[RECORDS - 1])
                cr_assert(o.error == -EILSEQ, "damage at %zu: %d", at, o.error);
            else
                cr_assert(o.error == 0 && o.torn == log.bytes.size - end, "the last: %zu", at);
        }
    }
    kv_buffer_release(&log.bytes);
}

/* A record that a client stores as a value, in a record that is torn, does not make it damage. */
Test(kv_log, a_value_that_looks_like_a_record)
{
    struct log log = { 0 };
    struct kv_buffer forged = { 0 };
    size_t begun = kv_log_begin(&forged);

    kv_log_add(&forged, &(struct kv_log_operation){ .kind = KV_LOG_FLUSH });
    kv_log_commit(&forged, begun, 99);  /* a client does not know the salt */
    make_log(&log);
    begun = kv_log_begin(&log.bytes);
    kv_log_add(&log.bytes, &(struct kv_log_operation){
        .kind = KV_LOG_SET, .database = 2, .key = KV_SLICE("kx"),
        .value = { forged.data, forged.size } });
    kv_log_add(&log.bytes, &(struct kv_log_operation){
        .kind = KV_LOG_SET, .database = 2, .key = KV_SLICE("ky"), .value = KV_SLICE("z") });
    kv_log_commit(&log.bytes, begun, identity.salt);
    log.bytes.data[log.bytes.size - 1] = 'y';
    cr_assert(replay(log.bytes.data, log.bytes.size, 50).error == 0);
    cr_assert(replay(log.bytes.data, log.bytes.size, 50).good == log.ends[RECORDS]);
    kv_buffer_release(&forged);
    kv_buffer_release(&log.bytes);
}

Test(kv_log, anothers_log_is_refused)
{
    static const struct kv_log_identity others[] = {
        { 0, 4, UINT64_C(0x1234567890abcdef) }, { 1, 5, UINT64_C(0x1234567890abcdef) },
        { 1, 4, 1 },
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct kv_buffer bytes = { 0 };

        kv_log_write_header(&bytes, &others[i]);
        cr_assert(replay(bytes.data, bytes.size, 5).error == -EXDEV);
        kv_buffer_release(&bytes);
    }
    cr_assert(replay("this is not a log, whatever its name says it is", 40, 40).error == -EILSEQ);
}

Test(kv_log, a_huge_claim_takes_no_memory)
{
    struct kv_buffer bytes = { 0 };
    struct log log = { 0 };

    make_log(&log);
    /* A good record's header whose payload never came: held are the bytes that are there. */
    cr_assert(replay(log.bytes.data, log.ends[2] + 14, 1000).torn == 14);
    kv_buffer_release(&bytes);
    kv_buffer_release(&log.bytes);
}

Test(kv_log, empty_record_is_taken_back)
{
    struct kv_buffer bytes = { 0 };
    size_t begun = kv_log_begin(&bytes);

    cr_assert(!kv_log_commit(&bytes, begun, 1));
    cr_assert(bytes.size == 0);
    kv_buffer_release(&bytes);
}

Test(kv_log, operations_that_make_no_sense)
{
    struct kv_buffer bytes = { 0 };
    struct kv_log_operation operation;

    kv_log_add(&bytes, &(struct kv_log_operation){
        .kind = KV_LOG_SET_EXPIRING, .database = 15, .key = KV_SLICE("key"),
        .value = KV_SLICE("value"), .expires = -1 });
    for (size_t size = 0; size < bytes.size; size++) {
        struct kv_slice payload = { bytes.data, size };

        cr_assert(!kv_log_take(&payload, &operation), "cut to %zu", size);
    }
    for (int kind = 0; kind < 256; kind++) {
        struct kv_slice payload = { bytes.data, bytes.size };

        bytes.data[0] = (char)kind;
        kv_log_take(&payload, &operation);  /* nothing outside is looked at */
    }
    bytes.data[0] = KV_LOG_SET_EXPIRING;
    bytes.data[1] = 16;
    cr_assert(!kv_log_take(&(struct kv_slice){ bytes.data, bytes.size }, &operation));
    kv_buffer_release(&bytes);
}

static int refuse_all(void *context, const struct kv_log_operation *operation)
{
    (void)context;
    (void)operation;
    return -ENOMEM;
}

Test(kv_log, an_error_of_the_applier_refuses_the_file)
{
    struct log log = { 0 };
    struct kv_replay r = { .identity = identity, .apply = refuse_all };

    make_log(&log);
    cr_assert(kv_replay_feed(&r, log.bytes.data, log.bytes.size) == -ENOMEM);
    cr_assert(r.good == log.ends[0]);
    cr_assert(kv_replay_feed(&r, "x", 1) == -ENOMEM, "for good");
    kv_replay_release(&r);
    kv_buffer_release(&log.bytes);
}
