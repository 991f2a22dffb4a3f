/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_CONTEXT_H
#define TRI_BASE_CONTEXT_H

/*
 * A second stack for the same thread: something runs there, is left in the middle, and gone on
 * with later.
 *
 * Why libc's contexts. They make a system call at each switch, which does not matter for what is
 * here: a simulation that interrupts a handler now and then. Sanitizers are told of each switch.
 */

#include <stddef.h>

struct tri_context;

/* A stack on which `run(argument)` will be called, once, by the first enter. NULL: no memory. */
struct tri_context *tri_context_new(size_t size, void (*run)(void *argument), void *argument);

/* Goes on there until it leaves. Threads: the one that made it. */
void tri_context_enter(struct tri_context *context);

/* Called there: goes back to whoever entered. `run` must never return: it leaves for ever. */
void tri_context_leave(struct tri_context *context);

/* Frees one that has been left; what stands on its stack is forgotten. */
void tri_context_free(struct tri_context *context);

#endif
