/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Bytes on their way between the two ends of a simulated connection.
 *
 *     written ──room──► taken ──travel──► arrived ──credit──► read
 *     (queue)           (sent)            (received)
 *
 * Each travel brings all that has been taken, or a part of it, after a time; the end comes with the
 * last bytes or after them. An end that has left reads nothing: bytes that come for it break the
 * connection, and so does its leaving before it has read all that had arrived, as with TCP.
 *
 * Rules
 *   1. Nothing overtakes: a pipe has one travel at a time.
 *   2. A broken wire carries nothing. What had arrived before may still be read, or may not.
 *   3. A wire is freed by the end that leaves last.
 *
 * Partners: sim_stream.c writes and reads, and is told when something stirs.
 */

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "io/simulated.h"

/* Bytes that were written at once. */
struct segment {
    struct tri_link link;
    tr_bytes *shared;
    const unsigned char *data;  /* those that are not read yet */
    uint64_t size;
    unsigned char copy[];
};

static struct tri_sim_fault fault_break = TRI_SIM_FAULT("net.break");
static struct tri_sim_fault fault_half = TRI_SIM_FAULT("net.half_close");
static struct tri_sim_fault fault_delay = TRI_SIM_FAULT("net.delay");
static struct tri_sim_fault fault_short = TRI_SIM_FAULT("net.short");
static struct tri_sim_fault fault_full = TRI_SIM_FAULT("net.full");

static unsigned side_of(const struct tri_simio_pipe *pipe)
{
    return pipe == &pipe->wire->pipes[0] ? 0 : 1;
}

static int64_t latency(void)
{
    if (tri_sim_strikes(&fault_delay, NULL, NULL))
        return tri_sim_between(10 * TRI_NS_PER_MS, 2 * TRI_NS_PER_S);
    return tri_sim_between(10 * TRI_NS_PER_US, 100 * TRI_NS_PER_US);
}

static void stir(struct tri_simio_stream *stream)
{
    if (stream != NULL)
        tri_simio_stream_stirs(stream);
}

/* ---- segments ------------------------------------------------------------------------------- */

static void segment_free(struct segment *segment)
{
    tri_link_remove(&segment->link);
    tr_bytes_drop(segment->shared);
    tri_free(segment);
}

static int segment_add(struct tri_simio_pipe *pipe, const void *data, size_t size, tr_bytes *bytes)
{
    struct segment *segment = tri_alloc(sizeof(*segment) + (bytes == NULL ? size : 0));

    if (segment == NULL)
        return -ENOMEM;
    segment->shared = tr_bytes_share(bytes);
    segment->size = size;
    segment->data = bytes != NULL ? data : memcpy(segment->copy, data, size);
    tri_list_push_back(&pipe->segments, &segment->link);
    return 0;
}

static struct segment *segment_first(const struct tri_simio_pipe *pipe)
{
    struct tri_link *link = tri_list_first(&pipe->segments);

    return link != NULL ? TRI_CONTAINER_OF(link, struct segment, link) : NULL;
}

/* Takes bytes off the front; `to` NULL: drops them. */
static void take_bytes(struct tri_simio_pipe *pipe, unsigned char *to, size_t size)
{
    pipe->read += size;
    while (size > 0) {
        struct segment *segment = segment_first(pipe);
        size_t part = segment->size < size ? (size_t)segment->size : size;

        if (to != NULL) {
            memcpy(to, segment->data, part);
            to += part;
        }
        segment->data += part;
        segment->size -= part;
        size -= part;
        if (segment->size == 0)
            segment_free(segment);
    }
}

/* ---- travelling ----------------------------------------------------------------------------- */

/* What is written is taken as far as there is room, or somebody to refuse it. */
static void take(struct tri_simio_pipe *pipe)
{
    uint64_t room = pipe->read + pipe->capacity;
    unsigned side = side_of(pipe);
    uint64_t before = pipe->taken;

    if (pipe->wire->has_left[1 - side])
        room = UINT64_MAX;
    if (pipe->is_stuffed || room <= pipe->taken)
        return;
    pipe->taken = pipe->written < room ? pipe->written : room;
    if (pipe->taken == pipe->written && pipe->taken > before)
        stir(pipe->wire->ends[side]);
}

static bool has_something_to_bring(const struct tri_simio_pipe *pipe)
{
    return pipe->arrived < pipe->taken || pipe->is_stuffed
           || (pipe->is_ended && pipe->arrived == pipe->written && !pipe->has_end_arrived);
}

static void move_on(struct tri_simio_pipe *pipe)
{
    if (pipe->wire->is_broken)
        return;
    take(pipe);
    if (has_something_to_bring(pipe) && pipe->travel.state == TRI_SIM_EVENT_IDLE)
        tri_sim_at(&pipe->travel, tri_sim_now() + latency());
}

/* Nothing of what has not arrived ever does: for the reader it is as if the writer had ended. */
static void cut(struct tri_simio_pipe *pipe)
{
    pipe->is_cut = true;
    pipe->is_ended = true;
    pipe->is_stuffed = false;
    pipe->written = pipe->arrived;
    pipe->taken = pipe->arrived;
    stir(pipe->wire->ends[side_of(pipe)]);
}

static void bring(struct tri_simio_pipe *pipe)
{
    uint64_t size = pipe->taken - pipe->arrived;

    if (size > 1 && tri_sim_strikes(&fault_short, NULL, NULL))
        size = 1;
    else if (size > 1 && tri_sim_choose(4) == 3)
        size = (uint64_t)tri_sim_between(1, (int64_t)size);
    pipe->arrived += size;
    if (pipe->is_ended && pipe->arrived == pipe->written)
        pipe->has_end_arrived = size == 0 || tri_sim_choose(2) == 0;
}

static void travel(void *context)
{
    struct tri_simio_pipe *pipe = context;
    struct tri_simio_wire *wire = pipe->wire;
    unsigned reader = 1 - side_of(pipe);

    pipe->is_stuffed = false;
    take(pipe);
    if (tri_sim_strikes(&fault_break, NULL, NULL)) {
        tri_simio_wire_break(wire, -ECONNRESET, 0);
        return;
    }
    if (wire->has_left[reader]) {
        if (pipe->arrived < pipe->taken)
            tri_simio_wire_break(wire, tri_sim_choose(2) == 0 ? -ECONNRESET : -EPIPE, 0);
        return;
    }
    if (!pipe->is_ended && tri_sim_strikes(&fault_half, NULL, NULL))
        cut(pipe);
    bring(pipe);
    stir(wire->ends[reader]);
    move_on(pipe);
}

/* The writer left some time ago. */
static void linger_ends(void *context)
{
    struct tri_simio_pipe *pipe = context;

    pipe->written = pipe->taken;
    move_on(pipe);
}

/* ---- the two sides of a pipe ---------------------------------------------------------------- */

int tri_simio_pipe_write(struct tri_simio_pipe *pipe, const void *data, size_t size,
                         tr_bytes *bytes)
{
    int err = segment_add(pipe, data, size, bytes);

    if (err < 0)
        return err;
    pipe->written += size;
    if (tri_sim_strikes(&fault_full, NULL, NULL))
        pipe->is_stuffed = true;
    move_on(pipe);
    return 0;
}

void tri_simio_pipe_end(struct tri_simio_pipe *pipe)
{
    pipe->is_ended = true;
    move_on(pipe);
}

tr_bytes *tri_simio_pipe_read(struct tri_simio_pipe *pipe, size_t size)
{
    uint64_t readable = tri_simio_pipe_readable(pipe);
    tr_bytes *bytes = tr_bytes_new(size < readable ? size : (size_t)readable);

    if (bytes == NULL)
        return NULL;
    take_bytes(pipe, bytes->data, bytes->size);
    move_on(pipe);
    return bytes;
}

/* ---- breaking ------------------------------------------------------------------------------- */

static void reset(void *context)
{
    struct tri_simio_wire *wire = context;

    wire->is_broken = true;
    for (unsigned i = 0; i < 2; i++) {
        struct tri_simio_pipe *pipe = &wire->pipes[i];
        tri_sim_cancel(&pipe->travel);
        tri_sim_cancel(&pipe->linger);
        if (tri_sim_choose(2) == 1)
            take_bytes(pipe, NULL, (size_t)tri_simio_pipe_readable(pipe));
    }
    for (unsigned i = 0; i < 2; i++) {
        if (wire->ends[i] != NULL)
            tri_simio_stream_breaks(wire->ends[i], wire->error);
    }
}

void tri_simio_wire_break(struct tri_simio_wire *wire, int error, int64_t delay)
{
    if (wire->is_broken || wire->reset.state != TRI_SIM_EVENT_IDLE)
        return;
    wire->error = error;
    tri_sim_at(&wire->reset, tri_sim_now() + delay);
}

void tri_simio_wire_crash(struct tri_simio_wire *wire)
{
    struct tri_simio_pipe *pipe = &wire->pipes[1];

    tri_sim_cancel(&pipe->linger);
    pipe->written = pipe->taken;
    tri_simio_wire_break(wire, -ECONNRESET, tri_sim_between(0, 50 * TRI_NS_PER_MS));
}

/* ---- life ----------------------------------------------------------------------------------- */

static void pipe_init(struct tri_simio_pipe *pipe, struct tri_simio_wire *wire)
{
    pipe->wire = wire;
    tri_list_init(&pipe->segments);
    pipe->capacity = (uint32_t)tri_sim_between(TRI_SIM_BUFFER_MIN, TRI_SIM_BUFFER_MAX);
    pipe->travel = (struct tri_sim_event){ .happen = travel, .context = pipe };
    pipe->linger = (struct tri_sim_event){ .happen = linger_ends, .context = pipe };
}

struct tri_simio_wire *tri_simio_wire_new(struct tri_simio_stream *first)
{
    struct tri_simio_wire *wire = tri_alloc_zeroed(sizeof(*wire));

    if (wire == NULL)
        return NULL;
    pipe_init(&wire->pipes[0], wire);
    pipe_init(&wire->pipes[1], wire);
    wire->reset = (struct tri_sim_event){ .happen = reset, .context = wire };
    wire->ends[0] = first;
    tri_link_init(&wire->link);
    return wire;
}

static void wire_free(struct tri_simio_wire *wire)
{
    tri_sim_cancel(&wire->reset);
    for (unsigned i = 0; i < 2; i++) {
        struct tri_simio_pipe *pipe = &wire->pipes[i];
        tri_sim_cancel(&pipe->travel);
        tri_sim_cancel(&pipe->linger);
        while (segment_first(pipe) != NULL)
            segment_free(segment_first(pipe));
    }
    tri_free(wire);
}

void tri_simio_wire_leave(struct tri_simio_wire *wire, unsigned side, bool abruptly)
{
    struct tri_simio_pipe *out = &wire->pipes[side];

    wire->ends[side] = NULL;
    wire->has_left[side] = true;
    if (wire->has_left[1 - side]) {
        wire_free(wire);
        return;
    }
    if (wire->is_broken)
        return;
    if (abruptly || tri_simio_pipe_readable(&wire->pipes[1 - side]) > 0) {
        tri_simio_wire_break(wire, -ECONNRESET, latency());
        return;
    }
    tri_simio_pipe_end(out);
    if (tri_simio_pipe_queued(out) > 0)
        tri_sim_at(&out->linger, tri_sim_now() + TRI_LINGER_MS * TRI_NS_PER_MS);
    move_on(&wire->pipes[1 - side]);
}
