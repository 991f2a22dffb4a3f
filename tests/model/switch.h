/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_MODEL_SWITCH_H
#define TROUPE_TESTS_MODEL_SWITCH_H

/*
 * The explorer's own switch between stacks: some 5 ns where it is written out, and libc's, which
 * makes a system call each time, elsewhere. The product's fibres are not used: they are under test.
 * One file defines EXPLORER_SWITCHES before it includes this.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__

struct place {
    void *stack;
};

/* Saves where this stack is in *from and goes on where `to` was saved. */
void explorer_switch(struct place *from, const struct place *to);
#ifdef EXPLORER_SWITCHES
__asm__(".text\n"
        ".globl explorer_switch\n"
        ".type explorer_switch, @function\n"
        "explorer_switch:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n"
        "    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq (%rsi), %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n"
        "    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size explorer_switch, . - explorer_switch\n"
        ".section .note.GNU-stack, \"\", @progbits\n"
        ".text\n");
#endif

/* Makes a place that begins `entry` on the stack given. */
static inline void make_place(struct place *place, char *stack, size_t size, void (*entry)(void))
{
    void **top = (void **)(void *)(stack + (size & ~(size_t)63));

    *--top = NULL;  /* where entry would return to: it never does */
    memcpy(--top, &(uintptr_t){ (uintptr_t)entry }, sizeof(uintptr_t));
    top -= 6;
    memset(top, 0, 6 * sizeof(*top));
    place->stack = top;
}

/* Below it the stack is not in use. */
static inline char *place_end(const struct place *place, char *stack)
{
    (void)stack;
    return place->stack;
}

#else
#include <ucontext.h>

struct place {
    ucontext_t context;
};

static inline void explorer_switch(struct place *from, struct place *to)
{
    swapcontext(&from->context, &to->context);
}

static inline void make_place(struct place *place, char *stack, size_t size, void (*entry)(void))
{
    getcontext(&place->context);
    place->context.uc_stack.ss_sp = stack;
    place->context.uc_stack.ss_size = size;
    place->context.uc_link = NULL;
    makecontext(&place->context, entry, 0);
}

/* Not known: all of it may be in use. */
static inline char *place_end(const struct place *place, char *stack)
{
    (void)place;
    return stack;
}

#endif

#endif
