/* SPDX-License-Identifier: MIT */
/*
 * Checks for test programs in C and C++. A check that does not hold prints its file and line and
 * ends the program with exit code 1; SKIP() ends it with 77.
 *
 * No cleanup runs at that end. Therefore a check may stand anywhere, even in a task.
 */
#ifndef BELAY_TESTS_CHECK_H
#define BELAY_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* _exit() does not flush the output streams, so they are flushed before it. */
#define CHECK_END(status) (fflush(NULL), _exit(status))

#define CHECK(cond)                                                                        \
        do {                                                                               \
                if (!(cond)) {                                                             \
                        fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
                        CHECK_END(1);                                                      \
                }                                                                          \
        } while (0)

/* Compare two integers. Each argument is evaluated once. */
#define CHECK_EQ(a, b)                                                                     \
        do {                                                                               \
                long long check_a = (long long) (a);                                       \
                long long check_b = (long long) (b);                                       \
                                                                                           \
                if (check_a != check_b) {                                                  \
                        fprintf(stderr, "%s:%d: failed: %s == %s: it is %lld, not %lld\n", \
                                __FILE__, __LINE__, #a, #b, check_a, check_b);             \
                        CHECK_END(1);                                                      \
                }                                                                          \
        } while (0)

/* Compare two strings, either of which may be NULL. */
#define CHECK_STR(a, b)                                                                         \
        do {                                                                                    \
                const char *check_a = (a);                                                      \
                const char *check_b = (b);                                                      \
                                                                                                \
                if (check_a != check_b && (!check_a || !check_b || strcmp(check_a, check_b))) { \
                        fprintf(stderr, "%s:%d: failed: %s == %s: it is %s%s%s, not %s%s%s\n",  \
                                __FILE__, __LINE__, #a, #b, check_a ? "\"" : "",                \
                                check_a ? check_a : "NULL", check_a ? "\"" : "",                \
                                check_b ? "\"" : "", check_b ? check_b : "NULL",                \
                                check_b ? "\"" : "");                                           \
                        CHECK_END(1);                                                           \
                }                                                                               \
        } while (0)

/* Ends the test as skipped. The reason must be a string. */
#define SKIP(reason)                                                                 \
        do {                                                                         \
                fprintf(stderr, "%s:%d: skipped: %s\n", __FILE__, __LINE__, reason); \
                CHECK_END(77);                                                       \
        } while (0)

#endif
