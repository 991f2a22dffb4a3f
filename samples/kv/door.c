/* SPDX-License-Identifier: BSD-2-Clause */

/* Lets clients in, once all shards have replayed their logs, and makes a connection for each. */

#include <stdio.h>

#include "service.h"

#define CREDITS 64u

/* A log of gigabytes takes its time; a shard that crashes meanwhile answers at once. */
static const tr_ask_policy patient = { .timeout = TR_SEC(24 * 3600) };

static int hail(tr_self *self, struct kv_door *me, uint32_t shard)
{
    void *context = (void *)(uintptr_t)shard;

    return tr_call_error(
        tr_ask_with(self, me->service->shards[shard], &patient, context, kv_hail, 0));
}

TR_START(kv_door, self, me)
{
    me->ready = 0;
    me->service->clients = tr_lookup(self, KV_REGISTRY_NAME);
    me->service->settings.system = tr_system_of(self);
    for (uint32_t i = 0; i < me->service->settings.shards; i++) {
        char name[KV_NAME_MAX];
        int err;

        kv_shard_name(name, i);
        me->service->shards[i] = tr_lookup(self, name);
        err = hail(self, me, i);
        if (err < 0)
            return err;
    }
    return 0;
}

TR_ON(kv_door, tr_failed, self, me, msg)
{
    return hail(self, me, (uint32_t)(uintptr_t)tr_context(self));
}

static int open_door(tr_self *self, struct kv_door *me)
{
    struct kv_settings *settings = &me->service->settings;
    tr_address address = { .port = settings->port };
    int err;

    me->listener = tr_listen(self, &(tr_listen_options){
        .host = settings->bind, .port = settings->port });
    err = tr_io_error(me->listener);
    if (err < 0) {
        fprintf(stderr, "troupe-kv: cannot listen on %s port %u: error %d\n", settings->bind,
                settings->port, -err);
        me->service->refused = true;
        tr_self_shutdown(self);
        return 0;
    }
    tr_local_address(self, me->listener, &address);
    settings->port = address.port;
    printf("troupe-kv is ready on port %u: %u shards, %u workers, appendonly %s\n", address.port,
           settings->shards, settings->workers, settings->appendonly ? "yes" : "no");
    fflush(stdout);
    return tr_accept(self, me->listener, CREDITS);
}

TR_ON(kv_door, kv_ready, self, me, msg)
{
    return ++me->ready == me->service->settings.shards ? open_door(self, me) : TR_OK;
}

TR_ON(kv_door, tr_accepted, self, me, msg)
{
    tr_ref connection;
    int err;

    if (msg->error < 0)
        return msg->error;
    tr_accept(self, msg->listener, 1);
    err = tr_io_take(self, msg->io);
    if (err < 0)
        return TR_OK;  /* it has gone already */
    connection = kv_connection_spawn(self, me->service, ++me->clients);
    err = tr_io_give(self, msg->io, connection);
    if (err < 0)
        tr_close(self, msg->io);
    return TR_OK;
}

const tr_actor_type kv_door_actor = {
    TR_STATE(kv_door), .start = TR_STARTS(kv_door), .overflow = TR_UNBOUNDED,
    .on = TR_TABLE(TR_HANDLES(kv_door, tr_failed), TR_HANDLES(kv_door, kv_ready),
                   TR_HANDLES(kv_door, tr_accepted)),
};
