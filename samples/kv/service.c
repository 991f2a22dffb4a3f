/* SPDX-License-Identifier: BSD-2-Clause */

#include "service.h"

#include <errno.h>
#include <stdio.h>

#include "memory.h"

/* ---- messages ---- */

void kv_run_drop(void *msg)
{
    kv_work_free(((struct kv_run *)msg)->work);
}

void kv_ran_drop(void *msg)
{
    kv_work_free(((struct kv_ran *)msg)->work);
}

void kv_append_drop(void *msg)
{
    tr_bytes_drop(((struct kv_append *)msg)->records);
}

void kv_replay_piece_drop(void *msg)
{
    tr_bytes_drop(((struct kv_replay_piece *)msg)->bytes);
}

void kv_snapshot_piece_drop(void *msg)
{
    tr_bytes_drop(((struct kv_snapshot_piece *)msg)->record);
}

tr_bytes *kv_bytes_of(const void *data, size_t size)
{
    tr_bytes *bytes = tr_bytes_new(size);

    if (bytes != NULL && size > 0)
        memcpy(bytes->data, data, size);
    return bytes;
}

/* ---- the tree ---- */

void kv_log_name(char name[KV_NAME_MAX], uint32_t shard)
{
    snprintf(name, KV_NAME_MAX, "kv-log-%u", shard);
}

void kv_shard_name(char name[KV_NAME_MAX], uint32_t shard)
{
    snprintf(name, KV_NAME_MAX, "kv-shard-%u", shard);
}

/* What the tree's children point to while tr_run copies it. */
struct plan {
    tr_child children[2 * KV_SHARDS_MAX + 3];
    char names[2 * KV_SHARDS_MAX][KV_NAME_MAX];
    struct kv_log_actor logs[KV_SHARDS_MAX];
    struct kv_shard shards[KV_SHARDS_MAX];
    struct kv_door door;
    size_t count;
};

static void plan_child(struct plan *plan, const char *name, const tr_actor_type *type,
                       const void *initial)
{
    plan->children[plan->count++] = (tr_child){
        .name = name, .type = type, .initial = initial, .restart = TR_PERMANENT,
    };
}

static void make_plan(struct plan *plan, struct kv_service *service)
{
    uint32_t shards = service->settings.shards;

    for (uint32_t i = 0; i < shards && service->settings.appendonly; i++) {
        char *name = plan->names[i];

        kv_log_name(name, i);
        plan->logs[i] = (struct kv_log_actor){ .service = service, .shard = i };
        plan_child(plan, name, &kv_log_actor_actor, &plan->logs[i]);
    }
    for (uint32_t i = 0; i < shards; i++) {
        char *name = plan->names[KV_SHARDS_MAX + i];

        kv_shard_name(name, i);
        plan->shards[i] = (struct kv_shard){ .service = service, .shard = i };
        plan_child(plan, name, &kv_shard_actor, &plan->shards[i]);
    }
    plan_child(plan, KV_REGISTRY_NAME, &kv_registry_actor, NULL);
    plan->door = (struct kv_door){ .service = service };
    plan_child(plan, "kv-door", &kv_door_actor, &plan->door);
}

/* A shard that is told to crash is restarted at once, as often as clients like; the limit is for
 * one that cannot live. */
int kv_service_run(struct kv_service *service)
{
    struct plan *plan = kv_alloc_zeroed(sizeof *plan);
    tr_supervisor tree = { .strategy = TR_ONE_FOR_ONE, .restarts_max = 200, .within = TR_SEC(1) };
    tr_config config = { .workers = service->settings.workers };
    int err;

    if (plan == NULL)
        return -ENOMEM;
    make_plan(plan, service);
    tree.children = plan->children;
    err = tr_run(&config, &tree);
    kv_free(plan);
    return service->refused ? -EIO : err;
}
