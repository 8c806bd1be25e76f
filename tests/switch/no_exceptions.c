/* SPDX-License-Identifier: MIT */
/*
 * Tests a program without a C++ runtime. It has no exception state that a switch would have to
 * save.
 */
#include "../../src/switch/exceptions.h"
#include "../check.h"

int main(void) {
        CHECK(bly_exceptions_of_thread() == NULL);
        return 0;
}
