/* SPDX-License-Identifier: MIT */
/*
 * The object behind belay_failure: a code and its details. It is shared by reference counting. It
 * never changes once code other than its creator can see it.
 */
#ifndef BLY_FAILURE_H
#define BLY_FAILURE_H

#include "base/base.h"

struct belay_failure {
        unsigned refs;
        int code;
        struct bly_text *text;
        bool says_all; /* `text` is complete without strerror() */
        void *data;
        belay_destroy *destroy;
        size_t count;
        struct belay_failure **beneath;
        struct belay_failure *next_dead; /* list of failures that are being released, or NULL */
};

/*
 * Creates a failure and takes over `text`. If there is no memory, releases the text and returns
 * NULL.
 */
belay_failure *bly_failure_new(int code, struct bly_text *text);

/*
 * Adds a failure beneath and takes over the reference. If there is no memory, releases the
 * reference and returns false.
 */
bool bly_failure_add(belay_failure *failure, belay_failure *beneath);

#endif
