/* SPDX-License-Identifier: MIT */
/*
 * The ELF note that leads to belay_debug. Every program and shared object that contains the library
 * has this note, and a debugger finds it from the program headers. strip and --gc-sections keep
 * the note. It holds the distance from itself to belay_debug, and so needs no relocation.
 */
        .section .note.belay, "a", %note
        .balign 4
        .long 6         /* length of the name */
        .long bly_debug_note_end - bly_debug_note
        .long 1         /* type: distance to belay_debug */
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
