/* SPDX-License-Identifier: MIT */
/*
 * belay in a libuv program.
 *
 * libuv watches one descriptor with uv_poll_t. It need not know belay's timers, so there is no
 * uv_prepare_t that would query them before each wait.
 */
#define _GNU_SOURCE
#include <uv.h>

#include "both.h"

/* ---- the adapter ---- */

static void dispatch(uv_poll_t *handle, int status, int events) {
        (void) status;
        (void) events;
        /*
         * 0: main has ended. Other tasks would go on if the handle stayed open. Here they wait for
         * belay_loop_close().
         */
        if (belay_loop_dispatch(handle->data) == 0)
                uv_close((uv_handle_t *) handle, NULL);
}

static int add_belay(uv_loop_t *uv, uv_poll_t *handle, belay_loop *loop) {
        int rc = uv_poll_init(uv, handle, belay_loop_fd(loop));

        handle->data = loop;
        return rc < 0 ? rc : uv_poll_start(handle, UV_READABLE, dispatch);
}

/* ---- a program ---- */

static uv_poll_t tasks, bytes;
static uv_timer_t timer;

static void tick(uv_timer_t *handle) {
        if (both_tick())
                return;
        uv_close((uv_handle_t *) handle, NULL);
        uv_close((uv_handle_t *) &bytes, NULL);
}

static void byte(uv_poll_t *handle, int status, int events) {
        (void) handle;
        (void) status;
        (void) events;
        both_byte();
}

int main(void) {
        uv_loop_t *uv = uv_default_loop();
        int rc = both_begin();

        if (rc == 0)
                rc = add_belay(uv, &tasks, both.loop);
        if (rc == 0)
                rc = uv_timer_init(uv, &timer);
        if (rc == 0)
                rc = uv_timer_start(&timer, tick, TICK_MILLISECONDS, TICK_MILLISECONDS);
        if (rc == 0)
                rc = uv_poll_init(uv, &bytes, both.from_task[0]);
        if (rc == 0)
                rc = uv_poll_start(&bytes, UV_READABLE, byte);
        if (rc < 0) {
                fprintf(stderr, "libuv: %s\n", strerror(-rc));
                return 1;
        }
        /*
         * Returns when no handle is open any more. The handle for belay is closed when main has
         * ended.
         */
        uv_run(uv, UV_RUN_DEFAULT);
        rc = both_end("libuv");
        return uv_loop_close(uv) < 0 || rc;
}
