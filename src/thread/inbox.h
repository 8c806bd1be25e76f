/* SPDX-License-Identifier: MIT */
/*
 * The inbox: how another thread leaves word in a loop.
 *
 * Words are pushed with one compare-and-swap and taken all at once with one exchange: a stack without a lock, from
 * which nobody takes a single one out. Turned round they are in order.
 */
#ifndef BLY_INBOX_H
#define BLY_INBOX_H

#include "core/loop.h"

/* From any thread: the loop is to look, also if it waits. */
void bly_ring(struct belay_loop *loop);

/* What is left: in memory of whoever leaves it, who does not touch it from then on until it is told. */
struct bly_word {
        struct bly_word *next;
        /* In the loop's thread, outside of tasks or in any of them; must not wait. */
        void (*told)(struct bly_word *word);
};

/* From any thread; the caller sees to it that the loop is not closed meanwhile. */
void bly_leave_word(struct belay_loop *loop, struct bly_word *word);

/* Tells all that was left, in its order. In the loop's thread. */
void bly_inbox_take(struct belay_loop *loop);

#endif
