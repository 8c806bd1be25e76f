/* SPDX-License-Identifier: MIT */
/*
 * Leaving word and taking it.
 *
 * Who pushes to an empty inbox rings: it sets `asked`, for a loop that is busy, and writes to the eventfd for one
 * that waits. The loop clears `asked` before it takes the inbox. So whoever finds the inbox empty after that sets
 * `asked` after it was cleared, and whoever finds it full was pushed before it is taken.
 */
#include <unistd.h>

#include "thread/inbox.h"

void bly_ring(struct belay_loop *loop) {
        uint64_t one = 1;
        int saved = errno;

        bly_ask(loop);
        /* Full is as good as written. */
        if (write(loop->wake_fd, &one, sizeof(one)) < 0)
                errno = saved;
}

void bly_leave_word(struct belay_loop *loop, struct bly_word *word) {
        struct bly_word *first = atomic_load_explicit(&loop->inbox, memory_order_relaxed);

        do
                word->next = first;
        while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &first, word, memory_order_acq_rel,
                                                      memory_order_relaxed));
        /* The word may be gone already. */
        if (first == NULL)
                bly_ring(loop);
}

void bly_inbox_take(struct belay_loop *loop) {
        struct bly_word *word, *next, *in_order = NULL;

        word = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acq_rel);
        for (; word != NULL; word = next) {
                next = word->next;
                word->next = in_order;
                in_order = word;
        }
        for (word = in_order; word != NULL; word = next) {
                next = word->next;
                word->told(word);
        }
}
