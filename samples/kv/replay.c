/* SPDX-License-Identifier: BSD-2-Clause */

/* See replay.h for the states. */

#include "replay.h"

#include <errno.h>

static int refuse(struct kv_replay *replay, int error)
{
    replay->state = KV_REPLAY_REFUSED;
    replay->error = error;
    kv_buffer_release(&replay->held);
    return error;
}

static int apply_payload(struct kv_replay *replay, struct kv_slice payload)
{
    struct kv_log_operation operation;
    int err = 0;

    while (err == 0 && payload.size > 0) {
        if (!kv_log_take(&payload, &operation))
            return -EBADMSG;
        err = replay->apply(replay->context, &operation);
    }
    return err;
}

/* The size of the whole record at `at`; 0: there is no good one. SIZE_MAX: it is not complete. */
static size_t record_at(const struct kv_replay *replay, size_t at)
{
    const char *header = replay->held.data + at;
    size_t left = replay->held.size - at;
    uint32_t size;

    if (left < KV_LOG_RECORD_HEADER)
        return SIZE_MAX;
    size = kv_log_record_size(header, replay->identity.salt);
    if (size == 0)
        return 0;
    if (left - KV_LOG_RECORD_HEADER < size)
        return SIZE_MAX;
    if (!kv_log_payload_is_good(header, header + KV_LOG_RECORD_HEADER, size))
        return 0;
    return KV_LOG_RECORD_HEADER + (size_t)size;
}

/* Forgets the first `by` bytes held. */
static void drop_front(struct kv_replay *replay, size_t by)
{
    struct kv_buffer *held = &replay->held;

    if (by > 0)
        memmove(held->data, held->data + by, held->size - by);
    held->size -= by;
    replay->offset += by;
}

static bool is_zero(const char *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

/* Whether the header was written in part: its first bytes are there, and zeros follow. */
static bool is_header_torn(const struct kv_replay *replay)
{
    const char *header = replay->held.data;
    struct kv_buffer whole = { 0 };
    size_t same = 0;

    kv_log_write_header(&whole, &replay->identity);
    while (same < whole.size && header[same] == whole.data[same])
        same++;
    kv_buffer_release(&whole);
    return same < KV_LOG_HEADER && is_zero(header + same, KV_LOG_HEADER - same);
}

static int read_header(struct kv_replay *replay)
{
    int err;

    if (replay->held.size < KV_LOG_HEADER)
        return 0;
    if (is_header_torn(replay)) {  /* if nothing good follows */
        replay->state = KV_REPLAY_SEARCHING;
        return 0;
    }
    err = kv_log_check_header(replay->held.data, &replay->identity);
    if (err < 0)
        return refuse(replay, err);
    drop_front(replay, KV_LOG_HEADER);
    replay->good = KV_LOG_HEADER;
    replay->state = KV_REPLAY_RECORDS;
    return 0;
}

static int read_records(struct kv_replay *replay)
{
    size_t at = 0;

    for (;;) {
        size_t size = record_at(replay, at);
        struct kv_slice payload = { replay->held.data + at + KV_LOG_RECORD_HEADER, 0 };
        int err;

        if (size == 0)
            replay->state = KV_REPLAY_SEARCHING;
        if (size == 0 || size == SIZE_MAX)
            break;
        payload.size = size - KV_LOG_RECORD_HEADER;
        err = apply_payload(replay, payload);
        if (err < 0)
            return refuse(replay, err);
        at += size;
        replay->good += size;
        replay->records++;
    }
    drop_front(replay, at);
    return 0;
}

/* Whether a good record stands behind the bad one; a candidate that is not complete is kept. */
static int search(struct kv_replay *replay)
{
    size_t at = replay->offset == replay->good ? 1 : 0;  /* not the bad one itself */

    while (at < replay->held.size) {
        size_t size = record_at(replay, at);

        if (size == SIZE_MAX)
            break;
        if (size > 0)
            return refuse(replay, -EILSEQ);
        at++;
    }
    drop_front(replay, at < replay->held.size ? at : replay->held.size);
    return 0;
}

int kv_replay_feed(struct kv_replay *replay, const void *bytes, size_t size)
{
    int err = 0;

    if (replay->state == KV_REPLAY_REFUSED)
        return replay->error;
    kv_buffer_add(&replay->held, bytes, size);
    if (replay->held.failed)
        return refuse(replay, -ENOMEM);
    if (replay->state == KV_REPLAY_HEADER)
        err = read_header(replay);
    if (err == 0 && replay->state == KV_REPLAY_RECORDS)
        err = read_records(replay);
    if (err == 0 && replay->state == KV_REPLAY_SEARCHING)
        err = search(replay);
    return err;
}

uint64_t kv_replay_torn(const struct kv_replay *replay)
{
    return replay->offset + replay->held.size - replay->good;
}

void kv_replay_release(struct kv_replay *replay)
{
    kv_buffer_release(&replay->held);
}
