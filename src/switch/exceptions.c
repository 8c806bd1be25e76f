/* SPDX-License-Identifier: MIT */
/*
 * Finding the C++ runtime without needing it: a weak reference, which stays NULL
 * in a program that has none.
 */
#include "exceptions.h"

#include <stddef.h>

extern void *__cxa_get_globals(void) __attribute__((weak, visibility("default")));

void *bly_exceptions_of_thread(void)
{
        if (!__cxa_get_globals)
                return NULL;
        return __cxa_get_globals();
}
