/* SPDX-License-Identifier: BSD-2-Clause */

/* Sending, posting, forwarding, taking; and what becomes of a message that nobody handles. */

#include <pthread.h>

#include "actors/deliver.h"
#include "support/puppet.h"

struct parcel { /* owns what it points to */
    uint32_t *alive;
};
struct letter { /* of any length */
    uint32_t length;
    char text[];
};
struct broad {
    _Alignas(32) unsigned char bytes[32];
};
struct huge {
    unsigned char bytes[5000];
};
struct keep {
    char unused;
};
struct pass {
    tr_ref to;
};
struct unknown {
    char unused;
};

static void parcel_drop(void *msg)
{
    (void)tri_fetch_sub_acq_rel_32(((struct parcel *)msg)->alive, 1);
}

#define POST_MESSAGES(M)                                                                           \
    M(parcel, TR_DROP(parcel_drop)) M(letter) M(broad) M(huge) M(keep) M(pass) M(unknown)
TR_PROTOCOL(post, 902, POST_MESSAGES);

struct clerk {
    struct parcel *kept;
    tr_ref next;
};

static uint32_t parcels, letters_length, broad_sum, huge_sum;
static const void *taken_twice;

TR_ON(clerk, parcel, self, me, msg)
{
    if (tr_ref_is_some(me->next))
        return tr_forward(self, me->next);
    me->kept = tr_take(self, parcel);
    taken_twice = tr_take(self, parcel);
    return TR_OK;
}

TR_ON(clerk, letter, self, me, msg)
{
    cr_assert_eq(tr_size(self), sizeof(struct letter) + msg->length);
    letters_length += msg->length;
    return TR_OK;
}

TR_ON(clerk, broad, self, me, msg)
{
    cr_assert_eq((uintptr_t)msg % 32, 0u);
    broad_sum += msg->bytes[31];
    return TR_OK;
}

TR_ON(clerk, huge, self, me, msg)
{
    huge_sum += msg->bytes[4999];
    return TR_OK;
}

TR_ON(clerk, keep, self, me, msg)
{
    tr_drop(me->kept);
    me->kept = NULL;
    return TR_OK;
}

TR_ON(clerk, pass, self, me, msg)
{
    if (me->kept != NULL)
        return tr_post(self, msg->to, &me->kept);
    me->next = msg->to;
    return TR_OK;
}

TR_ON(clerk, puppet_act, self, me, msg)
{
    return tr_reply(self, puppet_done, .result = msg->act(self, msg->arg));
}

static const tr_actor_type clerk_actor = {
    TR_STATE(clerk),
    .on = TR_TABLE(TR_HANDLES(clerk, parcel), TR_HANDLES(clerk, letter), TR_HANDLES(clerk, broad),
                   TR_HANDLES(clerk, huge), TR_HANDLES(clerk, keep), TR_HANDLES(clerk, pass),
                   TR_HANDLES(clerk, puppet_act)),
};

static int nothing(tr_self *self, void *arg)
{
    (void)self;
    (void)arg;
    return 0;
}

static void finish(tr_system *sys)
{
    puppet_check_stats(sys);
    cr_assert_eq(tr_system_stop(sys, TR_SEC(20)), 0);
}

Test(send, every_size_and_alignment)
{
    tr_system *sys = puppet_system(1);
    tr_ref clerk = tr_spawn(sys, clerk);
    struct huge huge = { { 0 } };

    huge.bytes[4999] = 9;
    cr_assert_eq(tr_send_copy(sys, clerk, huge, &huge), 0);
    cr_assert_eq(tr_send(sys, clerk, broad, .bytes = { [31] = 7 }), 0);
    cr_assert_eq(puppet_do(sys, clerk, nothing, NULL), 0);
    cr_assert_eq(broad_sum, 7);
    cr_assert_eq(huge_sum, 9);
    finish(sys);
}

Test(send, raw_messages_of_any_length)
{
    tr_system *sys = puppet_system(1);
    tr_ref clerk = tr_spawn(sys, clerk);
    static unsigned char room[17 << 20];
    uint32_t sum = 0;

    for (uint32_t length = 0; length <= 400; length++, sum += length - 1) {
        memcpy(room, &length, sizeof length);
        cr_assert_eq(tr_send_raw(sys, clerk, letter, room, sizeof(struct letter) + length), 0);
        cr_assert_eq(puppet_do(sys, clerk, nothing, NULL), 0);
    }
    cr_assert_eq(letters_length, sum);
    cr_assert_eq(tr_send_raw(sys, clerk, letter, room, 3), -EMSGSIZE);
    cr_assert_eq(tr_send_raw(sys, clerk, letter, room, sizeof room), -EMSGSIZE);
    finish(sys);
}

Test(send, refs_that_name_nobody)
{
    tr_system *sys = puppet_system(1), *other = puppet_system(1);
    tr_ref clerk = tr_spawn(sys, clerk), stranger = tr_spawn(other, clerk);
    tr_ref forged = { ~UINT64_C(0) }, early = { clerk.bits & UINT32_MAX };

    cr_assert_eq(tr_send(sys, tr_none(), keep), -ESRCH);
    cr_assert_eq(tr_send(sys, forged, keep), -ESRCH);
    cr_assert_eq(tr_send(sys, early, keep), -ESRCH);
    cr_assert_eq(tr_send(sys, stranger, keep), -EINVAL);
    cr_assert_eq(tr_kill(sys, clerk), 0);
    WAIT_FOR(tr_send(sys, clerk, keep) == -ESRCH);
    cr_assert_eq(tr_stop(sys, clerk), -ESRCH);
    cr_assert_eq(tr_system_send(NULL, clerk, &keep_info, &forged), -EINVAL);
    cr_assert_eq(tr_system_send(sys, stranger, NULL, &forged), -EINVAL);
    cr_assert_eq(tr_system_send(sys, stranger, &keep_info, NULL), -EINVAL);
    finish(other);
    finish(sys);
}

Test(send, a_slot_that_is_used_again_does_not_take_old_messages, .timeout = 60)
{
    tr_system *sys = puppet_system(2);

    for (int i = 0; i < 2000; i++) {
        tr_ref old = tr_spawn(sys, clerk);
        cr_assert_eq(tr_kill(sys, old), 0);
        WAIT_FOR(tr_send(sys, old, keep) == -ESRCH);
        tr_ref new = tr_spawn(sys, clerk);
        cr_assert_eq(tr_send(sys, old, keep), -ESRCH);
        cr_assert_eq(tr_kill(sys, new), 0);
    }
    finish(sys);
}

struct gate {
    uint32_t reached, open;
};

static int waits_at(tr_self *self, void *arg)
{
    struct gate *gate = arg;

    (void)self;
    tri_store_release_32(&gate->reached, 1);
    WAIT_FOR(tri_load_acquire_32(&gate->open));
    return 0;
}

Test(send, a_full_mailbox_refuses)
{
    tr_system *sys = puppet_system(1);
    tr_ref small = tr_spawn_with(sys, &(tr_spawn_options){ .capacity = 8 }, puppet);
    tr_ref endless = tr_spawn_with(sys, &(tr_spawn_options){ .overflow = TR_UNBOUNDED }, puppet);
    struct gate gate = { 0, 0 };
    int sent = 0;

    cr_assert_eq(tr_send(sys, small, puppet_act, .act = waits_at, .arg = &gate), 0);
    WAIT_FOR(tri_load_acquire_32(&gate.reached));
    while (tr_send(sys, small, puppet_note, .value = 1) == 0)
        sent++;
    cr_assert_eq(sent, 7, "the message in hand counts until it is handled");
    cr_assert_eq(tr_send(sys, small, puppet_note, .value = 1), -ENOBUFS);
    for (int i = 0; i < 3000; i++)
        cr_assert_eq(tr_send(sys, endless, puppet_note, .value = 2), 0);
    tri_store_release_32(&gate.open, 1);
    WAIT_FOR(diary_count(DIARY_NOTE) == 3007);
    finish(sys);
}

struct waiter {
    tr_system *sys;
    tr_ref to;
    tr_time timeout;
    int result;
};

static void *sends_and_waits(void *arg)
{
    struct waiter *waiter = arg;
    struct puppet_note note = { 5 };

    waiter->result = tr_send_wait(waiter->sys, waiter->to, puppet_note, &note, waiter->timeout);
    return NULL;
}

Test(send, threads_wait_for_room)
{
    enum { WAITERS = 12 };
    tr_system *sys = puppet_system(1);
    tr_ref small = tr_spawn_with(sys, &(tr_spawn_options){ .capacity = 2 }, puppet);
    struct gate gate = { 0, 0 };
    struct waiter waiters[WAITERS], impatient = { sys, small, TR_MS(5), 0 };
    pthread_t threads[WAITERS];

    cr_assert_eq(tr_send(sys, small, puppet_act, .act = waits_at, .arg = &gate), 0);
    WAIT_FOR(tri_load_acquire_32(&gate.reached));
    cr_assert_eq(tr_send(sys, small, puppet_note, .value = 1), 0);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){ sys, small, TR_SEC(20), 1 };
        cr_assert_eq(pthread_create(&threads[i], NULL, sends_and_waits, &waiters[i]), 0);
    }
    sends_and_waits(&impatient);
    cr_assert_eq(impatient.result, -ETIMEDOUT);
    tri_store_release_32(&gate.open, 1);
    for (int i = 0; i < WAITERS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_eq(waiters[i].result, 0);
    }
    WAIT_FOR(diary_count(DIARY_NOTE) == WAITERS + 1);
    finish(sys);
}

Test(send, who_waits_for_room_learns_of_the_end)
{
    tr_system *sys = puppet_system(1);
    tr_ref small = tr_spawn_with(sys, &(tr_spawn_options){ .capacity = 1 }, puppet);
    struct gate gate = { 0, 0 };
    struct waiter waiter = { sys, small, TR_SEC(20), 0 };
    pthread_t thread;

    cr_assert_eq(tr_send(sys, small, puppet_act, .act = waits_at, .arg = &gate), 0);
    WAIT_FOR(tri_load_acquire_32(&gate.reached));
    cr_assert_eq(pthread_create(&thread, NULL, sends_and_waits, &waiter), 0);
    cr_assert_eq(tr_kill(sys, small), 0);
    tri_store_release_32(&gate.open, 1);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    /* Or there was room for a moment: then its message is one of those that nobody handled. */
    cr_assert(waiter.result == -ESRCH || waiter.result == 0);
    finish(sys);
}

/* ---- messages that own something ------------------------------------------------------------ */

static struct parcel *new_parcel(void)
{
    struct parcel *parcel = tr_new(parcel);

    cr_assert_not_null(parcel);
    parcel->alive = &parcels;
    (void)tri_fetch_add_acq_rel_32(&parcels, 1);
    return parcel;
}

Test(send, a_posted_message_is_moved_and_dropped_once)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, clerk), b = tr_spawn(sys, clerk);
    struct parcel *parcel = new_parcel();

    cr_assert_eq(tr_post(sys, tr_none(), &parcel), -ESRCH);
    cr_assert_not_null(parcel);
    cr_assert_eq(tr_post(sys, a, &parcel), 0);
    cr_assert_null(parcel);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_null(taken_twice);
    cr_assert_eq(parcels, 1, "it was taken");
    cr_assert_eq(tr_send(sys, a, pass, .to = b), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(parcels, 1, "it was posted on and taken again");
    cr_assert_eq(tr_send(sys, b, keep), 0);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(parcels, 0);
    tr_drop(NULL);
    finish(sys);
}

Test(send, what_is_taken_goes_with_the_incarnation_and_what_is_queued_too)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, clerk), b = tr_spawn(sys, puppet);
    struct parcel *parcel = new_parcel(), *queued = new_parcel(), *strange = new_parcel();
    struct gate gate = { 0, 0 };

    cr_assert_eq(tr_post(sys, a, &parcel), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(tr_post(sys, b, &strange), 0);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(parcels, 2, "one that nobody handled is dropped");
    cr_assert_eq(tr_send(sys, a, puppet_act, .act = waits_at, .arg = &gate), 0);
    WAIT_FOR(tri_load_acquire_32(&gate.reached));
    cr_assert_eq(tr_post(sys, a, &queued), 0);
    cr_assert_eq(tr_kill(sys, a), 0);
    tri_store_release_32(&gate.open, 1);
    WAIT_FOR(tri_load_acquire_32(&parcels) == 0);
    finish(sys);
}

Test(send, forwarding_keeps_the_message)
{
    tr_system *sys = puppet_system(2);
    tr_ref a = tr_spawn(sys, clerk), b = tr_spawn(sys, clerk);
    struct parcel *parcel = new_parcel();

    cr_assert_eq(tr_send(sys, a, pass, .to = b), 0);
    cr_assert_eq(tr_post(sys, a, &parcel), 0);
    cr_assert_eq(puppet_do(sys, a, nothing, NULL), 0);
    cr_assert_eq(puppet_do(sys, b, nothing, NULL), 0);
    cr_assert_eq(parcels, 1);
    cr_assert_eq(tr_kill(sys, b), 0);
    WAIT_FOR(tri_load_acquire_32(&parcels) == 0);
    parcel = new_parcel();
    cr_assert_eq(tr_post(sys, a, &parcel), 0);
    WAIT_FOR(tri_load_acquire_32(&parcels) == 0);
    WAIT_FOR(tr_send(sys, a, keep) == -ESRCH);
    finish(sys);
}

/* ---- dead letters --------------------------------------------------------------------------- */

static int subscribes(tr_self *self, void *arg)
{
    return tr_dead_letters(self, *(bool *)arg);
}

Test(send, dead_letters_are_told_to_who_subscribes)
{
    tr_system *sys = puppet_system(1);
    tr_ref reader = tr_spawn(sys, puppet), clerk = tr_spawn(sys, clerk);
    bool on = true, off = false;
    tr_stats stats;

    cr_assert_eq(puppet_do(sys, reader, subscribes, &on), 0);
    cr_assert_eq(puppet_do(sys, reader, subscribes, &on), 0);
    cr_assert_eq(tr_send(sys, clerk, unknown), 0);
    WAIT_FOR(diary_count(DIARY_DEAD_LETTER) == 1);
    cr_assert_eq(diary_find(DIARY_DEAD_LETTER, 0)->code, (int)TR_DEAD_UNHANDLED);
    cr_assert_eq(diary_find(DIARY_DEAD_LETTER, 0)->value, (uint64_t)TR_TAG_unknown);
    cr_assert_eq(puppet_do(sys, reader, subscribes, &off), 0);
    cr_assert_eq(tr_send(sys, clerk, unknown), 0);
    cr_assert_eq(puppet_do(sys, clerk, nothing, NULL), 0);
    cr_assert_eq(puppet_do(sys, reader, nothing, NULL), 0);
    cr_assert_eq(diary_count(DIARY_DEAD_LETTER), 1);
    cr_assert_eq(tr_type_stats(sys, &clerk_actor, &stats), 0);
    cr_assert_eq(stats.dead_letters, 2);
    finish(sys);
}

/* ---- self ----------------------------------------------------------------------------------- */

static tr_self *stolen;

static int steals_self(tr_self *self, void *arg)
{
    (void)arg;
    stolen = self;
    return 0;
}

static void *uses_stolen_self(void *arg)
{
    *(int *)arg = tr_self_send(stolen, tr_none(), &keep_info, &(struct keep){ 0 });
    return NULL;
}

Test(send, self_is_refused_outside_its_handler_and_on_other_threads)
{
    tr_system *sys = puppet_system(1);
    tr_ref a = tr_spawn(sys, clerk);
    int result = 0;

    cr_assert_eq(puppet_do(sys, a, steals_self, NULL), 0);
    uses_stolen_self(&result);
    cr_assert_eq(result, -EPERM);
    cr_assert_eq(tr_self_send(NULL, a, &keep_info, &(struct keep){ 0 }), -EINVAL);
    cr_assert_eq(tr_link(stolen, a), -EPERM);
    cr_assert_null(tr_alloc(stolen, 8));
    finish(sys);
}
