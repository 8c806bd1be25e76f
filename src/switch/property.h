/* SPDX-License-Identifier: MIT */
/*
 * Properties that an assembly file declares to the linker; the file includes this header at its
 * end.
 *
 * clang-format takes assembly for C, so it is off here.
 *
 * The linker gives the library a property only if every object declares it. Assembly files without
 * code for this machine therefore include this header, too.
 */
/* clang-format off */

/*
 * x86-64: the file declares indirect branch tracking, because every target of an indirect jump or
 * call begins with endbr64. (A ret needs none.) It does not declare shadow stacks, because the
 * switch would leave the shadow stack of the old context in place.
 *
 * aarch64: the file declares branch target identification, because branch targets are marked. It
 * does not declare signed return addresses, because the switch does not sign them.
 */
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(__ILP32__)
        .section .note.gnu.property, "a"
        .p2align 3
        .long 4
        .long 16
        .long 5
        .asciz "GNU"
#if defined(__x86_64__)
        .long 0xc0000002 /* GNU_PROPERTY_X86_FEATURE_1_AND */
#else
        .long 0xc0000000 /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
#endif
        .long 4
        .long 1 /* IBT or BTI */
        .long 0
#endif

        /*
         * The stack need not be executable. The type is written with %, because @ begins a comment
         * on some machines.
         */
        .section .note.GNU-stack, "", %progbits
