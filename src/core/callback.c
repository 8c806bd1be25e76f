/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that are due soon or later, and that a ticket withdraws.
 *
 * A ticket consists of a slot's number and the slot's generation. A stale ticket therefore
 * withdraws nothing. If a callback is withdrawn while it is in the ready queue, its entry stays
 * there without a function. The slot is free again when the queue reaches that entry.
 */
#include "core/wait.h"

enum { TICKETS_A_BLOCK = 32 };

struct ticket {
        struct bly_call call;
        struct bly_timer timer;
        struct belay_loop *loop;
        belay_callback_fn *fn; /* NULL if withdrawn */
        void *arg;
        uint32_t index, generation;
        bool queued;
        struct ticket *next_free;
};

struct block {
        struct ticket tickets[TICKETS_A_BLOCK];
};

struct bly_callbacks {
        struct block **blocks;
        size_t count;
        struct ticket *free;
};

static bool add_block(struct belay_loop *loop, struct bly_callbacks *tickets) {
        struct block **blocks = bly_realloc(tickets->blocks,
                                            (tickets->count + 1) * sizeof(*blocks));
        struct block *block;

        if (blocks == NULL)
                return false;
        tickets->blocks = blocks;
        block = bly_zalloc(sizeof(*block));
        if (block == NULL)
                return false;
        for (unsigned i = TICKETS_A_BLOCK; i-- > 0;) {
                struct ticket *ticket = &block->tickets[i];

                ticket->loop = loop;
                ticket->index = (uint32_t) (tickets->count * TICKETS_A_BLOCK + i);
                ticket->generation = 1;
                ticket->next_free = tickets->free;
                tickets->free = ticket;
        }
        blocks[tickets->count++] = block;
        return true;
}

static struct ticket *take(struct belay_loop *loop, belay_callback_fn *fn, void *arg) {
        struct ticket *ticket;

        if (loop->callbacks == NULL)
                loop->callbacks = bly_zalloc(sizeof(*loop->callbacks));
        if (loop->callbacks == NULL
            || (loop->callbacks->free == NULL && !add_block(loop, loop->callbacks))) {
                errno = ENOMEM;
                return NULL;
        }
        ticket = loop->callbacks->free;
        loop->callbacks->free = ticket->next_free;
        ticket->fn = fn;
        ticket->arg = arg;
        ticket->queued = false;
        return ticket;
}

static void give_back(struct ticket *ticket) {
        ticket->fn = NULL;
        ticket->next_free = ticket->loop->callbacks->free;
        ticket->loop->callbacks->free = ticket;
}

static belay_ticket number_of(const struct ticket *ticket) {
        return (belay_ticket) ticket->generation << 32 | ticket->index;
}

static void fire(struct ticket *ticket) {
        belay_callback_fn *fn = ticket->fn;
        void *arg = ticket->arg;

        if (fn != NULL)
                ticket->generation++;
        give_back(ticket);
        if (fn != NULL)
                fn(arg);
}

static void fire_soon(struct bly_call *call) {
        fire(container_of(call, struct ticket, call));
}

static void fire_timer(struct bly_timer *timer) {
        fire(container_of(timer, struct ticket, timer));
}

belay_ticket bly_callback_soon(struct belay_loop *loop, belay_callback_fn *fn, void *arg) {
        struct ticket *ticket = take(loop, fn, arg);

        if (ticket == NULL)
                return 0;
        ticket->queued = true;
        bly_call_soon(loop, &ticket->call, fire_soon);
        return number_of(ticket);
}

belay_ticket bly_callback_at(struct belay_loop *loop, belay_time when, belay_callback_fn *fn,
                             void *arg) {
        struct ticket *ticket = take(loop, fn, arg);

        if (ticket == NULL)
                return 0;
        ticket->timer.fire = fire_timer;
        if (when != BELAY_NEVER && bly_timer_set(loop, &ticket->timer, when) < 0) {
                give_back(ticket);
                errno = ENOMEM;
                return 0;
        }
        return number_of(ticket);
}

bool bly_callback_cancel(struct belay_loop *loop, belay_ticket number) {
        size_t index = (uint32_t) number;
        struct ticket *ticket;

        if (loop->callbacks == NULL || index >= loop->callbacks->count * TICKETS_A_BLOCK)
                return false;
        ticket = &loop->callbacks->blocks[index / TICKETS_A_BLOCK]
                          ->tickets[index % TICKETS_A_BLOCK];
        if (ticket->generation != number >> 32 || ticket->fn == NULL)
                return false;
        ticket->generation++;
        ticket->fn = NULL;
        if (!ticket->queued) {
                bly_timer_off(loop, &ticket->timer);
                give_back(ticket);
        }
        return true;
}

void bly_callbacks_forget(struct belay_loop *loop, const char *low, const char *high) {
        for (size_t i = 0; loop->callbacks != NULL && i < loop->callbacks->count * TICKETS_A_BLOCK;
             i++) {
                struct ticket *ticket = &loop->callbacks->blocks[i / TICKETS_A_BLOCK]
                                                 ->tickets[i % TICKETS_A_BLOCK];

                if (ticket->fn != NULL && (const char *) ticket->arg >= low
                    && (const char *) ticket->arg < high)
                        bly_callback_cancel(loop, number_of(ticket));
        }
}

void bly_callbacks_free(struct belay_loop *loop) {
        if (loop->callbacks == NULL)
                return;
        for (size_t i = 0; i < loop->callbacks->count; i++)
                bly_free(loop->callbacks->blocks[i]);
        bly_free(loop->callbacks->blocks);
        bly_free(loop->callbacks);
        loop->callbacks = NULL;
}

/* ---- for programs ---- */

static struct belay_loop *calling_loop(const char *what) {
        struct belay_loop *loop = bly_loop;

        if (loop == NULL) {
                bly_misuse(-EPERM, NULL, "%s where no loop runs", what);
                errno = EPERM;
        }
        return loop;
}

belay_ticket belay_soon(belay_callback_fn *fn, void *arg) {
        struct belay_loop *loop = calling_loop("belay_soon()");

        return loop != NULL ? bly_callback_soon(loop, fn, arg) : 0;
}

belay_ticket belay_later(belay_time span, belay_callback_fn *fn, void *arg) {
        struct belay_loop *loop = calling_loop("belay_later()");

        return loop != NULL ? bly_callback_at(loop, bly_add_time(bly_now(loop), span), fn, arg) : 0;
}

bool belay_timer_cancel(belay_ticket ticket) {
        struct belay_loop *loop = bly_loop;

        return loop != NULL && ticket != 0 && bly_callback_cancel(loop, ticket);
}
