/* SPDX-License-Identifier: MIT */
/*
 * The switch for x86-64 (System V). The frame on a suspended stack is the same for every context.
 * One set of unwind rules, relative to the stack pointer, therefore holds before and after the
 * exchange of stack pointers.
 */
#include "switch.h"

#ifdef BLY_SWITCH_X86_64

        .text

/* Saves the frame of a suspended context, and its control words. */
        .macro save_frame
        pushq %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr BLY_SAVED_MXCSR(%rsp)
        fnstcw BLY_SAVED_X87CW(%rsp)
        .endm

/* void bly_switch(struct bly_context *from, const struct bly_context *to) */
        .globl bly_switch
        .hidden bly_switch
        .type bly_switch, @function
        .p2align 6
bly_switch:
        .cfi_startproc
        endbr64
        save_frame
        movq (%rsi), %rdx
        /*
         * Loading the control words costs more than all the rest together, and they are nearly
         * always the same on both sides. The ABI preserves only the control bits of mxcsr, so the
         * status bits are not compared. Each word is read back at the width it was stored with: a
         * wider read could not be forwarded from the two stores and would stall.
         */
        movl BLY_SAVED_MXCSR(%rsp), %eax
        movzwl BLY_SAVED_X87CW(%rsp), %ecx
        movq %rsp, (%rdi)
        xorl BLY_SAVED_MXCSR(%rdx), %eax
        testl $0xffc0, %eax
        jne .Lload_mxcsr
.Lsame_mxcsr:
        cmpw BLY_SAVED_X87CW(%rdx), %cx
        jne .Lload_x87cw
.Lsame_x87cw:
        movq %rdx, %rsp
.Lexchanged:
        addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        /*
         * This is a ret and not a jump. The call that suspended this context may be out of the
         * return predictor, but all the calls above it are still paired.
         */
        ret

        /* Out of line. The unwind rules are again those at the exchange. */
        .cfi_def_cfa_offset BLY_SAVED_SIZE
        .cfi_offset %rbp, BLY_SAVED_RBP - BLY_SAVED_SIZE
        .cfi_offset %rbx, BLY_SAVED_RBX - BLY_SAVED_SIZE
        .cfi_offset %r12, BLY_SAVED_R12 - BLY_SAVED_SIZE
        .cfi_offset %r13, BLY_SAVED_R13 - BLY_SAVED_SIZE
        .cfi_offset %r14, BLY_SAVED_R14 - BLY_SAVED_SIZE
        .cfi_offset %r15, BLY_SAVED_R15 - BLY_SAVED_SIZE
.Lload_mxcsr:
        ldmxcsr BLY_SAVED_MXCSR(%rdx)
        jmp .Lsame_mxcsr
.Lload_x87cw:
        fldcw BLY_SAVED_X87CW(%rdx)
        jmp .Lsame_x87cw
        .cfi_endproc
        .size bly_switch, . - bly_switch

/*
 * void bly_start(struct bly_context *from, void *top,
 *                struct bly_context *(*entry)(void *), void *arg)
 *
 * bly_start() calls entry, and the return of entry comes back here before another context
 * continues. So every call is paired with a return, on the way in and on the way out. A context
 * made by hand would mislead the return predictor twice.
 */
        .globl bly_start
        .hidden bly_start
        .type bly_start, @function
        .p2align 6
bly_start:
        .cfi_startproc
        endbr64
        save_frame
        movq %rsp, (%rdi)
        .cfi_endproc
        .size bly_start, . - bly_start

/* The part that runs on the new stack: a bottom frame like bly_context_start. */
        .type bly_start_bottom, @function
bly_start_bottom:
        .cfi_startproc
        .cfi_def_cfa %rsp, 0
        .cfi_undefined %rip
        .cfi_undefined %rbp
        movq %rsi, %rsp
        pushq $0
        pushq $0
        xorl %ebp, %ebp
        movq %rcx, %rdi
        call *%rdx
        movq (%rax), %rdx
        stmxcsr (%rsp)
        fnstcw 4(%rsp)
        movl (%rsp), %eax
        movzwl 4(%rsp), %ecx
        xorl BLY_SAVED_MXCSR(%rdx), %eax
        testl $0xffc0, %eax
        jne .Lstart_load_mxcsr
.Lstart_same_mxcsr:
        cmpw BLY_SAVED_X87CW(%rdx), %cx
        jne .Lstart_load_x87cw
.Lstart_same_x87cw:
        movq %rdx, %rsp
        jmp .Lexchanged
.Lstart_load_mxcsr:
        ldmxcsr BLY_SAVED_MXCSR(%rdx)
        jmp .Lstart_same_mxcsr
.Lstart_load_x87cw:
        fldcw BLY_SAVED_X87CW(%rdx)
        jmp .Lstart_same_x87cw
        .cfi_endproc
        .size bly_start_bottom, . - bly_start_bottom

/*
 * The bottom frame of a context that bly_context_make() made. entry is in r12 and its argument in
 * r13. There is no caller, and the unwind rules say so, so that an unwinder stops here instead of
 * guessing.
 *
 * The first switch lands after the nop. An unwinder takes a return address for the byte after a
 * call and looks up the byte before it. Without the nop, that byte would belong to the function
 * that precedes this one.
 */
        .globl bly_context_start
        .hidden bly_context_start
        .globl bly_context_start_pc
        .hidden bly_context_start_pc
        .type bly_context_start, @function
        .p2align 4
bly_context_start:
        .cfi_startproc
        .cfi_def_cfa %rsp, 0
        .cfi_undefined %rip
        .cfi_undefined %rbp
        nop
bly_context_start_pc:
        movq %r13, %rdi
        xorl %ebp, %ebp
        call *%r12
        ud2
        .cfi_endproc
        .size bly_context_start, . - bly_context_start

#endif

#include "property.h"
