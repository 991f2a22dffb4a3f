/* SPDX-License-Identifier: BSD-2-Clause */
/* links: troupe_kv */

/*
 * The append-only log. The bytes are a file; and, since few files made by chance have the right
 * sums, they are the payloads of records with right sums, of which one is then damaged or cut.
 * However a file is cut in pieces, it reads the same; what an operation says is written as it was.
 */

#include "kv/log.h"

#include "fuzz.h"
#include "kv/replay.h"

static const struct kv_log_identity identity = { 1, 4, UINT64_C(0x1234567890abcdef) };

struct outcome {
    uint64_t sum, good, torn, records;
    int error;
};

static int note_operation(void *context, const struct kv_log_operation *operation)
{
    struct outcome *outcome = context;

    FUZZ_CHECK(operation->database < KV_LOG_DATABASES);
    fuzz_mix(&outcome->sum, &operation->kind, sizeof operation->kind);
    fuzz_mix(&outcome->sum, operation->key.data, operation->key.size);
    fuzz_mix(&outcome->sum, operation->value.data, operation->value.size);
    return 0;
}

static struct outcome replay(const char *bytes, size_t size, size_t piece)
{
    struct outcome outcome = { .error = 0 };
    struct kv_replay replay = {
        .identity = identity, .apply = note_operation, .context = &outcome,
    };

    for (size_t at = 0; at < size && outcome.error == 0; at += piece)
        outcome.error = kv_replay_feed(&replay, bytes + at, size - at < piece ? size - at : piece);
    outcome.good = replay.good;
    outcome.records = replay.records;
    outcome.torn = outcome.error == 0 ? kv_replay_torn(&replay) : 0;
    kv_replay_release(&replay);
    return outcome;
}

static void read_file(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct outcome whole = replay(bytes, size, size);

    FUZZ_CHECK(whole.good <= size);
    FUZZ_CHECK(whole.error != 0 || whole.good + whole.torn == size);
    for (size_t piece = 1; piece < 40; piece += 19) {
        struct outcome pieces = replay(bytes, size, piece);
        FUZZ_CHECK(pieces.error == whole.error);
        FUZZ_CHECK(pieces.good == whole.good && pieces.torn == whole.torn);
        FUZZ_CHECK(pieces.records == whole.records && pieces.sum == whole.sum);
    }
    free(bytes);
}

/* An operation that is read is written again with the same bytes. */
static void write_again(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct kv_slice payload = { bytes, size };
    struct kv_log_operation operation;

    while (kv_log_take(&payload, &operation)) {
        struct kv_buffer again = { .size = 0 };
        size_t taken = (size_t)(payload.data - bytes), begun;
        kv_log_add(&again, &operation);
        FUZZ_CHECK(!again.failed && again.size <= taken);
        begun = taken - again.size;
        FUZZ_CHECK(memcmp(bytes + begun, again.data, again.size) == 0);
        kv_buffer_release(&again);
    }
    FUZZ_CHECK(payload.size <= size);
    free(bytes);
}

/* A byte says how long a payload is; the last two, where a byte is changed and where it is cut. */
static void read_records(const uint8_t *data, size_t size)
{
    struct kv_buffer file = { .size = 0 };
    size_t at = 0, end = size - 2;

    kv_log_write_header(&file, &identity);
    while (at < end) {
        size_t length = data[at++];
        length = length < end - at ? length : end - at;
        size_t begun = kv_log_begin(&file);
        kv_buffer_add(&file, data + at, length);
        (void)kv_log_commit(&file, begun, identity.salt);
        at += length;
    }
    FUZZ_CHECK(!file.failed);
    read_file((const uint8_t *)file.data, file.size);
    file.data[data[end] * file.size / 256] ^= 0x10;
    read_file((const uint8_t *)file.data, file.size - data[end + 1] * file.size / 256);
    kv_buffer_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file(data, size);
    write_again(data, size);
    if (size > 2)
        read_records(data, size);
    return 0;
}
