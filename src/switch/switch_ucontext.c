/* SPDX-License-Identifier: MIT */
/*
 * The switch for all other machines, by the C library's ucontext functions. It needs no assembly,
 * but it is slow, because each switch sets the signal mask with a system call. The ucontext_t lies
 * on the stack of its context, so that a context is still one pointer.
 */
#include "switch.h"

#ifdef BLY_SWITCH_UCONTEXT

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/*
 * musl has the header but not the functions. A program that links libucontext defines
 * BELAY_LIBUCONTEXT.
 */
#if !defined(__GLIBC__) && !defined(BELAY_LIBUCONTEXT)
#error "belay has no switch for this machine, and this C library has no makecontext(). \
With any C library: x86-64, aarch64, riscv64. \
Other machines: with glibc, or with libucontext and -DBELAY_LIBUCONTEXT."
#endif

/*
 * The stack size that bly_start() gives to makecontext(). bly_start() does not know where the stack
 * begins, and makecontext() uses the size only to compute the top.
 */
#define UCONTEXT_LEAST 16384

/* The state of a new context, at the top of its stack. */
struct first {
        ucontext_t context;
        void (*entry)(void *);
        void *arg;
};

/* makecontext() passes only ints, so the pointer is passed in two halves. */
static void start(unsigned high, unsigned low) {
        struct first *f = (struct first *) (((uintptr_t) high << 16 << 16) | low);

        f->entry(f->arg);
        abort();
}

void bly_context_make(struct bly_context *ctx, void *low, void *top, void (*entry)(void *),
                      void *arg) {
        struct first *f = (struct first *) (((uintptr_t) top - sizeof(*f)) & ~(uintptr_t) 63);
        uintptr_t address = (uintptr_t) f;

        if (getcontext(&f->context) < 0)
                abort();
        f->entry = entry;
        f->arg = arg;
        f->context.uc_link = NULL;
        f->context.uc_stack.ss_sp = low;
        f->context.uc_stack.ss_size = (size_t) ((char *) f - (char *) low);
        makecontext(&f->context, (void (*)(void)) start, 2, (unsigned) (address >> 16 >> 16),
                    (unsigned) address);
        ctx->sp = &f->context;
}

void bly_switch(struct bly_context *from, const struct bly_context *to) {
        ucontext_t here;

        from->sp = &here;
        if (swapcontext(&here, to->sp) < 0)
                abort();
}

struct beginning {
        struct bly_context *(*entry)(void *);
        void *arg;
};

static void begin(void *arg) {
        const struct beginning *b = arg;
        struct bly_context nobody;

        bly_switch(&nobody, b->entry(b->arg));
}

void bly_start(struct bly_context *from, void *top, struct bly_context *(*entry)(void *),
               void *arg) {
        struct beginning *b = (struct beginning *) (((uintptr_t) top - sizeof(*b))
                                                    & ~(uintptr_t) 63);
        struct bly_context made;

        b->entry = entry;
        b->arg = arg;
        bly_context_make(&made, (char *) b - UCONTEXT_LEAST, b, begin, b);
        bly_switch(from, &made);
}

const char *bly_switch_name(void) {
        return "ucontext";
}

#endif

/* ISO C requires a declaration in every translation unit. */
typedef int bly_switch_ucontext_unit;
