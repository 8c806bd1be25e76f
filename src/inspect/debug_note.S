/* SPDX-License-Identifier: MIT */
/*
 * The note that leads to belay_debug: in every program and shared object that the library is linked into, found
 * from the program headers, kept by strip and by --gc-sections. It holds a distance, so that nobody needs to
 * relocate it.
 */
        .section .note.belay, "a", %note
        .balign 4
        .long 6         /* the name's length */
        .long bly_debug_note_end - bly_debug_note
        .long 1         /* the type: leads to belay_debug */
        .asciz "belay"
        .balign 4
        .globl bly_debug_note
        .hidden bly_debug_note
        .hidden bly_debug
bly_debug_note:
#if defined(__LP64__)
        .quad bly_debug - bly_debug_note
#else
        .long bly_debug - bly_debug_note
#endif
bly_debug_note_end:
        .balign 4

#include "switch/property.h"
