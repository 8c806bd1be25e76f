/* SPDX-License-Identifier: MIT */
/*
 * What an assembly file says of itself to the linker, for its end. One object that says
 * nothing takes the property from the whole library, so that this is also for files
 * with no code for the machine at hand.
 */

/*
 * x86-64: indirect branch tracking holds, as all indirect landing places are endbr64 (ret
 * is none). No claim about shadow stacks: the switch would leave the shadow stack of the
 * old context in place. aarch64: branch targets are marked; return addresses are not
 * signed, and there is no claim of that.
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

        /* The stack need not be executable. %, as @ begins a comment on some machines. */
        .section .note.GNU-stack, "", %progbits
