/* SPDX-License-Identifier: MIT */
/*
 * belay in a program that sd-event drives.
 *
 * sd-event watches one descriptor, level-triggered, which is its default. As in glib.c, the adapter
 * has nothing to prepare before a wait.
 */
#define _GNU_SOURCE
#include <systemd/sd-event.h>

#include <sys/epoll.h>

#include "both.h"

/* ---- the adapter ---- */

static int dispatch(sd_event_source *source, int fd, uint32_t events, void *loop) {
        int rc = belay_loop_dispatch(loop);

        (void) fd;
        (void) events;
        /*
         * 0: main has ended, and sd_event_loop() returns. -EBUSY: a task runs the event loop
         * itself.
         */
        if (rc == 0)
                return sd_event_exit(sd_event_source_get_event(source), 0);
        return rc == -EBUSY ? 0 : rc;
}

static int add_belay(sd_event *event, belay_loop *loop) {
        /* Without a handle of our own the source floats: it lives as long as the event loop. */
        return sd_event_add_io(event, NULL, belay_loop_fd(loop), EPOLLIN, dispatch, loop);
}

/* ---- a program ---- */

static int tick(sd_event_source *source, uint64_t usec, void *data) {
        (void) usec;
        (void) data;
        if (!both_tick())
                return 0;
        sd_event_source_set_time_relative(source, TICK_MILLISECONDS * 1000);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int byte(sd_event_source *source, int fd, uint32_t events, void *data) {
        (void) source;
        (void) fd;
        (void) events;
        (void) data;
        both_byte();
        return 0;
}

int main(void) {
        sd_event *event = NULL;
        int rc = both_begin();

        if (rc == 0)
                rc = sd_event_default(&event);
        if (rc >= 0)
                rc = add_belay(event, both.loop);
        if (rc >= 0)
                rc = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC,
                                                TICK_MILLISECONDS * 1000, 1, tick, NULL);
        if (rc >= 0)
                rc = sd_event_add_io(event, NULL, both.from_task[0], EPOLLIN, byte, NULL);
        if (rc >= 0)
                rc = sd_event_loop(event);
        sd_event_unref(event);
        if (rc < 0) {
                fprintf(stderr, "sd_event: %s\n", strerror(-rc));
                return 1;
        }
        return both_end("sd-event");
}
