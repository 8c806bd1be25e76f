/* SPDX-License-Identifier: MIT */
/*
 * Options, as getopt_long() reads them, with messages of our own.
 */
#pragma once

#include <getopt.h>

/*
 * The next option, -1 behind the last, or '?' after a message. `shorts` as for getopt(), a `+` in front allowed.
 */
int next_option(int argc, char *argv[], const char *shorts, const struct option *longs);
