/* SPDX-License-Identifier: MIT */
/*
 * Where the programs of the documents are.
 */
#pragma once

#include <stddef.h>

struct examples {
        char *directory;
        char **names;                 /* sorted */
        size_t count;
};

/*
 * Looks in $BELAY_EXAMPLES; if that is not set, in examples/documents beside this executable, then where an installation
 * has them. Says on stderr where it looked in vain, and returns -1.
 */
int examples_find(struct examples *examples);
void examples_free(struct examples *examples);
