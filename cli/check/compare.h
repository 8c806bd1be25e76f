/* SPDX-License-Identifier: MIT */
/*
 * Compares two traces literally: the events of each task, in that task's order.
 */
#ifndef BELAY_CLI_CHECK_COMPARE_H
#define BELAY_CLI_CHECK_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "../common/text.h"

/*
 * Returns whether the traces are equal. For each task that differs, adds to `difference` lines that
 * show how.
 */
bool compare_traces(const char *expected, size_t expected_length, const char *got,
                    size_t got_length, struct text *difference);

#endif
