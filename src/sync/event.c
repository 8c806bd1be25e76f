/* SPDX-License-Identifier: MIT */
/*
 * The event: a flag that tasks wait for.
 */
#include "sync/waiters.h"

#include <belay/sync.h>

struct event {
        struct bly_waiters waiters;
        bool set;
};

_Static_assert(sizeof(struct event) <= sizeof(belay_event), "room for an event");

static const struct bly_wait_class event_class = {
        .what = "event",
        .on_request = bly_waiter_meet,
        .on = bly_waiter_on,
};

static __attribute__((noinline)) int wait_slowly(const char *place, struct event *event) {
        belay_task *self;

        if (event->set) {
                int rc = bly_try_slowly(place);

                if (rc < 0 || event->set)
                        return rc;
        }
        self = bly_waiter(place, "belay_event_wait()");
        return self != NULL
                       ? bly_waiters_wait(&event->waiters, self, &event_class, NULL, NULL, place)
                       : -EPERM;
}

int belay_event_wait_placed(const char *place, belay_event *handle) {
        struct event *event = (struct event *) handle;

        return likely(event->set && --bly_tries != 0) ? 0 : wait_slowly(place, event);
}

void belay_event_set(belay_event *handle) {
        struct event *event = (struct event *) handle;

        if (event->set)
                return;
        event->set = true;
        bly_waiters_wake(&event->waiters, SIZE_MAX);
}

void belay_event_clear(belay_event *event) {
        ((struct event *) event)->set = false;
}

bool belay_event_is_set(const belay_event *event) {
        return ((const struct event *) event)->set;
}
