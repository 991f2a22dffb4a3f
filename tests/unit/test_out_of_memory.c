/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Every request for memory fails once: the call says -ENOMEM or does without, nothing is lost, and
 * the system goes on. The requests of a scenario are counted first, then each is made to fail.
 */

#include "base/memory.h"
#include "support/puppet.h"

static uint32_t armed, until_failure, failed;

static void *alloc(void *context, size_t alignment, size_t size)
{
    (void)context;
    if (tri_load_acquire_32(&armed)) {
        uint32_t left = tri_load_relaxed_32(&until_failure);
        while (left > 0 && !tri_cas_relaxed_32(&until_failure, &left, left - 1))
            continue;
        if (left == 1) {
            (void)tri_fetch_add_relaxed_32(&failed, 1);
            return NULL;
        }
    }
    return aligned_alloc(alignment < 16 ? 16 : alignment,
                         (size + alignment + 15) / (alignment < 16 ? 16 : alignment)
                             * (alignment < 16 ? 16 : alignment));
}

static void release(void *context, void *block)
{
    (void)context;
    free(block);
}

static const struct tri_memory_hook hook = { alloc, release, NULL };

static void nothing_to_do(void *arg)
{
    (void)arg;
}

struct stage {
    tr_system *sys;
    tr_ref actor, other;
};

/* ---- scenarios: 0 or -ENOMEM ---------------------------------------------------------------- */

static const tr_spawn_options close_by = { .link = true, .monitor = true };

static int in_actor(tr_self *self, void *arg)
{
    struct stage *stage = arg;
    tr_token token;
    int worst = 0, error;

#define TRY(call)                                                                                  \
    do {                                                                                           \
        error = (call);                                                                            \
        if (error < 0 && error != -ENOMEM && error != -ENOENT && error != -EALREADY)               \
            return error;                                                                          \
        if (error == -ENOMEM)                                                                      \
            worst = error;                                                                         \
    } while (0)

    TRY(tr_defer(self, nothing_to_do, NULL));
    TRY(tr_alloc(self, 100) == NULL ? -ENOMEM : 0);
    TRY(tr_link(self, stage->other));
    TRY(tr_monitor(self, stage->other, &token));
    TRY(tr_watch(self, stage->other, &token));
    TRY(tr_suspend(self, stage->other));
    TRY(tr_resume(self, stage->other));
    TRY(tr_timer_error(tr_after(self, TR_SEC(100), puppet_note, .value = 1)));
    TRY(tr_timer_error(tr_every(self, TR_SEC(100), puppet_note, .value = 1)));
    TRY(tr_call_error(tr_ask(self, stage->other, &puppet_patience, puppet_note)));
    TRY(tr_idle_after(self, TR_SEC(100)));
    TRY(tr_dead_letters(self, true));
    TRY(tr_ref_error(tr_spawn_with(self, &close_by, puppet)));
    TRY(tr_send(self, stage->other, puppet_note, .value = 1));
#undef TRY
    return worst;
}

static int idles(tr_self *self, void *arg)
{
    (void)self;
    (void)arg;
    return 0;
}

static const tr_supervisor tree = {
    .restarts_max = 5, .within = TR_SEC(10),
    .children = TR_CHILDREN({ .name = "left", TR_CHILD(puppet) },
                            { .name = "right", TR_CHILD(puppet) }),
};

static uint32_t request; /* the one that fails */

#define soft(call)                                                                                 \
    do {                                                                                           \
        int soft_error = (call);                                                                   \
        cr_assert(soft_error == 0 || soft_error == -ENOMEM, "%s gave %d, without request %u",      \
                  #call, soft_error, request);                                                     \
    } while (0)

/* What is allowed to fail while memory does, must not fail otherwise. */
static void play(bool starve)
{
    struct puppet_note note = { 1 };
    struct stage stage = { NULL, tr_none(), tr_none() };
    int error;

    tri_store_release_32(&armed, starve);
    error = tr_system_open(&(tr_config){ .workers = 1 }, &stage.sys);
    soft(error);
    if (error < 0)
        return;
    stage.actor = tr_spawn_with(stage.sys, &(tr_spawn_options){ .name = "a" }, puppet);
    stage.other = tr_spawn(stage.sys, puppet);
    if (tr_ref_is_some(stage.actor) && tr_ref_is_some(stage.other)) {
        soft(puppet_do(stage.sys, stage.actor, in_actor, &stage));
        soft(tr_send_copy(stage.sys, stage.other, puppet_note, &note));
        soft(tr_send_wait(stage.sys, stage.other, puppet_note, &note, TR_SEC(20)));
        soft(tr_suspend(stage.sys, stage.other));
        error = tr_resume(stage.sys, stage.other);
        cr_assert(error == 0 || error == -ENOMEM || error == -EALREADY);
    } else {
        soft(tr_ref_is_some(stage.actor) ? 0 : tr_ref_error(stage.actor));
        soft(tr_ref_is_some(stage.other) ? 0 : tr_ref_error(stage.other));
    }
    soft(tr_ref_error(tr_supervise(stage.sys, &tree)));
    tri_store_release_32(&armed, 0);

    /* It goes on as if nothing had been. */
    tr_ref after = tr_spawn(stage.sys, puppet);
    cr_assert_eq(puppet_do(stage.sys, after, idles, NULL), 0);
    puppet_check_stats(stage.sys);
    cr_assert_eq(tr_system_stop(stage.sys, TR_SEC(20)), 0);
}

Test(out_of_memory, every_request_fails_once, .timeout = 240)
{
    uint32_t requests;

    tri_memory_hook_set(&hook);
    play(false);
    tri_store_relaxed_32(&until_failure, UINT32_MAX);
    play(true);
    requests = UINT32_MAX - tri_load_relaxed_32(&until_failure);
    cr_assert_gt(requests, 30);
    for (uint32_t i = 1; i <= requests; i++) {
        request = i;
        tri_store_relaxed_32(&until_failure, i);
        play(true);
    }
    cr_assert_gt(tri_load_relaxed_32(&failed), requests / 2);
}
