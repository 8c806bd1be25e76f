/* SPDX-License-Identifier: MIT */
/*
 * The switch for aarch64 (AAPCS64). As on x86-64, every suspended context has the same frame, so
 * that the unwind rules hold on both sides of the exchange of stack pointers.
 */
#include "switch.h"

#ifdef BLY_SWITCH_AARCH64

        .text

/* Saves the frame of a suspended context. Leaves the control word in x6. */
        .macro save_frame
        stp x29, x30, [sp, #-BLY_SAVED_SIZE]!
        .cfi_def_cfa_offset BLY_SAVED_SIZE
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        /* The frame record for unwinders that only follow frame pointers. */
        mov x29, sp
        stp x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp d8, d9, [sp, #96]
        .cfi_rel_offset d8, 96
        .cfi_rel_offset d9, 104
        stp d10, d11, [sp, #112]
        .cfi_rel_offset d10, 112
        .cfi_rel_offset d11, 120
        stp d12, d13, [sp, #128]
        .cfi_rel_offset d12, 128
        .cfi_rel_offset d13, 136
        stp d14, d15, [sp, #144]
        .cfi_rel_offset d14, 144
        .cfi_rel_offset d15, 152
        mrs x6, fpcr
        str x6, [sp, #BLY_SAVED_FPCR]
        .endm

/* void bly_switch(struct bly_context *from, const struct bly_context *to) */
        .globl bly_switch
        .hidden bly_switch
        .type bly_switch, %function
        .p2align 6
bly_switch:
        .cfi_startproc
        hint #34 /* bti c */
        save_frame
        ldr x3, [x1]
        mov x4, sp
        str x4, [x0]
        /* Writing fpcr serializes many cores, and its value hardly ever differs. */
        ldr x5, [x3, #BLY_SAVED_FPCR]
        cmp x5, x6
        b.ne .Lload_fpcr
.Lsame_fpcr:
        mov sp, x3
        ldp x19, x20, [sp, #16]
        ldp x21, x22, [sp, #32]
        ldp x23, x24, [sp, #48]
        ldp x25, x26, [sp, #64]
        ldp x27, x28, [sp, #80]
        ldp d8, d9, [sp, #96]
        ldp d10, d11, [sp, #112]
        ldp d12, d13, [sp, #128]
        ldp d14, d15, [sp, #144]
        .cfi_remember_state
        ldp x29, x30, [sp], #BLY_SAVED_SIZE
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore d8
        .cfi_restore d9
        .cfi_restore d10
        .cfi_restore d11
        .cfi_restore d12
        .cfi_restore d13
        .cfi_restore d14
        .cfi_restore d15
        ret

        .cfi_restore_state
.Lload_fpcr:
        msr fpcr, x5
        b .Lsame_fpcr
        .cfi_endproc
        .size bly_switch, . - bly_switch

/*
 * void bly_start(struct bly_context *from, void *top,
 *                struct bly_context *(*entry)(void *), void *arg)
 *
 * bly_start() calls entry, and the return of entry comes back here before another context
 * continues. So every call is paired with a return, on the way in and on the way out.
 */
        .globl bly_start
        .hidden bly_start
        .type bly_start, %function
        .p2align 6
bly_start:
        .cfi_startproc
        hint #34 /* bti c */
        save_frame
        mov x4, sp
        str x4, [x0]
        .cfi_endproc
        .size bly_start, . - bly_start

/* The part that runs on the new stack: a bottom frame like bly_context_start. */
        .type bly_start_bottom, %function
bly_start_bottom:
        .cfi_startproc
        .cfi_def_cfa sp, 0
        .cfi_undefined x30
        .cfi_undefined x29
        mov sp, x1
        mov x0, x3
        mov x29, xzr
        mov x30, xzr
        blr x2
        ldr x3, [x0]
        mrs x6, fpcr
        ldr x5, [x3, #BLY_SAVED_FPCR]
        cmp x5, x6
        b.ne .Lload_fpcr
        b .Lsame_fpcr
        .cfi_endproc
        .size bly_start_bottom, . - bly_start_bottom

/*
 * The bottom frame of a context that bly_context_make() made. entry is in x19 and its argument in
 * x20. The frame has no caller, and the unwind rules say so.
 *
 * The first switch lands after the nop, because an unwinder looks up the instruction before a
 * return address.
 */
        .globl bly_context_start
        .hidden bly_context_start
        .globl bly_context_start_pc
        .hidden bly_context_start_pc
        .type bly_context_start, %function
        .p2align 4
bly_context_start:
        .cfi_startproc
        .cfi_def_cfa sp, 0
        .cfi_undefined x30
        .cfi_undefined x29
        nop
bly_context_start_pc:
        mov x0, x20
        mov x29, xzr
        mov x30, xzr
        blr x19
        brk #1
        .cfi_endproc
        .size bly_context_start, . - bly_context_start

#endif

#include "property.h"
