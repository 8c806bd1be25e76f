/* SPDX-License-Identifier: MIT */
/*
 * The subcommands. Each gets its own argv, from its name on, and returns the command's exit status: 0, 1 where what it
 * was to do went wrong, 2 where it was asked wrongly. What it writes goes through common/output.h.
 */
#pragma once

#include <stdbool.h>

int command_demo(int argc, char *argv[]);
int command_play(int argc, char *argv[]);
int command_check(int argc, char *argv[]);

/* Drops the library's log lines, unless they are wanted. */
void quiet_library(bool verbose);
