/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every request for memory of an echo service fails once, while it starts and while a client talks
 * to it: the client gets its echo or an end, never silence; the next client gets its echo; nothing
 * is left open.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include <troupe/io.h>
#include <troupe/troupe.h>

#include "base/bits.h"
#include "base/ck.h"
#include "base/memory.h"
#include "support/io.h"

static uint32_t armed, until_failure, failed;

static void *starving_alloc(void *context, size_t alignment, size_t size)
{
    (void)context;
    if (tri_load_acquire_32(&armed) != 0
        && tri_fetch_sub_acq_rel_32(&until_failure, 1) == 1) {
        (void)tri_fetch_add_relaxed_32(&failed, 1);
        return NULL;
    }
    alignment = alignment < 16 ? 16 : alignment;
    return aligned_alloc(alignment, tri_align_up(size, alignment));
}

static void plain_free(void *context, void *block)
{
    (void)context;
    free(block);
}

/* ---- the service ---- */

static uint32_t port;

struct echo {
    int unused;
};

TR_ON(echo, tr_given, self, me, msg)
{
    int err = tr_io_take(self, msg->io);

    return err < 0 ? err : tr_read(self, msg->io, 1);
}

TR_ON(echo, tr_data, self, me, msg)
{
    int queued = tr_write_bytes(self, msg->io, msg->bytes);

    tr_io log = tr_file_open(self, .path = "/dev/null", .flags = TR_OPEN_WRITE);
    if (tr_io_error(log) == 0) {
        (void)tr_file_write(self, log, .bytes = msg->bytes);
        (void)tr_path_size(self, .path = "/");
    }
    if (queued != 0)
        return queued < 0 ? queued : TR_OK;
    return tr_read(self, msg->io, 1);
}

TR_ON(echo, tr_eof, self, me, msg)
{
    return TR_STOP;
}

/* What became of the files, and a tr_written, do not matter here. */
TR_OTHERWISE(echo, self, me, msg)
{
    return TR_OK;
}

static const tr_actor_type echo_actor = {
    TR_STATE(echo), .on = TR_TABLE(TR_HANDLES(echo, tr_given), TR_HANDLES(echo, tr_data),
                                   TR_HANDLES(echo, tr_eof)),
    .otherwise = TR_ANYTHING_ELSE(echo),
};

struct door {
    tr_io listener;
};

TR_START(door, self, me)
{
    tr_address address;

    me->listener = tr_listen(self, &(tr_listen_options){
                                       .port = (uint16_t)tri_load_relaxed_32(&port) });
    int err = tr_local_address(self, me->listener, &address);
    if (err == -ENOENT)
        err = tr_io_error(me->listener);
    if (err == 0)
        tri_store_release_32(&port, address.port);
    return err < 0 ? err : tr_accept(self, me->listener, 8);
}

TR_ON(door, tr_accepted, self, me, msg)
{
    int err = msg->error < 0 ? msg->error : tr_accept(self, me->listener, 1);

    if (err < 0)
        return err;
    (void)tr_io_give(self, msg->io, tr_spawn(self, echo)); /* or it is closed with its message */
    return TR_OK;
}

static const tr_actor_type door_actor = {
    TR_STATE(door), .start = TR_STARTS(door), .on = TR_TABLE(TR_HANDLES(door, tr_accepted)),
};

static const tr_supervisor service = {
    .restarts_max = 1000, .within = TR_SEC(100),
    .children = TR_CHILDREN({ .name = "door", TR_CHILD(door, .listener = { 0 }),
                              .restart = TR_PERMANENT }),
};

/* ---- a client ---- */

/* Whether it gets its echo; false: the connection ended. Silence fails the test. */
static bool is_served(void)
{
    int peer = io_peer_connect_again((uint16_t)tri_load_acquire_32(&port));
    struct pollfd waiting = { .fd = peer, .events = POLLIN };
    char answer[4];

    (void)!send(peer, "ping", 4, MSG_NOSIGNAL);
    cr_assert_eq(poll(&waiting, 1, 10000), 1, "silence");
    bool served = recv(peer, answer, 4, MSG_WAITALL) == 4;
    close(peer);
    return served;
}

static unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    cr_assert_not_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void no_log(void *context, tr_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

/* Whether request number `request` was made at all. */
static bool play(uint32_t request)
{
    tr_system *sys = tr_system_start(&(tr_config){ .workers = 1, .log = no_log });
    tr_ref tree = tr_none();

    cr_assert_not_null(sys);
    tri_store_relaxed_32(&port, 0);
    tri_store_relaxed_32(&failed, 0);
    tri_store_relaxed_32(&until_failure, request);
    tri_store_release_32(&armed, 1);
    tree = tr_supervise(sys, &service);
    if (tr_ref_is_some(tree))
        (void)is_served();
    tri_store_release_32(&armed, 0);

    if (!tr_ref_is_some(tree)) {
        cr_assert_eq(tr_ref_error(tree), -ENOMEM);
        tree = tr_supervise(sys, &service);
        cr_assert_eq(tr_ref_error(tree), 0);
    }
    cr_assert(is_served(), "after request %u failed", request);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
    return tri_load_relaxed_32(&failed) != 0;
}

Test(io_out_of_memory, every_request_fails_once, .timeout = 120)
{
    const struct tri_memory_hook hook = { starving_alloc, plain_free, NULL };
    uint32_t request = 1;

    tri_memory_hook_set(&hook);
    (void)play(UINT32_MAX);
    unsigned before = open_descriptors();
    while (play(request))
        request++;
    cr_assert_gt(request, 10);
    cr_assert_eq(open_descriptors(), before);
    tri_memory_hook_set(NULL);
}
