/* SPDX-License-Identifier: MIT */
/*
 * Tests that a switch saves everything on which a caller may rely under the ABI: the callee-saved
 * registers and the floating-point modes. The registers must lie where switch.h says, for tools
 * outside the process.
 */
#include <fenv.h>
#include <stdint.h>
#include <string.h>

#include "../../src/switch/switch.h"
#include "../check.h"

static struct bly_context main_context, task_context;
static char stack[64 * 1024] __attribute__((aligned(64)));

#if defined(__x86_64__) || defined(__aarch64__) \
        || (defined(__riscv_float_abi_double) && __riscv_xlen == 64)
/*
 * Sets all callee-saved registers from in[], calls bly_switch(from, to) and stores them to out[].
 * x86-64: rbx rbp r12-r15; aarch64: x19-x28 d8-d15; riscv64: s0-s11 fs0-fs11.
 */
void switch_with(const uint64_t *in, uint64_t *out, struct bly_context *from,
                 const struct bly_context *to);
#endif

#if defined(__x86_64__)
#define REGISTERS 6
__asm__(".text\n.type switch_with, @function\nswitch_with:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "push %rsi\n"
        "mov (%rdi), %rbx\nmov 8(%rdi), %rbp\nmov 16(%rdi), %r12\n"
        "mov 24(%rdi), %r13\nmov 32(%rdi), %r14\nmov 40(%rdi), %r15\n"
        "mov %rdx, %rdi\nmov %rcx, %rsi\n"
        "call bly_switch\n"
        "pop %rsi\n"
        "mov %rbx, (%rsi)\nmov %rbp, 8(%rsi)\nmov %r12, 16(%rsi)\n"
        "mov %r13, 24(%rsi)\nmov %r14, 32(%rsi)\nmov %r15, 40(%rsi)\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\n"
        "ret\n.size switch_with, . - switch_with\n");
#elif defined(__aarch64__)
#define REGISTERS 18
__asm__(".text\n.type switch_with, %function\nswitch_with:\n"
        "stp x29, x30, [sp, #-192]!\n"
        "stp x19, x20, [sp, #16]\nstp x21, x22, [sp, #32]\nstp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\nstp x27, x28, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\n"
        "stp d14, d15, [sp, #144]\nstr x1, [sp, #160]\n"
        "ldp x19, x20, [x0]\nldp x21, x22, [x0, #16]\nldp x23, x24, [x0, #32]\n"
        "ldp x25, x26, [x0, #48]\nldp x27, x28, [x0, #64]\n"
        "ldp d8, d9, [x0, #80]\nldp d10, d11, [x0, #96]\nldp d12, d13, [x0, #112]\n"
        "ldp d14, d15, [x0, #128]\n"
        "mov x0, x2\nmov x1, x3\nbl bly_switch\nldr x1, [sp, #160]\n"
        "stp x19, x20, [x1]\nstp x21, x22, [x1, #16]\nstp x23, x24, [x1, #32]\n"
        "stp x25, x26, [x1, #48]\nstp x27, x28, [x1, #64]\n"
        "stp d8, d9, [x1, #80]\nstp d10, d11, [x1, #96]\nstp d12, d13, [x1, #112]\n"
        "stp d14, d15, [x1, #128]\n"
        "ldp x19, x20, [sp, #16]\nldp x21, x22, [sp, #32]\nldp x23, x24, [sp, #48]\n"
        "ldp x25, x26, [sp, #64]\nldp x27, x28, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\n"
        "ldp d14, d15, [sp, #144]\nldp x29, x30, [sp], #192\nret\n"
        ".size switch_with, . - switch_with\n");
#elif defined(__riscv_float_abi_double) && __riscv_xlen == 64
#define REGISTERS 24
__asm__(".text\n.type switch_with, %function\nswitch_with:\n"
        "addi sp, sp, -224\nsd ra, 216(sp)\nsd a1, 208(sp)\n"
        "sd s0, 0(sp)\nsd s1, 8(sp)\nsd s2, 16(sp)\nsd s3, 24(sp)\n"
        "sd s4, 32(sp)\nsd s5, 40(sp)\nsd s6, 48(sp)\nsd s7, 56(sp)\n"
        "sd s8, 64(sp)\nsd s9, 72(sp)\nsd s10, 80(sp)\nsd s11, 88(sp)\n"
        "fsd fs0, 96(sp)\nfsd fs1, 104(sp)\nfsd fs2, 112(sp)\nfsd fs3, 120(sp)\n"
        "fsd fs4, 128(sp)\nfsd fs5, 136(sp)\nfsd fs6, 144(sp)\nfsd fs7, 152(sp)\n"
        "fsd fs8, 160(sp)\nfsd fs9, 168(sp)\nfsd fs10, 176(sp)\nfsd fs11, 184(sp)\n"
        "ld s0, 0(a0)\nld s1, 8(a0)\nld s2, 16(a0)\nld s3, 24(a0)\n"
        "ld s4, 32(a0)\nld s5, 40(a0)\nld s6, 48(a0)\nld s7, 56(a0)\n"
        "ld s8, 64(a0)\nld s9, 72(a0)\nld s10, 80(a0)\nld s11, 88(a0)\n"
        "fld fs0, 96(a0)\nfld fs1, 104(a0)\nfld fs2, 112(a0)\nfld fs3, 120(a0)\n"
        "fld fs4, 128(a0)\nfld fs5, 136(a0)\nfld fs6, 144(a0)\nfld fs7, 152(a0)\n"
        "fld fs8, 160(a0)\nfld fs9, 168(a0)\nfld fs10, 176(a0)\nfld fs11, 184(a0)\n"
        "mv a0, a2\nmv a1, a3\ncall bly_switch\nld a1, 208(sp)\n"
        "sd s0, 0(a1)\nsd s1, 8(a1)\nsd s2, 16(a1)\nsd s3, 24(a1)\n"
        "sd s4, 32(a1)\nsd s5, 40(a1)\nsd s6, 48(a1)\nsd s7, 56(a1)\n"
        "sd s8, 64(a1)\nsd s9, 72(a1)\nsd s10, 80(a1)\nsd s11, 88(a1)\n"
        "fsd fs0, 96(a1)\nfsd fs1, 104(a1)\nfsd fs2, 112(a1)\nfsd fs3, 120(a1)\n"
        "fsd fs4, 128(a1)\nfsd fs5, 136(a1)\nfsd fs6, 144(a1)\nfsd fs7, 152(a1)\n"
        "fsd fs8, 160(a1)\nfsd fs9, 168(a1)\nfsd fs10, 176(a1)\nfsd fs11, 184(a1)\n"
        "ld s0, 0(sp)\nld s1, 8(sp)\nld s2, 16(sp)\nld s3, 24(sp)\n"
        "ld s4, 32(sp)\nld s5, 40(sp)\nld s6, 48(sp)\nld s7, 56(sp)\n"
        "ld s8, 64(sp)\nld s9, 72(sp)\nld s10, 80(sp)\nld s11, 88(sp)\n"
        "fld fs0, 96(sp)\nfld fs1, 104(sp)\nfld fs2, 112(sp)\nfld fs3, 120(sp)\n"
        "fld fs4, 128(sp)\nfld fs5, 136(sp)\nfld fs6, 144(sp)\nfld fs7, 152(sp)\n"
        "fld fs8, 160(sp)\nfld fs9, 168(sp)\nfld fs10, 176(sp)\nfld fs11, 184(sp)\n"
        "ld ra, 216(sp)\naddi sp, sp, 224\nret\n"
        ".size switch_with, . - switch_with\n");
#endif

#ifdef REGISTERS
static void fill(uint64_t *registers, uint64_t seed) {
        for (int i = 0; i < REGISTERS; i++)
                registers[i] = (seed << 32) + (uint64_t) i * 0x101 + 7;
}

/* Reads the registers as a tool outside the process would. */
static void check_layout(const uint64_t *expected) {
        const char *sp = task_context.sp;
        uint64_t saved[REGISTERS];
        uint64_t pc;

#if defined(BLY_SWITCH_X86_64)
        memcpy(&saved[0], sp + BLY_SAVED_RBX, 8);
        memcpy(&saved[1], sp + BLY_SAVED_RBP, 8);
        memcpy(&saved[2], sp + BLY_SAVED_R12, 8);
        memcpy(&saved[3], sp + BLY_SAVED_R13, 8);
        memcpy(&saved[4], sp + BLY_SAVED_R14, 8);
        memcpy(&saved[5], sp + BLY_SAVED_R15, 8);
        memcpy(&pc, sp + BLY_SAVED_PC, 8);
#elif defined(BLY_SWITCH_AARCH64)
        memcpy(&saved[0], sp + BLY_SAVED_X19, 80);
        memcpy(&saved[10], sp + BLY_SAVED_D8, 64);
        memcpy(&pc, sp + BLY_SAVED_PC, 8);
#elif defined(BLY_SWITCH_RISCV64)
        memcpy(&saved[0], sp + BLY_SAVED_S0, 8);
        memcpy(&saved[1], sp + BLY_SAVED_S1, 88);
        memcpy(&saved[12], sp + BLY_SAVED_FS0, 96);
        memcpy(&pc, sp + BLY_SAVED_PC, 8);
#else
        (void) sp;
        memcpy(saved, expected, sizeof(saved));
        pc = (uintptr_t) switch_with;
#endif
        CHECK(!memcmp(saved, expected, sizeof(saved)));
        CHECK(pc >= (uintptr_t) switch_with && pc < (uintptr_t) switch_with + 512);
}

static void task(void *arg) {
        uint64_t in[REGISTERS], out[REGISTERS];

        (void) arg;
        for (uint64_t n = 1;; n++) {
                fill(in, 1000000 + n);
                memset(out, 0, sizeof(out));
                switch_with(in, out, &task_context, &main_context);
                CHECK(!memcmp(in, out, sizeof(in)));
        }
}

static void test_registers(void) {
        uint64_t in[REGISTERS], out[REGISTERS], of_task[REGISTERS];

        bly_context_make(&task_context, stack, stack + sizeof(stack), task, NULL);
        for (uint64_t n = 1; n <= 1000; n++) {
                fill(in, n);
                memset(out, 0, sizeof(out));
                switch_with(in, out, &main_context, &task_context);
                CHECK(!memcmp(in, out, sizeof(in)));
                fill(of_task, 1000000 + n);
                check_layout(of_task);
        }
}
#endif

static int modes[] = { FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST };

/*
 * On x86-64, fegetround() queries only one of the two floating-point units. Therefore this function
 * computes with both.
 */
static int rounds_as(int mode) {
        volatile double one = 1.0, three = 3.0;
        volatile long double lone = 1.0L, lthree = 3.0L;
        volatile double up = one / three, down = -one / three;
        volatile long double lup = lone / lthree, ldown = -lone / lthree;
        static double nearest;
        static long double lnearest;
        int now = fegetround();

        if (!nearest) {
                fesetround(FE_TONEAREST);
                nearest = one / three;
                lnearest = lone / lthree;
                fesetround(now);
        }
        if (now != mode)
                return 0;
        /* 1/3 rounds down to nearest as a double, and up to nearest as an x87 long double. */
        switch (mode) {
        case FE_UPWARD:
                return up > nearest && -down == nearest && lup >= lnearest && -ldown <= lup
                       && lup != -ldown;
        case FE_DOWNWARD:
                return up == nearest && -down > nearest && -ldown >= lup && lup != -ldown;
        case FE_TOWARDZERO:
                return up == nearest && -down == nearest && lup == -ldown && lup <= lnearest;
        default:
                return up == nearest && -down == nearest && lup == -ldown && lup == lnearest;
        }
}

static void rounding_task(void *arg) {
        CHECK(rounds_as(*(int *) arg));
        for (int i = 0;; i++) {
                int mode = modes[i % 4];

                fesetround(mode);
                bly_switch(&task_context, &main_context);
                CHECK(rounds_as(mode));
        }
}

static void test_rounding(void) {
        for (int m = 0; m < 4; m++) {
                fesetround(modes[m]);
                /* A new context has the modes of the context that made it. */
                bly_context_make(&task_context, stack, stack + sizeof(stack), rounding_task,
                                 &modes[m]);
                fesetround(modes[(m + 1) % 4]);
                for (int i = 0; i < 16; i++) {
                        int mode = modes[(m + 1 + i / 4) % 4];

                        fesetround(mode);
                        bly_switch(&main_context, &task_context);
                        CHECK(rounds_as(mode));
                }
        }
        fesetround(FE_TONEAREST);
}

int main(void) {
#ifdef REGISTERS
        test_registers();
#endif
        test_rounding();
        return 0;
}
