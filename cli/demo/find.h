/* SPDX-License-Identifier: MIT */
/*
 * Finds the programs of the documents.
 */
#ifndef BELAY_CLI_DEMO_FIND_H
#define BELAY_CLI_DEMO_FIND_H

#include <stddef.h>

struct examples {
        char *directory;
        char **names; /* sorted */
        size_t count;
};

/*
 * Looks in $BELAY_EXAMPLES. If that is not set, looks in examples/documents in the directory of
 * this executable, and then where an installation puts the programs. If there are none, prints to
 * stderr where it looked and returns -1.
 */
int examples_find(struct examples *examples);
void examples_free(struct examples *examples);

#endif
