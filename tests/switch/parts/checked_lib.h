/* SPDX-License-Identifier: MIT */
/* The smallest layer of tasks that uses the tested units; see checkers.sh. */
#ifndef BELAY_TESTS_CHECKED_LIB_H
#define BELAY_TESTS_CHECKED_LIB_H

void mini_begin(void);
void mini_spawn(void (*entry)(void *), void *arg);
void mini_yield(void);
/*
 * Does not return, but is not declared so. Before a call that is declared not to return, address
 * sanitizer clears the marks that the next owner of the stack is to find.
 */
void mini_end(void);
/* Runs all tasks until they have ended, or for `turns` turns if that is not 0. */
void mini_run(int turns);
void mini_finish(void);
int mini_tools(void);
/*
 * Writes to a large part of the stack below the caller, as a library without knowledge of checkers
 * does.
 */
void mini_touch(int value);

#endif
