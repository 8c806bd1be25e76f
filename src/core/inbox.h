/* SPDX-License-Identifier: MIT */
/*
 * The inbox: other threads and signal handlers wake a loop, and threads post to it.
 *
 * It is an object of its own with a count of references, so that a thread that holds one may post when the loop is being
 * closed or is gone. Posted items are pushed with one compare-and-swap and taken all at once with one exchange. That is a
 * stack without a lock, from which nothing takes a single item out. Reversed, it has the order of posting.
 */
#ifndef BLY_INBOX_H
#define BLY_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "signal handlers set it");

/* Belongs to the inbox from bly_post() until `received` is called, which may free it. */
struct bly_posted {
        struct bly_posted *next;
        /* Called in the loop's thread, outside of tasks or in any of them. It must not wait. */
        void (*received)(struct bly_posted *posted);
};

struct bly_inbox {
        atomic_int attention;                   /* the loop is to look at what came from outside */
        int wake_fd;                            /* eventfd, readable when a waiting loop is to look */
        _Atomic(struct bly_posted *) latest;
        atomic_int refs;
};

/* NULL with errno. */
struct bly_inbox *bly_inbox_new(void);
struct bly_inbox *bly_inbox_ref(struct bly_inbox *inbox);
void bly_inbox_unref(struct bly_inbox *inbox);

/* From any thread or signal handler: sets `attention`, and makes a loop that waits return from its wait. */
void bly_inbox_wake(struct bly_inbox *inbox);

/*
 * From any thread that holds a reference: has posted->received() called by the loop. False if the inbox is closed; `posted`
 * then still belongs to the caller.
 */
bool bly_post(struct bly_inbox *inbox, struct bly_posted *posted);

/*
 * Clears `attention`, drains the eventfd, and calls received() of all that was posted, in the order of posting. In the loop's
 * thread.
 */
void bly_inbox_take(struct bly_inbox *inbox);

/* Takes what was posted, and refuses whatever comes later. In the loop's thread. */
void bly_inbox_close(struct bly_inbox *inbox);

#endif
