/* SPDX-License-Identifier: MIT */
/* The smallest layer of tasks that uses what is to be tested; see test_checkers.sh. */
#ifndef BELAY_TESTS_CHECKED_LIB_H
#define BELAY_TESTS_CHECKED_LIB_H

void mini_begin(void);
void mini_spawn(void (*entry)(void *), void *arg);
void mini_yield(void);
/*
 * Does not return. The compiler is not told, because before a call that it knows not to
 * return, address sanitizer clears the marks that the next owner of the stack is to find.
 */
void mini_end(void);
/* Runs all until they have ended, or for so many turns if that is not 0. */
void mini_run(int turns);
void mini_finish(void);
int mini_tools(void);
/* Writes to much of the stack below the caller, as a library does that knows of no checker. */
void mini_touch(int value);

#endif
