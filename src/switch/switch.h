/* SPDX-License-Identifier: MIT */
/*
 * The context switch.
 *
 * A suspended context is one stack pointer. All that must survive the switch is stored on the stack
 * that it points into, at the offsets below. The offsets must not change, because tools outside of
 * the process use them to unwind suspended tasks.
 */
#ifndef BELAY_SWITCH_SWITCH_H
#define BELAY_SWITCH_SWITCH_H

#if !defined(BELAY_SWITCH_UCONTEXT) && defined(__x86_64__) && !defined(__ILP32__)
#define BLY_SWITCH_X86_64 1
#elif !defined(BELAY_SWITCH_UCONTEXT) && defined(__aarch64__) && !defined(__ILP32__)
#define BLY_SWITCH_AARCH64 1
#elif !defined(BELAY_SWITCH_UCONTEXT) && defined(__riscv_float_abi_double) && __riscv_xlen == 64 \
        && !defined(__riscv_32e)
#define BLY_SWITCH_RISCV64 1
#else
#define BLY_SWITCH_UCONTEXT 1
#endif

/*
 * Byte offsets from bly_context.sp to the values that a suspended context has saved. BLY_SAVED_PC
 * is the address at which the context continues, and BLY_SAVED_FP is its frame pointer. sp +
 * BLY_SAVED_SIZE is its stack pointer after it continues. The other offsets are those of the
 * registers that the ABI requires bly_switch() to preserve.
 *
 * The ucontext switch has no such offsets: sp points to a ucontext_t.
 */
#if defined(BLY_SWITCH_X86_64)
#define BLY_SAVED_MXCSR 0 /* 4 bytes */
#define BLY_SAVED_X87CW 4 /* 2 bytes */
#define BLY_SAVED_R15   8
#define BLY_SAVED_R14   16
#define BLY_SAVED_R13   24
#define BLY_SAVED_R12   32
#define BLY_SAVED_RBX   40
#define BLY_SAVED_RBP   48
#define BLY_SAVED_FP    BLY_SAVED_RBP
#define BLY_SAVED_PC    56
#define BLY_SAVED_SIZE  64
#elif defined(BLY_SWITCH_AARCH64)
#define BLY_SAVED_X29  0
#define BLY_SAVED_X30  8
#define BLY_SAVED_X19  16 /* x19 to x28, 8 bytes each */
#define BLY_SAVED_X20  24
#define BLY_SAVED_D8   96 /* d8 to d15, 8 bytes each */
#define BLY_SAVED_FPCR 160
#define BLY_SAVED_FP   BLY_SAVED_X29
#define BLY_SAVED_PC   BLY_SAVED_X30
#define BLY_SAVED_SIZE 176
#elif defined(BLY_SWITCH_RISCV64)
#define BLY_SAVED_S1   0
#define BLY_SAVED_S2   8 /* s2 to s11, 8 bytes each */
#define BLY_SAVED_FRM  88
#define BLY_SAVED_FS0  96 /* fs0 to fs11, 8 bytes each */
#define BLY_SAVED_S0   192
#define BLY_SAVED_RA   200
#define BLY_SAVED_FP   BLY_SAVED_S0
#define BLY_SAVED_PC   BLY_SAVED_RA
#define BLY_SAVED_SIZE 208
#endif

#ifndef __ASSEMBLER__

#ifdef __cplusplus
extern "C" {
#endif

/* A suspended context; everything else is on its stack. */
struct bly_context {
        void *sp;
};

/*
 * Suspends the running context in `from` and continues `to`. Returns when a later switch continues
 * `from`. The floating-point control words belong to the context, so the switch back restores them.
 */
void bly_switch(struct bly_context *from, const struct bly_context *to);

/*
 * Makes `ctx` a context whose first switch calls entry(arg) on the stack [low, top). The context
 * starts with the floating-point modes of the caller. entry must not return.
 *
 * Writes BLY_SAVED_SIZE + 16 bytes below top, rounded down to 16 bytes. The ucontext switch writes
 * a ucontext_t there instead.
 */
void bly_context_make(struct bly_context *ctx, void *low, void *top, void (*entry)(void *),
                      void *arg);

/*
 * Suspends the running context in `from` and calls entry(arg) on the stack below `top`, which is a
 * multiple of 16. When entry returns, bly_start() continues the context that entry returned. That
 * stack is then unused. bly_start() itself returns when a later switch continues `from`. Changes of
 * the floating-point modes by entry end with entry.
 */
void bly_start(struct bly_context *from, void *top, struct bly_context *(*entry)(void *),
               void *arg);

/* "x86-64", "aarch64", "riscv64" or "ucontext" */
const char *bly_switch_name(void);

#ifdef __cplusplus
}
#endif

#endif
#endif
