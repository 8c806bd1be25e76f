/* SPDX-License-Identifier: MIT */
/*
 * The switch for riscv64 (LP64D). As on x86-64, every suspended context has the same frame, so that
 * the unwind rules hold on both sides of the exchange of stack pointers.
 */
#include "switch.h"

#ifdef BLY_SWITCH_RISCV64

        .text

/* Saves the frame of a suspended context. Leaves the rounding mode in a6. */
        .macro save_frame
        addi sp, sp, -BLY_SAVED_SIZE
        .cfi_def_cfa_offset BLY_SAVED_SIZE
        sd ra, 200(sp)
        .cfi_rel_offset ra, 200
        sd s0, 192(sp)
        .cfi_rel_offset s0, 192
        /*
         * The frame record for unwinders that only follow frame pointers lies below this address.
         */
        addi s0, sp, BLY_SAVED_SIZE
        sd s1, 0(sp)
        .cfi_rel_offset s1, 0
        sd s2, 8(sp)
        .cfi_rel_offset s2, 8
        sd s3, 16(sp)
        .cfi_rel_offset s3, 16
        sd s4, 24(sp)
        .cfi_rel_offset s4, 24
        sd s5, 32(sp)
        .cfi_rel_offset s5, 32
        sd s6, 40(sp)
        .cfi_rel_offset s6, 40
        sd s7, 48(sp)
        .cfi_rel_offset s7, 48
        sd s8, 56(sp)
        .cfi_rel_offset s8, 56
        sd s9, 64(sp)
        .cfi_rel_offset s9, 64
        sd s10, 72(sp)
        .cfi_rel_offset s10, 72
        sd s11, 80(sp)
        .cfi_rel_offset s11, 80
        fsd fs0, 96(sp)
        .cfi_rel_offset fs0, 96
        fsd fs1, 104(sp)
        .cfi_rel_offset fs1, 104
        fsd fs2, 112(sp)
        .cfi_rel_offset fs2, 112
        fsd fs3, 120(sp)
        .cfi_rel_offset fs3, 120
        fsd fs4, 128(sp)
        .cfi_rel_offset fs4, 128
        fsd fs5, 136(sp)
        .cfi_rel_offset fs5, 136
        fsd fs6, 144(sp)
        .cfi_rel_offset fs6, 144
        fsd fs7, 152(sp)
        .cfi_rel_offset fs7, 152
        fsd fs8, 160(sp)
        .cfi_rel_offset fs8, 160
        fsd fs9, 168(sp)
        .cfi_rel_offset fs9, 168
        fsd fs10, 176(sp)
        .cfi_rel_offset fs10, 176
        fsd fs11, 184(sp)
        .cfi_rel_offset fs11, 184
        frrm a6
        sd a6, BLY_SAVED_FRM(sp)
        .endm

/* void bly_switch(struct bly_context *from, const struct bly_context *to) */
        .globl bly_switch
        .hidden bly_switch
        .type bly_switch, %function
        .p2align 6
bly_switch:
        .cfi_startproc
        save_frame
        ld a3, 0(a1)
        sd sp, 0(a0)
        /* Writing the mode serializes many cores, and its value hardly ever differs. */
        ld a5, BLY_SAVED_FRM(a3)
        bne a5, a6, .Lload_mode
.Lsame_mode:
        mv sp, a3
        ld s1, 0(sp)
        ld s2, 8(sp)
        ld s3, 16(sp)
        ld s4, 24(sp)
        ld s5, 32(sp)
        ld s6, 40(sp)
        ld s7, 48(sp)
        ld s8, 56(sp)
        ld s9, 64(sp)
        ld s10, 72(sp)
        ld s11, 80(sp)
        fld fs0, 96(sp)
        fld fs1, 104(sp)
        fld fs2, 112(sp)
        fld fs3, 120(sp)
        fld fs4, 128(sp)
        fld fs5, 136(sp)
        fld fs6, 144(sp)
        fld fs7, 152(sp)
        fld fs8, 160(sp)
        fld fs9, 168(sp)
        fld fs10, 176(sp)
        fld fs11, 184(sp)
        ld s0, 192(sp)
        ld ra, 200(sp)
        .cfi_remember_state
        addi sp, sp, BLY_SAVED_SIZE
        .cfi_def_cfa_offset 0
        .cfi_restore ra
        .cfi_restore s0
        .cfi_restore s1
        .cfi_restore s2
        .cfi_restore s3
        .cfi_restore s4
        .cfi_restore s5
        .cfi_restore s6
        .cfi_restore s7
        .cfi_restore s8
        .cfi_restore s9
        .cfi_restore s10
        .cfi_restore s11
        .cfi_restore fs0
        .cfi_restore fs1
        .cfi_restore fs2
        .cfi_restore fs3
        .cfi_restore fs4
        .cfi_restore fs5
        .cfi_restore fs6
        .cfi_restore fs7
        .cfi_restore fs8
        .cfi_restore fs9
        .cfi_restore fs10
        .cfi_restore fs11
        ret

        .cfi_restore_state
.Lload_mode:
        fsrm a5
        j .Lsame_mode
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
        save_frame
        sd sp, 0(a0)
        .cfi_endproc
        .size bly_start, . - bly_start

/* The part that runs on the new stack: a bottom frame like bly_context_start. */
        .type bly_start_bottom, %function
bly_start_bottom:
        .cfi_startproc
        .cfi_def_cfa sp, 0
        .cfi_undefined ra
        .cfi_undefined s0
        mv sp, a1
        mv a0, a3
        li s0, 0
        li ra, 0
        jalr a2
        ld a3, 0(a0)
        frrm a6
        ld a5, BLY_SAVED_FRM(a3)
        bne a5, a6, .Lload_mode
        j .Lsame_mode
        .cfi_endproc
        .size bly_start_bottom, . - bly_start_bottom

/*
 * The bottom frame of a context that bly_context_make() made. entry is in s1 and its argument in
 * s2. The frame has no caller, and the unwind rules say so.
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
        .cfi_undefined ra
        .cfi_undefined s0
        nop
bly_context_start_pc:
        mv a0, s2
        li s0, 0
        li ra, 0
        jalr s1
        ebreak
        .cfi_endproc
        .size bly_context_start, . - bly_context_start

#endif

#include "property.h"
