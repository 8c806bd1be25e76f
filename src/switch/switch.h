/* SPDX-License-Identifier: MIT */
/*
 * The context switch. A suspended flow of control is one stack pointer: all
 * that must survive the switch is stored on the stack it points into, at the
 * offsets given below. The offsets are a promise: tools outside of the process
 * unwind suspended tasks from them.
 */
#ifndef BELAY_SWITCH_SWITCH_H
#define BELAY_SWITCH_SWITCH_H

#if !defined(BELAY_SWITCH_UCONTEXT) && defined(__x86_64__) && !defined(__ILP32__)
#define BLY_SWITCH_X86_64 1
#elif !defined(BELAY_SWITCH_UCONTEXT) && defined(__aarch64__) && !defined(__ILP32__)
#define BLY_SWITCH_AARCH64 1
#elif !defined(BELAY_SWITCH_UCONTEXT) && defined(__riscv_float_abi_double) && __riscv_xlen == 64 && !defined(__riscv_32e)
#define BLY_SWITCH_RISCV64 1
#else
#define BLY_SWITCH_UCONTEXT 1
#endif

/*
 * Byte offsets from bly_context.sp of what a suspended context has saved.
 * BLY_SAVED_PC is where it goes on, BLY_SAVED_FP its frame pointer, and
 * sp + BLY_SAVED_SIZE is its stack pointer once it goes on. The rest are the
 * registers that the ABI lets the caller of bly_switch() rely on.
 *
 * With ucontext there are no such offsets: sp points to a ucontext_t.
 */
#if defined(BLY_SWITCH_X86_64)
#define BLY_SAVED_MXCSR 0 /* 4 bytes */
#define BLY_SAVED_X87CW 4 /* 2 bytes */
#define BLY_SAVED_R15 8
#define BLY_SAVED_R14 16
#define BLY_SAVED_R13 24
#define BLY_SAVED_R12 32
#define BLY_SAVED_RBX 40
#define BLY_SAVED_RBP 48
#define BLY_SAVED_FP BLY_SAVED_RBP
#define BLY_SAVED_PC 56
#define BLY_SAVED_SIZE 64
#elif defined(BLY_SWITCH_AARCH64)
#define BLY_SAVED_X29 0
#define BLY_SAVED_X30 8
#define BLY_SAVED_X19 16 /* x19 to x28, 8 bytes each */
#define BLY_SAVED_X20 24
#define BLY_SAVED_D8 96 /* d8 to d15, 8 bytes each */
#define BLY_SAVED_FPCR 160
#define BLY_SAVED_FP BLY_SAVED_X29
#define BLY_SAVED_PC BLY_SAVED_X30
#define BLY_SAVED_SIZE 176
#elif defined(BLY_SWITCH_RISCV64)
#define BLY_SAVED_S1 0
#define BLY_SAVED_S2 8 /* s2 to s11, 8 bytes each */
#define BLY_SAVED_FRM 88
#define BLY_SAVED_FS0 96 /* fs0 to fs11, 8 bytes each */
#define BLY_SAVED_S0 192
#define BLY_SAVED_RA 200
#define BLY_SAVED_FP BLY_SAVED_S0
#define BLY_SAVED_PC BLY_SAVED_RA
#define BLY_SAVED_SIZE 208
#endif

#ifndef __ASSEMBLER__

#ifdef __cplusplus
extern "C" {
#endif

/* A suspended flow of control; everything else lies on its stack. */
struct bly_context {
        void *sp;
};

/*
 * Leaves `from`, goes on in `to`. Returns when somebody switches back.
 * The floating point control words belong to the context: they come back with it.
 */
void bly_switch(struct bly_context *from, const struct bly_context *to);

/*
 * Makes `ctx` such that the first switch to it calls entry(arg) on the stack
 * [low, top). The floating point modes are those of the caller of make.
 * entry must not return. Writes BLY_SAVED_SIZE + 16 bytes below top, rounded
 * down to 16 bytes (a ucontext_t there when the switch is ucontext).
 */
void bly_context_make(struct bly_context *ctx, void *low, void *top, void (*entry)(void *), void *arg);

/*
 * Leaves `from`, calls entry(arg) on the stack below `top` (a multiple of 16), and goes on, when that returns, in the
 * context it returns: returns when somebody switches to `from`. The stack is nobody's once its entry has returned.
 * What entry changed in the floating point modes ends with it.
 */
void bly_start(struct bly_context *from, void *top, struct bly_context *(*entry)(void *), void *arg);

/* "x86-64", "aarch64", "riscv64" or "ucontext" */
const char *bly_switch_name(void);

#ifdef __cplusplus
}
#endif

#endif
#endif
