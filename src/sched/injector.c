/* SPDX-License-Identifier: BSD-2-Clause */

/* See injector.h. */

#include "sched/injector.h"

#include <stddef.h>

static void change_length(struct tri_injector *injector, uint64_t by)
{
    /* relaxed: a hint; who must not miss a task passes a fence first, see sched/idle.h. */
    tri_store_relaxed_64(&injector->length, tri_load_relaxed_64(&injector->length) + by);
}

void tri_injector_add(struct tri_injector *injector, struct tri_task *first,
                      struct tri_task *last, uint32_t count)
{
    struct tri_injected *added = &injector->added;

    last->next = NULL;
    tri_spin_lock(&injector->lock);
    if (added->last == NULL)
        added->first = first;
    else
        added->last->next = first;
    added->last = last;
    change_length(injector, count);
    tri_spin_unlock(&injector->lock);
}

void tri_injector_spill(struct tri_injector *injector, struct tri_task *first,
                        struct tri_task *last, uint32_t count)
{
    struct tri_injected *spilled = &injector->spilled;

    tri_spin_lock(&injector->lock);
    last->next = spilled->first;
    spilled->first = first;
    if (spilled->last == NULL)
        spilled->last = last;
    change_length(injector, count);
    tri_spin_unlock(&injector->lock);
}

/* With the lock held, and something there: whose turn it is, or whoever has anything. */
static struct tri_injected *choose(struct tri_injector *injector)
{
    uint32_t turn = injector->takes++ % 8;

    if (turn == 0) {
        if (injector->aged.first == NULL) {
            injector->aged = injector->spilled;
            injector->spilled = (struct tri_injected){ NULL, NULL };
        }
        if (injector->aged.first != NULL)
            return &injector->aged;
    }
    if (injector->added.first != NULL && (turn % 2 != 0 || injector->spilled.first == NULL))
        return &injector->added;
    return injector->spilled.first != NULL ? &injector->spilled : &injector->aged;
}

/* Up to `count` from its front; how many. */
static uint32_t cut(struct tri_injected *list, uint32_t count, struct tri_task **ret_first)
{
    struct tri_task *last = list->first;
    uint32_t taken = 1;

    *ret_first = last;
    for (; taken < count && last->next != NULL; last = last->next)
        taken++;
    list->first = last->next;
    if (list->first == NULL)
        list->last = NULL;
    last->next = NULL;
    return taken;
}

struct tri_task *tri_injector_take(struct tri_injector *injector, uint32_t count)
{
    struct tri_task *first = NULL;

    if (tri_injector_length(injector) == 0 || count == 0)
        return NULL;
    tri_spin_lock(&injector->lock);
    if (tri_injector_length(injector) > 0)
        change_length(injector, 0 - (uint64_t)cut(choose(injector), count, &first));
    tri_spin_unlock(&injector->lock);
    return first;
}
