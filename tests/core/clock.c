/* SPDX-License-Identifier: MIT */
/*
 * The library finds out once whether the kernel trusts the processor's time stamp counter. If the
 * check fails for want of descriptors, the result must not be remembered.
 */
#define _GNU_SOURCE
#include "core/ticks.h"

#include "net/plain.h"

static int ask(void *arg) {
        (void) arg;
        return bly_ticks_trusted();
}

static int ask_without_descriptors(void *arg) {
        limit_descriptors(0);
        (void) bly_ticks_trusted();
        unlimit_descriptors();
        return ask(arg);
}

int main(void) {
        struct child at_once, later;

        in_child(&at_once, ask, NULL);
        in_child(&later, ask_without_descriptors, NULL);
        CHECK_CHILD(&later, WEXITSTATUS(at_once.status));
        return 0;
}
