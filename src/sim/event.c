/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Events in the order of their times: a pairing heap whose links stand inside its members, so that
 * scheduling cannot fail, and a list of those that are due.
 *
 * Why not the timer wheel. It rounds to milliseconds; a simulated network does not.
 *
 *     above ──► the one before among its siblings, or its parent where it is the first of them
 *
 * Partners: loop.c asks how many are due, and lets one of them happen.
 */

#include "base/assert.h"
#include "sim/inside.h"

static struct tri_sim_event *top;
static struct tri_list due = { { &due.ring, &due.ring } };
static uint32_t due_count;
static uint64_t scheduled;

void tri_sim_events_begin(void)
{
    top = NULL;
    scheduled = 0;
    due_count = 0;
    tri_list_init(&due);
}

static bool is_before(const struct tri_sim_event *a, const struct tri_sim_event *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static struct tri_sim_event *meld(struct tri_sim_event *a, struct tri_sim_event *b)
{
    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (is_before(b, a)) {
        struct tri_sim_event *other = a;
        a = b;
        b = other;
    }
    b->above = a;
    b->sibling = a->child;
    if (a->child != NULL)
        a->child->above = b;
    a->child = b;
    return a;
}

/* One heap of the list of siblings from `first` on: in pairs, and then all of them. */
static struct tri_sim_event *meld_all(struct tri_sim_event *first)
{
    struct tri_sim_event *pairs = NULL, *all = NULL;

    while (first != NULL) {
        struct tri_sim_event *second = first->sibling;
        struct tri_sim_event *rest = second != NULL ? second->sibling : NULL;
        first->above = first->sibling = NULL;
        if (second != NULL)
            second->above = second->sibling = NULL;
        struct tri_sim_event *pair = meld(first, second);
        pair->sibling = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs != NULL) {
        struct tri_sim_event *next = pairs->sibling;
        pairs->sibling = NULL;
        all = meld(all, pairs);
        pairs = next;
    }
    return all;
}

/* Takes an event out of the heap, wherever it stands. */
static void take_out(struct tri_sim_event *event)
{
    struct tri_sim_event *below = meld_all(event->child);

    event->child = NULL;
    if (event == top) {
        top = below;
        return;
    }
    if (event->above->child == event)
        event->above->child = event->sibling;
    else
        event->above->sibling = event->sibling;
    if (event->sibling != NULL)
        event->sibling->above = event->above;
    event->above = event->sibling = NULL;
    top = meld(top, below);
}

void tri_sim_at(struct tri_sim_event *event, int64_t when)
{
    tri_assert(event->state == TRI_SIM_EVENT_IDLE);
    event->when = when;
    event->order = scheduled++;
    event->child = event->sibling = event->above = NULL;
    event->state = TRI_SIM_EVENT_WAITING;
    top = meld(top, event);
}

void tri_sim_cancel(struct tri_sim_event *event)
{
    if (event->state == TRI_SIM_EVENT_WAITING) {
        take_out(event);
    } else if (event->state == TRI_SIM_EVENT_DUE) {
        tri_link_remove(&event->due);
        due_count--;
    }
    event->state = TRI_SIM_EVENT_IDLE;
}

/* ---- the source ----------------------------------------------------------------------------- */

static uint32_t ready(void *context)
{
    (void)context;
    while (top != NULL && top->when <= tri_sim_now()) {
        struct tri_sim_event *event = top;
        take_out(event);
        event->state = TRI_SIM_EVENT_DUE;
        tri_list_push_back(&due, &event->due);
        due_count++;
    }
    return due_count;
}

static struct tri_sim_event *at(uint32_t index)
{
    struct tri_link *link = tri_list_first(&due);

    while (index-- > 0)
        link = link->next;
    return TRI_CONTAINER_OF(link, struct tri_sim_event, due);
}

static uint64_t identify(void *context, uint32_t index)
{
    (void)context;
    return UINT64_MAX - at(index)->order;
}

static void take(void *context, uint32_t index)
{
    struct tri_sim_event *event = at(index);

    (void)context;
    tri_sim_cancel(event);
    event->happen(event->context);
}

static int64_t next(void *context)
{
    (void)context;
    return top != NULL ? top->when : INT64_MAX;
}

struct tri_sim_source tri_sim_events = {
    .ready = ready, .identify = identify, .take = take, .next = next,
};
