/* SPDX-License-Identifier: MIT */
/*
 * Reads options with getopt_long(), but writes the messages itself. The C library's messages begin
 * with the name by which the program was called, and quote the bytes of an option unchanged.
 */
#include <stdio.h>

#include "options.h"
#include "output.h"

static const char *name_of(int value, const struct option *longs) {
        for (; longs->name; longs++)
                if (longs->val == value)
                        return longs->name;
        return NULL;
}

int next_option(int argc, char *argv[], const char *shorts, const struct option *longs) {
        char with_colon[32];
        const char *name;
        int option;

        /*
         * With a colon in front, getopt_long() returns ':' for a missing argument and '?' for an
         * unknown option.
         */
        snprintf(with_colon, sizeof(with_colon), "%s:%s", *shorts == '+' ? "+" : "",
                 shorts + (*shorts == '+'));
        opterr = 0;
        option = getopt_long(argc, argv, with_colon, longs, NULL);
        if (option != '?' && option != ':')
                return option;
        name = optopt ? name_of(optopt, longs) : NULL;
        if (option == ':')
                message("option '--%s' requires an argument; %s --help says more", name,
                        message_name);
        else if (name)
                message("option '--%s' takes no argument; %s --help says more", name, message_name);
        else if (optopt)
                message("unrecognized option '-%c'; %s --help says more", optopt, message_name);
        else
                message("unrecognized option '%s'; %s --help says more", argv[optind - 1],
                        message_name);
        return '?';
}
