/* SPDX-License-Identifier: MIT */
/*
 * The switch for everything else, by the C library's ucontext. Slow (each switch
 * sets the signal mask by a system call), but it needs nothing of us. To keep a
 * context one pointer, the ucontext_t lies on the stack of the context.
 */
#include "switch.h"

#ifdef BLY_SWITCH_UCONTEXT

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/* musl has the header and not the functions. A program that brings them along (libucontext) says so. */
#if !defined(__GLIBC__) && !defined(BELAY_LIBUCONTEXT)
#error "belay has no switch of its own for this machine, and this C library no makecontext(). With any C library: \
x86-64, aarch64, riscv64. Other machines: with glibc, or with libucontext and -DBELAY_LIBUCONTEXT."
#endif

/* bly_start() is not told where a stack ends; makecontext() only wants to know where it begins. */
#define UCONTEXT_LEAST 16384

/* What a new context needs, at the top of its stack. */
struct first {
        ucontext_t context;
        void (*entry)(void *);
        void *arg;
};

/* makecontext() hands over ints only, so that a pointer travels in two halves. */
static void start(unsigned high, unsigned low)
{
        struct first *f = (struct first *) (((uintptr_t) high << 16 << 16) | low);

        f->entry(f->arg);
        abort();
}

void bly_context_make(struct bly_context *ctx, void *low, void *top, void (*entry)(void *), void *arg)
{
        struct first *f = (struct first *) (((uintptr_t) top - sizeof(*f)) & ~(uintptr_t) 63);
        uintptr_t address = (uintptr_t) f;

        if (getcontext(&f->context) < 0)
                abort();
        f->entry = entry;
        f->arg = arg;
        f->context.uc_link = NULL;
        f->context.uc_stack.ss_sp = low;
        f->context.uc_stack.ss_size = (size_t) ((char *) f - (char *) low);
        makecontext(&f->context, (void (*)(void)) start, 2,
                    (unsigned) (address >> 16 >> 16), (unsigned) address);
        ctx->sp = &f->context;
}

void bly_switch(struct bly_context *from, const struct bly_context *to)
{
        ucontext_t here;

        from->sp = &here;
        if (swapcontext(&here, to->sp) < 0)
                abort();
}

struct beginning {
        struct bly_context *(*entry)(void *);
        void *arg;
};

static void begin(void *arg)
{
        const struct beginning *b = arg;
        struct bly_context nobody;

        bly_switch(&nobody, b->entry(b->arg));
}

void bly_start(struct bly_context *from, void *top, struct bly_context *(*entry)(void *), void *arg)
{
        struct beginning *b = (struct beginning *) (((uintptr_t) top - sizeof(*b)) & ~(uintptr_t) 63);
        struct bly_context made;

        b->entry = entry;
        b->arg = arg;
        bly_context_make(&made, (char *) b - UCONTEXT_LEAST, b, begin, b);
        bly_switch(from, &made);
}

const char *bly_switch_name(void)
{
        return "ucontext";
}

#endif

/* ISO C wants something in every translation unit. */
typedef int bly_switch_ucontext_unit;
