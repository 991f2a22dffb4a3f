/* SPDX-License-Identifier: BSD-2-Clause */

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
    last->next = NULL;
    tri_spin_lock(&injector->lock);
    if (injector->last == NULL)
        injector->first = first;
    else
        injector->last->next = first;
    injector->last = last;
    change_length(injector, count);
    tri_spin_unlock(&injector->lock);
}

struct tri_task *tri_injector_take(struct tri_injector *injector, uint32_t count)
{
    struct tri_task *last;
    uint32_t taken = 1;

    if (tri_injector_length(injector) == 0 || count == 0)
        return NULL;
    tri_spin_lock(&injector->lock);
    struct tri_task *first = injector->first;
    if (first != NULL) {
        for (last = first; taken < count && last->next != NULL; last = last->next)
            taken++;
        injector->first = last->next;
        if (injector->first == NULL)
            injector->last = NULL;
        last->next = NULL;
        change_length(injector, 0 - (uint64_t)taken);
    }
    tri_spin_unlock(&injector->lock);
    return first;
}
