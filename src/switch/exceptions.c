/* SPDX-License-Identifier: MIT */
/*
 * Finds the C++ runtime without depending on it. The reference to the runtime is weak and stays
 * NULL in a program that has no C++ runtime.
 */
#include "exceptions.h"

#include <stddef.h>

extern void *__cxa_get_globals(void) __attribute__((weak, visibility("default")));

void *bly_exceptions_of_thread(void) {
        if (!__cxa_get_globals)
                return NULL;
        return __cxa_get_globals();
}
