/* SPDX-License-Identifier: MIT */
/*
 * Posting to a loop, and waking it.
 *
 * A thread that posts to an empty inbox wakes the loop. It sets `attention`, for a loop that is
 * busy, and writes to the eventfd, for a loop that waits. The loop clears `attention` before it
 * takes the items. A thread that then finds the inbox empty sets `attention` after it was cleared.
 * An item that a thread adds to a non-empty inbox is taken with the others.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/base.h"
#include "core/inbox.h"

/* The latest item of an inbox that is closed. */
static struct bly_posted closed;

/*
 * Not from the program's allocator, since a thread that the program does not know may release the
 * last reference.
 */
struct bly_inbox *bly_inbox_new(void) {
        struct bly_inbox *inbox = calloc(1, sizeof(*inbox));

        if (inbox == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        inbox->refs = 1;
        inbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (inbox->wake_fd < 0) {
                int saved = errno;

                free(inbox);
                errno = saved;
                return NULL;
        }
        return inbox;
}

struct bly_inbox *bly_inbox_ref(struct bly_inbox *inbox) {
        atomic_fetch_add_explicit(&inbox->refs, 1, memory_order_relaxed);
        return inbox;
}

void bly_inbox_unref(struct bly_inbox *inbox) {
        if (inbox == NULL || atomic_fetch_sub_explicit(&inbox->refs, 1, memory_order_acq_rel) > 1)
                return;
        close(inbox->wake_fd);
        free(inbox);
}

void bly_inbox_wake(struct bly_inbox *inbox) {
        uint64_t one = 1;
        int saved = errno;

        atomic_store_explicit(&inbox->attention, 1, memory_order_release);
        /* If the counter is full, the descriptor is readable already. */
        if (write(inbox->wake_fd, &one, sizeof(one)) < 0)
                errno = saved;
}

bool bly_post(struct bly_inbox *inbox, struct bly_posted *posted) {
        struct bly_posted *latest = atomic_load_explicit(&inbox->latest, memory_order_relaxed);

        do {
                if (unlikely(latest == &closed))
                        return false;
                posted->next = latest;
        } while (!atomic_compare_exchange_weak_explicit(
                &inbox->latest, &latest, posted, memory_order_acq_rel, memory_order_relaxed));
        /* The loop may have freed `posted` already. */
        if (latest == NULL)
                bly_inbox_wake(inbox);
        return true;
}

static void receive(struct bly_posted *latest) {
        struct bly_posted *posted, *next, *in_order = NULL;

        for (posted = latest; posted != NULL; posted = next) {
                next = posted->next;
                posted->next = in_order;
                in_order = posted;
        }
        for (posted = in_order; posted != NULL; posted = next) {
                next = posted->next;
                posted->received(posted);
        }
}

void bly_inbox_take(struct bly_inbox *inbox) {
        uint64_t count;
        int saved = errno;

        /* Cleared before the items are taken, so an item that is posted meanwhile sets it again. */
        atomic_exchange_explicit(&inbox->attention, 0, memory_order_acquire);
        if (read(inbox->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                bly_log_limited(BELAY_LOG_WARNING, NULL, "reading the loop's own descriptor: %s",
                                strerror(errno));
        /* This may run on the stack of a task, whose errno is its own. */
        errno = saved;
        receive(atomic_exchange_explicit(&inbox->latest, NULL, memory_order_acq_rel));
}

void bly_inbox_close(struct bly_inbox *inbox) {
        receive(atomic_exchange_explicit(&inbox->latest, &closed, memory_order_acq_rel));
}
