/* SPDX-License-Identifier: MIT */
/*
 * A chain of eight callers around a function that yields. The processor should predict every return
 * up the chain, and a switch that does not end in a return would spoil that.
 */
#ifndef DEEP_H
#define DEEP_H

#define DEEP_LEVEL(name, next)                                  \
        static __attribute__((noinline)) int name(void *what) { \
                int rc = next(what);                            \
                __asm__ volatile("" ::: "memory");              \
                return rc;                                      \
        }

#define DEEP(bottom)               \
        DEEP_LEVEL(deep_8, bottom) \
        DEEP_LEVEL(deep_7, deep_8) \
        DEEP_LEVEL(deep_6, deep_7) \
        DEEP_LEVEL(deep_5, deep_6) \
        DEEP_LEVEL(deep_4, deep_5) \
        DEEP_LEVEL(deep_3, deep_4) \
        DEEP_LEVEL(deep_2, deep_3) \
        DEEP_LEVEL(deep_1, deep_2)

#endif
