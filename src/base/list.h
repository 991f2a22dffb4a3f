/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_LIST_H
#define TRI_BASE_LIST_H

/*
 * A doubly linked list whose links stand inside its members: adding and removing cannot fail, and
 * removing needs no search. The list's head is a link like the others, in a ring with them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bits.h"

struct tri_link {
    struct tri_link *next;
    struct tri_link *previous;
};

/* The head of a list: `next` is its first member, `previous` its last. */
struct tri_list {
    struct tri_link ring;
};

static inline void tri_list_init(struct tri_list *list)
{
    list->ring.next = &list->ring;
    list->ring.previous = &list->ring;
}

static inline bool tri_list_is_empty(const struct tri_list *list)
{
    return list->ring.next == &list->ring;
}

static inline void tri_link_insert_before(struct tri_link *place, struct tri_link *link)
{
    link->next = place;
    link->previous = place->previous;
    place->previous->next = link;
    place->previous = link;
}

static inline void tri_list_push_back(struct tri_list *list, struct tri_link *link)
{
    tri_link_insert_before(&list->ring, link);
}

static inline void tri_list_push_front(struct tri_list *list, struct tri_link *link)
{
    tri_link_insert_before(list->ring.next, link);
}

/* Takes a link out of the list it is in, and makes it alone: removing it again does nothing. */
static inline void tri_link_remove(struct tri_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link;
    link->previous = link;
}

/* Makes a link that is in no list safe to remove. */
static inline void tri_link_init(struct tri_link *link)
{
    link->next = link;
    link->previous = link;
}

static inline bool tri_link_is_alone(const struct tri_link *link)
{
    return link->next == link;
}

/* The first member's link, or NULL. */
static inline struct tri_link *tri_list_first(const struct tri_list *list)
{
    return tri_list_is_empty(list) ? NULL : list->ring.next;
}

static inline struct tri_link *tri_list_last(const struct tri_list *list)
{
    return tri_list_is_empty(list) ? NULL : list->ring.previous;
}

/* Takes the first member out, or answers NULL. */
static inline struct tri_link *tri_list_pop_front(struct tri_list *list)
{
    struct tri_link *first = tri_list_first(list);

    if (first != NULL)
        tri_link_remove(first);
    return first;
}

/* Walks over all links; the body may remove `link`, and nothing else. */
#define TRI_LIST_EACH(list, link)                                                                  \
    for (struct tri_link *link = (list)->ring.next, *link##_next = link->next;                     \
         link != &(list)->ring; link = link##_next, link##_next = link->next)

#endif
