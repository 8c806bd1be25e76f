/* SPDX-License-Identifier: MIT */
/* A program without a C++ runtime has no C++ exceptions to take along. */
#include "../../src/switch/exceptions.h"
#include "../check.h"

int main(void)
{
        CHECK(bly_exceptions_of_thread() == NULL);
        return 0;
}
