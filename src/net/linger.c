/* SPDX-License-Identifier: MIT */
/*
 * Closing in good order what a server's handlers left.
 */
#include "net/linger.h"

#include <belay/cancel.h>

/* On the stack of the task that closes it. */
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
        /* The wait in which it lingers ends, and then it closes the connection. */
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
