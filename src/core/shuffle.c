/* SPDX-License-Identifier: MIT */
/*
 * The order of ready tasks under a seed.
 */
#include "core/loop.h"

enum { MIXED_AT_ONCE = 64 };

static uint64_t random_next(struct belay_loop *loop) {
        /* xorshift64. The order need not be unpredictable, only the same for the same seed. */
        uint64_t x = loop->random;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return loop->random = x;
}

/*
 * Shuffles the first 64 entries of the queue. Half of the time it defers some of these to the next
 * turn. It always defers the entries after the 64th. bly_put_back() puts all of them in front of
 * what becomes ready meanwhile.
 *
 * run_ready() takes its look after the shuffle, so timers that are due fire after this turn's
 * entries. Even a timeout of 0 lets these run first.
 */
void bly_shuffle(struct belay_loop *loop, struct bly_ready *held) {
        struct bly_node *nodes[MIXED_AT_ONCE], *rest = loop->ready.head;
        unsigned count = 0, now;

        while (rest != NULL && count < MIXED_AT_ONCE) {
                nodes[count++] = rest;
                rest = rest->next;
        }
        if (count == 0)
                return;
        for (unsigned i = count; i > 1; i--) {
                unsigned other = (unsigned) (random_next(loop) % i);
                struct bly_node *node = nodes[i - 1];

                nodes[i - 1] = nodes[other];
                nodes[other] = node;
        }
        now = random_next(loop) % 2 == 0 ? count : 1 + (unsigned) (random_next(loop) % count);
        *held = (struct bly_ready) { .head = rest, .tail = loop->ready.tail };
        for (unsigned i = count; i-- > now;) {
                if (held->head == NULL)
                        held->tail = nodes[i];
                nodes[i]->next = held->head;
                held->head = nodes[i];
        }
        loop->ready.head = NULL;
        for (unsigned i = 0; i < now; i++)
                bly_ready_push(loop, nodes[i]);
}

void bly_put_back(struct belay_loop *loop, const struct bly_ready *held) {
        if (held->head == NULL)
                return;
        held->tail->next = loop->ready.head;
        if (loop->ready.head == NULL)
                loop->ready.tail = held->tail;
        loop->ready.head = held->head;
}
