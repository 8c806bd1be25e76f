/* SPDX-License-Identifier: MIT */
/*
 * What the C library would say of a wrong option it would say as this program was called, and it would quote the option's
 * bytes as they are.
 */
#include <stdio.h>

#include "options.h"
#include "output.h"

static const char *name_of(int value, const struct option *longs)
{
        for (; longs->name; longs++)
                if (longs->val == value)
                        return longs->name;
        return NULL;
}

int next_option(int argc, char *argv[], const char *shorts, const struct option *longs)
{
        char with_colon[32];
        const char *name;
        int option;

        /* A colon in front tells an argument that is missing from an option that is unknown. */
        snprintf(with_colon, sizeof(with_colon), "%s:%s", *shorts == '+' ? "+" : "", shorts + (*shorts == '+'));
        opterr = 0;
        option = getopt_long(argc, argv, with_colon, longs, NULL);
        if (option != '?' && option != ':')
                return option;
        name = optopt ? name_of(optopt, longs) : NULL;
        if (option == ':')
                message("option '--%s' requires an argument; %s --help says more", name, message_name);
        else if (name)
                message("option '--%s' takes no argument; %s --help says more", name, message_name);
        else if (optopt)
                message("unrecognized option '-%c'; %s --help says more", optopt, message_name);
        else
                message("unrecognized option '%s'; %s --help says more", argv[optind - 1], message_name);
        return '?';
}
