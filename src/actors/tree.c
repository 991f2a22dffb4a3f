/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Trees of supervision as data: checked, copied, freed. See place.h.
 *
 * Everything a user gave is copied before the first actor is made, so that a bad tree starts
 * nothing, and types are compiled, so that a malformed one is found here.
 */

#include <errno.h>
#include <string.h>

#include "actors/names.h"
#include "actors/notice.h"
#include "actors/place.h"
#include "base/memory.h"

/* What backoff_max is when it is not said, in backoff_mins: six doublings. */
#define BACKOFF_SPAN 64

static int new_tree(const tr_supervisor *spec, uint32_t depth, struct tri_tree **ret_tree);

/* ---- checks --------------------------------------------------------------------------------- */

static bool is_end(const tr_child *spec)
{
    return spec->name == NULL && spec->type == NULL && spec->tree == NULL;
}

static int check_child(const tr_child *spec)
{
    if ((spec->type != NULL) == (spec->tree != NULL))
        return -EINVAL;
    if (spec->name != NULL && tri_name_check(spec->name) < 0)
        return -EINVAL;
    if ((unsigned)spec->restart > TR_TEMPORARY || (unsigned)spec->queue > TR_QUEUE_DEAD_LETTER)
        return -EINVAL;
    if (spec->grace < 0 || tri_limit_of(spec->capacity, spec->overflow) < 0)
        return -EINVAL;
    return 0;
}

static int check_supervisor(const tr_supervisor *spec)
{
    if (spec == NULL || spec->strategy != TR_ONE_FOR_ONE)
        return -EINVAL;
    return spec->within >= 0 && spec->backoff_min >= 0 && spec->backoff_max >= 0 ? 0 : -EINVAL;
}

/* ---- places --------------------------------------------------------------------------------- */

/* A copy of `size` bytes; NULL of NULL is no failure. */
static int copy(const void *from, size_t size, const void **ret_copy)
{
    void *bytes = NULL;

    if (from != NULL && size > 0) {
        bytes = tri_alloc(size);
        if (bytes == NULL)
            return -ENOMEM;
        memcpy(bytes, from, size);
    }
    *ret_copy = bytes;
    return 0;
}

static int fill_place(struct tri_place *place, const tr_child *spec, uint32_t depth)
{
    const void *name = NULL, *initial = NULL;
    struct tri_type *type;
    int error;

    place->spec = *spec;
    place->spec.name = NULL;
    place->spec.initial = NULL;
    place->spec.tree = NULL;
    error = copy(spec->name, spec->name != NULL ? strlen(spec->name) + 1 : 0, &name);
    place->spec.name = name;
    if (error == 0 && spec->tree != NULL)
        return new_tree(spec->tree, depth + 1, &place->tree);
    if (error == 0)
        error = tri_type_compile(spec->type, &type);
    if (error == 0)
        error = copy(spec->initial, spec->type->state_size, &initial);
    place->spec.initial = initial;
    return error;
}

static int new_place(const tr_child *spec, uint32_t depth, struct tri_place **ret_place)
{
    int error = check_child(spec);
    struct tri_place *place = error == 0 ? tri_alloc_zeroed(sizeof *place) : NULL;

    if (place == NULL)
        return error < 0 ? error : -ENOMEM;
    tri_link_init(&place->link);
    error = fill_place(place, spec, depth);
    if (error < 0) {
        tri_place_free(place);
        return error;
    }
    if (spec->grace == 0)
        place->spec.grace = spec->tree != NULL ? TR_FOREVER : TR_MS(TRI_CHILD_USUAL_MS);
    place->child.restart = spec->restart;
    place->child.queue = spec->queue;
    place->child.initial = place->tree != NULL ? (const void *)&place->tree : place->spec.initial;
    place->child.started.tag = TRI_NOTICE_CHILD_STARTED;
    place->child.ended.tag = TRI_NOTICE_CHILD_ENDED;
    place->child.gone.tag = TRI_NOTICE_CHILD_GONE;
    place->child.restarted.tag = TRI_NOTICE_RESTART;
    *ret_place = place;
    return 0;
}

int tri_place_new(const tr_child *spec, struct tri_place **ret_place)
{
    return spec != NULL ? new_place(spec, 0, ret_place) : -EINVAL;
}

void tri_place_free(struct tri_place *place)
{
    tri_outcome_tell(place->outcome, -ESRCH, tr_none());
    tri_tree_free(place->tree);
    tri_free((void *)(uintptr_t)place->spec.name);
    tri_free((void *)(uintptr_t)place->spec.initial);
    tri_free(place);
}

/* ---- trees ---------------------------------------------------------------------------------- */

/* A child that is not to come back has left as soon as its actor has ended, which others may know
 * before its supervisor has read it. */
static bool has_left(const struct tri_tree *tree, const struct tri_place *place)
{
    if (tree->phase != TRI_TREE_RUNNING
        || (!place->is_dynamic && place->spec.restart != TR_TEMPORARY))
        return false;
    if (!tr_ref_is_some(place->ref))
        return place->state == TRI_PLACE_ABSENT;
    /* acquire: that it has ended; pairs with the release in lifecycle.c. */
    return tri_load_acquire_64(&tri_slot_at(place->ref)->ref) != place->ref.bits;
}

struct tri_place *tri_tree_find(const struct tri_tree *tree, const char *name)
{
    const struct tri_link *head = &tree->places.ring;

    for (struct tri_link *link = head->next; link != head; link = link->next) {
        struct tri_place *place = tri_place_of(link);

        if (place->spec.name != NULL && strcmp(place->spec.name, name) == 0
            && !has_left(tree, place))
            return place;
    }
    return NULL;
}

static int add_children(struct tri_tree *tree, const tr_child *specs, uint32_t depth)
{
    for (; specs != NULL && !is_end(specs); specs++) {
        struct tri_place *place;
        int error = tree->count < TRI_CHILDREN_MAX ? new_place(specs, depth, &place) : -EINVAL;

        if (error < 0)
            return error;
        bool is_taken = specs->name != NULL && tri_tree_find(tree, specs->name) != NULL;
        tri_list_push_back(&tree->places, &place->link);
        tree->count++;
        if (is_taken)
            return -EINVAL;
    }
    return 0;
}

static void fill_defaults(tr_supervisor *spec)
{
    spec->children = NULL;
    if (spec->within == 0)
        spec->within = TR_MS(TRI_CHILD_USUAL_MS);
    if (spec->backoff_max == 0)
        spec->backoff_max = spec->backoff_min < TR_FOREVER / BACKOFF_SPAN
                                ? spec->backoff_min * BACKOFF_SPAN : TR_FOREVER;
    if (spec->backoff_max < spec->backoff_min)
        spec->backoff_max = spec->backoff_min;
}

static int new_tree(const tr_supervisor *spec, uint32_t depth, struct tri_tree **ret_tree)
{
    int error = depth < TRI_NESTING_MAX ? check_supervisor(spec) : -EINVAL;
    struct tri_tree *tree = error == 0 ? tri_alloc_zeroed(sizeof *tree) : NULL;

    if (tree == NULL)
        return error < 0 ? error : -ENOMEM;
    tri_list_init(&tree->places);
    tri_link_init(&tree->link);
    tree->spec = *spec;
    fill_defaults(&tree->spec);
    error = tri_intensity_init(&tree->intensity, spec->restarts_max, tree->spec.within);
    if (error == 0)
        error = add_children(tree, spec->children, depth);
    if (error < 0) {
        tri_tree_free(tree);
        return error;
    }
    *ret_tree = tree;
    return 0;
}

int tri_tree_new(const tr_supervisor *spec, struct tri_tree **ret_tree)
{
    return new_tree(spec, 0, ret_tree);
}

void tri_tree_free(struct tri_tree *tree)
{
    struct tri_link *link;

    if (tree == NULL)
        return;
    while ((link = tri_list_pop_front(&tree->places)) != NULL)
        tri_place_free(tri_place_of(link));
    tri_intensity_fini(&tree->intensity);
    tri_free(tree);
}

void tri_tree_seed(struct tri_tree *tree, uint64_t *seed)
{
    tri_random_seed(&tree->random, tri_random_spread(seed));
    for (struct tri_link *link = tree->places.ring.next; link != &tree->places.ring;
         link = link->next) {
        if (tri_place_of(link)->tree != NULL)
            tri_tree_seed(tri_place_of(link)->tree, seed);
    }
}
