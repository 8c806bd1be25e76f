/* SPDX-License-Identifier: MIT */
/*
 * The subcommands. Each receives its own argv, which begins with the subcommand's name, and returns
 * the exit status of the command. The status is 0 on success, 1 if the work failed, and 2 on wrong
 * usage. A subcommand writes its output through common/output.h.
 */
#ifndef BELAY_CLI_COMMAND_H
#define BELAY_CLI_COMMAND_H

#include <stdbool.h>

int command_demo(int argc, char *argv[]);
int command_play(int argc, char *argv[]);
int command_check(int argc, char *argv[]);

/* Drops the library's log lines unless `verbose` is true. */
void quiet_library(bool verbose);

#endif
