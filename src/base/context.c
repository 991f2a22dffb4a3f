/* SPDX-License-Identifier: BSD-2-Clause */

/* See context.h. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "base/context.h"

#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

#ifdef ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

struct tri_context {
    ucontext_t there;
    ucontext_t back;
    char *stack; /* the lowest page is a guard */
    size_t size;
    void (*run)(void *argument);
    void *argument;
    void *fake_there; /* the sanitizers' notes */
    void *fake_back;
    const void *back_bottom;
    size_t back_size;
    void *fibre_there;
    void *fibre_back;
};

/* ---- what the sanitizers want to know ------------------------------------------------------- */

static void before_enter(struct tri_context *context)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(&context->fake_back, context->stack, context->size);
#endif
#ifdef THREAD_SANITIZER
    context->fibre_back = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(context->fibre_there, 0);
#endif
    (void)context;
}

static void after_enter(struct tri_context *context)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(context->fake_there, &context->back_bottom,
                                    &context->back_size);
#endif
    (void)context;
}

static void before_leave(struct tri_context *context)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(&context->fake_there, context->back_bottom,
                                   context->back_size);
#endif
#ifdef THREAD_SANITIZER
    __tsan_switch_to_fiber(context->fibre_back, 0);
#endif
    (void)context;
}

static void after_leave(struct tri_context *context)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(context->fake_back, NULL, NULL);
#endif
    (void)context;
}

/* ---- the context ---------------------------------------------------------------------------- */

/* makecontext passes ints alone: an address takes two. */
static void begin(unsigned high, unsigned low)
{
    struct tri_context *context = (struct tri_context *)((uintptr_t)high << 16 << 16 | low);

    after_enter(context);
    context->run(context->argument);
}

struct tri_context *tri_context_new(size_t size, void (*run)(void *argument), void *argument)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct tri_context *context = tri_alloc_zeroed(sizeof *context);

    if (context == NULL)
        return NULL;
    context->size = size;
    context->stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (context->stack == MAP_FAILED) {
        tri_free(context);
        return NULL;
    }
    (void)mprotect(context->stack, page, PROT_NONE);
    context->run = run;
    context->argument = argument;
    (void)getcontext(&context->there);
    context->there.uc_stack.ss_sp = context->stack;
    context->there.uc_stack.ss_size = size;
    context->there.uc_link = NULL;
    makecontext(&context->there, (void (*)(void))begin, 2,
                (unsigned)((uintptr_t)context >> 16 >> 16), (unsigned)(uintptr_t)context);
#ifdef THREAD_SANITIZER
    context->fibre_there = __tsan_create_fiber(0);
#endif
    return context;
}

void tri_context_enter(struct tri_context *context)
{
    before_enter(context);
    (void)swapcontext(&context->back, &context->there);
    after_leave(context);
}

void tri_context_leave(struct tri_context *context)
{
    before_leave(context);
    (void)swapcontext(&context->there, &context->back);
    after_enter(context);
}

void tri_context_free(struct tri_context *context)
{
    if (context == NULL)
        return;
#ifdef THREAD_SANITIZER
    __tsan_destroy_fiber(context->fibre_there);
#endif
    (void)munmap(context->stack, context->size);
    tri_free(context);
}
