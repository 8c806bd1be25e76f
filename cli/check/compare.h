/* SPDX-License-Identifier: MIT */
/*
 * Compares two traces: each task's events, in its own order, to the letter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "../common/text.h"

/* Are they equal? Where they are not, `difference` gets lines to show, for each task that differs. */
bool compare_traces(const char *expected, size_t expected_length, const char *got, size_t got_length,
                    struct text *difference);
