/* SPDX-License-Identifier: MIT */
/*
 * Makes contexts for the switches that are written in assembly. The frame is the one that
 * bly_switch() would have left if the context had been suspended at the start of its bottom frame.
 */
#include "switch.h"

#ifndef BLY_SWITCH_UCONTEXT

#include <stdint.h>
#include <string.h>

extern const char bly_context_start_pc[] __attribute__((visibility("hidden")));

static void set_word(char *sp, int offset, uintptr_t value) {
        memcpy(sp + offset, &value, sizeof(value));
}

void bly_context_make(struct bly_context *ctx, void *low, void *top, void (*entry)(void *),
                      void *arg) {
        char *bottom = (char *) ((uintptr_t) top & ~(uintptr_t) 15) - 16;
        char *sp = bottom - BLY_SAVED_SIZE;

        (void) low;

        /*
         * The 16 bytes above the first frame are zero. A debugger without unwind rules looks there
         * for a frame record, and finds the end of the chain.
         */
        memset(sp, 0, BLY_SAVED_SIZE + 16);
        set_word(sp, BLY_SAVED_PC, (uintptr_t) bly_context_start_pc);

#if defined(BLY_SWITCH_X86_64)
        uint32_t mxcsr;
        uint16_t x87cw;

        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        __asm__ volatile("fnstcw %0" : "=m"(x87cw));
        memcpy(sp + BLY_SAVED_MXCSR, &mxcsr, sizeof(mxcsr));
        memcpy(sp + BLY_SAVED_X87CW, &x87cw, sizeof(x87cw));
        set_word(sp, BLY_SAVED_R12, (uintptr_t) entry);
        set_word(sp, BLY_SAVED_R13, (uintptr_t) arg);
#elif defined(BLY_SWITCH_RISCV64)
        uint64_t mode;

        __asm__ volatile("frrm %0" : "=r"(mode));
        set_word(sp, BLY_SAVED_FRM, mode);
        set_word(sp, BLY_SAVED_S1, (uintptr_t) entry);
        set_word(sp, BLY_SAVED_S2, (uintptr_t) arg);
#else
        uint64_t fpcr;

        __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
        set_word(sp, BLY_SAVED_FPCR, fpcr);
        set_word(sp, BLY_SAVED_X19, (uintptr_t) entry);
        set_word(sp, BLY_SAVED_X20, (uintptr_t) arg);
#endif
        ctx->sp = sp;
}

const char *bly_switch_name(void) {
#if defined(BLY_SWITCH_X86_64)
        return "x86-64";
#elif defined(BLY_SWITCH_RISCV64)
        return "riscv64";
#else
        return "aarch64";
#endif
}

#endif

/* ISO C requires a declaration in every translation unit. */
typedef int bly_switch_unit;
