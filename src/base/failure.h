/* SPDX-License-Identifier: MIT */
/*
 * The object behind belay_failure: a code and what more is known of it. Shared by counting, never changed once
 * somebody else can see it.
 */
#ifndef BLY_FAILURE_H
#define BLY_FAILURE_H

#include "base/base.h"

struct belay_failure {
        unsigned refs;
        int code;
        struct bly_text *text;
        bool says_all;                          /* the text does: what the code stands for is not put before it */
        void *data;
        belay_destroy *destroy;
        size_t count;
        struct belay_failure **beneath;
        struct belay_failure *next_dead;        /* while it is being released */
};

/* Takes over `text`. NULL without memory; the text is released then. */
belay_failure *bly_failure_new(int code, struct bly_text *text);

/* Adds one beneath, taking over the reference. False without memory, and then it is released. */
bool bly_failure_add(belay_failure *failure, belay_failure *beneath);

#endif
