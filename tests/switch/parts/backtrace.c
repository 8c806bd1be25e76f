/* SPDX-License-Identifier: MIT */
/* The program that backtrace.sh examines with a debugger. */
#include <stdio.h>

#include "../../../src/switch/switch.h"

struct bly_context main_context, task_context, fresh_context;
static char stack[64 * 1024], fresh_stack[64 * 1024];
static volatile int sink;

#ifdef BLY_SAVED_PC
const int saved_pc = BLY_SAVED_PC;
const int saved_fp = BLY_SAVED_FP;
const int saved_size = BLY_SAVED_SIZE;
#ifdef BLY_SAVED_RBX
const int saved_rbx = BLY_SAVED_RBX;
#endif
#endif

#define FRAME __attribute__((noinline))

/*
 * Sets the registers that a switch saves to known values. The debugger must find them from any
 * instruction of the switch. (On aarch64 the compiler itself uses x19 in between.)
 */
#if defined(__x86_64__)
#define SET_REGISTERS(n)                                                 \
        __asm__ volatile("mov $" #n "1, %%ebx\n mov $" #n "2, %%ebp\n"   \
                         "mov $" #n "3, %%r12d\n mov $" #n "4, %%r13d\n" \
                         "mov $" #n "5, %%r14d\n mov $" #n "6, %%r15d\n" \
                         :                                               \
                         :                                               \
                         : "rbx", "rbp", "r12", "r13", "r14", "r15", "memory")
#elif defined(__aarch64__)
#define SET_REGISTERS(n)                                                                  \
        __asm__ volatile("mov x20, #" #n "2\n mov x21, #" #n "3\n"                        \
                         "mov x22, #" #n "4\n mov x23, #" #n "5\n mov x24, #" #n "6\n"    \
                         "mov x25, #" #n "7\n mov x26, #" #n "8\n mov x27, #" #n "9\n"    \
                         "mov x28, #" #n "0\n"                                            \
                         :                                                                \
                         :                                                                \
                         : "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", \
                           "memory")
#elif defined(__riscv)
#define SET_REGISTERS(n)                                                        \
        __asm__ volatile("li s3, " #n "3\n li s4, " #n "4\n li s5, " #n "5\n"   \
                         "li s6, " #n "6\n li s7, " #n "7\n li s8, " #n "8\n"   \
                         "li s9, " #n "9\n li s10, " #n "0\n li s11, " #n "1\n" \
                         :                                                      \
                         :                                                      \
                         : "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory")
#else
#define SET_REGISTERS(n) ((void) 0)
#endif

FRAME void look_running(void) {
        sink++;
}

FRAME void look_suspended(void) {
        sink++;
}

FRAME static void inner(int n) {
        volatile char room[200];

        room[n] = (char) n;
        look_running();
        SET_REGISTERS(10);
        bly_switch(&task_context, &main_context);
        sink += room[n];
}

FRAME static void middle(int n) {
        volatile char room[1000];

        room[n] = (char) n;
        inner(n + 1);
        sink += room[n];
}

FRAME static void task(void *arg) {
        (void) arg;
        for (int i = 0;; i++)
                middle(i);
}

FRAME static void resume(void) {
        SET_REGISTERS(20);
        bly_switch(&main_context, &task_context);
        sink++;
}

int main(void) {
        bly_context_make(&task_context, stack, stack + sizeof(stack), task, NULL);
        bly_context_make(&fresh_context, fresh_stack, fresh_stack + sizeof(fresh_stack), task,
                         NULL);
        for (int i = 0; i < 30; i++)
                resume();
        look_suspended();
        return 0;
}
