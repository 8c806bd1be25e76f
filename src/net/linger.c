/* SPDX-License-Identifier: MIT */
/*
 * Closing in good order the connections that a server's handlers left open.
 */
#include "net/linger.h"

#include <belay/cancel.h>

/* A connection that is being closed, on the stack of the task that closes it. */
struct lingering {
        struct bly_link link;
        belay_task *task;
};

static void leave(struct bly_linger *linger, struct lingering *self) {
        if (self->link.next != NULL)
                linger->count--;
        bly_list_remove(&self->link);
}

bool bly_linger_end_oldest(struct bly_linger *linger) {
        struct lingering *oldest;

        if (bly_list_empty(&linger->all))
                return false;
        oldest = container_of(linger->all.next, struct lingering, link);
        leave(linger, oldest);
        /* The request ends the task's wait for the peer. Then the task closes the connection. */
        belay_cancel_placed(linger->place, oldest->task, NULL);
        return true;
}

void bly_linger(struct bly_linger *linger, belay_stream *stream) {
        struct lingering self = { .task = belay_self() };

        if (stream == NULL)
                return;
        if (linger->count >= linger->most)
                bly_linger_end_oldest(linger);
        bly_list_append(&linger->all, &self.link);
        linger->count++;
        (void) belay_close_placed(linger->place, stream, linger->limit);
        leave(linger, &self);
}
