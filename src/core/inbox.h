/* SPDX-License-Identifier: MIT */
/*
 * The inbox: other threads and signal handlers wake a loop, and threads post to it.
 *
 * The inbox is an object of its own with a count of references. A thread that holds one may
 * therefore post when the loop is being closed or is gone.
 *
 * Posted items are pushed with one compare-and-swap and taken all at once with one exchange. That
 * is a stack without a lock, from which nothing takes a single item out. Reversed, it has the order
 * of posting.
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
        atomic_int attention; /* set if the loop must handle posts or signals */
        /* eventfd that ends the wait of the loop when readable */
        int wake_fd;
        _Atomic(struct bly_posted *) latest;
        atomic_int refs;
};

/* Returns NULL with errno on failure. */
struct bly_inbox *bly_inbox_new(void);
struct bly_inbox *bly_inbox_ref(struct bly_inbox *inbox);
void bly_inbox_unref(struct bly_inbox *inbox);

/*
 * From any thread or signal handler: sets `attention`, and makes a waiting loop return from its
 * wait.
 */
void bly_inbox_wake(struct bly_inbox *inbox);

/*
 * From any thread that holds a reference: makes the loop call posted->received(). Returns false if
 * the inbox is closed. `posted` then still belongs to the caller.
 */
bool bly_post(struct bly_inbox *inbox, struct bly_posted *posted);

/*
 * In the loop's thread: clears `attention`, drains the eventfd, and calls received() for everything
 * that was posted, in the order of posting.
 */
void bly_inbox_take(struct bly_inbox *inbox);

/* In the loop's thread: takes everything that was posted, and refuses later posts. */
void bly_inbox_close(struct bly_inbox *inbox);

#endif
