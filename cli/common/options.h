/* SPDX-License-Identifier: MIT */
/*
 * Command-line options, as getopt_long() reads them, with the command's own messages.
 */
#ifndef BELAY_CLI_COMMON_OPTIONS_H
#define BELAY_CLI_COMMON_OPTIONS_H

#include <getopt.h>

/*
 * Returns the next option, -1 after the last, or '?' after it printed a message. `shorts` is as for
 * getopt(), and may begin with `+`.
 */
int next_option(int argc, char *argv[], const char *shorts, const struct option *longs);

#endif
