/* SPDX-License-Identifier: BSD-2-Clause */
/* sources: explorer.c memory.c states.c weak.c actors/slot.c actors/deliver.c */
/* sources: mailbox/lane.c mailbox/urgent.c */

/*
 * A slot that changes hands while refs to its first tenant are used: messages, notices and stops on
 * their way meet the end of the first life, the free slot, and the second life.
 *
 * What is demanded: the second life is not stopped by what was meant for the first, and handles no
 * message or notice of its generation but what was sent to it; whatever was accepted is found by
 * one of the two; whoever is refused keeps what it sent; and a slot that two workers share has one
 * tenant at a time.
 */

#include "explorer.h"

#include <errno.h>

#include "actors/covered.h"
#include "actors/deliver.h"
#include "actors/slot.h"

enum { SYSTEM = 3, SLOTS = 8, SENT_MAX = 4 };

struct setup {
    int senders;
    int notices;
    int stoppers;      /* beside the one that ends the first life */
    bool tells_new;    /* somebody sends to the second life when its ref is known */
    bool looks;        /* somebody asks who lives there, and whether the first one does */
    bool is_fresh;     /* the slot has had no life yet, and the senders guess its ref */
};

static const struct setup *setup;
static struct tri_actor slots[SLOTS];
static struct tr_self self;
static struct tri_type type = { .id = 0 };
static struct tri_counts counts[2];
static tr_system sys = { .index = SYSTEM, .shared_counts = counts };
static struct {
    _Alignas(64) struct tri_message message;
} sent[SENT_MAX], notice, news;
static tr_ref first, second;
static int tokens, others_left, accepted, found, ends, stops_sent;
static bool is_running;

/* ---- in place of sched ---- */

void tri_sched_inject(struct tri_sched *sched, struct tri_task *task)
{
    (void)sched;
    EXPECT(task == &slots[1].task);
    explorer_hand_over(); /* as the injector does */
    tokens++;
}

struct tri_worker *tri_worker_current(void)
{
    return NULL;
}

/* All of these: nobody here is a worker, and nothing is simulated. */
bool tri_sim_on;

void tri_covered_hit(enum tri_covered what)
{
    (void)what;
}

void tri_worker_submit_slow(struct tri_worker *worker, struct tri_task *task)
{
    (void)worker, (void)task;
    EXPECT(false);
}

void tri_worker_look_for_help(struct tri_worker *worker)
{
    (void)worker;
    EXPECT(false);
}

void tri_worker_awake_slow(struct tri_worker *worker)
{
    (void)worker;
    EXPECT(false);
}

/* ---- outside ---- */

static void sender(int number)
{
    explorer_touch(&sent[number].message);
    /* Who guesses a ref was not told of the life that it leads to. */
    tr_ref to = setup->is_fresh ? tri_ref_make(1, 1) : first;
    accepted += tri_deliver_message(&sys, NULL, to, &sent[number].message) == 0;
    others_left--;
}

static void noticer(int number)
{
    (void)number;
    accepted += tri_deliver_notice(&sys, NULL, first, &notice.message) == 0;
    others_left--;
}

static bool is_first_known(void *context)
{
    (void)context;
    return tr_ref_is_some(first);
}

static void stopper(int number)
{
    (void)number;
    explorer_wait(is_first_known, NULL);
    (void)tri_deliver_signal(&sys, NULL, first, TRI_SIGNAL_STOP);
    stops_sent++;
    others_left--;
}

static bool is_second_known(void *context)
{
    (void)context;
    return tr_ref_is_some(second);
}

static void newcomer(int number)
{
    (void)number;
    explorer_wait(is_second_known, NULL);
    EXPECT(!tri_slot_has(SYSTEM, first));
    EXPECT(tri_deliver_message(&sys, NULL, second, &news.message) == 0);
    accepted++;
    others_left--;
}

static void onlooker(int number)
{
    (void)number;
    struct tri_actor *actor;
    int error = tri_slot_look(SYSTEM, first, &actor);

    EXPECT(error == 0 || error == -ESRCH);
    EXPECT(error != 0 || actor == &slots[1]);
    tr_ref tenant = tri_slot_tenant(SYSTEM, 1);
    EXPECT(!tr_ref_is_some(tenant) || (uint32_t)tenant.bits == 1);
    others_left--;
}

/* ---- the tenant ---- */

static void begin_life(tr_ref *ret_ref)
{
    struct tri_actor *actor = tri_slot_take(&self);

    EXPECT(actor == &slots[1]);
    *ret_ref = tri_ref_of(actor);
    tri_store_relaxed_ptr(&actor->type, &type);
    tri_lane_open(&actor->lane, 4);
    tri_urgent_open(&actor->urgent, (uint16_t)(tri_urgent_life(&actor->urgent) + 1));
    tri_slot_publish(actor, SYSTEM | 4 << TRI_TERMS_LIMIT_SHIFT);
}

/* All that is taken out: for whom it is must be clear. */
static void take_in(const struct tri_message *message)
{
    uint32_t mine = tri_ref_generation(tri_ref_of(&slots[1]));

    found++;
    explorer_touch(message);
    if (message == &news.message)
        EXPECT(message->generation == mine && ends == 1);
    else
        EXPECT(message->generation == tri_ref_generation(first));
}

static void take_in_all(const struct tri_message *list)
{
    for (; list != NULL; list = list->next)
        take_in(list);
}

static void end_life(struct tri_actor *actor)
{
    EXPECT(ends++ == 0);
    tri_slot_end(actor);
    take_in_all(tri_lane_close(&actor->lane));
    take_in_all(tri_urgent_close(&actor->urgent).notices);
    tri_slot_give(&self, actor);
    tr_ref next;
    begin_life(&next);
    tri_fence_full(); /* a ref travels in a message, which publishes what came before */
    explorer_hand_over();
    second = next;
    tokens++;
}

static void turn(void)
{
    struct tri_actor *actor = &slots[1];
    struct tri_message *message;

    EXPECT(!is_running);
    explorer_touch(&slots[1]);
    is_running = true;
    for (;;) {
        struct tri_urgent_found urgent = tri_urgent_take(&actor->urgent, &actor->lane);
        take_in_all(urgent.notices);
        if (urgent.signals != 0) {
            end_life(actor);
            is_running = false;
            return;
        }
        while ((message = tri_lane_next(&actor->lane)) != NULL) {
            take_in(message);
            tri_lane_done(&actor->lane, message);
        }
        is_running = false;
        if (tri_lane_rest(&actor->lane) == TRI_SLEEP_ASLEEP)
            return;
        is_running = true;
    }
}

void tri_message_free(struct tri_message *message)
{
    (void)message;
}

static bool is_over(void)
{
    return others_left == 0 && tokens == 0 && !is_running;
}

static bool has_work(void *context)
{
    (void)context;
    return tokens > 0 || is_over();
}

static void worker(int number)
{
    (void)number;
    if (setup->is_fresh) {
        tr_ref made;
        begin_life(&made);
        tri_fence_full(); /* as in end_life */
        explorer_hand_over();
        first = made;
        tokens = 1;
    }
    for (;;) {
        explorer_wait(has_work, NULL);
        if (tokens == 0)
            return;
        tokens--;
        turn();
    }
}

/* ---- one schedule ---- */

static void add(void (*run)(int number), int number)
{
    explorer_thread(run, number);
    others_left++;
}

static void start(const void *chosen)
{
    setup = chosen;
    tri_slots = slots;
    tri_slots_used = 1;
    explorer_ignore(counts, sizeof(counts));
    if (!setup->is_fresh) {
        begin_life(&first);
        tokens = 1;
    }
    for (int i = 0; i < setup->senders; i++)
        add(sender, i);
    for (int i = 0; i < setup->notices; i++)
        add(noticer, i);
    for (int i = 0; i <= setup->stoppers; i++)
        add(stopper, i);
    if (setup->tells_new)
        add(newcomer, 0);
    if (setup->looks)
        add(onlooker, 0);
    explorer_thread(worker, 0);
    explorer_name(&slots[1].ref, "ref");
    explorer_name(&slots[1].terms, "terms");
    explorer_name(&slots[1].lane.word, "lane");
    explorer_name(&slots[1].lane.taken, "taken");
    explorer_name(&slots[1].urgent.word, "urgent");
}

static void check(void)
{
    EXPECT(ends == 1);
    EXPECT(found == accepted);
    EXPECT(tri_lane_depth(&slots[1].lane) == 0);
    EXPECT(!tri_slot_has(SYSTEM, first) && tri_slot_has(SYSTEM, second));
}

#define MODEL(name_, ...)                                                                          \
    { .name = "slot/" name_, .start = start, .check = check,                                       \
      .setup = &(const struct setup){ __VA_ARGS__ },                                               \
      .bound = 2, .searched = 300000, .random = 3000 }

static const struct explorer_model models[] = {
    MODEL("message", .senders = 1),
    MODEL("messages", .senders = 2),
    MODEL("stops", .stoppers = 2),
    MODEL("notice", .notices = 1, .stoppers = 1),
    MODEL("new", .senders = 1, .stoppers = 1, .tells_new = true),
    MODEL("fresh", .senders = 1, .is_fresh = true),
    MODEL("look", .stoppers = 1, .looks = true),
};

int main(int argc, char **argv)
{
    return explorer_main(argc, argv, models, sizeof(models) / sizeof(models[0]));
}
